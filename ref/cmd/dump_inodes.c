// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Shows inodes and their xattrs. */
#include <inttypes.h>
#include <string.h>

#include "dumper.h"

enum { INODE_BYTES = 256, XATTR_BYTES = 256 }; /* about what one takes besides its path or name */

/* Whether the limit allows about this many more bytes. */
static bool has_room(struct dump_limit *limit, uint64_t bytes)
{
	limit->used += bytes;
	if (!limit->bytes || limit->used <= limit->bytes)
		return true;
	limit->left_out++;
	return false;
}

/* shown: the inode that has it was. */
static void show_xattr(struct dump *dump, const struct xattr_walk *walk, bool shown)
{
	const struct xattr *at = &walk->at;
	uint8_t buffer[NAME_ROOM];
	struct ishare_name name;
	bool named = xattr_name(walk, buffer, &name);
	struct dump_xattr xattr = {
		.shared = at->shared,
		.offset = at->base + at->entry.pos,
		.entry = &at->entry,
		.name_space = named ? name_space(name.base_index) : "",
		.name = named ? &name : NULL,
		.value = xattr_value(walk),
		.fingerprint = is_fingerprint(walk),
	};
	uint64_t name_size = named ? name.bytes.size : 0;

	if (has_room(&dump->limit, XATTR_BYTES + ISHARE_ESCAPED_MAX * name_size) && shown)
		dump->format->xattr(&dump->stream, &xattr);
}

static void miss_xattr(struct dumper *dumper, const struct xattr_walk *walk,
		       enum xattr_status status, const char *path)
{
	if (status == XATTR_BAD_ENTRY)
		miss_broken(dumper, ISHARE_RULE_XATTR_ENTRY_BOUNDS, path, "an xattr", "is corrupt");
	else if (status == XATTR_BAD_ID)
		miss_outside(dumper, ISHARE_RULE_XATTR_SHARED_ID, path, "a shared xattr");
	else
		miss_unread(dumper, walk->result, path, "a shared xattr");
}

static bool affords_xattr(struct dumper *dumper, const struct xattr *at, const char *path)
{
	return !at->shared ||
	       affords(dumper, at->holder.size / SHARED_DISCOUNT, path, "a shared xattr");
}

static void show_entries(struct dumper *dumper, const struct file *file,
			 const struct ishare_view *area, const char *path, bool shown)
{
	enum xattr_status status;
	struct xattr_walk walk;

	start_xattr_walk(&walk, &dumper->reader, file, area);
	if (!xattr_shared_count(&walk.header, file->inode.xattr_isize)) {
		miss_broken(dumper, ISHARE_RULE_XATTR_SHARED_COUNT, path, "the xattr area",
			    "is corrupt");
		return;
	}
	while (!dumper->ended && (status = next_xattr(&walk)) != XATTR_END) {
		if (!affords_xattr(dumper, &walk.at, path))
			return;
		if (status != XATTR_OK)
			miss_xattr(dumper, &walk, status, path);
		else if (!is_fill(&walk))
			show_xattr(dumper->dump, &walk, shown);
	}
}

static void show_xattrs(struct dumper *dumper, const struct file *file, const char *path,
			bool shown)
{
	const struct ishare_inode *inode = &file->inode;
	struct ishare_view area;
	enum read_result result;

	if (!inode->xattr_isize || !inode_xattr_icount(inode))
		return;
	if (!inode_xattr_bounds(inode, file->offset, file->space->size)) {
		miss_outside(dumper, ISHARE_RULE_INODE_XATTR_BOUNDS, path, "the xattr area");
		return;
	}
	if (!affords(dumper, inode->xattr_isize, path, "the xattr area"))
		return;
	result = copy_xattr_area(&dumper->reader, file, dumper->area, &area);
	miss_unread(dumper, result, path, "the xattr area");
	if (result == READ_OK)
		show_entries(dumper, file, &area, path, shown);
}

/* What an inode has: its own fields, then its xattrs. False: its data cannot be found. */
static bool show_file(struct dumper *dumper, const struct file *file, const char *path)
{
	struct dump *dump = dumper->dump;
	struct dump_inode inode = { path, file->nid, file->offset, &file->inode };
	enum ishare_rule_id broken = broken_data_rule(&file->inode);
	bool shown = has_room(&dump->limit, INODE_BYTES + strlen(path));

	if (shown)
		dump->format->inode(&dump->stream, &inode);
	if (broken == ISHARE_RULE_COUNT)
		show_xattrs(dumper, file, path, shown);
	else
		miss_broken(dumper, broken, path, "the rest of the inode", "is corrupt");
	if (shown)
		dump->format->inode_end(&dump->stream);
	dumper->ended = dumper->ended || is_unwritten();
	return broken == ISHARE_RULE_COUNT;
}

bool show_inode(struct dumper *dumper, uint64_t nid, const char *path, struct file *file)
{
	enum read_result result = read_inode(&dumper->reader, nid, file);
	enum ishare_rule_id broken;

	miss_unread(dumper, result, path, "the inode");
	if (result != READ_OK)
		return false;
	broken = broken_form_rule(&file->inode);
	if (broken == ISHARE_RULE_COUNT)
		return show_file(dumper, file, path);
	miss_broken(dumper, broken, path, "the inode", "is corrupt");
	return false;
}
