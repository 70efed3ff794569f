/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* AFL++'s interface for custom mutators: AFL_CUSTOM_MUTATOR_LIBRARY. */
#ifndef FUZZ_AFL_H
#define FUZZ_AFL_H

#include <stddef.h>
#include <stdint.h>

#define PUBLIC __attribute__((visibility("default")))

PUBLIC void *afl_custom_init(void *afl, unsigned int seed);
PUBLIC size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **output,
			      uint8_t *other, size_t other_size, size_t max);
PUBLIC void afl_custom_deinit(void *data);

/* A state of mutate_random(), which is not 0. */
static inline uint64_t random_from(unsigned int seed)
{
	return seed + 0x9e3779b97f4a7c15ull;
}

#endif
