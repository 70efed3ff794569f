// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Holds the rules of the chapter "Inodes" against inodes. */
#include <inttypes.h>

#include "check/check.h"

static struct place inode_place(const struct file *file)
{
	return place_struct(file->space,
			    file->inode.extended ? ISHARE_STRUCT_INODE_EXTENDED
						 : ISHARE_STRUCT_INODE_COMPACT,
			    file->offset);
}

/* For the fields that both forms have at the same offset. */
static struct place inode_field(const struct file *file, uint32_t compact_offset)
{
	return place_field(file->space, ISHARE_STRUCT_INODE_COMPACT, file->offset, compact_offset);
}

static void report_bounds(struct check *check, const struct file *file)
{
	report(check, ISHARE_RULE_INODE_BOUNDS, place_bytes(file->space, file->offset, 0),
	       "nid 0x%" PRIx64 " names an inode at byte %" PRIu64 " of the %s, which has %" PRIu64,
	       file->nid, file->offset, file->space->name, file->space->size);
}

/* The rules without which the inode cannot be decoded; false: it is not there. */
static bool load_checked(struct check *check, uint64_t nid, struct file *file)
{
	enum ishare_status status = ISHARE_SHORT;
	bool located = locate_inode(check->image, nid, file);
	enum read_result result;

	if (file->space->encoded || file->space->lost) {
		not_readable(check, AN_INODE, file->space->encoded ? READ_ENCODED : READ_OUTSIDE);
		return false;
	}
	if (!located || !inode_bounds(file->offset, ISHARE_INODE_COMPACT_SIZE, file->space->size)) {
		if (!located)
			file->offset = file->space->size;
		report_bounds(check, file);
		return false;
	}
	result = load_inode(&check->reader, file, &status);
	not_readable(check, AN_INODE, result);
	if (result == READ_OK && status != ISHARE_OK)
		report_bounds(check, file);
	return result == READ_OK && status == ISHARE_OK;
}

/* The rules that the meaning of all other fields depends on. */
static bool check_form(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	if (!inode_format(inode)) {
		report(check, ISHARE_RULE_INODE_FORMAT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET),
		       "i_format 0x%04" PRIx32 " has bits that mean nothing", inode->format);
		return false;
	}
	if (!inode_layout(inode)) {
		report(check, ISHARE_RULE_INODE_LAYOUT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET),
		       "i_format 0x%04" PRIx32 " names data layout %" PRIu32
		       ", which does not exist",
		       inode->format, inode->data_layout);
		return false;
	}
	if (!inode_mode(inode)) {
		report(check, ISHARE_RULE_INODE_MODE,
		       inode_field(file, ISHARE_INODE_COMPACT_I_MODE_OFFSET),
		       "i_mode 0%06" PRIo32 " names no file type", inode->mode);
		return false;
	}
	return true;
}

static bool check_size_and_chunks(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	if (!inode_size(inode)) {
		report(check, ISHARE_RULE_INODE_SIZE,
		       place_field(file->space, ISHARE_STRUCT_INODE_EXTENDED, file->offset,
				   ISHARE_INODE_EXTENDED_I_SIZE_OFFSET),
		       "i_size is %" PRIu64 ", more than 2^63 - 1", inode->size);
		return false;
	}
	if (!inode_chunk_format(inode)) {
		report(check, ISHARE_RULE_INODE_CHUNK_FORMAT, inode_place(file),
		       "chunk format 0x%04" PRIx32 " is not known", inode->u);
		return false;
	}
	return true;
}

/* Charges work to the budget of what the image can honestly ask for: see spend(). */
static bool charge_chunks(struct check *check, const struct file *file)
{
	return file->inode.data_layout != ISHARE_INODE_CHUNK_BASED ||
	       spend(check, A_CHUNK_TABLE, chunk_table_size(check->image, file));
}

/* Of a target without bytes, the size is at fault. */
static struct place target_place(const struct file *file, const struct ishare_view *target)
{
	if (!target->size)
		return inode_field(file, ISHARE_INODE_COMPACT_I_SIZE_OFFSET);
	return place_bytes(file->space, file->offset + file->inode.isize + file->inode.xattr_isize,
			   (uint32_t)target->size);
}

/* Longer links are looked at when they are followed, which nobody does here. */
static void check_symlink(struct check *check, const struct file *file)
{
	struct ishare_view target;
	enum read_result result;

	if (!ishare_inode_is_symlink(&file->inode) ||
	    file->inode.data_layout != ISHARE_INODE_FLAT_INLINE ||
	    file->inode.size > ishare_block_size(&check->image->sb))
		return;
	target.size = (size_t)file->inode.size;
	target.data = reader_buffer(&check->reader, target.size);
	result = target.data
			 ? file_read(&check->reader, file, 0, (uint8_t *)target.data, target.size)
			 : READ_FAILED;
	if (result == READ_FAILED)
		check_failed(check, &check->reader);
	else if (result == READ_OK && !inode_symlink_target(&target))
		report(check, ISHARE_RULE_INODE_SYMLINK_TARGET, target_place(file, &target),
		       "the target of the symbolic link is empty or has a NUL byte");
}

static void report_fault(struct check *check, const struct file *file,
			 const struct data_fault *fault)
{
	const char *what = "lies beyond the end of its device";

	if (fault->rule == ISHARE_RULE_INODE_DATA_DEVICE)
		what = "begins on one device and goes on in the range of another";
	else if (fault->rule == ISHARE_RULE_INODE_DATA_MERGE)
		what = "has a block number that continues the chunk before it, but lies elsewhere";
	else if (fault->rule == ISHARE_RULE_INODE_CHUNK_RANGE)
		what = "is in a chunk whose block numbers pass the largest one";
	report(check, fault->rule, inode_place(file),
	       "its data from byte %" PRIu64 " of %" PRIu64 " on %s", fault->pos, file->inode.size,
	       what);
}

static void check_place(struct check *check, struct file *file)
{
	struct data_fault fault;
	enum read_result result;

	if (file->inode.data_layout == ISHARE_INODE_CHUNK_BASED)
		check_metadata(check, file->space, chunk_table(file),
			       chunk_table_size(check->image, file));
	result = file_judge_data(&check->reader, file, &fault);
	if (result != READ_OUTSIDE || fault.rule == ISHARE_RULE_INODE_DATA_BOUNDS)
		file->bounds = result;
	file->holes = fault.holes;
	if (result == READ_OUTSIDE)
		report_fault(check, file, &fault);
	else if (result != READ_NO_DEVICE ||
		 !check->image->extents_lost) /* else: dev.table-bounds */
		not_readable(check, DATA, result);
}

static void check_data(struct check *check, struct file *file)
{
	const struct ishare_image *image = check->image;

	if (!inode_inline_tail(&image->sb, &file->inode, file->offset)) {
		report(check, ISHARE_RULE_INODE_INLINE_TAIL, inode_place(file),
		       "the inline tail of a file of %" PRIu64 " bytes crosses a block boundary",
		       file->inode.size);
		return;
	}
	if (!ishare_inode_has_data(&file->inode))
		return;
	if (ishare_inode_is_compressed(&file->inode)) {
		/*
		 * Linux may cache its clusters where metadata is looked up: on which device are
		 * they?
		 */
		if (image->extent_count)
			not_examined(check, DATA, IS_COMPRESSED);
		return;
	}
	if (!charge_chunks(check, file))
		return;
	check_symlink(check, file);
	check_place(check, file);
}

/* False: there is no area to judge. */
static bool check_xattr_area(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	if (!inode_xattr_icount(inode)) {
		report(check, ISHARE_RULE_INODE_XATTR_ICOUNT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET),
		       "i_xattr_icount is 1: an xattr area without room for an xattr");
		return false;
	}
	if (!inode_xattr_bounds(inode, file->offset, file->space->size)) {
		report(check, ISHARE_RULE_INODE_XATTR_BOUNDS,
		       inode_field(file, ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET),
		       "the xattr area of %" PRIu32 " bytes ends beyond the %s", inode->xattr_isize,
		       file->space->name);
		return false;
	}
	return true;
}

static void tell_inode(const struct check *check, const struct file *file)
{
	char path[PATH_SHOWN];
	struct ishare_inode_event event = {
		.nid = file->nid, .offset = file->offset, .inode = &file->inode, .path = path
	};

	if (!check->sink->inode || !current_path(check, path, sizeof(path)))
		return;
	check->sink->inode(check->sink->context, &event);
}

static void count_inode(struct check *check, const struct ishare_inode *inode)
{
	struct ishare_summary *summary = check->summary;

	if (check->fixed_path) /* the packed inode or the metabox: nobody's file */
		return;
	summary->inodes++;
	if (ishare_inode_is_regular(inode)) {
		summary->regular_files++;
		summary->regular_bytes += inode->size;
	}
	check->inodes++;
	if (check->sink->progress && check->inodes % 4096 == 0)
		check->sink->progress(check->sink->context, check->inodes, check->image->sb.inos);
}

/* An inline tail is judged with the inode: it ends in the block in which it begins. */
static void check_inode_metadata(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;
	uint64_t size = (uint64_t)inode->isize + inode->xattr_isize;

	if (inode->data_layout == ISHARE_INODE_FLAT_INLINE && inode->size)
		size += (inode->size - 1) % ishare_block_size(&check->image->sb) + 1;
	check_metadata(check, file->space, file->offset, size);
}

bool check_inode(struct check *check, uint64_t nid, struct file *file)
{
	file->bounds = READ_OK;
	file->holes = 0;
	if (!load_checked(check, nid, file) || !check_form(check, file))
		return false;
	count_inode(check, &file->inode);
	tell_inode(check, file);
	check_stop(check);
	if (check->failed)
		return false;
	check_inode_metadata(check, file);
	if (!check_size_and_chunks(check, file))
		return false;
	if (check_xattr_area(check, file)) {
		/* An inline tail and a chunk table lie behind the xattrs. */
		check_data(check, file);
		if (!check->failed)
			check_xattrs(check, file);
	}
	return !check->failed;
}
