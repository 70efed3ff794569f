// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Specification: inodes chapter. */
#include "inode.h"

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == inode_isize(format); */
static uint32_t inode_isize(uint32_t format)
{
	return format % 2u != 0 ? ISHARE_INODE_EXTENDED_SIZE : ISHARE_INODE_COMPACT_SIZE;
}

/*@ requires icount: icount <= 0xffff;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xattr_isize(icount); */
static uint32_t xattr_isize(uint32_t icount)
{
	return icount == 0 ? 0 : 12u + 4u * (icount - 1u);
}

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == block_bits(format, mode); */
static uint32_t block_bits(uint32_t format, uint32_t mode)
{
	if (format % 2u != 0)
		return 48;
	if ((format & ISHARE_I_NLINK_1) == 0 || (mode & ISHARE_S_IFMT) == ISHARE_S_IFDIR)
		return 32;
	return 48;
}

/*@ requires halves: nb <= 0xffff;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == start_block(layout, bits, u, nb); */
static uint64_t start_block(uint32_t layout, uint32_t bits, uint32_t u, uint32_t nb)
{
	uint64_t hole = bits == 48 ? 0xffffffffffffu : 0xffffffffu;
	uint64_t stored = bits == 48 ? u + 4294967296u * (uint64_t)nb : u;

	if (layout == ISHARE_INODE_FLAT_PLAIN && stored == hole)
		return ISHARE_NULL_BLOCK;
	return stored;
}

/*
 * Sets what both forms have. Each member has a clause of its own, as a prover follows one member
 * through the assignments, not all at once.
 */
/*@ requires writable: \valid(inode);
    requires halves: icount <= 0xffff && nb <= 0xffff;
    terminates \true;
    exits \false;
    assigns inode->format, inode->extended, inode->data_layout, inode->xattr_icount, inode->mode,
      inode->nb, inode->u, inode->isize, inode->xattr_isize, inode->start_block;
    ensures format: inode->format == format;
    ensures extended: inode->extended == format % 2;
    ensures data_layout: inode->data_layout == format / 2 % 8;
    ensures xattr_icount: inode->xattr_icount == icount;
    ensures mode: inode->mode == mode;
    ensures nb: inode->nb == nb;
    ensures u: inode->u == u;
    ensures isize: inode->isize == inode_isize(format);
    ensures xattr_isize: inode->xattr_isize == xattr_isize(icount);
    ensures start_block:
      inode->start_block == start_block(format / 2 % 8, block_bits(format, mode), u, nb); */
static void set_common(struct ishare_inode *inode, uint32_t format, uint32_t icount, uint32_t mode,
		       uint32_t nb, uint32_t u)
{
	uint32_t layout = format / 2u % 8u;

	inode->format = format;
	inode->extended = format % 2u;
	inode->data_layout = layout;
	inode->xattr_icount = icount;
	inode->mode = mode;
	inode->nb = nb;
	inode->u = u;
	inode->isize = inode_isize(format);
	inode->xattr_isize = xattr_isize(icount);
	inode->start_block = start_block(layout, block_bits(format, mode), u, nb);
}

/*@ requires view: view_ok(v);
    requires writable: \valid(inode);
    requires apart: \separated(inode, v, v->data + (0 .. v->size - 1));
    requires whole: ISHARE_INODE_COMPACT_SIZE <= v->size;
    requires compact: le16(v->data) % 2 == 0;
    terminates \true;
    exits \false;
    assigns *inode;
    ensures format: inode->format == le16(v->data + ISHARE_INODE_COMPACT_I_FORMAT_OFFSET);
    ensures xattr_icount:
      inode->xattr_icount == le16(v->data + ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET);
    ensures mode: inode->mode == le16(v->data + ISHARE_INODE_COMPACT_I_MODE_OFFSET);
    ensures nb: inode->nb == le16(v->data + ISHARE_INODE_COMPACT_I_NB_OFFSET);
    ensures u: inode->u == le32(v->data + ISHARE_INODE_COMPACT_I_U_OFFSET);
    ensures extended: inode->extended == inode->format % 2;
    ensures data_layout: inode->data_layout == inode->format / 2 % 8;
    ensures isize: inode->isize == inode_isize(inode->format);
    ensures xattr_isize: inode->xattr_isize == xattr_isize(inode->xattr_icount);
    ensures start_block: inode->start_block ==
      start_block(inode->data_layout, block_bits(inode->format, inode->mode),
                  inode->u, inode->nb);
    ensures size: inode->size == le32(v->data + ISHARE_INODE_COMPACT_I_SIZE_OFFSET);
    ensures nlink:
      inode->nlink == (block_bits(inode->format, inode->mode) == 48 ? 1 : inode->nb); */
static void decode_compact(const struct ishare_view *v, struct ishare_inode *inode)
{
	struct ishare_inode_compact c;
	uint32_t format, icount, mode, nb, u, nlink;
	uint64_t size;

	ishare_inode_compact_decode(v, &c);
	format = c.i_format;
	icount = c.i_xattr_icount;
	mode = c.i_mode;
	nb = c.i_nb;
	u = c.i_u;
	size = c.i_size;
	nlink = block_bits(format, mode) == 48 ? 1u : nb;
	/*@ assert format: format == le16(v->data + ISHARE_INODE_COMPACT_I_FORMAT_OFFSET); */
	/*@ assert icount: icount == le16(v->data + ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET); */
	/*@ assert few: icount <= 0xffff; */
	/*@ assert mode: mode == le16(v->data + ISHARE_INODE_COMPACT_I_MODE_OFFSET); */
	/*@ assert nb: nb == le16(v->data + ISHARE_INODE_COMPACT_I_NB_OFFSET); */
	/*@ assert half: nb <= 0xffff; */
	/*@ assert u: u == le32(v->data + ISHARE_INODE_COMPACT_I_U_OFFSET); */
	inode->size = size;
	inode->nlink = nlink;
	set_common(inode, format, icount, mode, nb, u);
}

/*@ requires view: view_ok(v);
    requires writable: \valid(inode);
    requires apart: \separated(inode, v, v->data + (0 .. v->size - 1));
    requires whole: ISHARE_INODE_EXTENDED_SIZE <= v->size;
    requires extended: le16(v->data) % 2 != 0;
    terminates \true;
    exits \false;
    assigns *inode;
    ensures format: inode->format == le16(v->data + ISHARE_INODE_COMPACT_I_FORMAT_OFFSET);
    ensures xattr_icount:
      inode->xattr_icount == le16(v->data + ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET);
    ensures mode: inode->mode == le16(v->data + ISHARE_INODE_COMPACT_I_MODE_OFFSET);
    ensures nb: inode->nb == le16(v->data + ISHARE_INODE_COMPACT_I_NB_OFFSET);
    ensures u: inode->u == le32(v->data + ISHARE_INODE_COMPACT_I_U_OFFSET);
    ensures extended: inode->extended == inode->format % 2;
    ensures data_layout: inode->data_layout == inode->format / 2 % 8;
    ensures isize: inode->isize == inode_isize(inode->format);
    ensures xattr_isize: inode->xattr_isize == xattr_isize(inode->xattr_icount);
    ensures start_block: inode->start_block ==
      start_block(inode->data_layout, block_bits(inode->format, inode->mode),
                  inode->u, inode->nb);
    ensures size: inode->size == le64(v->data + ISHARE_INODE_EXTENDED_I_SIZE_OFFSET);
    ensures nlink: inode->nlink == le32(v->data + ISHARE_INODE_EXTENDED_I_NLINK_OFFSET); */
static void decode_extended(const struct ishare_view *v, struct ishare_inode *inode)
{
	struct ishare_inode_extended e;
	uint32_t format, icount, mode, nb, u, nlink;
	uint64_t size;

	ishare_inode_extended_decode(v, &e);
	format = e.i_format;
	icount = e.i_xattr_icount;
	mode = e.i_mode;
	nb = e.i_nb;
	u = e.i_u;
	size = e.i_size;
	nlink = e.i_nlink;
	/*@ assert format: format == le16(v->data + ISHARE_INODE_COMPACT_I_FORMAT_OFFSET); */
	/*@ assert icount: icount == le16(v->data + ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET); */
	/*@ assert few: icount <= 0xffff; */
	/*@ assert mode: mode == le16(v->data + ISHARE_INODE_COMPACT_I_MODE_OFFSET); */
	/*@ assert nb: nb == le16(v->data + ISHARE_INODE_COMPACT_I_NB_OFFSET); */
	/*@ assert half: nb <= 0xffff; */
	/*@ assert u: u == le32(v->data + ISHARE_INODE_COMPACT_I_U_OFFSET); */
	/*@ assert size: size == le64(v->data + ISHARE_INODE_EXTENDED_I_SIZE_OFFSET); */
	/*@ assert nlink: nlink == le32(v->data + ISHARE_INODE_EXTENDED_I_NLINK_OFFSET); */
	inode->size = size;
	inode->nlink = nlink;
	set_common(inode, format, icount, mode, nb, u);
}

enum ishare_status ishare_inode_decode(const struct ishare_view *v, struct ishare_inode *inode)
{
	uint32_t format;

	if (v->size < ISHARE_INODE_COMPACT_SIZE)
		return ISHARE_SHORT;
	format = ishare_le16(v->data);
	if (v->size < inode_isize(format))
		return ISHARE_SHORT;
	if (format % 2u != 0) {
		decode_extended(v, inode);
		/*@ assert extended: inode_decoded(v->data, inode); */
	} else {
		decode_compact(v, inode);
		/*@ assert compact: inode_decoded(v->data, inode); */
	}
	return ISHARE_OK;
}

enum ishare_status ishare_inode_offset(const struct ishare_superblock *sb, uint64_t nid,
				       uint64_t *offset)
{
	uint64_t area = sb->meta_blkaddr * ishare_block_size(sb);

	if (nid > (ISHARE_OFFSET_MAX - area) / ISHARE_INODE_SLOT_SIZE)
		return ISHARE_MALFORMED;
	*offset = area + ISHARE_INODE_SLOT_SIZE * nid;
	return ISHARE_OK;
}

bool ishare_inode_is_directory(const struct ishare_inode *inode)
{
	return (inode->mode & ISHARE_S_IFMT) == ISHARE_S_IFDIR;
}

bool ishare_inode_is_regular(const struct ishare_inode *inode)
{
	return (inode->mode & ISHARE_S_IFMT) == ISHARE_S_IFREG;
}

bool ishare_inode_is_symlink(const struct ishare_inode *inode)
{
	return (inode->mode & ISHARE_S_IFMT) == ISHARE_S_IFLNK;
}

bool ishare_inode_has_data(const struct ishare_inode *inode)
{
	return ishare_inode_is_regular(inode) || ishare_inode_is_directory(inode) ||
	       ishare_inode_is_symlink(inode);
}

bool ishare_inode_is_compressed(const struct ishare_inode *inode)
{
	return inode->data_layout == ISHARE_INODE_COMPRESSED_FULL ||
	       inode->data_layout == ISHARE_INODE_COMPRESSED_COMPACT;
}

bool inode_bounds(uint64_t offset, uint32_t isize, uint64_t space_size)
{
	return ishare_fits(space_size, offset, isize);
}

bool inode_format(const struct ishare_inode *inode)
{
	return (inode->format & ISHARE_I_FORMAT_UNKNOWN) == 0;
}

bool inode_layout(const struct ishare_inode *inode)
{
	return inode->data_layout <= ISHARE_INODE_CHUNK_BASED;
}

bool inode_mode(const struct ishare_inode *inode)
{
	switch (inode->mode & ISHARE_S_IFMT) {
	case ISHARE_S_IFIFO:
	case ISHARE_S_IFCHR:
	case ISHARE_S_IFDIR:
	case ISHARE_S_IFBLK:
	case ISHARE_S_IFREG:
	case ISHARE_S_IFLNK:
	case ISHARE_S_IFSOCK:
		return true;
	default:
		return false;
	}
}

bool inode_compression(const struct ishare_superblock *sb, const struct ishare_inode *inode)
{
	if (!ishare_inode_is_compressed(inode) || sb->compr_algs != 0)
		return true;
	return !ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_COMPR_CFGS) &&
	       ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_LZ4_0PADDING);
}

bool inode_needs_48bit(const struct ishare_superblock *sb, const struct ishare_inode *inode)
{
	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_48BIT))
		return true;
	if ((inode->format & ISHARE_I_NLINK_1) != 0 || (inode->extended != 0 && inode->nb != 0))
		return false;
	return inode->data_layout != ISHARE_INODE_CHUNK_BASED ||
	       (inode->u & ISHARE_CHUNK_FORMAT_48BIT) == 0;
}

bool inode_nlink(const struct ishare_inode *inode, uint64_t links)
{
	return links <= inode->nlink || (ishare_inode_is_directory(inode) && inode->nlink == 1);
}

bool inode_internal(const struct ishare_inode *inode)
{
	return ishare_inode_is_regular(inode);
}

bool inode_size(const struct ishare_inode *inode)
{
	return inode->size <= ISHARE_OFFSET_MAX;
}

bool inode_chunk_format(const struct ishare_inode *inode)
{
	return inode->data_layout != ISHARE_INODE_CHUNK_BASED ||
	       (inode->u & ISHARE_CHUNK_FORMAT_UNKNOWN) == 0;
}

bool inode_reserved_zero(const struct ishare_view *v, const struct ishare_inode *inode)
{
	if (inode->data_layout == ISHARE_INODE_CHUNK_BASED && inode->u > 0xffff)
		return false;
	if (inode->extended == 0)
		return v->size < ISHARE_INODE_COMPACT_SIZE ||
		       ishare_all_zero(v->data + ISHARE_INODE_COMPACT_I_RESERVED_OFFSET, 4);
	return v->size < ISHARE_INODE_EXTENDED_SIZE ||
	       ishare_all_zero(v->data + ISHARE_INODE_EXTENDED_I_RESERVED2_OFFSET, 16);
}

/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == inline_tail(sb, inode);
    ensures range: 0 <= \result <= block_size(sb); */
static uint64_t inline_tail(const struct ishare_superblock *sb, const struct ishare_inode *inode)
{
	return inode->size == 0 ? 0 : (inode->size - 1u) % ishare_block_size(sb) + 1u;
}

bool inode_inline_tail(const struct ishare_superblock *sb, const struct ishare_inode *inode,
		       uint64_t offset)
{
	uint64_t start;

	if (inode->data_layout != ISHARE_INODE_FLAT_INLINE)
		return true;
	if (!ishare_inode_has_data(inode))
		return true;
	start = (offset + inode->isize + inode->xattr_isize) % ishare_block_size(sb);
	return start + inline_tail(sb, inode) <= ishare_block_size(sb);
}

bool inode_symlink_target(const struct ishare_view *target)
{
	return target->size != 0 && ishare_no_nul(target->data, target->size);
}

bool inode_data_bounds(uint64_t offset, uint64_t size, uint64_t device_size)
{
	return ishare_fits(device_size, offset, size);
}

bool inode_chunk_range(const struct ishare_inode *inode, uint64_t start, uint64_t blocks)
{
	uint64_t ones = 0xffffffffu;

	if ((inode->u & ISHARE_CHUNK_FORMAT_48BIT) != 0)
		ones = 0xffffffffffffu;
	return start < ones && blocks < ones - start;
}

/*
 * What overlaps e and does not begin before it begins in it: the difference is less than e->blocks.
 */
bool inode_data_device(const struct ishare_extent *run, const struct ishare_extent *e)
{
	uint64_t skipped;

	if (e->blocks == 0)
		return true;
	if (run->start < e->start)
		return run->blocks <= e->start - run->start;
	skipped = run->start - e->start;
	return skipped >= e->blocks || run->blocks <= e->blocks - skipped;
}

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> end == start + blocks; */
static bool ends_at(uint64_t start, uint64_t blocks, uint64_t end)
{
	return start <= end && end - start == blocks;
}

bool inode_data_merge(const struct ishare_run *a, const struct ishare_run *b)
{
	bool follows = b->apart == 0 && ends_at(a->start, a->blocks, b->start);

	if (a->device_id != b->device_id)
		return true;
	if (!follows && !ends_at(a->address, a->blocks, b->start))
		return true;
	return b->device == a->device && ends_at(a->address, a->blocks, b->address);
}

bool inode_xattr_icount(const struct ishare_inode *inode)
{
	return inode->xattr_icount != 1;
}

bool inode_xattr_bounds(const struct ishare_inode *inode, uint64_t offset, uint64_t space_size)
{
	return inode->xattr_icount == 0 ||
	       ishare_fits(space_size, offset, (uint64_t)inode->isize + inode->xattr_isize);
}
