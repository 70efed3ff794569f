// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks inodes against the rules of the chapter "Inodes". */
#include <inttypes.h>

#include "check/judges.h"

#define PROGRESS_INODES 256u /* from one call of the sink's function to the next */

/* For the fields that both forms have at the same offset. */
static struct place inode_field(const struct file *file, uint32_t compact_offset)
{
	return place_field(file->space, ISHARE_STRUCT_INODE_COMPACT, file->offset, compact_offset);
}

/* i_size, of either form. */
static struct place size_place(const struct file *file)
{
	if (!file->inode.extended)
		return inode_field(file, ISHARE_INODE_COMPACT_I_SIZE_OFFSET);
	return place_field(file->space, ISHARE_STRUCT_INODE_EXTENDED, file->offset,
			   ISHARE_INODE_EXTENDED_I_SIZE_OFFSET);
}

static void report_bounds(struct check *check, const struct file *file)
{
	const struct space *space = file->space;
	struct place place = place_bytes(space, file->offset, 0);

	/* An offset that needs more than 64 bits is given as that of the end. */
	if (space == &check->volume->metabox && !has_metabox(check->volume))
		report(&check->report, ISHARE_RULE_INODE_BOUNDS, place,
		       "nid 0x%" PRIx64
		       " names an inode in a metabox, but METABOX is not set: there is none",
		       file->nid);
	else if (file->offset >= space->size)
		report(&check->report, ISHARE_RULE_INODE_BOUNDS, place,
		       "nid 0x%" PRIx64
		       " names an inode beyond the end of the %s, which has %" PRIu64 " byte%s",
		       file->nid, space->name, space->size, plural(space->size));
	else
		report(&check->report, ISHARE_RULE_INODE_BOUNDS, place,
		       "nid 0x%" PRIx64 " names an inode at byte %" PRIu64
		       " of the %s, which has %" PRIu64 " byte%s",
		       file->nid, file->offset, space->name, space->size, plural(space->size));
}

static enum verdict load_inode(struct check *check, uint64_t nid, struct file *file)
{
	enum read_result result = read_inode(&check->reader, nid, file);

	if (result == READ_OK)
		return JUDGED;
	if (result == READ_OUTSIDE)
		report_bounds(check, file);
	else
		not_readable(&check->report, ISHARE_PART_INODE, result, check->reader.error);
	return unusable(check);
}

/* The rules that the meaning of all other fields depends on. */
static enum verdict check_form(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	switch (broken_form_rule(inode)) {
	case ISHARE_RULE_INODE_FORMAT:
		report(&check->report, ISHARE_RULE_INODE_FORMAT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET),
		       "i_format 0x%04" PRIx32 " has bits that mean nothing", inode->format);
		return unusable(check);
	case ISHARE_RULE_INODE_LAYOUT:
		report(&check->report, ISHARE_RULE_INODE_LAYOUT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET),
		       "i_format 0x%04" PRIx32 " names data layout %" PRIu32
		       ", which does not exist",
		       inode->format, inode->data_layout);
		return unusable(check);
	case ISHARE_RULE_INODE_MODE:
		report(&check->report, ISHARE_RULE_INODE_MODE,
		       inode_field(file, ISHARE_INODE_COMPACT_I_MODE_OFFSET),
		       "i_mode 0%06" PRIo32 " names no file type", inode->mode);
		return unusable(check);
	default:
		return JUDGED;
	}
}

/* Linux does not read the inode in. */
static enum verdict check_compression(struct check *check, const struct file *file)
{
	const struct ishare_superblock *sb = &check->volume->sb;

	if (inode_compression(sb, &file->inode))
		return JUDGED;
	report(&check->report, ISHARE_RULE_INODE_COMPRESSION,
	       inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET),
	       "i_format 0x%04" PRIx32
	       " says that the data is compressed, but the image has no algorithm: compr_algs is 0",
	       file->inode.format);
	return unusable(check);
}

/* The fields that have to do with 48BIT, each of which is a place of its own. */
static void check_48bit(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;
	uint32_t field = ISHARE_INODE_COMPACT_I_U_OFFSET;
	const char *what = "the chunk format has CHUNK_FORMAT_48BIT";

	if (inode_needs_48bit(&check->volume->sb, inode))
		return;
	if (inode->format & ISHARE_I_NLINK_1) {
		field = ISHARE_INODE_COMPACT_I_FORMAT_OFFSET;
		what = "bit 4 of i_format is set";
	} else if (inode->extended && inode->nb) {
		field = ISHARE_INODE_COMPACT_I_NB_OFFSET;
		what = "i_nb of an extended inode is not 0";
	}
	report(&check->report, ISHARE_RULE_INODE_NEEDS_48BIT, inode_field(file, field),
	       "%s, but 48BIT is not set in feature_incompat", what);
}

static struct place reserved_place(const struct file *file)
{
	if (file->inode.data_layout == ISHARE_INODE_CHUNK_BASED && file->inode.u > 0xffff)
		return inode_field(file, ISHARE_INODE_COMPACT_I_U_OFFSET);
	if (file->inode.extended)
		return place_field(file->space, ISHARE_STRUCT_INODE_EXTENDED, file->offset,
				   ISHARE_INODE_EXTENDED_I_RESERVED2_OFFSET);
	return inode_field(file, ISHARE_INODE_COMPACT_I_RESERVED_OFFSET);
}

static void check_reserved(struct check *check, const struct file *file)
{
	struct ishare_view bytes;
	enum read_result result =
		space_view(&check->reader, file->space, file->offset, file->inode.isize, &bytes);

	if (result == READ_FAILED)
		report_failure(&check->report, check->reader.error);
	else if (result == READ_OK && !inode_reserved_zero(&bytes, &file->inode))
		report(&check->report, ISHARE_RULE_INODE_RESERVED_ZERO, reserved_place(file),
		       "reserved bytes of the inode are not zero");
}

static enum verdict check_size_and_chunks(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	switch (broken_data_rule(inode)) {
	case ISHARE_RULE_INODE_SIZE:
		report(&check->report, ISHARE_RULE_INODE_SIZE,
		       place_field(file->space, ISHARE_STRUCT_INODE_EXTENDED, file->offset,
				   ISHARE_INODE_EXTENDED_I_SIZE_OFFSET),
		       "i_size is %" PRIu64 ", more than 2^63 - 1", inode->size);
		return unusable(check);
	case ISHARE_RULE_INODE_CHUNK_FORMAT:
		report(&check->report, ISHARE_RULE_INODE_CHUNK_FORMAT, inode_place(file),
		       "chunk format 0x%04" PRIx32 " is not known", inode->u);
		return unusable(check);
	default:
		return JUDGED;
	}
}

/*
 * Whether the file's chunks can be looked at. A table that cannot be there is no reason not to have
 * examined it.
 */
static bool can_examine_chunks(struct check *check, const struct file *file)
{
	uint64_t start, size;

	if (file->inode.data_layout != ISHARE_INODE_CHUNK_BASED)
		return true;
	start = chunk_table(file);
	size = chunk_table_size(check->volume, file);
	if (inode_data_bounds(start, size, file->space->size))
		return afford(check, ISHARE_PART_CHUNK_TABLE, size);
	report(&check->report, ISHARE_RULE_INODE_DATA_BOUNDS, size_place(file),
	       "a file of %" PRIu64 " byte%s has a table of %" PRIu64
	       " bytes for its chunks, which ends beyond the %s of %" PRIu64 " bytes",
	       file->inode.size, plural(file->inode.size), size, file->space->name,
	       file->space->size);
	return false;
}

/* If the target is empty, the size is at fault. */
static struct place target_place(const struct file *file, const struct ishare_view *target)
{
	if (!target->size)
		return inode_field(file, ISHARE_INODE_COMPACT_I_SIZE_OFFSET);
	return place_bytes(file->space, file->offset + file->inode.isize + file->inode.xattr_isize,
			   (uint32_t)target->size);
}

/* Longer links are checked when they are followed, which does not happen here. */
static void check_symlink(struct check *check, const struct file *file)
{
	struct space data = file_space(file, "symbolic link");
	struct ishare_view target;
	enum read_result result;

	if (!ishare_inode_is_symlink(&file->inode) ||
	    file->inode.data_layout != ISHARE_INODE_FLAT_INLINE ||
	    file->inode.size > ishare_block_size(&check->volume->sb))
		return;
	result = space_view(&check->reader, &data, 0, (size_t)data.size, &target);
	if (result == READ_FAILED)
		report_failure(&check->report, check->reader.error);
	else if (result == READ_OK && !inode_symlink_target(&target))
		report(&check->report, ISHARE_RULE_INODE_SYMLINK_TARGET,
		       target_place(file, &target),
		       "the target of the symbolic link is empty or has a NUL byte");
}

static void count_compressed(struct check *check, const struct ishare_inode *inode)
{
	if (!check->report.subject.path && ishare_inode_is_regular(inode))
		check->report.summary->compressed_files++;
}

static void check_data(struct check *check, const struct file *file, struct data_place *data)
{
	const struct volume *volume = check->volume;

	if (!inode_inline_tail(&volume->sb, &file->inode, file->offset)) {
		report(&check->report, ISHARE_RULE_INODE_INLINE_TAIL, inode_place(file),
		       "the inline tail of a file of %" PRIu64 " byte%s crosses a block boundary",
		       file->inode.size, plural(file->inode.size));
		return;
	}
	if (!ishare_inode_has_data(&file->inode))
		return;
	if (ishare_inode_is_compressed(&file->inode)) {
		/*
		 * Linux may cache its clusters where metadata is looked up: on which device are
		 * they?
		 */
		if (volume->map.count)
			not_examined(&check->report, ISHARE_PART_DATA, ISHARE_REASON_COMPRESSED);
		count_compressed(check, &file->inode);
		return;
	}
	if (!can_examine_chunks(check, file)) {
		data->state = READ_OUTSIDE;
		return;
	}
	check_symlink(check, file);
	if (file->inode.data_layout == ISHARE_INODE_CHUNK_BASED)
		check_metadata(check, file->space, chunk_table(file),
			       chunk_table_size(volume, file));
	check_data_place(check, file, data);
}

/* False: there is no area to judge. */
static bool check_xattr_area(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	if (!inode_xattr_icount(inode)) {
		report(&check->report, ISHARE_RULE_INODE_XATTR_ICOUNT,
		       inode_field(file, ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET),
		       "i_xattr_icount is 1: an xattr area without room for an xattr");
		return false;
	}
	if (!inode_xattr_bounds(inode, file->offset, file->space->size)) {
		report(&check->report, ISHARE_RULE_INODE_XATTR_BOUNDS,
		       inode_field(file, ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET),
		       "the xattr area of %" PRIu32 " bytes ends beyond the %s", inode->xattr_isize,
		       file->space->name);
		return false;
	}
	return true;
}

static void count_inode(struct check *check, const struct ishare_inode *inode)
{
	const struct ishare_sink *sink = check->report.sink;
	struct ishare_summary *summary = check->report.summary;

	if (check->report.subject.path) /* the packed inode or the metabox, which are no files */
		return;
	summary->inodes++;
	if (ishare_inode_is_regular(inode)) {
		summary->regular_files++;
		summary->regular_bytes += inode->size;
	}
	check->inodes++;
	if (sink->progress && check->inodes % PROGRESS_INODES == 0)
		sink->progress(sink->context, check->inodes, check->volume->sb.inos);
}

/* For advisories: what walks through an index takes as long as the file is large. */
static void note_size(struct check *check, const struct ishare_inode *inode)
{
	uint64_t *largest = &check->report.image->largest_indexed;

	if ((inode->data_layout == ISHARE_INODE_CHUNK_BASED || ishare_inode_is_compressed(inode)) &&
	    inode->size > *largest)
		*largest = inode->size;
}

/* An inline tail is judged with the inode: it ends in the block in which it begins. */
static void check_inode_metadata(struct check *check, const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;
	uint64_t size = (uint64_t)inode->isize + inode->xattr_isize;

	if (inode->data_layout == ISHARE_INODE_FLAT_INLINE && inode->size)
		size += (inode->size - 1) % ishare_block_size(&check->volume->sb) + 1;
	check_metadata(check, file->space, file->offset, size);
}

/* An inline tail and a chunk table lie behind the xattrs, and cannot be found without them. */
static void check_contents(struct check *check, const struct file *file)
{
	struct data_place data = { READ_OK, 0 };

	if (!check_xattr_area(check, file))
		return;
	check_data(check, file, &data);
	if (verdict_so_far(check) == JUDGED)
		check_xattrs(check, file, &data);
}

enum verdict check_inode(struct check *check, uint64_t nid, struct file *file)
{
	enum verdict verdict = load_inode(check, nid, file);

	if (verdict == JUDGED)
		verdict = check_form(check, file);
	if (verdict != JUDGED)
		return verdict;
	count_inode(check, &file->inode);
	report_stop(&check->report);
	if (verdict_so_far(check) == ENDED)
		return ENDED;
	check_inode_metadata(check, file);
	check_48bit(check, file);
	check_reserved(check, file);
	verdict = check_size_and_chunks(check, file);
	if (verdict == JUDGED)
		verdict = check_compression(check, file);
	if (verdict != JUDGED)
		return verdict;
	note_size(check, &file->inode);
	check_contents(check, file);
	return verdict_so_far(check);
}

/* Where the link count is; or bit 4 of i_format, which says that it is 1. */
static struct place links_place(const struct file *file)
{
	const struct ishare_inode *inode = &file->inode;

	if (inode->extended)
		return place_field(file->space, ISHARE_STRUCT_INODE_EXTENDED, file->offset,
				   ISHARE_INODE_EXTENDED_I_NLINK_OFFSET);
	if ((inode->format & ISHARE_I_NLINK_1) && !ishare_inode_is_directory(inode))
		return inode_field(file, ISHARE_INODE_COMPACT_I_FORMAT_OFFSET);
	return inode_field(file, ISHARE_INODE_COMPACT_I_NB_OFFSET);
}

void check_links(struct check *check, const struct file *file, uint64_t links)
{
	const struct ishare_inode *inode = &file->inode;

	if (inode_nlink(inode, links))
		return;
	if (ishare_inode_is_directory(inode))
		report(&check->report, ISHARE_RULE_INODE_NLINK, links_place(file),
		       "the link count is %" PRIu32 ", but a directory with %" PRIu64
		       " subdirector%s has %" PRIu64 " links",
		       inode->nlink, links - 2, links == 3 ? "y" : "ies", links);
	else if (inode_nlink(inode, links - 1)) /* else: reported */
		report(&check->report, ISHARE_RULE_INODE_NLINK, links_place(file),
		       "the link count is %" PRIu32 ", but this is name %" PRIu64 " of the inode",
		       inode->nlink, links);
}

/* The data of an inode that is itself metadata. */
static void check_space(struct check *check, struct space *space, uint64_t nid)
{
	enum read_result result;
	enum verdict verdict;
	struct file file;

	check->report.subject.path = space->name;
	verdict = check_inode(check, nid, &file);
	result = open_space(&check->reader, space, nid);
	if (verdict == JUDGED && result == READ_CORRUPT)
		report(&check->report, ISHARE_RULE_INODE_INTERNAL,
		       inode_field(&file, ISHARE_INODE_COMPACT_I_MODE_OFFSET),
		       "the %s has i_mode 0%06" PRIo32 ": not a regular file", space->name,
		       file.inode.mode);
	check->report.subject.path = NULL;
}

/* As a kernel does: the packed inode first, and both before the prefix table is known. */
void check_special_inodes(struct check *check)
{
	struct volume *volume = check->volume;

	if (has_packed_inode(volume))
		check_space(check, &volume->packed, volume->sb.packed_nid);
	if (has_metabox(volume) && find_metabox(&check->reader, volume) == READ_OK)
		check_space(check, &volume->metabox, volume->ext.metabox_nid);
}
