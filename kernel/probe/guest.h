/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

/* Powers the guest off. */
void leave_guest(void) __attribute__((noreturn));

#endif
