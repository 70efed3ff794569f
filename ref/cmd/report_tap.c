// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The Test Anything Protocol: one test point for each image and rule, "not ok" where the rule makes
 * the image fail. What could not be judged is "not ok", too, so that it is not mistaken for a pass.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"

enum { SHOWN = 3 }; /* findings that a test point shows in full */

/* Findings of one rule since its last test point. */
struct tally {
	uint64_t count;
	char *items[SHOWN];
};

struct tap_state {
	uint64_t points;
	/* could not be fully judged: no finding does not mean that a rule holds */
	bool image_failed, domain_failed, domain_cut_short;
	struct tally tallies[ISHARE_RULE_COUNT];
};

static void begin(struct writer *writer)
{
	writer->state = allocate(1, sizeof(struct tap_state));
	fputs("TAP version 13\n", writer->out);
}

/*
 * A description must not hold an unescaped '#': it would start a directive such as TODO, which
 * inverts a failure.
 */
static void put_description(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '#')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_point(struct writer *writer, bool ok, const char *name, const char *what)
{
	struct tap_state *state = writer->state;
	char *image = escape_string(name);

	fprintf(writer->out, "%s %" PRIu64 " - ", ok ? "ok" : "not ok", ++state->points);
	put_description(writer->out, image);
	fputs(": ", writer->out);
	put_description(writer->out, what);
	fputc('\n', writer->out);
	free(image);
}

/* A string of YAML; the text has no control characters. */
static void put_quoted(FILE *out, const char *key, char *text)
{
	fprintf(out, "%s: '", key);
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			fputc('\'', out);
		fputc(*c, out);
	}
	fputs("'\n", out);
	free(text);
}

static void put_image(FILE *out, const char *key, const char *image)
{
	if (image)
		put_quoted(out, key, escape_string(image));
}

static void put_path(FILE *out, const char *key, const char *path)
{
	if (path)
		put_quoted(out, key, escape_text(path));
}

/* An item of a list in YAML, in lines of its own. */
static char *finding_item(const struct ishare_finding *finding)
{
	struct text item;

	text_begin(&item);
	put_quoted(item.out, "    - message", escape_text(finding->message));
	put_image(item.out, "      image", finding->image);
	put_path(item.out, "      path", finding->path);
	fprintf(item.out, "      offset: %" PRIu64 "\n", finding->place.offset);
	put_image(item.out, "      other_image", finding->other_image);
	put_path(item.out, "      other_path", finding->other_path);
	return text_end(&item);
}

static void take_finding(struct writer *writer, const struct ishare_finding *finding)
{
	struct tap_state *state = writer->state;
	struct tally *tally = &state->tallies[finding->rule->id];

	if (tally->count < SHOWN)
		tally->items[tally->count] = finding_item(finding);
	tally->count++;
}

/* The test point counts them; it shows no more than SHOWN anyway. */
static void take_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	struct tap_state *state = writer->state;

	state->tallies[omitted->rule->id].count += omitted->count;
}

static void put_diagnostics(FILE *out, const struct ishare_rule *rule, const struct tally *tally)
{
	fprintf(out, "  ---\n  severity: %s\n  findings: %" PRIu64 "\n  first:\n",
		severity_words[rule->severity], tally->count);
	for (size_t i = 0; i < SHOWN && tally->items[i]; i++)
		fputs(tally->items[i], out);
	fputs("  ...\n", out);
}

static void clear_tally(struct tally *tally)
{
	for (size_t i = 0; i < SHOWN; i++)
		free(tally->items[i]);
	memset(tally, 0, sizeof(*tally));
}

static bool has_point(const struct writer *writer, const struct ishare_rule *rule, bool about_files)
{
	return writer->rules[rule->id] && (strcmp(rule->subject, "files") == 0) == about_files;
}

/*
 * The test points of all rules that are, or are not, about several files; complete: silence on one
 * means that it holds.
 */
static void put_rules(struct writer *writer, const char *name, bool about_files, bool complete)
{
	struct tap_state *state = writer->state;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		const struct ishare_rule *rule = &ishare_rules[i];
		struct tally *tally = &state->tallies[i];

		if (!has_point(writer, rule, about_files))
			continue;
		if (tally->count || complete)
			put_point(writer, !tally->count || !rule_fails(writer, rule), name,
				  rule->name);
		if (tally->count)
			put_diagnostics(writer->out, rule, tally);
	}
}

static void clear_tallies(struct writer *writer, bool about_files)
{
	struct tap_state *state = writer->state;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (has_point(writer, &ishare_rules[i], about_files))
			clear_tally(&state->tallies[i]);
}

/* A comment that names the rules without a point. */
static void put_not_reached(struct writer *writer, const char *name, bool about_files)
{
	const struct tap_state *state = writer->state;

	fputs("# ", writer->out);
	put_string(writer->out, name);
	fputs(": a broken rule hides the rest of the image; no verdict on:", writer->out);
	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (has_point(writer, &ishare_rules[i], about_files) && !state->tallies[i].count)
			fprintf(writer->out, " %s", ishare_rules[i].name);
	fputc('\n', writer->out);
}

static void end_rules(struct writer *writer, const char *name, bool about_files, bool failed,
		      bool cut_short)
{
	put_rules(writer, name, about_files, !failed && !cut_short);
	if (cut_short)
		put_not_reached(writer, name, about_files);
	clear_tallies(writer, about_files);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	char *words = unexamined_words(unexamined);

	put_point(writer, false, unexamined->image, words);
	free(words);
}

static void put_advice(struct writer *writer, const struct advice *advice)
{
	fputs("# ", writer->out);
	put_string(writer->out, advice->image);
	fprintf(writer->out, ": advisory: %s: %s\n", advice->advisory->name, advice->text);
}

static void put_failure(struct writer *writer, const char *image, const char *reason)
{
	struct tap_state *state = writer->state;
	char *text = escape_text(reason);

	put_point(writer, false, image, text);
	free(text);
	state->image_failed = true;
	state->domain_failed = true;
}

static void image_end(struct writer *writer, const char *image, bool cut_short)
{
	struct tap_state *state = writer->state;

	end_rules(writer, image, false, state->image_failed, cut_short);
	state->image_failed = false;
	state->domain_cut_short = state->domain_cut_short || cut_short;
}

static void domain_end(struct writer *writer, const char *name)
{
	struct tap_state *state = writer->state;

	end_rules(writer, name, true, state->domain_failed, state->domain_cut_short);
	state->domain_failed = state->domain_cut_short = false;
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	const struct tap_state *state = writer->state;

	fprintf(writer->out, "1..%" PRIu64 "\n", state->points);
	put_summary(writer->out, "# ", outcome);
	free(writer->state);
}

const struct report_format report_tap = {
	.name = "tap",
	.begin = begin,
	.finding = take_finding,
	.omitted = take_omitted,
	.unexamined = put_unexamined,
	.advice = put_advice,
	.failure = put_failure,
	.image_end = image_end,
	.domain_end = domain_end,
	.end = end,
};
