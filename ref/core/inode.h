/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * On-disk inodes, as far as xattrs, file types and sizes need them: spec/40-inodes.md.
 *
 * An offset is that of the inode's first byte, counted from the start of the address space that holds the inode (the
 * image, or the data of the metabox inode), whose length is space_size. Rule functions return true when the rule
 * holds; they take what ishare_inode_decode() filled in, whatever it says, unless they name a rule to be checked first.
 */
#ifndef ISHARE_INODE_H
#define ISHARE_INODE_H

#include "types.h"
#include "layout.h"

/*
 * Decodes the compact or extended inode at the start of @v; bit 0 of i_format says which it is. Little-endian bytes in,
 * host numbers out. Returns ISHARE_OK, or ISHARE_SHORT (and leaves *@inode alone) if @v ends before the inode does.
 * Judges nothing: any bytes decode. "Two forms, one inode" in the specification.
 */
enum ishare_status ishare_inode_decode(const struct ishare_view *v, struct ishare_inode *inode);

/*
 * Stores in *@offset where inode @nid lies in the image: 32 * nid bytes behind the metadata area's first block. @nid
 * comes without bit 63 (nids with it count 32-byte slots in the metabox). Requires sb.block-size to hold.
 * Returns ISHARE_OK, or ISHARE_MALFORMED (and leaves *@offset alone) for an offset above 2^63 - 1.
 * "Where an inode is" in the specification.
 */
enum ishare_status ishare_inode_offset(const struct ishare_superblock *sb, uint64_t nid,
				       uint64_t *offset);

/* What the inode is, by i_mode and data layout. */
bool ishare_inode_is_directory(const struct ishare_inode *inode);
bool ishare_inode_is_regular(const struct ishare_inode *inode);
bool ishare_inode_is_compressed(const struct ishare_inode *inode);

/* inode.bounds: @isize bytes at @offset (32 to read the format, then what the format says) end inside the space. */
bool inode_bounds(uint64_t offset, uint32_t isize, uint64_t space_size);

/* inode.format: i_format has no bit that means nothing. */
bool inode_format(const struct ishare_inode *inode);

/* inode.layout: the data layout is one of the five. */
bool inode_layout(const struct ishare_inode *inode);

/* inode.mode: the file type is one of the seven. */
bool inode_mode(const struct ishare_inode *inode);

/* inode.size: i_size is at most 2^63 - 1. */
bool inode_size(const struct ishare_inode *inode);

/* inode.chunk-format: a chunk-based inode's format has no bit that means nothing. */
bool inode_chunk_format(const struct ishare_inode *inode);

/* inode.inline-tail: an inline tail ends in the block it starts in. Requires sb.block-size to hold. */
bool inode_inline_tail(const struct ishare_superblock *sb, const struct ishare_inode *inode,
		       uint64_t offset);

/* inode.xattr-icount: an xattr area is more than its header. */
bool inode_xattr_icount(const struct ishare_inode *inode);

/* inode.xattr-bounds: the xattr area behind the inode ends inside the space. */
bool inode_xattr_bounds(const struct ishare_inode *inode, uint64_t offset, uint64_t space_size);

#endif
