/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_TOPICS_H
#define PROBE_TOPICS_H

/* What one guest is booted for. */
struct topic {
	const char *name;
	const char *rules; /* of the specification, which it establishes */
	const char *what;
	void (*run)(void);
	const char *memory; /* of the guest; NULL: the usual */
};

/* Ends with a NULL name. */
extern const struct topic topics[];

#endif
