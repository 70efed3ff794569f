// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Walks all directories of a volume, and finds an inode again that the walk has met. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

bool walk_init(struct walk *walk, const struct volume *volume, struct tree *tree)
{
	memset(walk, 0, sizeof(*walk));
	walk->volume = volume;
	walk->tree = tree;
	walk->seen.seed = hash_seed();
	walk->block = malloc(BLOCK_ROOM);
	return walk->block;
}

void walk_release(struct walk *walk)
{
	seen_release(&walk->seen);
	free(walk->pending);
	free(walk->block);
}

enum seen_result walk_meet(struct walk *walk, uint64_t nid)
{
	return has_inode(walk->volume, nid) ? seen_add(&walk->seen, nid) : SEEN_NEW;
}

enum walk_status walk_next(struct walk *walk, uint32_t *index)
{
	size_t count = walk->tree->count;

	if (!array_make_room(&walk->pending, &walk->room, walk->count + (count - walk->known),
			     sizeof(*walk->pending)))
		return WALK_NO_MEMORY;
	for (size_t i = count; i > walk->known; i--)
		walk->pending[walk->count++] = (uint32_t)(i - 1);
	walk->known = count;
	if (!walk->count)
		return WALK_END;
	*index = walk->pending[--walk->count];
	return WALK_OK;
}

/* Goes through one block at most. */
static bool go_to(struct dirent_walk *walk, uint64_t position)
{
	uint32_t index = (uint32_t)(position % walk->block_size);
	enum dirent_status status;

	walk->pos = position - index;
	do
		status = next_dirent(walk);
	while (status == DIRENT_OK && walk->dirent.index != index);
	return status == DIRENT_OK && walk->pos == position - index;
}

static enum read_result find_entry(struct reader *reader, const struct tree *tree, struct met met,
				   uint8_t *block, uint64_t *nid, char *path, size_t size)
{
	struct file directory;
	struct dirent_walk walk;
	struct ishare_view name;
	enum read_result result =
		read_inode(reader, tree->directories[met.directory].nid, &directory);

	if (result != READ_OK)
		return result;
	start_dirents(&walk, reader, &directory, block);
	if (!go_to(&walk, met.position))
		return walk.result == READ_OK ? READ_NOTHING : walk.result;
	*nid = walk.dirent.stored.nid;
	name = dirent_name(&walk);
	tree_path(tree, met.directory, name.data, name.size, path, size);
	return READ_OK;
}

enum read_result find_again(struct reader *reader, const struct tree *tree, struct met met,
			    uint64_t *nid, char *path, size_t size)
{
	enum read_result result;
	uint8_t *block;

	if (met.position == NO_POSITION) {
		*nid = tree->directories[met.directory].nid;
		tree_path(tree, met.directory, NULL, 0, path, size);
		return READ_OK;
	}
	block = malloc(BLOCK_ROOM);
	if (!block)
		return read_failed(reader, "out of memory");
	result = find_entry(reader, tree, met, block, nid, path, size);
	free(block);
	return result;
}
