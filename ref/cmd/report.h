/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The report of `erofs-ishare check` in one of several formats, each in a file report_*.c. */
#ifndef REPORT_H
#define REPORT_H

#include "cmd.h"

/* The end of a run. */
struct outcome {
	struct ishare_summary summary; /* of all images */
	size_t images; /* that were judged */
	size_t images_cut_short; /* of these: a broken rule hides the rest */
	size_t images_not_judged; /* not, or not to the end */
	size_t domains_not_judged; /* because memory ran out or bytes were unreadable */
	bool digests; /* contents were read and compared with their fingerprints */
	double seconds;
	int status; /* exit status */
};

struct report;

/* The events of a run, in order; those marked optional may be NULL. */
struct report_format {
	const char *name;
	void (*begin)(struct report *report);
	void (*finding)(struct report *report, const struct ishare_finding *finding);
	void (*omitted)(struct report *report, const struct ishare_omitted *omitted);
	void (*unexamined)(struct report *report, const struct ishare_unexamined *unexamined);
	/* The image (or trust domain) could not be judged; optional. */
	void (*failure)(struct report *report, const char *image, const char *reason);
	/*
	 * The image has been checked, except for rules about several files; cut_short: only in
	 * part, because a violation hides the rest. Optional.
	 */
	void (*image_end)(struct report *report, const char *image, bool cut_short);
	/*
	 * The rules about several files have been checked on the image, or on the images of one
	 * domain; optional.
	 */
	void (*domain_end)(struct report *report, const char *name);
	/* Frees what begin allocated. */
	void (*end)(struct report *report, const struct outcome *outcome);
};

struct report {
	const struct report_format *format;
	FILE *out;
	const bool *rules; /* ISHARE_RULE_COUNT switches: the selected rules */
	bool strict; /* warnings fail, too */
	const char *profile; /* name of the profile */
	void *state; /* the format's own */
};

extern const struct report_format report_text, report_json, report_sarif, report_tap;

/* report.c: what formats have in common */

/* Whether breaking the rule makes an image fail. */
bool rule_fails(const struct report *report, const struct ishare_rule *rule);

/* Writes the summary, each line headed by prefix. */
void put_summary(FILE *out, const char *prefix, const struct outcome *outcome);

/* Returns the summary as an object. */
json_t *json_summary(const struct outcome *outcome);

#endif
