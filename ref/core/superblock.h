/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The superblock: what follows from it, and its rules. Specification: superblock chapter. It is
 * decoded from image byte 1024, and its extension slot from byte 1152, by the generated codec.h.
 *
 * The rules take the decoded structure and bear the names that the specification gives them; true
 * means that the rule holds. Sizes are bytes, blocks are counted in units of ishare_block_size().
 */
#ifndef ISHARE_SUPERBLOCK_H
#define ISHARE_SUPERBLOCK_H

#include "codec.h"

/* Whether any of the bits is set in feature_compat: ISHARE_FEATURE_COMPAT_*. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> (sb->feature_compat & bits) != 0; */
static inline bool ishare_has_compat(const struct ishare_superblock *sb, uint32_t bits)
{
	return (sb->feature_compat & bits) != 0;
}

/* Whether any of the bits is set in feature_incompat: ISHARE_FEATURE_INCOMPAT_*. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> (sb->feature_incompat & bits) != 0; */
static inline bool ishare_has_incompat(const struct ishare_superblock *sb, uint32_t bits)
{
	return (sb->feature_incompat & bits) != 0;
}

/* Whether a block has a size that some reader takes; without one, nothing else can be found. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> has_block_size(sb); */
bool ishare_has_block_size(const struct ishare_superblock *sb);

/* Whether there is a superblock at all. If the image is too small, *sb does not matter. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> superblock_found(sb, image_size); */
bool ishare_superblock_found(const struct ishare_superblock *sb, uint64_t image_size);

/* Bytes of a block: 512 to 65536. */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == block_size(sb);
    ensures range: 512 <= \result <= 65536; */
uint64_t ishare_block_size(const struct ishare_superblock *sb);

/* Bytes of a page of the reader. */
/*@ requires readable: \valid_read(p);
    requires page_size: 12 <= p->page_bits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == page_size(p); */
uint64_t ishare_page_size(const struct ishare_profile *p);

/* Bytes that the checksum covers, counted from image byte 1024. */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == checksum_size(sb);
    ensures range: 512 <= \result <= 64512; */
uint32_t ishare_checksum_size(const struct ishare_superblock *sb);

/* The root directory's nid; bit 63 may be set, as in any nid. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == root_nid(sb); */
uint64_t ishare_root_nid(const struct ishare_superblock *sb);

/* Blocks of the primary device: the image itself. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == primary_blocks(sb); */
uint64_t ishare_primary_blocks(const struct ishare_superblock *sb);

/* image_size: bytes of the image. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_size(image_size); */
bool sb_size(uint64_t image_size);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_magic(sb); */
bool sb_magic(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb) && \valid_read(p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_block_size(sb, p); */
bool sb_block_size(const struct ishare_superblock *sb, const struct ishare_profile *p);

/*
 * v: the image from byte 1024; if it is smaller than ishare_checksum_size() the rule does not
 * hold.
 */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_checksum(sb, v); */
bool sb_checksum(const struct ishare_superblock *sb, const struct ishare_view *v);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_dir_block_bits(sb); */
bool sb_dir_block_bits(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb) && \valid_read(p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_feature_incompat(sb, p); */
bool sb_feature_incompat(const struct ishare_superblock *sb, const struct ishare_profile *p);

/*@ requires readable: \valid_read(sb) && \valid_read(p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_feature_compat(sb, p); */
bool sb_feature_compat(const struct ishare_superblock *sb, const struct ishare_profile *p);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_compr_algs(sb); */
bool sb_compr_algs(const struct ishare_superblock *sb);

/* image_size: bytes of the image. */
/*@ requires readable: \valid_read(sb) && \valid_read(p);
    requires page_size: 12 <= p->page_bits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_ext_slots(sb, p, image_size); */
bool sb_ext_slots(const struct ishare_superblock *sb, const struct ishare_profile *p,
		  uint64_t image_size);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_metabox_slot(sb); */
bool sb_metabox_slot(const struct ishare_superblock *sb);

/* ext: all zero if the superblock has no extension slot. */
/*@ requires readable: \valid_read(sb) && \valid_read(ext);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_metabox_self(sb, ext); */
bool sb_metabox_self(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_packed_nid(sb); */
bool sb_packed_nid(const struct ishare_superblock *sb);

/* image_size: bytes of the image. */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_blocks(sb, image_size); */
bool sb_blocks(const struct ishare_superblock *sb, uint64_t image_size);

/* root: the inode that ishare_root_nid() names. */
/*@ requires readable: \valid_read(root);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_root_inode(root); */
bool sb_root_inode(const struct ishare_inode *root);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_prefix_count(sb); */
bool sb_prefix_count(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_prefix_feature(sb); */
bool sb_prefix_feature(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_ishare_needs_prefixes(sb); */
bool sb_ishare_needs_prefixes(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_ishare_prefix_id(sb); */
bool sb_ishare_prefix_id(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_ishare_prefix_id_unused(sb); */
bool sb_ishare_prefix_id_unused(const struct ishare_superblock *sb);

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_filter_reserved(sb); */
bool sb_filter_reserved(const struct ishare_superblock *sb);

/* ext: all zero if the superblock has no extension slot. */
/*@ requires readable: \valid_read(sb) && \valid_read(ext);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> sb_reserved_zero(sb, ext); */
bool sb_reserved_zero(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext);

#endif
