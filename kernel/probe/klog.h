/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_KLOG_H
#define PROBE_KLOG_H

#include <stdbool.h>

/* Whether the kernel's log, as far as it is still there, has the text. */
bool klog_has(const char *text);

/* Forgets what the log has so far. */
void klog_clear(void);

#endif
