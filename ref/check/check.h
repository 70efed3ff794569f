/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The check layer: checks the rules on one image. Its findings become a report (report.h);
 * that a file has a fingerprint is announced to a listener.
 */
#ifndef ISHARE_CHECK_H
#define ISHARE_CHECK_H

#include "check/report.h"

/* What a judge knows about the place of a file's data, if it had a reason to look. */
struct data_place {
	enum read_result state; /* READ_OK, or why the data cannot be read */
	uint64_t holes; /* bytes of it that are nowhere, and read as zeros */
};

/* A regular file has a fingerprint of a size that is allowed: the first one, which readers use. */
struct fingerprint_event {
	const struct file *file;
	struct met met; /* see find_again() */
	struct data_place data;
	struct ishare_view value; /* lives until the listener returns */
	struct place place; /* of the value */
};

/* Functions get the context; they may report, and end the report. */
struct listener {
	void *context;
	/*
	 * Everything but the files has been judged. False: the listener failed, and has ended the
	 * report.
	 */
	bool (*start)(void *context, struct report *report);
	void (*fingerprint)(void *context, const struct fingerprint_event *event);
	/* All files have been judged, or the report has ended. */
	void (*finish)(void *context);
};

/* As ishare_check(). */
enum ishare_result check_image(struct ishare_image *image, const struct ishare_options *options,
			       const struct ishare_sink *sink, struct ishare_summary *summary,
			       const struct listener *listener);

#endif
