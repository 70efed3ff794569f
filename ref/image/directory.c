// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The entries of a directory, one after the other. Chapter "Directories". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

void start_dirents(struct dirent_walk *walk, struct reader *reader, const struct file *directory,
		   uint8_t *buffer)
{
	memset(walk, 0, sizeof(*walk));
	walk->reader = reader;
	walk->directory = directory;
	walk->block_size = (uint32_t)ishare_block_size(&reader->image->sb);
	walk->buffer = buffer;
	walk->block.data = buffer;
}

/* Blocks start at multiples of the block size; the last one ends with the directory. */
static enum read_result load_block(struct dirent_walk *walk)
{
	uint64_t left = walk->directory->inode.size - walk->pos;

	walk->block.size = left < walk->block_size ? (size_t)left : walk->block_size;
	return file_read(walk->reader, walk->directory, walk->pos, walk->buffer, walk->block.size);
}

enum dirent_status next_dirent(struct dirent_walk *walk, enum read_result *result)
{
	enum ishare_status status = ISHARE_END;

	if (walk->in_block)
		status = ishare_dirent_next(&walk->block, &walk->dirent);
	if (status == ISHARE_END) {
		walk->pos += walk->in_block ? walk->block.size : 0;
		if (walk->pos >= walk->directory->inode.size)
			return DIRENT_END;
		*result = load_block(walk);
		if (*result != READ_OK)
			return DIRENT_UNREADABLE;
		walk->in_block = true;
		status = ishare_dirent_first(&walk->block, &walk->dirent);
	}
	return status == ISHARE_OK ? DIRENT_OK : DIRENT_MALFORMED;
}

struct ishare_view dirent_name(const struct dirent_walk *walk)
{
	return (struct ishare_view){ walk->block.data + walk->dirent.name, walk->dirent.name_size };
}

/* Goes through one block at most. */
static bool go_to(struct dirent_walk *walk, uint64_t position)
{
	uint32_t index = (uint32_t)(position % walk->block_size);
	enum dirent_status status;
	enum read_result result;

	walk->pos = position - index;
	do
		status = next_dirent(walk, &result);
	while (status == DIRENT_OK && walk->dirent.index != index);
	return status == DIRENT_OK && walk->pos == position - index;
}

bool find_entry(struct reader *reader, const struct ishare_image *image, uint32_t directory,
		uint64_t position, uint64_t *nid, char *path, size_t size)
{
	const struct directory *d = &image->tree.directories[directory];
	uint8_t *block;
	struct dirent_walk walk;
	struct file file;
	bool found = false;

	if (position == NO_POSITION) {
		*nid = d->nid;
		tree_path(&image->tree, directory, NULL, 0, path, size);
		return true;
	}
	block = malloc(BLOCK_ROOM);
	if (!block) {
		snprintf(reader->error, sizeof(reader->error), "out of memory");
	} else if (read_inode(reader, image, d->nid, &file)) {
		start_dirents(&walk, reader, &file, block);
		found = go_to(&walk, position);
	}
	if (found) {
		*nid = walk.dirent.nid;
		tree_path(&image->tree, directory, walk.block.data + walk.dirent.name,
			  walk.dirent.name_size, path, size);
	}
	free(block);
	return found;
}
