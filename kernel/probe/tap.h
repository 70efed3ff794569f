/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test points, as TAP. A point that a known kernel bug fails is written with "# TODO finding NAME";
 * kernel/findings/NAME tells the rest.
 */
#ifndef PROBE_TAP_H
#define PROBE_TAP_H

#include <stdbool.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

/* One point; returns @passed. */
bool ok(bool passed, const char *format, ...) PRINTF(2, 3);

/* A point on an errno: @result is 0 or a negative errno, @wanted as well. */
bool ok_errno(int result, int wanted, const char *format, ...) PRINTF(3, 4);

/* A point that cannot be examined here; it counts, and says why. */
void skip(const char *why, const char *format, ...) PRINTF(2, 3);

/* A line of comment. */
void diag(const char *format, ...) PRINTF(1, 2);

/* The points from here on are known to fail because of @finding; NULL ends it. */
void todo(const char *finding);

/*
 * What comes next can take the guest down with it: announces the point, so that whoever reads can
 * tell what the guest died of. The point itself follows if it did not.
 */
void at_risk(const char *format, ...) PRINTF(1, 2);

/* The plan. */
void done(void);

#endif
