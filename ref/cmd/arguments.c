// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Command lines: argp parses them. argp's own help does not report write errors, and aborts when
 * memory runs out, so the help is written here, from the same tables.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

enum {
	OPTION_USAGE = 1024, /* beyond those of the commands */
	DESCRIPTION = 29, /* column in which it begins */
	NARROW = 60, /* columns: on fewer, the description has lines of its own */
	NARROW_DESCRIPTION = 8,
	WIDTH = 79,
	NARROWEST = 24,
};

static size_t help_columns(void)
{
	size_t columns = output_columns();

	if (columns < NARROWEST)
		return NARROWEST;
	return columns < WIDTH ? columns : WIDTH;
}

static void put_option(const struct argp_option *option, size_t columns)
{
	int begin = columns < NARROW ? NARROW_DESCRIPTION : DESCRIPTION;
	int column = option->key > ' ' && option->key < 0x7f ? printf("  -%c, ", option->key)
							     : printf("      ");

	column += printf("--%s", option->name);
	if (option->arg)
		column += printf("=%s", option->arg);
	if (column >= begin - 1) {
		putchar('\n');
		column = 0;
	}
	printf("%*s", begin - column, "");
	put_wrapped(option->doc, strlen(option->doc), (size_t)begin, columns);
}

/* The options of a command and of its children. */
static void put_options(const struct argp *argp, size_t columns)
{
	for (const struct argp_option *o = argp->options; o && (o->name || o->key); o++)
		if (!(o->flags & OPTION_HIDDEN))
			put_option(o, columns);
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		put_options(child->argp, columns);
}

static void put_usage(const struct argp *argp, const char *name, size_t columns)
{
	const char *arguments = argp->args_doc ? argp->args_doc : "";
	int indent = printf("Usage: ");
	struct text text;
	char *line;

	text_begin(&text);
	fprintf(text.out, "%s [OPTION...]%s%s", name, *arguments ? " " : "", arguments);
	line = text_end(&text);
	put_wrapped(line, strlen(line), (size_t)indent, columns);
	free(line);
}

static void put_end(const struct argp *argp, const char *text, size_t columns)
{
	char *own =
		argp->help_filter ? argp->help_filter(ARGP_KEY_HELP_POST_DOC, text, NULL) : NULL;

	if (own || text) {
		putchar('\n');
		put_lines(own ? own : text, columns);
	}
	free(own);
}

void put_help(const struct argp *argp, const char *name)
{
	const char *after = strchr(argp->doc, '\v');
	size_t length = after ? (size_t)(after - argp->doc) : strlen(argp->doc);
	size_t columns = help_columns();

	put_usage(argp, name, columns);
	put_wrapped(argp->doc, length, 0, columns);
	putchar('\n');
	put_options(argp, columns);
	put_end(argp, after ? after + 1 : NULL, columns);
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case 'h':
	case '?':
		put_help(state->root_argp, state->name);
		exit(STATUS_CONFORMS);
	case 'V':
		puts("erofs-ishare " ISHARE_VERSION);
		exit(STATUS_CONFORMS);
	case OPTION_USAGE:
		put_usage(state->root_argp, state->name, help_columns());
		exit(STATUS_CONFORMS);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option common[] = {
	{ "help", 'h', NULL, 0, "Show this help", 0 },
	{ NULL, '?', NULL, OPTION_HIDDEN, NULL, 0 },
	{ "usage", OPTION_USAGE, NULL, 0, "Show a short usage message", 0 },
	{ "version", 'V', NULL, 0, "Show the program's version", 0 },
	{ 0 },
};

static const struct argp common_argp = { .options = common, .parser = parse_common };

const struct argp_child common_options[] = {
	{ .argp = &common_argp },
	{ 0 },
};

void parse_arguments(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input)
{
	error_t error = argp_parse(argp, argc, argv, flags | ARGP_NO_HELP, NULL, input);

	if (!error)
		return;
	complain("cannot parse the command line: %s", strerror(error));
	exit(STATUS_TROUBLE);
}

void usage_error(const struct argp_state *state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", state->name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry `%s --help' for more information.\n", state->name);
	va_end(args);
	exit(STATUS_TROUBLE);
}

void set_offset(struct source *source, const char *value, const struct argp_state *state)
{
	if (!read_bytes(value, &source->offset))
		usage_error(state, "'%s' is not an offset in bytes, such as 4096 or 1M", value);
}
