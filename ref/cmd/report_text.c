// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Findings for people, in the form of a compiler's diagnostics. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "writer.h"

/* SGR sequences, or empty strings when there is no terminal to colour. */
struct colours {
	const char *image, *severity[3], *caret, *off;
};

/* The same advice on one image or more. */
struct common_advice {
	const char *first, *last; /* images */
	size_t others; /* than the first */
	char *where; /* on every image that shares files: the profiles; NULL: only on some images */
	char *text; /* names of advisories, with a comma between two; or one, and what it says */
	struct common_advice *next;
};

struct text_state {
	struct colours colours;
	bool explained[ISHARE_RULE_COUNT]; /* the hint has been given */
	struct common_advice *advice;
};

static const struct colours no_colours = { "", { "", "", "" }, "", "" };
static const struct colours terminal_colours = {
	.image = "\033[1m",
	.severity = {
		[ISHARE_ERROR] = "\033[1;31m",
		[ISHARE_WARNING] = "\033[1;35m",
		[ISHARE_NOTE] = "\033[1;36m",
	},
	.caret = "\033[1;32m",
	.off = "\033[0m",
};

static bool wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && *no_color) &&
	       !(term && strcmp(term, "dumb") == 0);
}

static void begin(struct writer *writer)
{
	struct text_state *state = allocate(1, sizeof(*state));

	state->colours = wants_colour(writer->out) ? terminal_colours : no_colours;
	writer->state = state;
}

/* IMAGE:PATH:, or IMAGE: if there is no path. */
static void put_location(const struct writer *writer, const char *image, const char *path)
{
	const struct text_state *state = writer->state;

	fputs(state->colours.image, writer->out);
	put_string(writer->out, image);
	if (path) {
		fputc(':', writer->out);
		put_text(writer->out, path);
	}
	fprintf(writer->out, ":%s ", state->colours.off);
}

static void put_other(FILE *out, const struct ishare_finding *finding)
{
	if (!finding->other_path)
		return;
	fputs("  the other file: ", out);
	put_string(out, other_image(finding));
	fputc(':', out);
	put_text(out, finding->other_path);
	fputc('\n', out);
}

static void put_hint(FILE *out, struct text_state *state, const struct ishare_rule *rule)
{
	if (state->explained[rule->id])
		return;
	state->explained[rule->id] = true;
	fprintf(out, "  run `erofs-ishare explain %s` for the rule\n", rule->name);
}

static void put_finding(struct writer *writer, const struct ishare_finding *finding)
{
	struct text_state *state = writer->state;
	enum ishare_severity severity = finding->rule->severity;

	put_location(writer, finding->image, finding->path);
	fprintf(writer->out, "%s%s:%s %s: ", state->colours.severity[severity],
		severity_words[severity], state->colours.off, finding->rule->name);
	put_text(writer->out, finding->message);
	fputc('\n', writer->out);
	hexdump_place(writer->out, &finding->place, state->colours.caret, state->colours.off);
	put_other(writer->out, finding);
	put_hint(writer->out, state, finding->rule);
}

static void put_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	const struct text_state *state = writer->state;
	enum ishare_severity severity = omitted->rule->severity;

	put_location(writer, omitted->image, NULL);
	fprintf(writer->out, "%s%s:%s %s: ", state->colours.severity[severity],
		severity_words[severity], state->colours.off, omitted->rule->name);
	put_count(writer->out, "", omitted->count, "more finding");
	fputs(" not shown\n", writer->out);
}

static bool is_listed(const char *names, const char *name)
{
	size_t length = strlen(name);

	while (strncmp(names, name, length) != 0 || (names[length] && names[length] != ',')) {
		names = strchr(names, ' ');
		if (!names)
			return false;
		names++;
	}
	return true;
}

static char *joined(const char *before, const char *between, const char *after)
{
	char *text;

	if (asprintf(&text, "%s%s%s", before, between, after) < 0)
		text = NULL;
	return allocated(text);
}

/* Where the same advice is, or where it will be. text: as of struct common_advice. */
static struct common_advice **same_advice(struct text_state *state, const char *where,
					  const char *text)
{
	struct common_advice **at = &state->advice;

	while (*at && (where ? !(*at)->where || strcmp((*at)->where, where) != 0
			     : (*at)->where || strcmp((*at)->text, text) != 0))
		at = &(*at)->next;
	return at;
}

/* Adds an advisory to those that are on every image that shares files. */
static void add_name(struct common_advice *common, const char *name)
{
	char *names;

	if (is_listed(common->text, name))
		return;
	names = joined(common->text, ", ", name);
	free(common->text);
	common->text = names;
}

/*
 * Kept until the end: some advice is on every image that shares files, and should not hide what is
 * wrong with one.
 */
static void take_advice(struct writer *writer, const struct advice *advice)
{
	bool general = advice->advisory->images == ISHARE_IMAGES_SHARED;
	const char *where = general ? advice->where : NULL, *name = advice->advisory->name;
	char *text = joined(name, general ? "" : ": ", general ? "" : advice->text);
	struct common_advice **at = same_advice(writer->state, where, text), *common = *at;

	if (!common) {
		common = *at = allocate(1, sizeof(*common));
		common->first = common->last = advice->image;
		common->where = where ? allocated(strdup(where)) : NULL;
		common->text = text;
		return;
	}
	free(text);
	if (general)
		add_name(common, name);
	common->others += common->last != advice->image;
	common->last = advice->image;
}

static void put_common(struct writer *writer, const struct common_advice *common)
{
	const struct text_state *state = writer->state;

	put_location(writer, common->first, NULL);
	fprintf(writer->out, "%sadvisory:%s ", state->colours.severity[ISHARE_NOTE],
		state->colours.off);
	if (common->where)
		fprintf(writer->out, "sharing has known bugs on %s: ", common->where);
	fputs(common->text, writer->out);
	if (common->others)
		put_count(writer->out, "; the same of ", common->others, "other image");
	fputc('\n', writer->out);
}

/* Writes what take_advice() has kept, and frees it. */
static void put_advice(struct writer *writer)
{
	struct text_state *state = writer->state;

	if (!state->advice)
		return;
	while (state->advice) {
		struct common_advice *common = state->advice;

		put_common(writer, common);
		state->advice = common->next;
		free(common->where);
		free(common->text);
		free(common);
	}
	fputs("  run `erofs-ishare explain NAME` for an advisory\n", writer->out);
}

static void put_conformance(struct writer *writer, const struct ishare_conformance *conformance)
{
	static const char *const superblock[] = {
		[ISHARE_UNKNOWN] = "not examined",
		[ISHARE_NO] = "does not conform",
		[ISHARE_YES] = "conforms",
	};
	static const char *const prefixes[] = {
		[ISHARE_UNKNOWN] = "not examined",
		[ISHARE_NO] = "do not conform",
		[ISHARE_YES] = "conform",
	};

	put_location(writer, conformance->image, NULL);
	fprintf(writer->out, "superblock: %s\n", superblock[conformance->superblock]);
	put_location(writer, conformance->image, NULL);
	fprintf(writer->out, "prefixes: %s\n", prefixes[conformance->prefixes]);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	char *words = unexamined_words(unexamined);

	put_location(writer, unexamined->image, NULL);
	fprintf(writer->out, "%s\n", words);
	free(words);
}

/* Whether page cache will be shared at all. */
static void put_unshared(FILE *out, const struct outcome *outcome)
{
	if (outcome->images == 1 && outcome->summary.images_without_fingerprints == 1)
		fputs("this image shares no pages: ISHARE_XATTRS is not set\n", out);
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	put_advice(writer);
	put_summary(writer->out, "", outcome);
	put_unshared(writer->out, outcome);
	free(writer->state);
}

const struct report_format report_text = {
	.name = "text",
	.begin = begin,
	.finding = put_finding,
	.omitted = put_omitted,
	.unexamined = put_unexamined,
	.conformance = put_conformance,
	.advice = take_advice,
	.end = end,
};
