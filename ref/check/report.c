// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What a report is about, and how it begins and ends. */
#include <stdio.h>
#include <stdlib.h>

#include "check/report.h"

void report_stop(struct report *report)
{
	if (report->sink->stop && report->sink->stop(report->sink->context))
		report->state = REPORT_STOPPED;
}

void report_failure(struct report *report, const char *why)
{
	if (report->state == REPORT_OPEN)
		report->state = REPORT_FAILED;
	image_error(report->image, ISHARE_IO_ERROR, "%s", why);
}

void report_no_memory(struct report *report)
{
	report_failure(report, "out of memory");
}

void report_start(struct report *report, const struct ishare_options *options,
		  const struct ishare_sink *sink, struct ishare_summary *summary)
{
	report->options = options;
	report->sink = sink;
	report->summary = summary;
	report->subject.met.directory = NO_DIRECTORY;
}

void report_release(struct report *report)
{
	reader_release(&report->rows);
	for (int part = 0; part < ISHARE_PART_COUNT; part++)
		for (int reason = 0; reason < ISHARE_REASON_COUNT; reason++)
			free(report->unexamined[part][reason].path);
}

bool subject_path(const struct report *report, char *buffer, size_t size)
{
	const struct subject *subject = &report->subject;

	if (subject->path) {
		snprintf(buffer, size, "%s", subject->path);
		return true;
	}
	if (subject->met.directory == NO_DIRECTORY)
		return false;
	tree_path(&report->image->tree, subject->met.directory, subject->name, subject->name_size,
		  buffer, size);
	return true;
}
