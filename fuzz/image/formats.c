// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Checks the reports on an image: text must be printable, and an independent library must read JSON
 * and SARIF and find each finding in them.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "formats.h"
#include "input.h"
#include "writer.h"

#define FORMATS 3u
#define FEW 3u /* findings of a rule, where a limit is tried */

/* What ref/cmd/main.c has for the program. */

void *allocated(void *made)
{
	if (!made)
		broken("memory", "there is none");
	return made;
}

void *allocate(size_t count, size_t size)
{
	return allocated(calloc(count, size));
}

struct output {
	struct writer writer;
	char *text;
	size_t size;
};

struct outputs {
	struct output of[FORMATS];
	size_t count; /* of formats that are written */
	uint64_t findings, unexamined;
	uint64_t omissions, omitted; /* events, and the findings that they stand for */
};

/* The library's texts are printable: the formats' own escaping must change nothing. */
static void check_shown(const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (ishare_printable(text, size) != size)
		broken("text", "the library's text cannot be shown: %s", text);
}

static void take_finding(void *context, const struct ishare_finding *finding)
{
	struct outputs *outputs = context;

	check_shown(finding->path);
	check_shown(finding->message);
	check_shown(finding->other_path);
	outputs->findings++;
	for (size_t i = 0; i < outputs->count; i++) {
		struct writer *writer = &outputs->of[i].writer;

		writer->format->finding(writer, finding);
	}
}

static void take_omitted(void *context, const struct ishare_omitted *omitted)
{
	struct outputs *outputs = context;

	outputs->omissions++;
	outputs->omitted += omitted->count;
	for (size_t i = 0; i < outputs->count; i++) {
		struct writer *writer = &outputs->of[i].writer;

		writer->format->omitted(writer, omitted);
	}
}

static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	struct outputs *outputs = context;

	check_shown(unexamined->path);
	outputs->unexamined++;
	for (size_t i = 0; i < outputs->count; i++) {
		struct writer *writer = &outputs->of[i].writer;

		writer->format->unexamined(writer, unexamined);
	}
}

/* ---- What they must be ---- */

static void check_text(const struct output *output)
{
	const char *text = output->text;

	for (size_t start = 0, end; start < output->size; start = end + 1) {
		const char *newline = memchr(text + start, '\n', output->size - start);

		if (!newline)
			broken("text", "the last line does not end");
		end = (size_t)(newline - text);
		if (ishare_printable(text + start, end - start) != end - start)
			broken("text", "a line cannot be shown: %.*s", (int)(end - start),
			       text + start);
	}
}

static json_t *load(const char *property, const struct output *output)
{
	json_error_t error;
	json_t *root = json_loadb(output->text, output->size, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		broken(property, "line %d, column %d: %s", error.line, error.column, error.text);
	return root;
}

static void check_json(const struct output *output, const struct outputs *outputs)
{
	static const char *const types[] = { "finding", "omitted", "unexamined", NULL };
	enum { FINDING, OMITTED, UNEXAMINED };
	json_t *root = load("json", output), *events = json_object_get(root, "events"), *event;
	uint64_t counts[UNEXAMINED + 1] = { 0 };
	size_t i;

	json_array_foreach(events, i, event)
	{
		const char *type = json_string_value(json_object_get(event, "type"));
		const char *rule = json_string_value(json_object_get(event, "rule"));
		int is = type ? word_index(types, type) : -1;

		if (is < 0 || (is != UNEXAMINED && !(rule && rule_by_name(rule))))
			broken("json", "event %zu is of no known type or rule", i);
		counts[is]++;
	}
	if (counts[FINDING] != outputs->findings || counts[OMITTED] != outputs->omissions ||
	    counts[UNEXAMINED] != outputs->unexamined)
		broken("json", "%zu events, not all that were reported", json_array_size(events));
	json_decref(root);
}

static void check_result(json_t *result, size_t i)
{
	const char *rule, *level, *message, *uri;
	json_int_t index;

	if (json_unpack(result, "{ss sI ss s{ss} s[{s{s{ss}}}]}", "ruleId", &rule, "ruleIndex",
			&index, "level", &level, "message", "text", &message, "locations",
			"physicalLocation", "artifactLocation", "uri", &uri) != 0)
		broken("sarif", "result %zu lacks a member", i);
	if (index < 0 || index >= ISHARE_RULE_COUNT ||
	    strcmp(ishare_rules[index].name, rule) != 0 ||
	    strcmp(level, severity_words[ishare_rules[index].severity]) != 0)
		broken("sarif", "result %zu of %s: its index or level is another rule's", i, rule);
}

static void check_sarif(const struct output *output, const struct outputs *outputs)
{
	json_t *root = load("sarif", output), *results, *notifications, *result;
	const char *version;
	size_t i;

	if (json_unpack(root, "{ss s[{so s[{so}]}]}", "version", &version, "runs", "results",
			&results, "invocations", "toolExecutionNotifications", &notifications) != 0)
		broken("sarif", "it has no run, results or notifications");
	if (json_array_size(results) != outputs->findings ||
	    json_array_size(notifications) != outputs->unexamined + outputs->omissions)
		broken("sarif", "%zu results, not all findings", json_array_size(results));
	json_array_foreach(results, i, result) check_result(result, i);
	json_decref(root);
}

/* ---- Writing them ---- */

static void begin(struct outputs *outputs, bool with_sarif)
{
	static const struct report_format *const formats[] = { &report_text, &report_json,
							       &report_sarif };

	outputs->count = with_sarif ? FORMATS : FORMATS - 1;
	for (size_t i = 0; i < outputs->count; i++) {
		struct output *output = &outputs->of[i];

		output->writer = (struct writer){
			.format = formats[i],
			.out = allocated(open_memstream(&output->text, &output->size)),
			.profile = default_profile(),
		};
		formats[i]->begin(&output->writer);
	}
}

static void end(struct outputs *outputs, const struct outcome *outcome)
{
	for (size_t i = 0; i < outputs->count; i++) {
		struct output *output = &outputs->of[i];

		output->writer.format->end(&output->writer, outcome);
		fclose(output->writer.out);
	}
	check_text(&outputs->of[0]);
	check_json(&outputs->of[1], outputs);
	if (outputs->count == FORMATS)
		check_sarif(&outputs->of[2], outputs);
	for (size_t i = 0; i < outputs->count; i++)
		free(outputs->of[i].text);
}

/* The budget for holes and repeated chunks: 16 GiB would exceed the fuzzer's timeout. */
#define DIGEST_BYTES (64ull << 20)

/* Omitted findings are counted: those of one image, and of pairs in it. */
static void check_limit(const struct outputs *outputs, const struct ishare_summary *summary)
{
	uint64_t all = 0;

	for (size_t i = 0; i < 3; i++)
		all += summary->findings[i];
	if (outputs->findings + outputs->omitted != all || outputs->omitted != summary->omitted)
		broken("limit", "%" PRIu64 " findings and %" PRIu64 " left out, of %" PRIu64,
		       outputs->findings, outputs->omitted, all);
}

void check_formats(const uint8_t *data, size_t size, uint64_t errors, bool thorough)
{
	struct ishare_options options = { .digests = thorough,
					  .threads = 1,
					  .limit = thorough ? FEW : 0 };
	struct outputs outputs = { .count = 0 };
	struct ishare_sink sink = { .context = &outputs,
				    .finding = take_finding,
				    .omitted = take_omitted,
				    .unexamined = take_unexamined };
	struct ishare_image *image = open_input(&first_library, data, size);
	struct ishare_domain *domain = ishare_domain_new();
	struct outcome outcome = { .images = 1, .digests = thorough };
	uint64_t found;

	options.budget = allocated(ishare_budget_new(DIGEST_BYTES));
	ishare_profile_by_name(default_profile(), &options.profile);
	begin(&outputs, thorough);
	if (ishare_check(image, &options, &sink, domain, &outcome.summary) == ISHARE_IO_ERROR ||
	    ishare_domain_judge(domain, &options, &sink, &outcome.summary) != ISHARE_DONE)
		broken("input", "it cannot be read for a report");
	found = outcome.summary.findings[ISHARE_ERROR];
	outcome.status = found ? STATUS_VIOLATES : STATUS_CONFORMS;
	end(&outputs, &outcome);
	/* Digests may be wrong, too. */
	if (thorough ? found < errors : found != errors)
		broken("twice", "%" PRIu64 " errors for a report, %" PRIu64 " before", found,
		       errors);
	check_limit(&outputs, &outcome.summary);
	ishare_domain_free(domain);
	ishare_image_close(image);
	ishare_budget_free(options.budget);
}
