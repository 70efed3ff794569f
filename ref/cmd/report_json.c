// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Findings for programs: one object, whose array "events" holds findings, advisories, what was not
 * examined, and what failed, in the order in which they came. Paths and messages are made printable
 * as in the text format.
 */
#include <stdlib.h>

#include "writer.h"

static void begin(struct writer *writer)
{
	struct json_stream *stream = allocate(1, sizeof(*stream));

	stream->out = writer->out;
	writer->state = stream;
	json_open(stream, NULL, '{');
	json_item(stream, "tool", json_string("erofs-ishare"));
	json_item(stream, "version", json_string(ISHARE_VERSION));
	json_item(stream, "profile", json_string(writer->profile));
	json_open(stream, "events", '[');
}

static json_t *event(const char *type, const char *image)
{
	json_t *object = allocated(json_object());

	json_set(object, "type", json_string(type));
	json_set(object, "image", json_escaped(image));
	return object;
}

static json_t *place_object(const struct ishare_place *place)
{
	json_t *object = allocated(json_object());

	json_set(object, "space", json_string(place->space));
	json_set(object, "offset", json_unsigned(place->offset));
	json_set(object, "size", json_unsigned(place->size));
	if (place->image_offset != UINT64_MAX)
		json_set(object, "image_offset", json_unsigned(place->image_offset));
	if (place->structure)
		json_set(object, "structure", json_string(place->structure));
	if (place->field) {
		json_set(object, "field", json_string(place->field));
		json_set(object, "field_offset", json_unsigned(place->field_offset));
	}
	if (place->row) {
		json_set(object, "row_offset", json_unsigned(place->row_offset));
		json_set(object, "row", json_hex(place->row, place->row_size));
	}
	return object;
}

static void set_rule(json_t *object, const struct ishare_rule *rule)
{
	json_set(object, "rule", json_string(rule->name));
	json_set(object, "severity", json_string(severity_words[rule->severity]));
	json_set(object, "harm", json_string(harm_words[rule->harm]));
}

static void put_finding(struct writer *writer, const struct ishare_finding *finding)
{
	json_t *object = event("finding", finding->image);

	if (finding->path)
		json_set(object, "path", json_text(finding->path));
	set_rule(object, finding->rule);
	json_set(object, "message", json_text(finding->message));
	json_set(object, "place", place_object(&finding->place));
	if (finding->other_path) {
		json_set(object, "other_image", json_escaped(finding->other_image));
		json_set(object, "other_path", json_text(finding->other_path));
	}
	json_item(writer->state, NULL, object);
}

static void put_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	json_t *object = event("omitted", omitted->image);

	set_rule(object, omitted->rule);
	json_set(object, "count", json_unsigned(omitted->count));
	json_item(writer->state, NULL, object);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	json_t *object = event("unexamined", unexamined->image);
	char *reason = unexamined_reason(unexamined);

	if (unexamined->path)
		json_set(object, "path", json_text(unexamined->path));
	json_set(object, "reason", json_string(reason));
	json_set(object, "count", json_unsigned(unexamined->count));
	json_item(writer->state, NULL, object);
	free(reason);
}

static void put_advice(struct writer *writer, const struct advice *advice)
{
	json_t *object = event("advisory", advice->image);

	json_set(object, "finding", json_string(advice->advisory->name));
	json_set(object, "harm", json_string(harm_words[advice->advisory->harm]));
	json_set(object, "message", json_string(advice->text));
	json_item(writer->state, NULL, object);
}

static void put_failure(struct writer *writer, const char *image, const char *reason)
{
	json_t *object = event("failure", image);

	json_set(object, "reason", json_text(reason));
	json_item(writer->state, NULL, object);
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	struct json_stream *stream = writer->state;

	json_close(stream, ']');
	if (outcome->conformance)
		json_item(stream, "conformance", json_incref(outcome->conformance));
	json_item(stream, "summary", json_summary(outcome));
	json_item(stream, "exit_status", json_integer(outcome->status));
	json_close(stream, '}');
	json_end(stream);
	free(stream);
}

const struct report_format report_json = {
	.name = "json",
	.begin = begin,
	.finding = put_finding,
	.omitted = put_omitted,
	.unexamined = put_unexamined,
	.advice = put_advice,
	.failure = put_failure,
	.end = end,
};
