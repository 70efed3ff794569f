// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare: finds the subcommand and runs it. */
#include <fcntl.h>
#include <signal.h>
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
	{ "check", "erofs-ishare check", cmd_check, "check images against every rule" },
	{ "dump", "erofs-ishare dump", cmd_dump, "show the decoded structures of an image" },
	{ "explain", "erofs-ishare explain", cmd_explain,
	  "print the specification's text on a rule" },
	{ "rules", "erofs-ishare rules", cmd_rules, "list the rules" },
	{ "help", "erofs-ishare help", cmd_help, "show this list, or the options of a command" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/*
 * A file whose name begins with a dash may come from a glob. Several letters after one dash are
 * never options here; otherwise "-h.erofs" would show help and succeed.
 */
static void refuse_bundles(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		char *shown;

		if (argv[i][0] != '-' || !argv[i][1] || argv[i][1] == '-' || !argv[i][2])
			continue;
		shown = escape_string(argv[i]);
		complain("unknown option '%s'; if it is a file, write './%s'", shown, shown);
		free(shown);
		exit(STATUS_TROUBLE);
	}
}

static int run(const struct command *command, int argc, char **argv)
{
	refuse_bundles(argc, argv);
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

/* What the help shows after the options; the caller frees it. */
static char *list_commands(int key, const char *text, void *input)
{
	struct text list;

	(void)key, (void)text, (void)input;
	text_begin(&list);
	fputs("Commands:\n", list.out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(list.out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nExit status: 0 success; 1 an image does not conform; 2 an error.\n", list.out);
	return text_end(&list);
}

struct choice {
	const struct command *command;
	int first; /* index of the command's name in argv */
};

/* The command parses everything from its name on. */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		choice->command = find_command(arg);
		if (!choice->command)
			usage_error(state, "unknown command '%s'", arg);
		choice->first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp main_argp = {
	.parser = parse_option,
	.children = common_options,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Checks EROFS images against the specification of inode page-cache sharing.",
	.help_filter = list_commands,
};

static int show_help(const struct command *command)
{
	char help[] = "--help", *arguments[] = { NULL, help, NULL };

	return run(command, 2, arguments);
}

static void complain_no_command(const char *name)
{
	char *shown = escape_string(name);

	complain("unknown command '%s'", shown);
	free(shown);
}

static int cmd_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

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
	put_help(&main_argp, "erofs-ishare");
	return STATUS_CONFORMS;
}

/*
 * A closed descriptor would be that of the next file that is opened: an image would be taken for
 * standard input. The file in its place allows nothing that a standard stream is for.
 */
static void occupy_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_TROUBLE);
}

int main(int argc, char **argv)
{
	struct choice choice = { 0 };
	char name[] = "erofs-ishare";

	occupy_descriptors();
	atexit(close_stdout);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe ends the program with its own status */
	argp_err_exit_status = STATUS_TROUBLE;
	if (argc > 0)
		argv[0] = name;
	parse_arguments(&main_argp, argc, argv, ARGP_IN_ORDER, &choice);
	return run(choice.command, argc - choice.first, argv + choice.first);
}
