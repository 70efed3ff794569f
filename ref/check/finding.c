// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * From "this rule does not hold here" to what a sink receives: path, message, and the bytes around
 * the place.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/report.h"

#define ROW_BYTES 16u
#define MAX_ROW_BYTES 64u
#define MESSAGE_ROOM 2560u /* for one name, escaped, and a sentence */

struct place place_bytes(const struct space *space, uint64_t offset, uint32_t size)
{
	return (struct place){ space, offset, size, ISHARE_STRUCT_COUNT, offset };
}

struct place place_struct(const struct space *space, uint32_t structure, uint64_t base)
{
	return (struct place){ space, base, ishare_structs[structure].size, structure, base };
}

static const struct ishare_field *find_field(uint32_t structure, uint32_t offset)
{
	const struct ishare_struct *s = &ishare_structs[structure];

	for (uint32_t i = 0; i < s->field_count; i++)
		if (s->fields[i].offset == offset)
			return &s->fields[i];
	return NULL;
}

struct place place_field(const struct space *space, uint32_t structure, uint64_t base,
			 uint32_t field_offset)
{
	const struct ishare_field *field = find_field(structure, field_offset);

	return (struct place){ space, base + field_offset, field ? field->size : 1, structure,
			       base };
}

struct place place_superblock(const struct volume *volume, uint32_t field_offset)
{
	return place_field(&volume->image, ISHARE_STRUCT_SUPERBLOCK, ISHARE_SUPERBLOCK_OFFSET,
			   field_offset);
}

/* Names the field only if the place is one whole field. */
static void name_field(const struct place *place, struct ishare_place *out)
{
	const struct ishare_field *field;

	if (place->structure == ISHARE_STRUCT_COUNT)
		return;
	out->structure = ishare_structs[place->structure].name;
	field = find_field(place->structure, (uint32_t)(place->offset - place->base));
	if (!field || field->size != place->size)
		return;
	out->field = field->name;
	out->field_offset = field->offset;
}

/* The rows of 16 bytes that the place touches, as many as fit; none if they cannot be read. */
static void read_row(struct report *report, const struct place *place, struct ishare_place *out)
{
	uint64_t start = place->offset / ROW_BYTES * ROW_BYTES;
	uint64_t left = start < place->space->size ? place->space->size - start : 0;
	uint64_t size =
		(place->offset - start + place->size + ROW_BYTES - 1) / ROW_BYTES * ROW_BYTES;
	struct ishare_view view;

	size = size ? size : ROW_BYTES;
	size = size < MAX_ROW_BYTES ? size : MAX_ROW_BYTES;
	size = size < left ? size : left;
	if (!size || place->space->state != READ_OK ||
	    space_view(&report->rows, place->space, start, (size_t)size, &view) != READ_OK)
		return; /* if the read failed, so does the check: see end_check() */
	out->row = view.data;
	out->row_offset = start;
	out->row_size = (uint32_t)size;
}

/* Where a byte of a space is in the image; UINT64_MAX: in a device, in a hole, or not there. */
static uint64_t image_offset(struct report *report, const struct space *space, uint64_t offset)
{
	struct run run;

	if (space->id == SPACE_IMAGE)
		return offset;
	if (space->state != READ_OK || offset >= space->size ||
	    map_run(&report->rows, &space->file, offset, &run) != READ_OK)
		return UINT64_MAX;
	if (run.kind == RUN_SPACE)
		return image_offset(report, space->file.space, run.offset);
	if (run.kind != RUN_DEVICE || run.blocks.device ||
	    run_read_result(&report->image->volume, &run, 1) != READ_OK)
		return UINT64_MAX;
	return run.offset;
}

/* A place never reaches beyond its space: the message states what is missing. */
static void clip(const struct place *place, struct ishare_place *out)
{
	uint64_t left = place->offset < place->space->size ? place->space->size - place->offset : 0;

	out->offset = left ? place->offset : place->space->size;
	out->size = place->size < left ? place->size : (uint32_t)left;
}

/* Bytes of a string when what is not printable ASCII is written as \xNN. */
static uint64_t printed_size(const char *string)
{
	uint64_t size = 0;

	for (; *string; string++)
		size += *string >= 0x20 && *string < 0x7f ? 1 : 4;
	return size;
}

/* Names can be long, and an image that breaks rules may have chosen them for that. */
static void count_bytes(struct report *report, const struct ishare_finding *finding)
{
	const char *strings[] = { finding->image, finding->path, finding->message,
				  finding->other_image, finding->other_path };

	uint64_t bytes = ISHARE_FINDING_BYTES / 2;

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		bytes += strings[i] ? printed_size(strings[i]) : 0;
	report->counts.reported_bytes += bytes;
	report->summary->reported_bytes += bytes;
}

/* Messages of the same format are made at one place of a judge, for one reason. */
static uint32_t cause_of(struct report *report, enum ishare_rule_id rule, const char *format)
{
	struct cause *causes = report->counts.causes[rule];
	uint32_t i = 0;

	while (i < CAUSES - 1 && causes[i].format && causes[i].format != format)
		i++;
	causes[i].format = format;
	return i;
}

/* Whether limits let the sink receive another one. */
static bool within_limits(const struct report *report, enum ishare_rule_id rule, uint32_t cause)
{
	const struct ishare_options *options = report->options;
	const struct counts *counts = &report->counts;
	uint64_t found = counts->causes[rule][cause].found;

	if (options->examples && found >= options->examples)
		return false;
	if (!options->limit)
		return true;
	if (report->summary->reported_bytes >= ISHARE_FINDINGS_BYTES)
		return false;
	if (!(options->examples ? found : counts->found[rule]))
		return true;
	return counts->found[rule] - counts->omitted[rule] < options->limit &&
	       counts->reported_bytes / ISHARE_FINDING_BYTES < options->limit;
}

static bool is_cause_shown(const struct report *report, enum ishare_rule_id rule, uint32_t cause)
{
	return report->sink->finding && report->state != REPORT_STOPPED &&
	       within_limits(report, rule, cause) &&
	       (!report->options->rules || report->options->rules[rule]);
}

bool is_shown(const struct report *report, enum ishare_rule_id rule)
{
	return is_cause_shown(report, rule, 0);
}

static void count_finding(struct report *report, const struct ishare_rule *rule, uint32_t cause)
{
	if (!within_limits(report, rule->id, cause)) {
		report->summary->omitted++;
		report->counts.omitted[rule->id]++;
		report->counts.causes[rule->id][cause].omitted++;
	}
	report->summary->findings[rule->severity]++;
	report->summary->findings_by_rule[rule->id]++;
	report->counts.found[rule->id]++;
	report->counts.causes[rule->id][cause].found++;
}

__attribute__((format(printf, 6, 0))) static void
report_v(struct report *report, enum ishare_rule_id rule, const struct place *place,
	 const char *other_image, const char *other_path, const char *format, va_list args)
{
	char message[MESSAGE_ROOM], path[PATH_SHOWN];
	struct ishare_finding finding = { .rule = &ishare_rules[rule],
					  .image = report->image->volume.path };
	bool shown;

	if (report->options->rules && !report->options->rules[rule]) {
		report->counts.hidden[rule]++;
		return;
	}
	finding.cause = cause_of(report, rule, format);
	shown = is_cause_shown(report, rule, finding.cause);
	count_finding(report, finding.rule, finding.cause);
	if (!shown)
		return;
	vsnprintf(message, sizeof(message), format, args);
	finding.message = message;
	finding.path = subject_path(report, path, sizeof(path)) ? path : NULL;
	finding.other_image = other_image;
	finding.other_path = other_path;
	finding.place.space = place->space->name;
	clip(place, &finding.place);
	finding.place.image_offset = image_offset(report, place->space, finding.place.offset);
	name_field(place, &finding.place);
	read_row(report, place, &finding.place);
	count_bytes(report, &finding);
	report->sink->finding(report->sink->context, &finding);
	report_stop(report);
}

void report(struct report *report, enum ishare_rule_id rule, struct place place, const char *format,
	    ...)
{
	va_list args;

	va_start(args, format);
	report_v(report, rule, &place, NULL, NULL, format, args);
	va_end(args);
}

void report_pair(struct report *report, enum ishare_rule_id rule, struct place place,
		 const char *other_image, const char *other_path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_v(report, rule, &place, other_image, other_path, format, args);
	va_end(args);
}
