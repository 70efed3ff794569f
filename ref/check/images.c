// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A report goes from one image to the next: what is reported at the end of an image. */
#include <string.h>

#include "check/report.h"

#define ROW_LINES 4u /* of the cache: bytes shown are few */

static void pass_omitted(const struct report *report, size_t rule, uint32_t cause, uint64_t count)
{
	struct ishare_omitted omitted = { &ishare_rules[rule], report->image->volume.path, count,
					  cause };

	if (count && report->sink->omitted)
		report->sink->omitted(report->sink->context, &omitted);
}

static void report_omitted(const struct report *report)
{
	const struct counts *counts = &report->counts;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		if (!report->options->examples)
			pass_omitted(report, i, 0, counts->omitted[i]);
		for (uint32_t j = 0; report->options->examples && j < CAUSES; j++)
			pass_omitted(report, i, j, counts->causes[i][j].omitted);
	}
}

/*
 * If an unselected rule is violated, the check may have applied a selected rule that depends on it
 * to the wrong bytes or names, or may not have reached its subject. The selected rule is then
 * reported as not examined.
 */
static void report_unselected(struct report *report)
{
	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (report->counts.hidden[i] && asked_for(report, ishare_rules[i].hides))
			report_unexamined(report, (struct ishare_unexamined){
							  .part = ISHARE_PART_DEPENDENT,
							  .reason = ISHARE_REASON_RULE,
							  .rule = &ishare_rules[i],
							  .count = report->counts.hidden[i],
						  });
}

void report_end_image(struct report *report)
{
	report_omitted(report);
	report_unselected(report);
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
