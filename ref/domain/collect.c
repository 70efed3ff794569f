// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A check of one image that collects the fingerprints of its files. */
#include "domain/digest.h"

struct collector {
	struct ishare_domain *domain; /* or NULL */
	struct ishare_budget *budget; /* our own, if the caller gave none */
	struct digests digests;
	bool with_digests;
	struct report *report;
};

static struct ishare_budget *find_budget(struct collector *collector)
{
	struct ishare_budget *given = collector->report->options->budget;

	if (!given)
		collector->budget = ishare_budget_new(ISHARE_BUDGET_BYTES);
	return given ? given : collector->budget;
}

static bool start(void *context, struct report *report)
{
	struct collector *collector = context;
	struct ishare_budget *budget;

	collector->report = report;
	if (!report->options->digests)
		return true;
	budget = find_budget(collector);
	if (!budget) {
		report_no_memory(report);
		return false;
	}
	collector->with_digests =
		digests_start(&collector->digests, report, collector->domain, budget);
	return collector->with_digests;
}

static void collect(void *context, const struct fingerprint_event *event)
{
	struct collector *collector = context;
	struct report *report = collector->report;
	struct domain_key key = { 0 };

	if (collector->domain && !domain_add(collector->domain, report->image, event, &key))
		report_no_memory(report);
	else if (collector->with_digests)
		digests_add(&collector->digests, event, key);
}

static void finish(void *context)
{
	struct collector *collector = context;

	if (collector->with_digests)
		digests_finish(&collector->digests);
}

enum ishare_result ishare_check(struct ishare_image *image, const struct ishare_options *options,
				const struct ishare_sink *sink, struct ishare_domain *domain,
				struct ishare_summary *summary)
{
	struct collector collector = { .domain = domain };
	const struct listener listener = { &collector, start, collect, finish };
	const char *error = ishare_options_error(options);
	enum ishare_result result;

	if (!error && options->opaque == ISHARE_OPAQUE_COMPARED && !domain)
		error = "contents can be compared in a domain only, and there is none";
	if (error)
		return image_error(image, ISHARE_INVALID, "%s", error);
	result = check_image(image, options, sink, summary, &listener);
	ishare_budget_free(collector.budget);
	return result;
}
