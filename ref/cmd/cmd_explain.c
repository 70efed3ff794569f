// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare explain: prints the specification's text on one rule, or an advisory's. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

enum { WIDTH = 78 }; /* of the specification's text */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	const char **name = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*name)
			usage_error(state, "takes one name");
		*name = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "no name given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp explain_argp = {
	.parser = parse_option,
	.args_doc = "NAME",
	.doc = "Prints the specification's text on a rule, or tells more of an advisory; "
	       "`erofs-ishare rules' lists all rules.",
	.children = common_options,
};

static void complain_unknown(const char *name)
{
	const struct ishare_rule *like = rule_most_like(name);
	char *shown = escape_string(name);

	if (like)
		complain("unknown rule '%s'; did you mean '%s'?", shown, like->name);
	else
		complain("unknown rule '%s'; `erofs-ishare rules` lists all rules", shown);
	free(shown);
}

int cmd_explain(int argc, char **argv)
{
	const struct ishare_advisory *advisory;
	const struct ishare_rule *rule;
	const char *name = NULL;

	parse_arguments(&explain_argp, argc, argv, 0, &name);
	rule = rule_by_name(name);
	advisory = advisory_by_name(name);
	if (!rule && !advisory) {
		complain_unknown(name);
		return STATUS_TROUBLE;
	}
	put_rewrapped(rule ? rule->explain : advisory->explain, WIDTH, output_columns());
	return STATUS_CONFORMS;
}
