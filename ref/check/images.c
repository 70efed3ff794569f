// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A report goes from one image to the next. */
#include <string.h>

#include "check/report.h"

#define ROW_LINES 4u /* of the cache: bytes shown are few */

static void tell_omitted(const struct report *report)
{
	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		struct ishare_omitted omitted = { &ishare_rules[i], report->image->volume.path,
						  report->counts.omitted[i] };

		if (omitted.count && report->sink->omitted)
			report->sink->omitted(report->sink->context, &omitted);
	}
}

void report_end_image(struct report *report)
{
	tell_omitted(report);
	tell_hidden(report);
	memset(&report->counts, 0, sizeof(report->counts));
}

bool report_image(struct report *report, struct ishare_image *image)
{
	if (report->image == image)
		return true;
	if (report->image)
		report_end_image(report);
	reader_release(&report->rows);
	report->image = reader_init(&report->rows, &image->volume, ROW_LINES) ? image : NULL;
	return report->image;
}
