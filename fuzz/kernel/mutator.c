// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* AFL++'s interface to mutate.c for the kernel: options (input.h), then one image or two. AFL_CUSTOM_MUTATOR_LIBRARY */
#include <stdlib.h>
#include <string.h>
#include "input.h"
#include "mutate.h"
#include "shared.h"

#define PUBLIC __attribute__((visibility("default")))

struct mutator {
	uint64_t random;
	uint8_t output[FUZZ_INPUT_MAX];
	uint8_t image[FUZZ_INPUT_MAX];
};

PUBLIC void *afl_custom_init(void *afl, unsigned int seed);
PUBLIC size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **output,
			      uint8_t *other, size_t other_size, size_t max);
PUBLIC void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *mutator = calloc(1, sizeof(*mutator));

	(void)afl;
	if (mutator)
		mutator->random = seed + 0x9e3779b97f4a7c15ull;
	return mutator;
}

static size_t first_size(const uint8_t *input, size_t size)
{
	uint32_t first = 0;
	int i;

	for (i = 3; i >= 0; i--)
		first = first << 8 | input[FUZZ_SIZE + i];
	return first < size - FUZZ_HEADER ? first : size - FUZZ_HEADER;
}

static void set_first_size(uint8_t *input, uint32_t first)
{
	int i;

	for (i = 0; i < 4; i++)
		input[FUZZ_SIZE + i] = first >> 8 * i;
}

/* One bit of one option, or a combination of remounts */
static void mutate_options(uint8_t *header, uint64_t *random)
{
	unsigned int byte = mutate_random(random) % FUZZ_SIZE;

	if (byte == FUZZ_REMOUNTS)
		header[byte] = mutate_random(random);
	else
		header[byte] ^= 1u << mutate_random(random) % 8;
}

/* Copies the image to where it can grow, and changes it; what comes before and behind it stays. */
static size_t mutate_one(struct mutator *mutator, size_t at, size_t size, size_t total, size_t max,
			 const uint8_t *other, size_t other_size)
{
	size_t behind = total - at - size, room = max - at - behind, now;

	memcpy(mutator->image, mutator->output + at, size);
	now = splice_image(mutator->image, size, room, other, other_size, &mutator->random);
	memmove(mutator->output + at + now, mutator->output + at + size, behind);
	memcpy(mutator->output + at, mutator->image, now);
	return now;
}

size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **output, uint8_t *other,
		       size_t other_size, size_t max)
{
	struct mutator *mutator = data;
	size_t first;

	max = max < FUZZ_INPUT_MAX ? max : FUZZ_INPUT_MAX;
	size = size < max ? size : max;
	memcpy(mutator->output, input, size);
	*output = mutator->output;
	if (size <= FUZZ_HEADER)
		return size;
	if (other_size > FUZZ_HEADER) {
		other += FUZZ_HEADER;
		other_size -= FUZZ_HEADER;
	}
	first = first_size(input, size);
	if (mutate_random(&mutator->random) % 8 == 0)
		mutate_options(mutator->output, &mutator->random);
	if (size - FUZZ_HEADER > first && mutate_random(&mutator->random) % 2) {
		size_t second = size - FUZZ_HEADER - first;

		return FUZZ_HEADER + first +
		       mutate_one(mutator, FUZZ_HEADER + first, second, size, max, other,
				  other_size);
	}
	size -= first;
	first = mutate_one(mutator, FUZZ_HEADER, first, size + first, max, other, other_size);
	set_first_size(mutator->output, first);
	return size + first;
}

void afl_custom_deinit(void *data)
{
	free(data);
}
