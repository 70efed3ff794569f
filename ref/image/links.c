// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * How often inodes are named, of those that a walk meets more than once: a hash table, whose size
 * depends on how many there are, not on a number in the image.
 */
#include <stdlib.h>

#include "image/image.h"

struct link {
	uint64_t nid;
	uint64_t count; /* 0: the slot is free */
};

static struct link *find_link(const struct links *links, struct link *items, size_t room,
			      uint64_t nid)
{
	size_t i = (size_t)hash_bytes(&nid, sizeof(nid), links->seed) & (room - 1);

	while (items[i].count && items[i].nid != nid)
		i = (i + 1) & (room - 1);
	return &items[i];
}

static bool grow(struct links *links)
{
	size_t room = links->room ? links->room * 2 : 64;
	struct link *items = calloc(room, sizeof(*items));

	if (!items)
		return false;
	for (size_t i = 0; i < links->room; i++)
		if (links->items[i].count)
			*find_link(links, items, room, links->items[i].nid) = links->items[i];
	free(links->items);
	links->items = items;
	links->room = room;
	return true;
}

uint64_t links_again(struct links *links, uint64_t nid)
{
	struct link *link;

	if (links->used >= links->room / 2 && !grow(links))
		return 0;
	link = find_link(links, links->items, links->room, nid);
	if (!link->count) {
		*link = (struct link){ nid, 1 };
		links->used++;
	}
	return ++link->count;
}

void links_release(struct links *links)
{
	free(links->items);
	links->items = NULL;
	links->used = links->room = 0;
}
