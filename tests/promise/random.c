// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include <string.h>

#include "set.h"

#define WORDS(name, words) words,
const char *const feature_words[FEATURE_COUNT] = { FEATURES(WORDS) };
const char *const trap_words[TRAP_COUNT] = { TRAPS(WORDS) };

/* splitmix64: any state will do, and states that follow each other give unrelated numbers. */
uint64_t any(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t below(struct random *random, uint64_t limit)
{
	return any(random) % limit;
}

uint64_t between(struct random *random, uint64_t low, uint64_t high)
{
	return low + below(random, high - low + 1);
}

bool chance(struct random *random, unsigned int percent)
{
	return below(random, 100) < percent;
}

void noise(struct random *random, uint8_t *bytes, size_t size)
{
	while (size) {
		uint64_t word = any(random);
		size_t n = size < sizeof(word) ? size : sizeof(word);

		memcpy(bytes, &word, n);
		bytes += n;
		size -= n;
	}
}
