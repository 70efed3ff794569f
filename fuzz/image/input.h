/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The input, as an image: opened by either copy of libishare. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "image/image.h"

/* libishare's functions, of one copy or the other. */
struct library {
	enum ishare_result (*open)(const char *, const void *, size_t, struct ishare_image **);
	enum ishare_result (*add)(struct ishare_image *, const void *, size_t);
	void (*close)(struct ishare_image *);
	enum ishare_result (*check)(struct ishare_image *, const struct ishare_options *,
				    const struct ishare_sink *, struct ishare_domain *,
				    struct ishare_summary *);
	enum ishare_result (*judge)(struct ishare_domain *, const struct ishare_options *,
				    const struct ishare_sink *, struct ishare_summary *);
	struct ishare_domain *(*domain_new)(void);
	void (*domain_free)(struct ishare_domain *);
};

/*
 * The second copy is built by another compiler, without instrumentation, and never with the defects
 * that tests plant in the first.
 */
extern const struct library first_library, second_library;

/* Opened with the same devices in every pass over the input. */
struct ishare_image *open_input(const struct library *library, const uint8_t *data, size_t size);

#endif
