// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What all formats of a report share. */
#include <inttypes.h>
#include <string.h>

#include "writer.h"

bool rule_fails(const struct writer *writer, const struct ishare_rule *rule)
{
	return rule->severity == ISHARE_ERROR ||
	       (writer->strict && rule->severity == ISHARE_WARNING);
}

const char *other_image(const struct ishare_finding *finding)
{
	return finding->other_image ? finding->other_image : finding->image;
}

/* Whether the fingerprints of all images that were judged have been counted. */
static bool fingerprints_known(const struct outcome *outcome)
{
	return !outcome->summary.fingerprints_unknown && !outcome->images_cut_short;
}

static void put_fingerprints(FILE *out, const struct outcome *outcome)
{
	const struct ishare_summary *summary = &outcome->summary;

	if (!fingerprints_known(outcome)) {
		fputs(", fingerprints unknown", out);
		return;
	}
	fprintf(out, ", %" PRIu64 " with a fingerprint", summary->fingerprinted_files);
	if (!summary->regular_bytes)
		return;
	fprintf(out, " (%.1f %% of ",
		100.0 * (double)summary->fingerprinted_bytes / (double)summary->regular_bytes);
	put_count(out, "", summary->regular_bytes, "byte");
	fputc(')', out);
}

/* What an option would have judged in addition, if there is anything to be judged. */
static void put_not_done(FILE *out, const char *prefix, const struct outcome *outcome)
{
	if (fingerprints_known(outcome) && !outcome->summary.fingerprinted_files)
		return;
	if (!outcome->digests)
		fprintf(out, "%scontents not compared (--digests)\n", prefix);
	if (!outcome->domain && outcome->images > outcome->unshared_count + 1)
		fprintf(out, "%simages not compared with each other (--domain)\n", prefix);
}

static void put_compressed(FILE *out, const char *prefix, uint64_t files)
{
	if (!files)
		return;
	fprintf(out, "%sdata of ", prefix);
	put_count(out, "", files, "compressed file");
	fputs(" not judged\n", out);
}

/* The contents of the images, as far as they were judged. */
static void put_contents(FILE *out, const char *prefix, const struct outcome *outcome)
{
	const struct ishare_summary *summary = &outcome->summary;

	put_count(out, prefix, outcome->images, "image");
	put_count(out, ": ", summary->inodes, "inode");
	put_count(out, ", ", summary->regular_files, "regular file");
	put_fingerprints(out, outcome);
	fputc('\n', out);
	put_compressed(out, prefix, summary->compressed_files);
	put_not_done(out, prefix, outcome);
	if (!outcome->digests)
		return;
	put_count(out, prefix, summary->digested_files, "digest");
	fputs(" compared", out);
	if (summary->hashed_files) {
		put_count(out, ", ", summary->hashed_files, "file");
		fputs(" with opaque fingerprints hashed", out);
	}
	fputc('\n', out);
}

/* A line about things that were not fully judged, if there are any. */
static void put_exception(FILE *out, const char *prefix, uint64_t count, const char *thing,
			  const char *what)
{
	if (!count)
		return;
	put_count(out, prefix, count, thing);
	fprintf(out, " %s\n", what);
}

void put_summary(FILE *out, const char *prefix, const struct outcome *outcome)
{
	const struct ishare_summary *summary = &outcome->summary;

	if (outcome->images)
		put_contents(out, prefix, outcome);
	put_exception(out, prefix, summary->apart_files, "file",
		      "not sharing pages with others of the same fingerprint: one is compressed, "
		      "the other is not");
	put_exception(out, prefix, outcome->images_cut_short, "image",
		      "judged in part: a broken rule hides the rest");
	put_exception(out, prefix, outcome->images_not_judged, "image", "not judged");
	put_exception(out, prefix, outcome->domains_not_judged, "trust domain", "not judged");
	put_exception(out, prefix, summary->omitted, "finding", "not shown (--limit)");
	put_count(out, prefix, summary->findings[ISHARE_ERROR], "error");
	put_count(out, ", ", summary->findings[ISHARE_WARNING], "warning");
	put_count(out, ", ", summary->findings[ISHARE_NOTE], "note");
	if (summary->unexamined)
		fprintf(out, ", %" PRIu64 " not examined", summary->unexamined);
	fprintf(out, "; %.3f s\n", outcome->seconds);
}

/* The most severe rules first. */
static void put_rows(FILE *out, const struct ishare_summary *summary, size_t width)
{
	for (int severity = ISHARE_ERROR; severity <= ISHARE_NOTE; severity++)
		for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
			if (!summary->findings_by_rule[i] ||
			    (int)ishare_rules[i].severity != severity)
				continue;
			put_grouped(out, summary->findings_by_rule[i], width);
			fprintf(out, "  %-8s  %s\n", severity_words[severity],
				ishare_rules[i].name);
		}
}

void put_table(FILE *out, const struct ishare_summary *summary)
{
	size_t width = strlen("count"), rules = 0;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		size_t needed = grouped_width(summary->findings_by_rule[i]);

		rules += summary->findings_by_rule[i] != 0;
		width = needed > width ? needed : width;
	}
	if (rules < 2 && !summary->omitted)
		return;
	fprintf(out, "%*s  %-8s  %s\n", (int)width, "count", "severity", "rule");
	put_rows(out, summary, width);
}

static json_t *by_rule(const uint64_t *counts)
{
	json_t *object = allocated(json_object());

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (counts[i])
			json_set(object, ishare_rules[i].name, json_unsigned(counts[i]));
	return object;
}

static json_t *names(const char *const *images, size_t count)
{
	json_t *array = allocated(json_array());

	for (size_t i = 0; i < count; i++)
		json_append(array, json_escaped(images[i]));
	return array;
}

json_t *json_summary(const struct outcome *outcome)
{
	const struct ishare_summary *summary = &outcome->summary;
	json_t *object = allocated(json_object());
	bool known = fingerprints_known(outcome);

	json_set(object, "images", json_unsigned(outcome->images));
	json_set(object, "images_cut_short", json_unsigned(outcome->images_cut_short));
	json_set(object, "images_not_judged", json_unsigned(outcome->images_not_judged));
	json_set(object, "inodes", json_unsigned(summary->inodes));
	json_set(object, "regular_files", json_unsigned(summary->regular_files));
	json_set(object, "regular_bytes", json_unsigned(summary->regular_bytes));
	json_set(object, "images_without_fingerprints",
		 json_unsigned(summary->images_without_fingerprints));
	json_set(object, "without_fingerprints", names(outcome->unshared, outcome->unshared_count));
	json_set(object, "compressed_files", json_unsigned(summary->compressed_files));
	json_set(object, "digests", json_boolean(outcome->digests));
	json_set(object, "domain", json_boolean(outcome->domain));
	json_set(object, "fingerprinted_files",
		 known ? json_unsigned(summary->fingerprinted_files) : json_null());
	json_set(object, "fingerprinted_bytes",
		 known ? json_unsigned(summary->fingerprinted_bytes) : json_null());
	json_set(object, "apart_files", json_unsigned(summary->apart_files));
	json_set(object, "digested_files", json_unsigned(summary->digested_files));
	json_set(object, "hashed_files", json_unsigned(summary->hashed_files));
	json_set(object, "errors", json_unsigned(summary->findings[ISHARE_ERROR]));
	json_set(object, "warnings", json_unsigned(summary->findings[ISHARE_WARNING]));
	json_set(object, "notes", json_unsigned(summary->findings[ISHARE_NOTE]));
	json_set(object, "findings_by_rule", by_rule(summary->findings_by_rule));
	json_set(object, "omitted", json_unsigned(summary->omitted));
	json_set(object, "unexamined", json_unsigned(summary->unexamined));
	json_set(object, "seconds", json_real(outcome->seconds));
	return object;
}
