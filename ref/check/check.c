// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The order of a check: superblock, devices, special inodes, prefix table, tree. */
#include <stdlib.h>

#include "check/judges.h"

#define WALK_LINES 256u /* 1 MiB of cache: more costs more than it saves (measured) */

static bool check_init(struct check *check, struct ishare_image *image)
{
	bool ready;

	check->volume = &image->volume;
	check->names.seed = hash_seed();
	check->links.seed = hash_seed();
	for (size_t i = 0; i < ISHARE_PART_COUNT; i++)
		work_start(&check->work[i], check->volume, check->report.summary->extra_work);
	ready = report_image(&check->report, image);
	ready = reader_init(&check->reader, check->volume, WALK_LINES) && ready;
	return walk_init(&check->walk, check->volume, &image->tree) && ready;
}

static void check_release(struct check *check)
{
	report_release(&check->report);
	reader_release(&check->reader);
	walk_release(&check->walk);
	links_release(&check->links);
	free(check->area);
	free(check->names.items);
}

static void end_progress(const struct check *check)
{
	const struct ishare_sink *sink = check->report.sink;

	if (sink->progress && check->report.state != REPORT_STOPPED)
		sink->progress(sink->context, check->inodes, check->inodes);
}

static enum ishare_result check_files(struct check *check)
{
	const struct listener *listener = check->listener;
	enum ishare_result result;

	if (!listener->start(listener->context, &check->report))
		return ISHARE_IO_ERROR;
	result = check_tree(check);
	end_progress(check);
	listener->finish(listener->context);
	return result;
}

static enum ishare_result check_contents(struct check *check)
{
	check_devices(check);
	if (verdict_so_far(check) == JUDGED)
		check_special_inodes(check);
	if (verdict_so_far(check) == JUDGED)
		check_prefixes(check);
	return verdict_so_far(check) == JUDGED ? check_files(check) : ISHARE_IO_ERROR;
}

static void report_conformance(struct check *check)
{
	const struct ishare_sink *sink = check->report.sink;

	check->conformance.image = check->volume->path;
	if (sink->conformance && check->conformance.superblock != ISHARE_UNKNOWN)
		sink->conformance(sink->context, &check->conformance);
}

/* A failed read that no judge noticed, such as of bytes that a finding shows, counts, too. */
static void end_check(struct check *check)
{
	struct report *report = &check->report;

	if (report->state == REPORT_STOPPED)
		return;
	if (report->state == REPORT_OPEN && check->reader.error[0])
		report_failure(report, check->reader.error);
	if (report->state == REPORT_OPEN && report->rows.error[0])
		report_failure(report, report->rows.error);
	report_end_image(report);
	report_all_unexamined(report);
	report_conformance(check);
}

static enum ishare_result run_check(struct check *check)
{
	enum ishare_result result = check_superblock(check);

	if (result == ISHARE_DONE && verdict_so_far(check) == JUDGED)
		result = check_contents(check);
	end_check(check);
	switch (check->report.state) {
	case REPORT_STOPPED:
		return ISHARE_STOPPED;
	case REPORT_FAILED:
		return ISHARE_IO_ERROR;
	default:
		return result;
	}
}

/* Of the kind that has used most of what images may use together. */
static uint64_t most_extra(const struct check *check)
{
	uint64_t most = 0;

	for (size_t i = 0; i < ISHARE_PART_COUNT; i++)
		if (work_extra(&check->work[i]) > most)
			most = work_extra(&check->work[i]);
	return most;
}

enum ishare_result check_image(struct ishare_image *image, const struct ishare_options *options,
			       const struct ishare_sink *sink, struct ishare_summary *summary,
			       const struct listener *listener)
{
	struct check check = { .listener = listener };
	enum ishare_result result;

	if (!image->volume.device_count)
		return ISHARE_IO_ERROR;
	image_begin(image, options->flat);
	report_start(&check.report, options, sink, summary);
	if (check_init(&check, image))
		result = run_check(&check);
	else
		result = image_error(image, ISHARE_IO_ERROR, "out of memory");
	summary->extra_work += most_extra(&check);
	check_release(&check);
	return result;
}
