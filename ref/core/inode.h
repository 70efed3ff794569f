/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * On-disk inodes, as far as xattrs, file types and sizes need them. Specification: inodes chapter.
 *
 * offset is that of the inode's first byte, counted from the start of the address space that holds
 * the inode (the image, or the data of the metabox inode); space_size is the length of that space.
 * The rules take what ishare_inode_decode() filled in, whatever the bytes were; true means that
 * the rule holds.
 */
#ifndef ISHARE_INODE_H
#define ISHARE_INODE_H

#include "device.h"

/*
 * v: from the inode's first byte. Any bytes decode: the rules judge them. ISHARE_SHORT if the view
 * ends before the compact or extended inode does, as its own first bit says which it is; *inode is
 * then unspecified.
 */
/*@ requires view: view_ok(v);
    requires writable: \valid(inode);
    requires apart: \separated(inode, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns *inode;
    ensures whole: v->size >= ISHARE_INODE_COMPACT_SIZE && v->size >= inode_isize(le16(v->data)) ==>
      \result == ISHARE_OK;
    ensures short: v->size < ISHARE_INODE_COMPACT_SIZE || v->size < inode_isize(le16(v->data)) ==>
      \result == ISHARE_SHORT;
    ensures decoded: \result == ISHARE_OK ==> inode_decoded(v->data, inode); */
enum ishare_status ishare_inode_decode(const struct ishare_view *v, struct ishare_inode *inode);

/*
 * Where the inode lies in the image; nid comes without bit 63. ISHARE_MALFORMED, and *offset as it
 * was, if that is more than 2^63 - 1.
 */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    requires writable: \valid(offset);
    requires apart: \separated(offset, sb);
    terminates \true;
    exits \false;
    assigns *offset;
    ensures ok: \result == ISHARE_OK <==> inode_offset(sb, nid) <= ISHARE_OFFSET_MAX;
    ensures malformed: \result == ISHARE_MALFORMED <==> inode_offset(sb, nid) > ISHARE_OFFSET_MAX;
    ensures value: \result == ISHARE_OK ==> *offset == inode_offset(sb, nid);
    ensures untouched: \result != ISHARE_OK ==> *offset == \old(*offset); */
enum ishare_status ishare_inode_offset(const struct ishare_superblock *sb, uint64_t nid,
				       uint64_t *offset);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_directory(inode); */
bool ishare_inode_is_directory(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_regular(inode); */
bool ishare_inode_is_regular(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_symlink(inode); */
bool ishare_inode_is_symlink(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_compressed(inode); */
bool ishare_inode_is_compressed(const struct ishare_inode *inode);

/* isize: bytes of the inode; before the inode is decoded, those of the compact form. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_bounds(offset, isize, space_size); */
bool inode_bounds(uint64_t offset, uint32_t isize, uint64_t space_size);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_format(inode); */
bool inode_format(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_layout(inode); */
bool inode_layout(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_mode(inode); */
bool inode_mode(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_compression(sb, inode); */
bool inode_compression(const struct ishare_superblock *sb, const struct ishare_inode *inode);

/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_needs_48bit(sb, inode); */
bool inode_needs_48bit(const struct ishare_superblock *sb, const struct ishare_inode *inode);

/* links: directory entries that name the inode; of a directory, 2 and its subdirectories. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_nlink(inode, links); */
bool inode_nlink(const struct ishare_inode *inode, uint64_t links);

/* inode: the one that metabox_nid or packed_nid names. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_internal(inode); */
bool inode_internal(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_size(inode); */
bool inode_size(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_chunk_format(inode); */
bool inode_chunk_format(const struct ishare_inode *inode);

/* v: the bytes of the inode. Those that it is too short to have count as zeros. */
/*@ requires view: view_ok(v);
    requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_reserved_zero(v, inode); */
bool inode_reserved_zero(const struct ishare_view *v, const struct ishare_inode *inode);

/* offset: at most 2^63 - 1. */
/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    requires block_size: 9 <= sb->blkszbits <= 16;
    requires offset: offset <= ISHARE_OFFSET_MAX;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_inline_tail(sb, inode, offset); */
bool inode_inline_tail(const struct ishare_superblock *sb, const struct ishare_inode *inode,
		       uint64_t offset);

/* target: the link's data. */
/*@ requires view: view_ok(target);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_symlink_target(target); */
bool inode_symlink_target(const struct ishare_view *target);

/* Has the inode data in blocks: is it a regular file, a directory or a symbolic link? */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_regular(inode) || is_directory(inode) || is_symlink(inode); */
bool ishare_inode_has_data(const struct ishare_inode *inode);

/* A run of size bytes at byte offset of a device that has device_size bytes. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_data_bounds(offset, size, device_size); */
bool inode_data_bounds(uint64_t offset, uint64_t size, uint64_t device_size);

/* start, blocks: the first block of a chunk, and the blocks of a chunk. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_chunk_range(inode, start, blocks); */
bool inode_chunk_range(const struct ishare_inode *inode, uint64_t start, uint64_t blocks);

/* run: blocks of a file's data, as unified addresses; e: the extent of an extra device. */
/*@ requires readable: \valid_read(run) && \valid_read(e);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_data_device(run, e); */
bool inode_data_device(const struct ishare_extent *run, const struct ishare_extent *e);

/* b: the run that follows a in the file, holes and an inline tail left out. */
/*@ requires readable: \valid_read(a) && \valid_read(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_data_merge(a, b); */
bool inode_data_merge(const struct ishare_run *a, const struct ishare_run *b);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_xattr_icount(inode); */
bool inode_xattr_icount(const struct ishare_inode *inode);

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> inode_xattr_bounds(inode, offset, space_size); */
bool inode_xattr_bounds(const struct ishare_inode *inode, uint64_t offset, uint64_t space_size);

#endif
