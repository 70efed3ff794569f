// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare rules: the catalogue. */
#include <string.h>

#include "cmd.h"

enum {
	OPTION_FORMAT = 256,
	NARROW = 80, /* columns */
	NARROWER = 48, /* too narrow for a table */
};

static const struct argp_option options[] = {
	{ "format", OPTION_FORMAT, "FORMAT", 0, "List as text (default) or json", 0 },
	{ 0 },
};

static const char *const formats[] = { "text", "json", NULL };

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int *format = state->input;

	switch (key) {
	case OPTION_FORMAT:
		*format = word_index(formats, arg);
		if (*format < 0)
			usage_error(state, "'%s' is not a format: use text or json", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp rules_argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Lists the rules with name, severity, subject and first sentence.",
	.children = common_options,
};

/* On a narrow terminal the sentence begins a line of its own. */
static void put_rule(const struct ishare_rule *rule, size_t columns)
{
	int indent = columns < NARROW ? 4 : 50;
	int column = printf(columns < NARROWER ? "%s\n  %s, %s" : "%-26s  %-7s  %s", rule->name,
			    severity_words[rule->severity], rule->subject);

	if (columns < NARROW) {
		putchar('\n');
		column = 0;
	}
	printf("%*s", indent - column, "");
	put_wrapped(rule->requirement, first_sentence(rule->requirement), (size_t)indent, columns);
}

static void put_catalogue(void)
{
	static const char legend[] =
		"Rules with the subject runtime concern readers of images, such as kernels: no "
		"image can violate them.";
	size_t columns = output_columns();

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		put_rule(&ishare_rules[i], columns);
	putchar('\n');
	put_wrapped(legend, sizeof(legend) - 1, 0, columns);
}

static void set_if_any(json_t *object, const char *key, const char *text)
{
	if (text)
		json_set(object, key, json_string(text));
}

static json_t *rule_object(const struct ishare_rule *rule)
{
	json_t *object = allocated(json_object());

	json_set(object, "name", json_string(rule->name));
	json_set(object, "severity", json_string(severity_words[rule->severity]));
	json_set(object, "subject", json_string(rule->subject));
	json_set(object, "harm", json_string(harm_words[rule->harm]));
	json_set(object, "chapter", json_string(rule->chapter));
	json_set(object, "malformed", json_boolean(rule->malformed));
	json_set(object, "runtime", json_boolean(rule->runtime));
	json_set(object, "requirement", json_string(rule->requirement));
	set_if_any(object, "kernel", rule->kernel);
	set_if_any(object, "divergence", rule->divergence);
	return object;
}

static void put_json(void)
{
	struct json_stream stream = { .out = stdout };

	json_open(&stream, NULL, '[');
	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		json_item(&stream, NULL, rule_object(&ishare_rules[i]));
	json_close(&stream, ']');
	json_end(&stream);
}

int cmd_rules(int argc, char **argv)
{
	int format = 0;

	parse_arguments(&rules_argp, argc, argv, 0, &format);
	if (strcmp(formats[format], "json") == 0)
		put_json();
	else
		put_catalogue();
	return STATUS_CONFORMS;
}
