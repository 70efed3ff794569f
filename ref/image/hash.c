// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Hashes of data from an image. Each process has its own seed, so that no one can make an
 * image whose names, fingerprints or nids collide: neither to hide one behind another nor to fill a
 * table in one place. So results must not depend on the order of hashes.
 */
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "image/image.h"

uint64_t hash_seed(void)
{
	uint64_t seed = 0;

	/* Early after boot there may be none; the check then works without a random seed. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 0;
	return seed;
}

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, size, seed);
}
