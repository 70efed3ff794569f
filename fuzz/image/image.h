/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the parts of the image harness share. */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include "check/check.h"

/* Says which property (or rule) is broken and how, and ends the program as a crash. */
void broken(const char *property, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Opens the input as an image, with as many devices as every pass over it shall have. */
struct ishare_image *open_input(const uint8_t *data, size_t size);

/* measure.c: what a check costs; and views that end where readable memory does, with ASan */

struct cost {
	uint64_t steps; /* calls of functions */
	size_t memory; /* most bytes held at one time */
};

void measure_start(void);
struct cost measure_stop(void);

/* Whether core has said, between start and stop, that a rule does not hold. */
extern bool denied[ISHARE_RULE_COUNT];
bool answered(enum ishare_rule_id rule, bool holds);

/* Of the directory that is being checked. */
extern uint64_t directory_size;

/* Between these, memory comes from an arena: nothing of it may be used after the next start. */
void second_start(void);
void second_stop(void);

/* What hash_seed() returns from now on: a harness must do the same each time. */
void set_hash_seed(uint64_t seed);

/*
 * formats.c: checks the image once more and what the formats of a report make of it; thorough: with
 * digests, and in SARIF, too
 */

void check_formats(const uint8_t *data, size_t size, uint64_t errors, bool thorough);

#endif
