// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A run of erofs-ishare check: judges the images, and passes what it finds to the writer. */
#include <stdlib.h>

#include "request.h"

struct check_run {
	const struct request *request;
	struct ishare_options options; /* those of the request, with the budget */
	struct writer writer;
	struct progress progress;
	struct outcome outcome;
};

static void take_finding(void *context, const struct ishare_finding *finding)
{
	struct check_run *run = context;

	progress_clear(&run->progress);
	run->writer.format->finding(&run->writer, finding);
}

static void take_omitted(void *context, const struct ishare_omitted *omitted)
{
	struct check_run *run = context;

	progress_clear(&run->progress);
	run->writer.format->omitted(&run->writer, omitted);
}

static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	struct check_run *run = context;

	progress_clear(&run->progress);
	run->writer.format->unexamined(&run->writer, unexamined);
}

static void set_answer(json_t *object, const char *part, enum ishare_answer answer)
{
	if (answer != ISHARE_UNKNOWN)
		json_set(object, part, json_boolean(answer == ISHARE_YES));
}

static void take_conformance(void *context, const struct ishare_conformance *conformance)
{
	struct check_run *run = context;
	const struct report_format *format = run->writer.format;
	json_t *object = allocated(json_object());

	json_set(object, "image", json_escaped(conformance->image));
	set_answer(object, "superblock", conformance->superblock);
	set_answer(object, "prefixes", conformance->prefixes);
	json_append(run->outcome.conformance, object);
	progress_clear(&run->progress);
	if (run->writer.verbose && format->conformance)
		format->conformance(&run->writer, conformance);
}

static void take_progress(void *context, uint64_t done, uint64_t total)
{
	struct check_run *run = context;

	progress_inodes(&run->progress, (struct amount){ done, total });
}

static void take_content(void *context, uint64_t done, uint64_t total)
{
	struct check_run *run = context;

	progress_content(&run->progress, (struct amount){ done, total });
}

static bool stop(void *context)
{
	(void)context;
	return is_unwritten();
}

static struct ishare_sink sink_of(struct check_run *run)
{
	const struct report_format *format = run->writer.format;

	return (struct ishare_sink){
		.context = run,
		.finding = format->finding ? take_finding : NULL,
		.omitted = format->omitted ? take_omitted : NULL,
		.unexamined = format->unexamined ? take_unexamined : NULL,
		.progress = take_progress,
		.stop = stop,
		.content = take_content,
		.conformance = take_conformance,
	};
}

static void fail(struct check_run *run, const char *name, const char *reason)
{
	const struct report_format *format = run->writer.format;
	char *image = escape_string(name), *text = escape_text(reason);

	progress_clear(&run->progress);
	complain("%s: %s", image, text);
	free(image);
	free(text);
	if (format->failure)
		format->failure(&run->writer, name, reason);
}

static void take_advice(void *context, const struct advice *advice)
{
	struct check_run *run = context;

	progress_clear(&run->progress);
	run->writer.format->advice(&run->writer, advice);
}

/* Advisories are as severe as notes, and no rules: who asks for some rules gets no others. */
static void advise(struct check_run *run, const char *name, const struct ishare_image *image)
{
	const struct request *request = run->request;

	if (request->least == ISHARE_NOTE && !request->glob_count && run->writer.format->advice)
		each_advice(name, image, request->has_profile ? request->writer.profile : NULL,
			    take_advice, run);
}

static bool judge_image(struct check_run *run, const struct source *source,
			struct ishare_image **image, struct ishare_domain *domain)
{
	const struct report_format *format = run->writer.format;
	struct ishare_sink sink = sink_of(run);
	enum ishare_result result = open_image(source, image);
	struct outcome *outcome = &run->outcome;
	uint64_t before = outcome->summary.images_without_fingerprints;
	bool done;

	progress_image(&run->progress, source->path);
	if (result == ISHARE_DONE)
		result = ishare_check(*image, &run->options, &sink, domain, &run->outcome.summary);
	done = result == ISHARE_DONE || result == ISHARE_CUT_SHORT;
	if (done)
		run->outcome.images++;
	else if (result != ISHARE_STOPPED)
		fail(run, source->path, ishare_image_error(*image));
	if (result == ISHARE_DONE)
		advise(run, source->path, *image);
	run->outcome.images_not_judged += !done;
	if (outcome->summary.images_without_fingerprints > before)
		outcome->unshared[outcome->unshared_count++] = source->path;
	run->outcome.images_cut_short += result == ISHARE_CUT_SHORT;
	if (format->image_end)
		format->image_end(&run->writer, source->path, result == ISHARE_CUT_SHORT);
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
static void judge_domain(struct check_run *run, const char *name, const struct source *sources,
			 size_t count)
{
	struct ishare_image **images = allocate(count, sizeof(struct ishare_image *));
	struct ishare_domain *domain = allocated(ishare_domain_new());
	const struct report_format *format = run->writer.format;
	bool *judged = allocate(count, sizeof(bool));
	struct ishare_sink sink = sink_of(run);
	enum ishare_result result;

	for (size_t i = 0; i < count; i++)
		judged[i] = judge_image(run, &sources[i], &images[i], domain);
	result = ishare_domain_judge(domain, &run->options, &sink, &run->outcome.summary);
	run->outcome.domains_not_judged += result != ISHARE_DONE;
	if (result != ISHARE_DONE && result != ISHARE_STOPPED)
		fail(run, name, domain_error(images, judged, count));
	if (format->domain_end)
		format->domain_end(&run->writer, name);
	ishare_domain_free(domain);
	for (size_t i = 0; i < count; i++)
		ishare_image_close(images[i]);
	free(images);
	free(judged);
}

static void judge(struct check_run *run)
{
	if (run->request->domain) {
		judge_domain(run, "trust domain", run->request->images, run->request->image_count);
		return;
	}
	for (size_t i = 0; i < run->request->image_count; i++)
		judge_domain(run, run->request->images[i].path, &run->request->images[i], 1);
}

static int exit_status(const struct check_run *run)
{
	const struct ishare_summary *summary = &run->outcome.summary;

	if (run->outcome.images_not_judged || run->outcome.domains_not_judged ||
	    summary->unexamined)
		return STATUS_TROUBLE;
	if (summary->findings[ISHARE_ERROR] ||
	    (run->writer.strict && summary->findings[ISHARE_WARNING]))
		return STATUS_VIOLATES;
	return STATUS_CONFORMS;
}

int run_request(const struct request *request)
{
	struct check_run run = { .request = request,
				 .options = request->options,
				 .writer = request->writer };
	const struct report_format *format = request->writer.format;

	run.outcome.unshared = allocate(request->image_count, sizeof(*run.outcome.unshared));
	run.options.budget = allocated(ishare_budget_new(request->budget));
	run.outcome.conformance = allocated(json_array());
	progress_start(&run.progress, format != &report_quiet);
	if (format->begin)
		format->begin(&run.writer);
	judge(&run);
	progress_clear(&run.progress);
	run.outcome.digests = run.options.digests;
	run.outcome.domain = request->domain;
	run.outcome.seconds = seconds() - run.progress.start;
	run.outcome.status = exit_status(&run);
	if (format->end)
		format->end(&run.writer, &run.outcome);
	json_decref(run.outcome.conformance);
	ishare_budget_free(run.options.budget);
	free(run.outcome.unshared);
	return run.outcome.status;
}
