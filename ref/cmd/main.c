// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare: finds the subcommand and runs it. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

struct command {
	const char *name;
	const char *full_name; /* as usage messages call it */
	int (*run)(int argc, char **argv);
	const char *summary;
};

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{ "check", "erofs-ishare check", cmd_check, "hold images against every rule" },
	{ "dump", "erofs-ishare dump", cmd_dump, "show an image's structures, decoded" },
	{ "explain", "erofs-ishare explain", cmd_explain,
	  "say what the specification says on a rule" },
	{ "rules", "erofs-ishare rules", cmd_rules, "list the rules" },
	{ "help", "erofs-ishare help", cmd_help, "show this list, or the options of a command" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const char *argp_program_version = "erofs-ishare " ISHARE_VERSION;

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("erofs-ishare: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

void *allocated(void *made)
{
	if (!made) {
		complain("out of memory");
		exit(STATUS_TROUBLE);
	}
	return made;
}

void *allocate(size_t count, size_t size)
{
	return allocated(calloc(count ? count : 1, size));
}

/* A report that could not be written must not look like one that was. */
static void close_stdout(void)
{
	bool failed = ferror(stdout);

	if (failed)
		fputc('\n', stdout); /* once more, to hear why */
	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return;
	complain("cannot write to standard output: %s",
		 errno ? strerror(errno) : "some of it was lost");
	_exit(STATUS_TROUBLE);
}

void stop_if_unwritten(void)
{
	if (ferror(stdout))
		exit(STATUS_TROUBLE); /* close_stdout says why */
}

static int run(const struct command *command, int argc, char **argv)
{
	argv[0] = (char *)command->full_name;
	return command->run(argc, argv);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* argp calls this for each part of its help; what follows the options is ours. */
static char *help_filter(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&help, &size);
	if (!out)
		return NULL;
	fputs("Commands:\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nExit status: 0 done, or all images conform; 1 one of them does not; 2 trouble.\n",
	      out);
	fclose(out);
	return help;
}

struct choice {
	const struct command *command;
	int first; /* index of the command's name in argv */
};

/* Everything from the command's name on is the command's own business. */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		choice->command = find_command(arg);
		if (!choice->command)
			argp_error(state, "there is no command '%s'", arg);
		choice->first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_short_help(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'h')
		return ARGP_ERR_UNKNOWN;
	argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
	return 0;
}

static const struct argp_option short_help_options[] = {
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static const struct argp short_help_argp = {
	.options = short_help_options,
	.parser = parse_short_help,
};

const struct argp_child short_help[] = {
	{ .argp = &short_help_argp },
	{ 0 },
};

static const struct argp main_argp = {
	.parser = parse_option,
	.children = short_help,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Judges EROFS images by the specification of inode page-cache sharing.\v",
	.help_filter = help_filter,
};

static int show_help(const struct command *command)
{
	char help[] = "--help", *arguments[] = { NULL, help, NULL };

	return run(command, 2, arguments);
}

static void complain_no_command(const char *name)
{
	char *shown = escape_string(name);

	complain("there is no command '%s'", shown);
	free(shown);
}

static int cmd_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	char name[] = "erofs-ishare";

	if (argc > 2) {
		complain("help takes the name of one command");
		return STATUS_TROUBLE;
	}
	if (argc == 2 && !command) {
		complain_no_command(argv[1]);
		return STATUS_TROUBLE;
	}
	if (command && command->run != cmd_help)
		return show_help(command);
	argp_help(&main_argp, stdout, ARGP_HELP_STD_HELP, name);
	return STATUS_CONFORMS;
}

/* argp's help is 79 columns wide unless told otherwise; it needs 40 at least. */
static void fit_help(void)
{
	size_t columns = output_columns();
	char format[40];

	if (columns >= 80 || columns < 40)
		return;
	snprintf(format, sizeof(format), "rmargin=%zu", columns - 1);
	setenv("ARGP_HELP_FMT", format, 0);
}

int main(int argc, char **argv)
{
	struct choice choice = { 0 };
	char name[] = "erofs-ishare";

	atexit(close_stdout);
	fit_help();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to report */
	argp_err_exit_status = STATUS_TROUBLE;
	if (argc > 0)
		argv[0] = name;
	argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	return run(choice.command, argc - choice.first, argv + choice.first);
}
