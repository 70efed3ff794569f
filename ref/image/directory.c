// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The entries of a directory, one after the other. Chapter "Directories". */
#include <string.h>

#include "image/image.h"

void start_dirents(struct dirent_walk *walk, struct reader *reader, const struct file *directory,
		   uint8_t *buffer)
{
	memset(walk, 0, sizeof(*walk));
	walk->reader = reader;
	walk->directory = directory;
	walk->block_size = (uint32_t)ishare_block_size(&reader->volume->sb);
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

enum dirent_status next_dirent(struct dirent_walk *walk)
{
	enum ishare_status status = ISHARE_END;

	if (walk->in_block)
		status = ishare_dirent_next(&walk->block, &walk->dirent);
	if (status == ISHARE_END) {
		walk->pos += walk->in_block ? walk->block.size : 0;
		if (walk->pos >= walk->directory->inode.size)
			return DIRENT_END;
		walk->result = load_block(walk);
		if (walk->result != READ_OK)
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

bool is_dot(const struct ishare_view *name)
{
	return name->size == 1 && name->data[0] == '.';
}

bool is_dotdot(const struct ishare_view *name)
{
	return name->size == 2 && name->data[0] == '.' && name->data[1] == '.';
}
