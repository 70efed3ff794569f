/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* CRC-32C as core computes it bit by bit, but by x86's instruction: fuzzing waits for it else. */
#ifndef FUZZ_CRC_H
#define FUZZ_CRC_H

#include <string.h>

#include "types.h"

static inline bool has_fast_crc32c(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("sse4.2");
#else
	return false;
#endif
}

static inline uint32_t fast_crc32c(uint32_t crc, const struct ishare_view *v)
{
	uint64_t sum = crc;
#ifdef __x86_64__
	uint64_t word;
	size_t i = 0;

	for (; v->size - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, v->data + i, sizeof(word));
		__asm__("crc32q %1, %0" : "+r"(sum) : "r"(word));
	}
	for (; i < v->size; i++)
		__asm__("crc32b %1, %0" : "+r"(sum) : "r"(v->data[i]));
#else
	(void)v;
#endif
	return (uint32_t)sum;
}

#endif
