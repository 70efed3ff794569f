// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The contents of a set's files: few, so that images share them, and often of equal sizes. */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "set.h"

/* Sizes around multiples of blocks are where mistakes are made. */
static uint32_t draw_size(struct random *random)
{
	static const int32_t around[] = { 0, 0, 0, -1, 1, 511, 512, 513, -512, 2048, 100 };
	uint32_t pages =
		(uint32_t)(chance(random, 3) ? between(random, 17, 26) : between(random, 1, 8));
	int32_t size;

	if (chance(random, 10))
		return (uint32_t)between(random, 1, PAGE);
	size = (int32_t)(pages * PAGE) + around[below(random, sizeof(around) / sizeof(*around))];
	return (uint32_t)size;
}

static void draw_page(struct random *random, struct content *content, uint32_t page)
{
	uint8_t *bytes = content->bytes + (size_t)page * PAGE;

	switch (below(random, 8)) {
	case 0:
		break;
	case 1:
		if (page) {
			memcpy(bytes, content->bytes + below(random, page) * PAGE, PAGE);
			break;
		}
		/* fallthrough */
	case 2:
		for (unsigned int i = 0; i < PAGE / 512; i++)
			if (chance(random, 50))
				noise(random, bytes + i * 512, 512);
		break;
	default:
		noise(random, bytes, PAGE);
	}
}

static void digest(struct content *content)
{
	memcpy(content->value, "sha256:", 7);
	SHA256(content->bytes, content->size, content->value + 7);
	content->value_size = 7 + SHA256_DIGEST_LENGTH;
}

static void draw_content(struct set *set, struct content *content, uint32_t size)
{
	memset(content, 0, sizeof(*content));
	content->size = size;
	if (!chance(&set->random, 4))
		for (uint32_t page = 0; page * PAGE < size; page++)
			draw_page(&set->random, content, page);
	memset(content->bytes + size, 0, sizeof(content->bytes) - size);
	digest(content);
	content->opaque_size = (uint32_t)sprintf((char *)content->opaque, "vendor-%08x",
						 (unsigned int)any(&set->random));
}

/* Contents are known by their numbers: two that are all zeros would be one. */
static void make_unique(struct set *set, unsigned int number)
{
	struct content *content = &set->contents[number];

	for (unsigned int i = 0; i < number; i++) {
		if (memcmp(set->contents[i].value, content->value, content->value_size))
			continue;
		noise(&set->random, content->bytes, content->size);
		digest(content);
	}
}

void draw_contents(struct set *set)
{
	set->content_count = (unsigned int)between(&set->random, 2, 4);
	set->most_pages = 0;
	for (unsigned int i = 0; i < set->content_count; i++) {
		uint32_t size = draw_size(&set->random);

		if (i && chance(&set->random, 50))
			size = set->contents[below(&set->random, i)].size;
		draw_content(set, &set->contents[i], size);
		make_unique(set, i);
		if (size / PAGE > set->most_pages)
			set->most_pages = size / PAGE;
	}
	if (set->most_pages > 16)
		has(set, HAS_LARGE_FILE);
}
