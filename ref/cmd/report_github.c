// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Annotations of GitHub Actions: each finding is a workflow command on a line of its own. All text
 * is escaped to one line, so an image cannot make up commands.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "writer.h"

/* The bytes that end a property are escaped in it; in the message, only the escape itself. */
static void put_encoded(FILE *out, char *text, const char *special)
{
	for (const char *c = text; *c; c++) {
		if (*c == '%' || strchr(special, *c))
			fprintf(out, "%%%02X", (unsigned char)*c);
		else
			fputc(*c, out);
	}
	free(text);
}

/* "::error file=IMAGE,title=TITLE::", or without a title. */
static void put_command(struct writer *writer, const char *command, const char *image,
			const char *title)
{
	fprintf(writer->out, "::%s file=", command);
	put_encoded(writer->out, escape_string(image), ":,");
	if (title)
		fprintf(writer->out, ",title=%s", title);
	fputs("::", writer->out);
}

static const char *command_of(const struct writer *writer, const struct ishare_rule *rule)
{
	if (rule_fails(writer, rule))
		return "error";
	return rule->severity == ISHARE_WARNING ? "warning" : "notice";
}

static void put_finding(struct writer *writer, const struct ishare_finding *finding)
{
	FILE *out = writer->out;

	put_command(writer, command_of(writer, finding->rule), finding->image, finding->rule->name);
	if (finding->path) {
		put_encoded(out, escape_text(finding->path), "");
		fputs(": ", out);
	}
	put_encoded(out, escape_text(finding->message), "");
	fprintf(out, " (%s, byte %" PRIu64 ")", finding->place.space, finding->place.offset);
	if (finding->other_path) {
		fputs("; the other file: ", out);
		put_encoded(out, escape_string(other_image(finding)), "");
		fputc(':', out);
		put_encoded(out, escape_text(finding->other_path), "");
	}
	fputc('\n', out);
}

static void put_omitted(struct writer *writer, const struct ishare_omitted *omitted)
{
	put_command(writer, command_of(writer, omitted->rule), omitted->image, omitted->rule->name);
	put_count(writer->out, "", omitted->count, "more finding");
	fputs(" not shown\n", writer->out);
}

static void put_unexamined(struct writer *writer, const struct ishare_unexamined *unexamined)
{
	put_command(writer, "error", unexamined->image, NULL);
	put_encoded(writer->out, unexamined_words(unexamined), "");
	fputc('\n', writer->out);
}

static void put_advice(struct writer *writer, const struct advice *advice)
{
	put_command(writer, "notice", advice->image, "advisory");
	fprintf(writer->out, "%s: %s\n", advice->advisory->name, advice->text);
}

static void put_failure(struct writer *writer, const char *image, const char *reason)
{
	put_command(writer, "error", image, NULL);
	put_encoded(writer->out, escape_text(reason), "");
	fputc('\n', writer->out);
}

static void end(struct writer *writer, const struct outcome *outcome)
{
	put_summary(writer->out, "", outcome);
}

const struct report_format report_github = {
	.name = "github",
	.finding = put_finding,
	.omitted = put_omitted,
	.unexamined = put_unexamined,
	.advice = put_advice,
	.failure = put_failure,
	.end = end,
};
