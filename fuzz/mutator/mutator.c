// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* AFL++'s interface to mutate.c for targets whose input is an image: AFL_CUSTOM_MUTATOR_LIBRARY. */
#include <stdlib.h>
#include <string.h>

#include "afl.h"
#include "mutate.h"

struct mutator {
	uint64_t random;
	uint8_t *image;
	size_t room;
};

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *mutator = calloc(1, sizeof(*mutator));

	(void)afl;
	if (mutator)
		mutator->random = random_from(seed);
	return mutator;
}

size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **output, uint8_t *other,
		       size_t other_size, size_t max)
{
	struct mutator *mutator = data;

	if (mutator->room < max) {
		uint8_t *image = realloc(mutator->image, max);

		if (!image)
			return 0;
		mutator->image = image;
		mutator->room = max;
	}
	size = size < max ? size : max;
	memcpy(mutator->image, input, size);
	*output = mutator->image;
	return splice_image(mutator->image, size, max, other, other_size, &mutator->random);
}

void afl_custom_deinit(void *data)
{
	struct mutator *mutator = data;

	free(mutator->image);
	free(mutator);
}
