// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Findings for people, in the form of a compiler's diagnostics. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "writer.h"

enum { NAMED = 10 }; /* images without fingerprints that are named */

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
	struct group *groups; /* findings of one image */
	const char *image; /* which; only to be compared */
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
static void put_location(FILE *out, const struct text_state *state, const char *image,
			 const char *path)
{
	fputs(state->colours.image, out);
	put_string(out, image);
	if (path) {
		fputc(':', out);
		put_text(out, path);
	}
	fprintf(out, ":%s ", state->colours.off);
}

static void put_rule(FILE *out, const struct text_state *state, const struct ishare_rule *rule)
{
	fprintf(out, "%s%s:%s %s: ", state->colours.severity[rule->severity],
		severity_words[rule->severity], state->colours.off, rule->name);
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

static void put_finding(FILE *out, struct text_state *state, const struct ishare_finding *finding)
{
	put_location(out, state, finding->image, finding->path);
	put_rule(out, state, finding->rule);
	put_text(out, finding->message);
	fputc('\n', out);
	hexdump_place(out, &finding->place, state->colours.caret, state->colours.off);
	put_other(out, finding);
	put_hint(out, state, finding->rule);
}

static void put_all_groups(struct writer *writer)
{
	struct text_state *state = writer->state;

	put_groups(writer->out, &state->groups);
}

/* What is reported of an image comes in one piece, pairs of files in the order of images, too. */
static void begin_image(struct writer *writer, const char *image)
{
	struct text_state *state = writer->state;

	if (image != state->image)
		put_all_groups(writer);
	state->image = image;
}

static void take_finding(struct writer *writer, const struct ishare_finding *finding)
{
	struct text_state *state = writer->state;
	FILE *out = writer->out;

	if (!writer->all) {
		begin_image(writer, finding->image);
		out = find_group(&state->groups, finding->rule, finding->cause)->examples.out;
	}
	put_finding(out, state, finding);
}

/* If the whole report has become too long, there may be no example before it. */
static void take_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	struct text_state *state = writer->state;
	struct group *group;

	begin_image(writer, omitted->image);
	group = find_group(&state->groups, omitted->rule, omitted->cause);
	group->more = omitted->count;
	if (ftell(group->examples.out))
		return;
	put_location(group->examples.out, state, omitted->image, NULL);
	put_rule(group->examples.out, state, omitted->rule);
	fputs("not shown\n", group->examples.out);
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

	put_location(writer->out, state, common->first, NULL);
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

	put_all_groups(writer);
	put_location(writer->out, writer->state, conformance->image, NULL);
	fprintf(writer->out, "superblock: %s\n", superblock[conformance->superblock]);
	put_location(writer->out, writer->state, conformance->image, NULL);
	fprintf(writer->out, "prefixes: %s\n", prefixes[conformance->prefixes]);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	char *words = unexamined_words(unexamined);

	put_all_groups(writer);
	put_location(writer->out, writer->state, unexamined->image, NULL);
	fprintf(writer->out, "%s\n", words);
	free(words);
}

/* Which images will share no page cache at all. */
static void put_unshared(FILE *out, const struct outcome *outcome)
{
	size_t count = outcome->unshared_count;

	if (!count)
		return;
	for (size_t i = 0; i < count && i < NAMED; i++) {
		put_string(out, outcome->images == 1 ? "this image" : outcome->unshared[i]);
		fputs(" shares no pages: ISHARE_XATTRS is not set\n", out);
	}
	if (count > NAMED) {
		put_count(out, "the same of ", count - NAMED, "other image");
		fputc('\n', out);
	}
	fputs("`mkfs.erofs --xattr-inode-digest` makes images that can\n", out);
}

static void image_end(struct writer *writer, const char *image, bool cut_short)
{
	(void)image, (void)cut_short;
	put_all_groups(writer);
}

static void domain_end(struct writer *writer, const char *name)
{
	(void)name;
	put_all_groups(writer);
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	put_all_groups(writer);
	put_advice(writer);
	put_table(writer->out, &outcome->summary);
	put_summary(writer->out, "", outcome);
	put_unshared(writer->out, outcome);
	free(writer->state);
}

const struct report_format report_text = {
	.name = "text",
	.begin = begin,
	.finding = take_finding,
	.omitted = take_omitted,
	.unexamined = put_unexamined,
	.conformance = put_conformance,
	.advice = take_advice,
	.image_end = image_end,
	.domain_end = domain_end,
	.end = end,
};
