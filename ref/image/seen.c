// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The set of nids already examined: a hash table of 64-nid words, because neighbouring inodes have
 * neighbouring nids. Its size depends on the inodes actually found, not on a number in the image.
 */
#include <stdlib.h>

#include "image/image.h"

struct seen_word {
	uint64_t key; /* nid / 64 */
	uint64_t bits; /* 0: the slot is free */
};

static struct seen_word *find_word(const struct seen *seen, struct seen_word *words, size_t room,
				   uint64_t key)
{
	size_t i = (size_t)hash_bytes(&key, sizeof(key), seen->seed) & (room - 1);

	while (words[i].bits && words[i].key != key)
		i = (i + 1) & (room - 1);
	return &words[i];
}

static bool grow(struct seen *seen)
{
	size_t room = seen->room ? seen->room * 2 : 256;
	struct seen_word *words = calloc(room, sizeof(*words));

	if (!words)
		return false;
	for (size_t i = 0; i < seen->room; i++)
		if (seen->words[i].bits)
			*find_word(seen, words, room, seen->words[i].key) = seen->words[i];
	free(seen->words);
	seen->words = words;
	seen->room = room;
	return true;
}

enum seen_result seen_add(struct seen *seen, uint64_t nid)
{
	uint64_t bit = 1ull << (nid % 64);
	struct seen_word *word;

	if (seen->used >= seen->room / 2 && !grow(seen))
		return SEEN_NO_MEMORY;
	word = find_word(seen, seen->words, seen->room, nid / 64);
	if (word->bits & bit)
		return SEEN_BEFORE;
	if (!word->bits) {
		word->key = nid / 64;
		seen->used++;
	}
	word->bits |= bit;
	return SEEN_NEW;
}

void seen_release(struct seen *seen)
{
	free(seen->words);
	seen->words = NULL;
	seen->used = seen->room = 0;
}
