// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Finds and reads inodes. Chapter "Inodes". */
#include "image/image.h"

/* Where a nid points: false if no space of the image can hold it. */
static bool locate_inode(const struct volume *volume, uint64_t nid, struct file *file)
{
	file->nid = nid;
	if (nid & ISHARE_NID_METABOX) {
		file->space = &volume->metabox;
		file->offset = (nid & ~ISHARE_NID_METABOX) * ISHARE_INODE_SLOT_SIZE;
		return (nid & ~ISHARE_NID_METABOX) <= UINT64_MAX / 2 / ISHARE_INODE_SLOT_SIZE;
	}
	file->space = &volume->image;
	return ishare_inode_offset(&volume->sb, nid, &file->offset) == ISHARE_OK;
}

bool has_inode(const struct volume *volume, uint64_t nid)
{
	struct file file;

	return locate_inode(volume, nid, &file) &&
	       inode_bounds(file.offset, ISHARE_INODE_COMPACT_SIZE, file.space->size);
}

/* The largest number of bytes that the inode can have here. */
static size_t inode_room(const struct file *file)
{
	uint64_t left = file->space->size - file->offset;

	return left < ISHARE_INODE_EXTENDED_SIZE ? (size_t)left : ISHARE_INODE_EXTENDED_SIZE;
}

enum read_result read_inode(struct reader *reader, uint64_t nid, struct file *file)
{
	bool located = locate_inode(reader->volume, nid, file);
	const struct space *space = file->space;
	enum read_result result;
	struct ishare_view view;

	if (!is_known(space))
		return rule_broken(reader, space->state, space->rule);
	if (!located)
		file->offset = space->size;
	if (!located || !inode_bounds(file->offset, ISHARE_INODE_COMPACT_SIZE, space->size))
		return rule_broken(reader, READ_OUTSIDE, ISHARE_RULE_INODE_BOUNDS);
	result = space_view(reader, space, file->offset, inode_room(file), &view);
	if (result == READ_OK && ishare_inode_decode(&view, &file->inode) != ISHARE_OK)
		return rule_broken(reader, READ_OUTSIDE, ISHARE_RULE_INODE_BOUNDS);
	return result;
}

enum ishare_rule_id broken_form_rule(const struct ishare_inode *inode)
{
	if (!inode_format(inode))
		return ISHARE_RULE_INODE_FORMAT;
	if (!inode_layout(inode))
		return ISHARE_RULE_INODE_LAYOUT;
	return inode_mode(inode) ? ISHARE_RULE_COUNT : ISHARE_RULE_INODE_MODE;
}

enum ishare_rule_id broken_data_rule(const struct ishare_inode *inode)
{
	if (!inode_size(inode))
		return ISHARE_RULE_INODE_SIZE;
	return inode_chunk_format(inode) ? ISHARE_RULE_COUNT : ISHARE_RULE_INODE_CHUNK_FORMAT;
}
