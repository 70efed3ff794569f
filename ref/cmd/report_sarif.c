// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Findings as SARIF 2.1.0: one run, the catalogue as its rules, a notification for each thing that
 * was not judged.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"

#define SCHEMA \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

struct sarif_state {
	struct json_stream stream;
	json_t *notifications; /* at most a few for each image */
};

/*
 * A plain text message, in which "[...](...)" would be a link and "{0}" the place for an argument
 * (SARIF 2.1.0, 3.11.5 and 3.11.6). With all brackets escaped, not only the first, there is no link
 * either for a reader to whom a backslash outside links means nothing.
 */
static json_t *plain_text(const char *text, size_t length)
{
	char *plain = allocate(2 * length + 1, 1), *to = plain;
	json_t *object;

	for (const char *c = text; c < text + length; c++) {
		if (strchr("\\[]", *c))
			*to++ = '\\';
		else if (strchr("{}", *c))
			*to++ = *c;
		*to++ = *c;
	}
	object = allocated(json_pack("{ss}", "text", plain));
	free(plain);
	return object;
}

static json_t *message(const char *text)
{
	char *fit = escape_text(text);
	json_t *object = plain_text(fit, strlen(fit));

	free(fit);
	return object;
}

static json_t *descriptor(const struct ishare_rule *rule)
{
	json_t *properties = allocated(json_object()), *object = allocated(json_object());
	const char *requirement = rule->requirement;

	json_set(properties, "harm", json_string(harm_words[rule->harm]));
	json_set(properties, "subject", json_string(rule->subject));
	if (rule->kernel)
		json_set(properties, "kernel", json_string(rule->kernel));
	json_set(object, "id", json_string(rule->name));
	json_set(object, "shortDescription", plain_text(requirement, first_sentence(requirement)));
	json_set(object, "fullDescription", plain_text(requirement, strlen(requirement)));
	json_set(object, "help", plain_text(rule->explain, strlen(rule->explain)));
	json_set(object, "defaultConfiguration",
		 json_pack("{ss}", "level", severity_words[rule->severity]));
	json_set(object, "properties", properties);
	return object;
}

/* No informationUri: this project has no address on the web that would stay true. */
static json_t *tool(void)
{
	json_t *rules = allocated(json_array());

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		json_append(rules, descriptor(&ishare_rules[i]));
	return json_pack("{s{ss ss so}}", "driver", "name", "erofs-ishare", "version",
			 ISHARE_VERSION, "rules", rules);
}

static void begin(struct writer *writer)
{
	struct sarif_state *state = allocate(1, sizeof(*state));
	struct json_stream *stream = &state->stream;

	writer->state = state;
	state->notifications = allocated(json_array());
	stream->out = writer->out;
	json_open(stream, NULL, '{');
	json_item(stream, "$schema", json_string(SCHEMA));
	json_item(stream, "version", json_string("2.1.0"));
	json_open(stream, "runs", '[');
	json_open(stream, NULL, '{');
	json_item(stream, "tool", tool());
	json_open(stream, "results", '[');
}

static bool stands_in_uri(char c)
{
	return strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/", c) !=
	       NULL;
}

/* A file's path as a URI reference; even a colon is encoded, as it could end a scheme. */
static json_t *uri(const char *path)
{
	const char *scheme = *path == '/' ? "file://" : "";
	char *text = allocate(strlen(scheme) + 3 * strlen(path) + 1, 1), *to = stpcpy(text, scheme);
	json_t *string;

	for (; *path; path++)
		if (stands_in_uri(*path))
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*path);
	string = json_string(text);
	free(text);
	return string;
}

/*
 * The region of a place that lies in the image's file itself; NULL: it does not, or no number can
 * say where.
 */
static json_t *region(const struct ishare_place *place)
{
	if (!place || !place->space || strcmp(place->space, "image") != 0 ||
	    place->offset > INT64_MAX)
		return NULL;
	return allocated(json_pack("{so so}", "byteOffset", json_unsigned(place->offset),
				   "byteLength", json_unsigned(place->size)));
}

static json_t *location(const char *image, const char *path, const struct ishare_place *place)
{
	json_t *physical = allocated(json_pack("{s{so}}", "artifactLocation", "uri", uri(image)));
	json_t *object = allocated(json_pack("{so}", "physicalLocation", physical));
	json_t *bytes = region(place);

	if (bytes)
		json_set(physical, "region", bytes);
	if (path)
		json_set(object, "logicalLocations",
			 json_pack("[{so}]", "fullyQualifiedName", json_text(path)));
	return object;
}

static void put_finding(struct writer *writer, const struct ishare_finding *finding)
{
	struct sarif_state *state = writer->state;
	const struct ishare_rule *rule = finding->rule;
	json_t *result = allocated(json_object());

	json_set(result, "ruleId", json_string(rule->name));
	json_set(result, "ruleIndex", json_integer(rule->id));
	json_set(result, "level", json_string(severity_words[rule->severity]));
	json_set(result, "message", message(finding->message));
	json_set(result, "locations",
		 json_pack("[o]", location(finding->image, finding->path, &finding->place)));
	if (finding->other_path)
		json_set(result, "relatedLocations",
			 json_pack("[o]",
				   location(finding->other_image, finding->other_path, NULL)));
	json_item(&state->stream, NULL, result);
}

static json_t *notify(struct writer *writer, const char *level, const char *image, const char *path,
		      const char *text)
{
	struct sarif_state *state = writer->state;
	json_t *notification =
		allocated(json_pack("{ss so s[o]}", "level", level, "message", message(text),
				    "locations", location(image, path, NULL)));

	allocated(json_array_append(state->notifications, notification) == 0 ? notification : NULL);
	return notification;
}

static void put_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	const struct ishare_rule *rule = omitted->rule;
	json_t *notification;
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " more finding%s not shown", omitted->count,
		 omitted->count == 1 ? "" : "s");
	notification = notify(writer, "note", omitted->image, NULL, text);
	json_set(notification, "associatedRule",
		 json_pack("{ss si}", "id", rule->name, "index", (int)rule->id));
	json_decref(notification);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	char *words = unexamined_words(unexamined);

	json_decref(notify(writer, "error", unexamined->image, unexamined->path, words));
	free(words);
}

static void put_advice(struct writer *writer, const struct advice *advice)
{
	const char *name = advice->advisory->name;
	char *text = allocate(strlen(name) + strlen(advice->text) + 13, 1);

	sprintf(text, "advisory: %s: %s", name, advice->text);
	json_decref(notify(writer, "note", advice->image, NULL, text));
	free(text);
}

static void put_failure(struct writer *writer, const char *image, const char *reason)
{
	json_decref(notify(writer, "error", image, NULL, reason));
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	struct sarif_state *state = writer->state;
	struct json_stream *stream = &state->stream;

	json_close(stream, ']');
	json_item(stream, "invocations",
		  json_pack("[{sb si so}]", "executionSuccessful",
			    outcome->status != STATUS_TROUBLE, "exitCode", outcome->status,
			    "toolExecutionNotifications", state->notifications));
	json_item(stream, "properties",
		  json_pack("{ss so sO*}", "profile", writer->profile, "summary",
			    json_summary(outcome), "conformance", outcome->conformance));
	json_close(stream, '}');
	json_close(stream, ']');
	json_close(stream, '}');
	json_end(stream);
	free(state);
}

const struct report_format report_sarif = {
	.name = "sarif",
	.begin = begin,
	.finding = put_finding,
	.omitted = put_omitted,
	.unexamined = put_unexamined,
	.advice = put_advice,
	.failure = put_failure,
	.end = end,
};
