// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Finds and reads inodes. Chapter "Inodes". */
#include "image/image.h"

/* Where a nid points: false if no space of the image can hold it. */
bool locate_inode(const struct ishare_image *image, uint64_t nid, struct file *file)
{
	file->nid = nid;
	if (nid & ISHARE_NID_METABOX) {
		file->space = &image->metabox;
		file->offset = (nid & ~ISHARE_NID_METABOX) * ISHARE_INODE_SLOT_SIZE;
		return (nid & ~ISHARE_NID_METABOX) <= UINT64_MAX / 2 / ISHARE_INODE_SLOT_SIZE;
	}
	file->space = &image->space;
	return ishare_inode_offset(&image->sb, nid, &file->offset) == ISHARE_OK;
}

bool has_inode(const struct ishare_image *image, uint64_t nid)
{
	struct file file;

	return locate_inode(image, nid, &file) &&
	       inode_bounds(file.offset, ISHARE_INODE_COMPACT_SIZE, file.space->size);
}

/* How many bytes there are of the inode at most. */
static size_t inode_room(const struct file *file)
{
	uint64_t left = file->space->size - file->offset;

	return left < ISHARE_INODE_EXTENDED_SIZE ? (size_t)left : ISHARE_INODE_EXTENDED_SIZE;
}

enum read_result load_inode(struct reader *reader, struct file *file, enum ishare_status *status)
{
	struct ishare_view view;
	enum read_result result =
		space_view(reader, file->space, file->offset, inode_room(file), &view);

	if (result == READ_OK)
		*status = ishare_inode_decode(&view, &file->inode);
	return result;
}

bool read_inode(struct reader *reader, const struct ishare_image *image, uint64_t nid,
		struct file *file)
{
	enum ishare_status status;

	return locate_inode(image, nid, file) && file->space->readable &&
	       file->offset < file->space->size && load_inode(reader, file, &status) == READ_OK &&
	       status == ISHARE_OK;
}
