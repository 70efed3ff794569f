// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The command line of erofs-ishare check. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

enum {
	EXAMPLES = 3, /* default of --limit in text: of each rule and cause */
	FINDINGS = 1000, /* and in other formats: of each rule */
};

enum {
	OPTION_DEVICE = 256,
	OPTION_OFFSET,
	OPTION_FLAT,
	OPTION_DOMAIN,
	OPTION_DIGESTS,
	OPTION_TRUST_OPAQUE,
	OPTION_BUDGET,
	OPTION_PROFILE,
	OPTION_RULE,
	OPTION_SEVERITY,
	OPTION_STRICT,
	OPTION_VERBOSE,
	OPTION_LIMIT,
	OPTION_FORMAT,
	OPTION_QUIET,
};

static const struct argp_option options[] = {
	{ "device", OPTION_DEVICE, "FILE", 0,
	  "Extra device of the preceding IMAGE; repeat for more devices, device 1 first", 0 },
	{ "offset", OPTION_OFFSET, "BYTES", 0, "Where the preceding IMAGE begins in its file", 0 },
	{ "flat", OPTION_FLAT, NULL, 0,
	  "Images without --device contain their extra devices, as Linux assumes", 0 },
	{ "domain", OPTION_DOMAIN, NULL, 0, "Check all images together, as one trust domain", 0 },
	{ "digests", OPTION_DIGESTS, NULL, 0,
	  "Read all files with fingerprints, and check the fingerprints against the contents", 0 },
	{ "trust-opaque", OPTION_TRUST_OPAQUE, NULL, 0,
	  "With --digests: trust fingerprints that are not sha256: digests", 0 },
	{ "budget", OPTION_BUDGET, "BYTES", 0,
	  "With --digests: how much to read of holes and repeated chunks (default: 16G)", 0 },
	{ "profile", OPTION_PROFILE, "NAME", 0,
	  "Kernel and page size to check for, such as linux-7.3 or linux-7.3/16k", 0 },
	{ "rule", OPTION_RULE, "GLOB", 0, "Check only rules that match; may be repeated", 0 },
	{ "severity", OPTION_SEVERITY, "LEVEL", 0,
	  "Skip rules less severe than LEVEL: error, warning or note (default: note)", 0 },
	{ "strict", OPTION_STRICT, NULL, 0, "Treat warnings as errors", 0 },
	{ "verbose", OPTION_VERBOSE, NULL, 0,
	  "Show also whether each superblock and prefix table conforms", 0 },
	{ "limit", OPTION_LIMIT, "N", 0,
	  "Show at most N findings of each rule and cause in an image; 0: all (default: 3; in "
	  "other formats than text 1000 of each rule)",
	  0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0,
	  "Report as text (default), json, sarif, tap or github", 0 },
	{ "quiet", OPTION_QUIET, NULL, 0, "Report nothing: only the exit status says the result",
	  0 },
	{ 0 },
};

static void set_profile(struct request *request, const char *name, struct argp_state *state)
{
	request->writer.profile = name;
	request->has_profile = true;
	if (ishare_profile_by_name(name, &request->options.profile))
		return;
	fputs("Profiles:", stderr);
	for (size_t i = 0; ishare_profile_names[i]; i++)
		fprintf(stderr, " %s", ishare_profile_names[i]);
	fputc('\n', stderr);
	usage_error(state, "unknown profile '%s'", name);
}

static void set_severity(struct request *request, const char *word, struct argp_state *state)
{
	int severity = word_index(severity_words, word);

	if (severity < 0)
		usage_error(state, "'%s' is not a severity: use error, warning or note", word);
	request->least = (enum ishare_severity)severity;
}

static void set_limit(struct request *request, const char *word, struct argp_state *state)
{
	if (!read_number(word, &request->limit))
		usage_error(state, "'%s' is not a number of findings", word);
	request->has_limit = true;
}

static void set_format(struct request *request, const char *name, struct argp_state *state)
{
	static const struct report_format *const formats[] = {
		&report_text, &report_json, &report_sarif, &report_tap, &report_github,
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0) {
			request->writer.format = formats[i];
			return;
		}
	usage_error(state, "'%s' is not a format: use text, json, sarif, tap or github", name);
}

static void set_budget(struct request *request, const char *text, struct argp_state *state)
{
	if (!read_bytes(text, &request->budget))
		usage_error(state, "'%s' is not a number of bytes, such as 1000000 or 64G", text);
	request->has_budget = true;
}

/* Why no check, or no check with these options, judges a rule; NULL: it is judged. */
static const char *obstacle(const struct request *request, const struct ishare_rule *rule)
{
	if (rule->runtime)
		return "names only rules for readers, such as kernels: no image can violate "
		       "them";
	if (ishare_scopes[ISHARE_SCOPE_UNREAD][rule->id] && !request->options.digests)
		return "requires --digests";
	if (rule->severity > request->least)
		return "names only rules that are less severe than --severity";
	return NULL;
}

/* Switches on the rules that match; returns why there are none, or NULL. */
static const char *select_rules(struct request *request, const char *glob)
{
	const char *why = "matches no rule";
	bool any = false;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		if (fnmatch(glob, ishare_rules[i].name, 0) != 0)
			continue;
		why = obstacle(request, &ishare_rules[i]);
		if (!why)
			request->rules[i] = any = true;
	}
	return any ? NULL : why;
}

static void add_image(struct request *request, char *path, struct argp_state *state)
{
	struct source *image = &request->images[request->image_count++];

	if (is_input(path) && request->has_input)
		usage_error(state, "standard input ('-') can be only one image");
	request->has_input = request->has_input || is_input(path);
	image->path = path;
	if (request->image_count > 1)
		image->devices = request->devices + request->device_count;
}

/* The image that an option is about: the one before it or, if it comes first, the only one. */
static struct source *image_of_option(struct request *request, const char *option,
				      const char *value)
{
	if (request->image_count)
		return &request->images[request->image_count - 1];
	request->early_option = option;
	request->early_value = value;
	return &request->images[0];
}

static void add_device(struct request *request, char *path)
{
	image_of_option(request, "--device", path)->device_count++;
	request->devices[request->device_count++] = path;
}

static void finish_options(struct request *request, struct argp_state *state)
{
	if (request->early_option && request->image_count > 1)
		usage_error(state, "%s=%s precedes all images: put it after its image",
			    request->early_option, request->early_value);
	if ((request->trust_opaque || request->has_budget) && !request->options.digests)
		usage_error(state, "--trust-opaque and --budget require --digests");
	if (!request->glob_count)
		select_rules(request, "*");
	for (size_t i = 0; i < request->glob_count; i++) {
		const char *why = select_rules(request, request->globs[i]);

		if (why)
			usage_error(state, "--rule=%s %s", request->globs[i], why);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case OPTION_DEVICE:
		add_device(request, arg);
		return 0;
	case OPTION_OFFSET:
		set_offset(image_of_option(request, "--offset", arg), arg, state);
		return 0;
	case OPTION_FLAT:
		request->options.flat = true;
		return 0;
	case OPTION_DOMAIN:
		request->domain = true;
		return 0;
	case OPTION_DIGESTS:
		request->options.digests = true;
		return 0;
	case OPTION_TRUST_OPAQUE:
		request->trust_opaque = true;
		return 0;
	case OPTION_BUDGET:
		set_budget(request, arg, state);
		return 0;
	case OPTION_PROFILE:
		set_profile(request, arg, state);
		return 0;
	case OPTION_RULE:
		request->globs[request->glob_count++] = arg;
		return 0;
	case OPTION_SEVERITY:
		set_severity(request, arg, state);
		return 0;
	case OPTION_STRICT:
		request->writer.strict = true;
		return 0;
	case OPTION_VERBOSE:
		request->writer.verbose = true;
		return 0;
	case OPTION_LIMIT:
		set_limit(request, arg, state);
		return 0;
	case OPTION_FORMAT:
		set_format(request, arg, state);
		return 0;
	case OPTION_QUIET:
		request->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		add_image(request, arg, state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "no image given");
		return 0;
	case ARGP_KEY_SUCCESS:
		finish_options(request, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp check_argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "IMAGE...",
	.doc = "Checks each IMAGE against every rule of the specification.\v"
	       "Exit status: 0 all images conform, 1 an image does not conform, 2 something "
	       "could not be checked.",
	.children = common_options,
};

static enum ishare_opaque opaque_of(const struct request *request)
{
	if (request->trust_opaque)
		return ISHARE_OPAQUE_TRUSTED;
	return request->domain ? ISHARE_OPAQUE_COMPARED : ISHARE_OPAQUE_UNEXAMINED;
}

/* For people, a few findings of each cause say as much as all; programs get lists. */
static void set_limits(struct request *request)
{
	struct ishare_options *check = &request->options;
	uint64_t limit = request->limit;

	if (request->writer.format != &report_text) {
		check->limit = request->has_limit ? limit : FINDINGS;
		return;
	}
	check->examples = request->has_limit ? limit : EXAMPLES;
	request->writer.all = !check->examples;
	if (check->examples)
		check->limit = limit > FINDINGS ? limit : FINDINGS;
}

static void start(struct request *request, size_t room)
{
	request->images = allocate(room, sizeof(struct source));
	request->devices = allocate(room, sizeof(char *));
	request->images[0].devices = request->devices;
	request->globs = allocate(room, sizeof(char *));
	request->least = ISHARE_NOTE;
	request->budget = ISHARE_BUDGET_BYTES;
	request->options.rules = request->rules;
	request->writer.format = &report_text;
	request->writer.out = stdout;
	request->writer.rules = request->rules;
	request->writer.profile = default_profile();
	ishare_profile_by_name(request->writer.profile, &request->options.profile);
}

void parse_request(struct request *request, int argc, char **argv)
{
	start(request, (size_t)argc);
	parse_arguments(&check_argp, argc, argv, ARGP_IN_ORDER, request);
	request->options.opaque = opaque_of(request);
	if (request->quiet)
		request->writer.format = &report_quiet;
	set_limits(request);
}

void release_request(struct request *request)
{
	free(request->images);
	free(request->devices);
	free(request->globs);
}
