/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the generated checks of `requires` clauses (proofs/make-requires) are made of. */
#ifndef ISHARE_REQUIRES_H
#define ISHARE_REQUIRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What ACSL calls integer. */
typedef __int128 integer;

/* A member or constant, with all operations on it, as an integer. */
static inline integer number(integer value)
{
	return value;
}

/* Bytes of memory; none if the size is not positive. */
struct region {
	const void *start;
	integer size;
};

/* Calls of a function. */
struct counter {
	const char *name;
	uint64_t calls;
};
extern struct counter counters[];
extern const size_t counter_count;

void called(struct counter *counter);

/* \valid_read, \valid and \separated. */
bool readable(const void *start, integer size);
bool writable(const void *start, integer size);
bool separated(const struct region *regions, size_t count);

/* Reports a clause that does not hold, and from where the function was called; aborts. */
_Noreturn void violated(const char *function, const char *clause);

#endif
