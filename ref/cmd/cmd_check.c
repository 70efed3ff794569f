// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare check: checks images against every rule. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { DEFAULT_LIMIT = 1000 };

/* An image on the command line, and the extra devices that follow it. */
struct argument {
	char *path;
	size_t first_device; /* in struct arguments */
	size_t device_count;
};

struct arguments {
	struct argument *images;
	size_t image_count;
	char **devices; /* of all images, in their order */
	size_t device_count;
	char **globs; /* of --rule */
	size_t glob_count;
};

struct check {
	struct arguments arguments;
	bool domain; /* all images form one trust domain */
	bool trust_opaque;
	uint64_t budget; /* bytes */
	bool has_budget; /* the user has named one */
	enum ishare_severity least; /* severity to judge */
	bool rules[ISHARE_RULE_COUNT];
	struct ishare_options options;
	struct report report;
	struct progress progress;
	struct outcome outcome;
};

enum {
	OPTION_DEVICE = 256,
	OPTION_FLAT,
	OPTION_DOMAIN,
	OPTION_DIGESTS,
	OPTION_TRUST_OPAQUE,
	OPTION_BUDGET,
	OPTION_PROFILE,
	OPTION_RULE,
	OPTION_SEVERITY,
	OPTION_STRICT,
	OPTION_LIMIT,
	OPTION_FORMAT,
};

static const struct argp_option options[] = {
	{ "device", OPTION_DEVICE, "FILE", 0,
	  "Extra device of the preceding IMAGE; repeat for more devices, device 1 first", 0 },
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
	{ "limit", OPTION_LIMIT, "N", 0,
	  "Show at most N findings of each rule in an image; 0: all (default: 1000)", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "Report as text (default), json, sarif or tap", 0 },
	{ 0 },
};

static void set_profile(struct check *check, const char *name, struct argp_state *state)
{
	check->report.profile = name;
	if (ishare_profile_by_name(name, &check->options.profile))
		return;
	fputs("Profiles:", stderr);
	for (size_t i = 0; ishare_profile_names[i]; i++)
		fprintf(stderr, " %s", ishare_profile_names[i]);
	fputc('\n', stderr);
	usage_error(state, "unknown profile '%s'", name);
}

static void set_severity(struct check *check, const char *word, struct argp_state *state)
{
	int severity = word_index(severity_words, word);

	if (severity < 0)
		usage_error(state, "'%s' is not a severity: use error, warning or note", word);
	check->least = (enum ishare_severity)severity;
}

static void set_limit(struct check *check, const char *word, struct argp_state *state)
{
	if (!read_number(word, &check->options.limit))
		usage_error(state, "'%s' is not a number of findings", word);
}

static void set_format(struct check *check, const char *name, struct argp_state *state)
{
	static const struct report_format *const formats[] = { &report_text, &report_json,
							       &report_sarif, &report_tap };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0) {
			check->report.format = formats[i];
			return;
		}
	usage_error(state, "'%s' is not a format: use text, json, sarif or tap", name);
}

/* A number of bytes, as in 16G. */
static void set_budget(struct check *check, const char *text, struct argp_state *state)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned int bits = 0;

	errno = 0;
	check->budget = strtoull(text, &end, 10);
	if (*end && strchr(units, *end))
		bits = 10 * (unsigned int)(strchr(units, *end++) - units + 1);
	if (errno || *end || !isdigit((unsigned char)*text) || check->budget > UINT64_MAX >> bits)
		usage_error(state, "'%s' is not a number of bytes, such as 1000000 or 64G", text);
	check->budget <<= bits;
	check->has_budget = true;
}

/* Why no check, or no check with these options, judges a rule; NULL: it is judged. */
static const char *obstacle(const struct check *check, const struct ishare_rule *rule)
{
	if (rule->runtime)
		return "names only rules for readers, such as kernels: no image can violate "
		       "them";
	if (ishare_scopes[ISHARE_SCOPE_UNREAD][rule->id] && !check->options.digests)
		return "requires --digests";
	if (rule->severity > check->least)
		return "names only rules that are less severe than --severity";
	return NULL;
}

/* Switches on the rules that match; returns why there are none, or NULL. */
static const char *select_rules(struct check *check, const char *glob)
{
	const char *why = "matches no rule";
	bool any = false;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		if (fnmatch(glob, ishare_rules[i].name, 0) != 0)
			continue;
		why = obstacle(check, &ishare_rules[i]);
		if (!why)
			check->rules[i] = any = true;
	}
	return any ? NULL : why;
}

static void add_image(struct check *check, char *path)
{
	check->arguments.images[check->arguments.image_count++] =
		(struct argument){ .path = path, .first_device = check->arguments.device_count };
}

static void add_device(struct check *check, char *path)
{
	check->arguments.devices[check->arguments.device_count++] = path;
	if (check->arguments.image_count)
		check->arguments.images[check->arguments.image_count - 1].device_count++;
}

/* If there is only one image, its devices may also precede it. */
static void give_early_devices(struct check *check, struct argp_state *state)
{
	struct argument *first = &check->arguments.images[0];

	if (check->arguments.image_count > 1 && first->first_device)
		usage_error(state, "--device=%s precedes all images: put it after its image",
			    check->arguments.devices[0]);
	first->first_device = 0;
	if (check->arguments.image_count == 1)
		first->device_count = check->arguments.device_count;
}

static void finish_options(struct check *check, struct argp_state *state)
{
	give_early_devices(check, state);
	if ((check->trust_opaque || check->has_budget) && !check->options.digests)
		usage_error(state, "--trust-opaque and --budget require --digests");
	if (!check->arguments.glob_count)
		select_rules(check, "*");
	for (size_t i = 0; i < check->arguments.glob_count; i++) {
		const char *why = select_rules(check, check->arguments.globs[i]);

		if (why)
			usage_error(state, "--rule=%s %s", check->arguments.globs[i], why);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct check *check = state->input;

	switch (key) {
	case OPTION_DEVICE:
		add_device(check, arg);
		return 0;
	case OPTION_FLAT:
		check->options.flat = true;
		return 0;
	case OPTION_DOMAIN:
		check->domain = true;
		return 0;
	case OPTION_DIGESTS:
		check->options.digests = true;
		return 0;
	case OPTION_TRUST_OPAQUE:
		check->trust_opaque = true;
		return 0;
	case OPTION_BUDGET:
		set_budget(check, arg, state);
		return 0;
	case OPTION_PROFILE:
		set_profile(check, arg, state);
		return 0;
	case OPTION_RULE:
		check->arguments.globs[check->arguments.glob_count++] = arg;
		return 0;
	case OPTION_SEVERITY:
		set_severity(check, arg, state);
		return 0;
	case OPTION_STRICT:
		check->report.strict = true;
		return 0;
	case OPTION_LIMIT:
		set_limit(check, arg, state);
		return 0;
	case OPTION_FORMAT:
		set_format(check, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		add_image(check, arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "no image given");
		return 0;
	case ARGP_KEY_SUCCESS:
		finish_options(check, state);
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

static void take_finding(void *context, const struct ishare_finding *finding)
{
	struct check *check = context;

	progress_clear(&check->progress);
	check->report.format->finding(&check->report, finding);
}

static void take_omitted(void *context, const struct ishare_omitted *omitted)
{
	struct check *check = context;

	progress_clear(&check->progress);
	check->report.format->omitted(&check->report, omitted);
}

static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	struct check *check = context;

	progress_clear(&check->progress);
	check->report.format->unexamined(&check->report, unexamined);
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	struct check *check = context;

	progress_update(&check->progress, done, total);
}

static bool stop(void *context)
{
	(void)context;
	return is_unwritten();
}

static struct ishare_sink sink_of(struct check *check)
{
	return (struct ishare_sink){
		.context = check,
		.finding = take_finding,
		.omitted = take_omitted,
		.unexamined = take_unexamined,
		.progress = take_progress,
		.stop = stop,
	};
}

static void fail(struct check *check, const char *name, const char *reason)
{
	const struct report_format *format = check->report.format;
	char *image = escape_string(name), *text = escape_text(reason);

	progress_clear(&check->progress);
	complain("%s: %s", image, text);
	free(image);
	free(text);
	if (format->failure)
		format->failure(&check->report, name, reason);
}

static bool judge_image(struct check *check, const struct argument *argument,
			struct ishare_image **image, struct ishare_domain *domain)
{
	const struct report_format *format = check->report.format;
	struct ishare_sink sink = sink_of(check);
	enum ishare_result result =
		open_image(argument->path, check->arguments.devices + argument->first_device,
			   argument->device_count, image);
	bool done;

	check->progress.image = argument->path;
	if (result == ISHARE_DONE)
		result = ishare_check(*image, &check->options, &sink, domain,
				      &check->outcome.summary);
	done = result == ISHARE_DONE || result == ISHARE_CUT_SHORT;
	if (done)
		check->outcome.images++;
	else if (result != ISHARE_STOPPED)
		fail(check, argument->path, ishare_image_error(*image));
	check->outcome.images_not_judged += !done;
	check->outcome.images_cut_short += result == ISHARE_CUT_SHORT;
	if (format->image_end)
		format->image_end(&check->report, argument->path, result == ISHARE_CUT_SHORT);
	return done;
}

/* Why images that were judged one by one could not be judged together. */
static const char *domain_error(struct ishare_image **images, const bool *judged, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (judged[i] && *ishare_image_error(images[i]))
			return ishare_image_error(images[i]);
	return "out of memory";
}

/* Judges images that form one trust domain, called name in reports. */
static void judge_domain(struct check *check, const char *name, const struct argument *arguments,
			 size_t count)
{
	struct ishare_image **images = allocate(count, sizeof(struct ishare_image *));
	struct ishare_domain *domain = allocated(ishare_domain_new());
	const struct report_format *format = check->report.format;
	bool *judged = allocate(count, sizeof(bool));
	struct ishare_sink sink = sink_of(check);
	enum ishare_result result;

	for (size_t i = 0; i < count; i++)
		judged[i] = judge_image(check, &arguments[i], &images[i], domain);
	result = ishare_domain_judge(domain, &check->options, &sink, &check->outcome.summary);
	check->outcome.domains_not_judged += result != ISHARE_DONE;
	if (result != ISHARE_DONE && result != ISHARE_STOPPED)
		fail(check, name, domain_error(images, judged, count));
	if (format->domain_end)
		format->domain_end(&check->report, name);
	ishare_domain_free(domain);
	for (size_t i = 0; i < count; i++)
		ishare_image_close(images[i]);
	free(images);
	free(judged);
}

static enum ishare_opaque opaque_of(const struct check *check)
{
	if (check->trust_opaque)
		return ISHARE_OPAQUE_TRUSTED;
	return check->domain ? ISHARE_OPAQUE_COMPARED : ISHARE_OPAQUE_UNEXAMINED;
}

static void judge(struct check *check)
{
	if (check->domain) {
		judge_domain(check, "trust domain", check->arguments.images,
			     check->arguments.image_count);
		return;
	}
	for (size_t i = 0; i < check->arguments.image_count; i++)
		judge_domain(check, check->arguments.images[i].path, &check->arguments.images[i],
			     1);
}

static int exit_status(const struct check *check)
{
	const struct ishare_summary *summary = &check->outcome.summary;

	if (check->outcome.images_not_judged || check->outcome.domains_not_judged ||
	    summary->unexamined)
		return STATUS_TROUBLE;
	if (summary->findings[ISHARE_ERROR] ||
	    (check->report.strict && summary->findings[ISHARE_WARNING]))
		return STATUS_VIOLATES;
	return STATUS_CONFORMS;
}

static void start(struct check *check, int argc)
{
	size_t room = (size_t)argc;

	check->arguments.images = allocate(room, sizeof(struct argument));
	check->arguments.devices = allocate(room, sizeof(char *));
	check->arguments.globs = allocate(room, sizeof(char *));
	check->least = ISHARE_NOTE;
	check->options.limit = DEFAULT_LIMIT;
	check->budget = ISHARE_BUDGET_BYTES;
	check->options.rules = check->rules;
	check->report.format = &report_text;
	check->report.out = stdout;
	check->report.rules = check->rules;
	check->report.profile = default_profile();
	ishare_profile_by_name(check->report.profile, &check->options.profile);
}

int cmd_check(int argc, char **argv)
{
	struct check check = { 0 };
	const struct report_format *format;

	start(&check, argc);
	parse_arguments(&check_argp, argc, argv, ARGP_IN_ORDER, &check);
	check.options.opaque = opaque_of(&check);
	check.options.budget = allocated(ishare_budget_new(check.budget));
	format = check.report.format;
	progress_start(&check.progress);
	format->begin(&check.report);
	judge(&check);
	progress_clear(&check.progress);
	check.outcome.digests = check.options.digests;
	check.outcome.seconds = seconds() - check.progress.start;
	check.outcome.status = exit_status(&check);
	format->end(&check.report, &check.outcome);
	ishare_budget_free(check.options.budget);
	free(check.arguments.images);
	free(check.arguments.devices);
	free(check.arguments.globs);
	return check.outcome.status;
}
