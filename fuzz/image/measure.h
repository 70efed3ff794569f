/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The cost of a check and, with ASan, views that end at the end of readable memory. */
#ifndef FUZZ_MEASURE_H
#define FUZZ_MEASURE_H

#include "image/image.h"
#include "rules.h"

struct cost {
	uint64_t steps; /* calls of functions */
	size_t memory; /* most bytes held at one time */
};

void measure_start(void);
struct cost measure_stop(void);

/* Whether core's function for a rule returned false between start and stop. */
extern bool denied[ISHARE_RULE_COUNT];
bool answered(enum ishare_rule_id rule, bool holds);

/* The directory that is being checked. */
extern struct file listed;

/* Between these, memory comes from an arena: none of it may be used after the next start. */
void second_start(void);
void second_stop(void);

/* What hash_seed() returns from now on: a harness must do the same each time. */
void set_hash_seed(uint64_t seed);

#endif
