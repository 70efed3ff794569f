/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test points, as TAP. */
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

/*
 * A point that a known bug of the kernel fails; see kernel/findings/@finding. @symptom:
 * it failed in the way that is known. If it failed in another way, it is an ordinary failure.
 */
bool ok_known(const char *finding, bool symptom, bool passed, const char *format, ...) PRINTF(4, 5);

/*
 * What comes next takes the guest down with it where the kernel has the bug: announces the point,
 * so that run-probe can tell what the guest died of. The point itself follows if it did not.
 */
void at_risk(const char *finding, const char *format, ...) PRINTF(2, 3);

/* The plan. */
void done(void);

#endif
