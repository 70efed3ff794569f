// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "superblock.h"
#include "crc32c.h"

/* The file type bits of i_mode, and their value for a directory. */
#define MODE_TYPE 0xf000u
#define MODE_DIRECTORY 0x4000u

/*
 * Each field has a clause of its own, because a prover follows one field through 26 assignments
 * and not all of them at once.
 */
/*@ requires readable: \valid_read(p + (0 .. ISHARE_SUPERBLOCK_SIZE - 1));
    requires writable: \valid(sb);
    requires apart: \separated(sb, p + (0 .. ISHARE_SUPERBLOCK_SIZE - 1));
    terminates \true;
    exits \false;
    assigns *sb;
    ensures magic: sb->magic == le32(p + ISHARE_SUPERBLOCK_MAGIC_OFFSET);
    ensures checksum: sb->checksum == le32(p + ISHARE_SUPERBLOCK_CHECKSUM_OFFSET);
    ensures feature_compat: sb->feature_compat == le32(p + ISHARE_SUPERBLOCK_FEATURE_COMPAT_OFFSET);
    ensures blkszbits: sb->blkszbits == p[ISHARE_SUPERBLOCK_BLKSZBITS_OFFSET];
    ensures sb_extslots: sb->sb_extslots == p[ISHARE_SUPERBLOCK_SB_EXTSLOTS_OFFSET];
    ensures rootnid_2b: sb->rootnid_2b == le16(p + ISHARE_SUPERBLOCK_ROOTNID_2B_OFFSET);
    ensures inos: sb->inos == le64(p + ISHARE_SUPERBLOCK_INOS_OFFSET);
    ensures epoch: sb->epoch == le64(p + ISHARE_SUPERBLOCK_EPOCH_OFFSET);
    ensures fixed_nsec: sb->fixed_nsec == le32(p + ISHARE_SUPERBLOCK_FIXED_NSEC_OFFSET);
    ensures blocks_lo: sb->blocks_lo == le32(p + ISHARE_SUPERBLOCK_BLOCKS_LO_OFFSET);
    ensures meta_blkaddr: sb->meta_blkaddr == le32(p + ISHARE_SUPERBLOCK_META_BLKADDR_OFFSET);
    ensures xattr_blkaddr: sb->xattr_blkaddr == le32(p + ISHARE_SUPERBLOCK_XATTR_BLKADDR_OFFSET);
    ensures feature_incompat:
      sb->feature_incompat == le32(p + ISHARE_SUPERBLOCK_FEATURE_INCOMPAT_OFFSET);
    ensures compr_algs: sb->compr_algs == le16(p + ISHARE_SUPERBLOCK_COMPR_ALGS_OFFSET);
    ensures extra_devices: sb->extra_devices == le16(p + ISHARE_SUPERBLOCK_EXTRA_DEVICES_OFFSET);
    ensures devt_slotoff: sb->devt_slotoff == le16(p + ISHARE_SUPERBLOCK_DEVT_SLOTOFF_OFFSET);
    ensures dirblkbits: sb->dirblkbits == p[ISHARE_SUPERBLOCK_DIRBLKBITS_OFFSET];
    ensures xattr_prefix_count:
      sb->xattr_prefix_count == p[ISHARE_SUPERBLOCK_XATTR_PREFIX_COUNT_OFFSET];
    ensures xattr_prefix_start:
      sb->xattr_prefix_start == le32(p + ISHARE_SUPERBLOCK_XATTR_PREFIX_START_OFFSET);
    ensures packed_nid: sb->packed_nid == le64(p + ISHARE_SUPERBLOCK_PACKED_NID_OFFSET);
    ensures xattr_filter_reserved:
      sb->xattr_filter_reserved == p[ISHARE_SUPERBLOCK_XATTR_FILTER_RESERVED_OFFSET];
    ensures ishare_xattr_prefix_id:
      sb->ishare_xattr_prefix_id == p[ISHARE_SUPERBLOCK_ISHARE_XATTR_PREFIX_ID_OFFSET];
    ensures reserved: sb->reserved == le16(p + ISHARE_SUPERBLOCK_RESERVED_OFFSET);
    ensures build_time: sb->build_time == le32(p + ISHARE_SUPERBLOCK_BUILD_TIME_OFFSET);
    ensures rootnid_8b: sb->rootnid_8b == le64(p + ISHARE_SUPERBLOCK_ROOTNID_8B_OFFSET);
    ensures reserved2: sb->reserved2 == le64(p + ISHARE_SUPERBLOCK_RESERVED2_OFFSET); */
static void decode(const uint8_t *p, struct ishare_superblock *sb)
{
	sb->magic = ishare_le32(p + ISHARE_SUPERBLOCK_MAGIC_OFFSET);
	sb->checksum = ishare_le32(p + ISHARE_SUPERBLOCK_CHECKSUM_OFFSET);
	sb->feature_compat = ishare_le32(p + ISHARE_SUPERBLOCK_FEATURE_COMPAT_OFFSET);
	sb->blkszbits = p[ISHARE_SUPERBLOCK_BLKSZBITS_OFFSET];
	sb->sb_extslots = p[ISHARE_SUPERBLOCK_SB_EXTSLOTS_OFFSET];
	sb->rootnid_2b = ishare_le16(p + ISHARE_SUPERBLOCK_ROOTNID_2B_OFFSET);
	sb->inos = ishare_le64(p + ISHARE_SUPERBLOCK_INOS_OFFSET);
	sb->epoch = ishare_le64(p + ISHARE_SUPERBLOCK_EPOCH_OFFSET);
	sb->fixed_nsec = ishare_le32(p + ISHARE_SUPERBLOCK_FIXED_NSEC_OFFSET);
	sb->blocks_lo = ishare_le32(p + ISHARE_SUPERBLOCK_BLOCKS_LO_OFFSET);
	sb->meta_blkaddr = ishare_le32(p + ISHARE_SUPERBLOCK_META_BLKADDR_OFFSET);
	sb->xattr_blkaddr = ishare_le32(p + ISHARE_SUPERBLOCK_XATTR_BLKADDR_OFFSET);
	sb->feature_incompat = ishare_le32(p + ISHARE_SUPERBLOCK_FEATURE_INCOMPAT_OFFSET);
	sb->compr_algs = ishare_le16(p + ISHARE_SUPERBLOCK_COMPR_ALGS_OFFSET);
	sb->extra_devices = ishare_le16(p + ISHARE_SUPERBLOCK_EXTRA_DEVICES_OFFSET);
	sb->devt_slotoff = ishare_le16(p + ISHARE_SUPERBLOCK_DEVT_SLOTOFF_OFFSET);
	sb->dirblkbits = p[ISHARE_SUPERBLOCK_DIRBLKBITS_OFFSET];
	sb->xattr_prefix_count = p[ISHARE_SUPERBLOCK_XATTR_PREFIX_COUNT_OFFSET];
	sb->xattr_prefix_start = ishare_le32(p + ISHARE_SUPERBLOCK_XATTR_PREFIX_START_OFFSET);
	sb->packed_nid = ishare_le64(p + ISHARE_SUPERBLOCK_PACKED_NID_OFFSET);
	sb->xattr_filter_reserved = p[ISHARE_SUPERBLOCK_XATTR_FILTER_RESERVED_OFFSET];
	sb->ishare_xattr_prefix_id = p[ISHARE_SUPERBLOCK_ISHARE_XATTR_PREFIX_ID_OFFSET];
	sb->reserved = ishare_le16(p + ISHARE_SUPERBLOCK_RESERVED_OFFSET);
	sb->build_time = ishare_le32(p + ISHARE_SUPERBLOCK_BUILD_TIME_OFFSET);
	sb->rootnid_8b = ishare_le64(p + ISHARE_SUPERBLOCK_ROOTNID_8B_OFFSET);
	sb->reserved2 = ishare_le64(p + ISHARE_SUPERBLOCK_RESERVED2_OFFSET);
}

enum ishare_status ishare_superblock_decode(const struct ishare_view *v,
					    struct ishare_superblock *sb)
{
	if (v->size < ISHARE_SUPERBLOCK_SIZE)
		return ISHARE_SHORT;
	decode(v->data, sb);
	return ISHARE_OK;
}

enum ishare_status ishare_superblock_ext_decode(const struct ishare_view *v,
						struct ishare_superblock_ext *ext)
{
	if (v->size < ISHARE_SUPERBLOCK_EXT_SIZE)
		return ISHARE_SHORT;
	ext->metabox_nid = ishare_le64(v->data + ISHARE_SUPERBLOCK_EXT_METABOX_NID_OFFSET);
	ext->reserved3 = ishare_le64(v->data + ISHARE_SUPERBLOCK_EXT_RESERVED3_OFFSET);
	return ISHARE_OK;
}

/* 1 << bits, as a table because that is what provers follow. */
/*@ requires range: 9 <= bits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == two_to(bits);
    ensures range: 512 <= \result <= 65536; */
static uint32_t two_to(uint32_t bits)
{
	switch (bits) {
	case 9:
		return 512;
	case 10:
		return 1024;
	case 11:
		return 2048;
	case 12:
		return 4096;
	case 13:
		return 8192;
	case 14:
		return 16384;
	case 15:
		return 32768;
	default:
		return 65536;
	}
}

uint64_t ishare_block_size(const struct ishare_superblock *sb)
{
	return two_to(sb->blkszbits);
}

uint64_t ishare_page_size(const struct ishare_profile *p)
{
	return two_to(p->page_bits);
}

uint32_t ishare_checksum_size(const struct ishare_superblock *sb)
{
	uint32_t size = two_to(sb->blkszbits);

	return size > ISHARE_SUPERBLOCK_OFFSET ? size - ISHARE_SUPERBLOCK_OFFSET : size;
}

/* Whether rootnid_8b is in use, and with it the wide block count. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==>
      (sb->feature_incompat & ISHARE_FEATURE_INCOMPAT_48BIT) != 0 && sb->rootnid_8b != 0; */
static bool has_wide_root(const struct ishare_superblock *sb)
{
	return ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_48BIT) && sb->rootnid_8b != 0;
}

uint64_t ishare_root_nid(const struct ishare_superblock *sb)
{
	if (has_wide_root(sb))
		return sb->rootnid_8b;
	return sb->rootnid_2b;
}

uint64_t ishare_primary_blocks(const struct ishare_superblock *sb)
{
	if (has_wide_root(sb))
		return sb->blocks_lo + 4294967296u * (uint64_t)sb->rootnid_2b;
	return sb->blocks_lo;
}

bool sb_size(uint64_t image_size)
{
	return image_size >= ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE;
}

bool sb_magic(const struct ishare_superblock *sb)
{
	return sb->magic == ISHARE_SUPERBLOCK_MAGIC;
}

bool sb_block_size(const struct ishare_superblock *sb, const struct ishare_profile *p)
{
	return sb->blkszbits >= ISHARE_BLOCK_BITS_MIN && sb->blkszbits <= p->page_bits;
}

bool sb_checksum(const struct ishare_superblock *sb, const struct ishare_view *v)
{
	uint32_t size = ishare_checksum_size(sb);
	struct ishare_view rest;

	if (!ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_SB_CHKSUM))
		return true;
	if (v->size < size)
		return false;
	rest.data = v->data + ISHARE_SUPERBLOCK_FEATURE_COMPAT_OFFSET;
	rest.size = size - ISHARE_SUPERBLOCK_FEATURE_COMPAT_OFFSET;
	return ishare_crc32c(ISHARE_CHECKSUM_START, &rest) == sb->checksum;
}

bool sb_dir_block_bits(const struct ishare_superblock *sb)
{
	return sb->dirblkbits == 0;
}

bool sb_feature_incompat(const struct ishare_superblock *sb, const struct ishare_profile *p)
{
	return (sb->feature_incompat & p->unknown_incompat) == 0;
}

bool sb_feature_compat(const struct ishare_superblock *sb, const struct ishare_profile *p)
{
	return (sb->feature_compat & p->unknown_compat) == 0;
}

bool sb_ext_slots(const struct ishare_superblock *sb, const struct ishare_profile *p,
		  uint64_t image_size)
{
	uint64_t end =
		ISHARE_SUPERBLOCK_EXT_OFFSET + ISHARE_SUPERBLOCK_SLOT * (uint64_t)sb->sb_extslots;

	return end <= two_to(p->page_bits) && end <= image_size;
}

bool sb_metabox_slot(const struct ishare_superblock *sb)
{
	return !ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_METABOX) || sb->sb_extslots >= 1;
}

bool sb_metabox_self(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext)
{
	return !ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_METABOX) ||
	       ext->metabox_nid <= ISHARE_NID_LIMIT;
}

bool sb_packed_nid(const struct ishare_superblock *sb)
{
	return !ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS) ||
	       sb->packed_nid <= ISHARE_NID_LIMIT;
}

bool sb_blocks(const struct ishare_superblock *sb, uint64_t image_size)
{
	return ishare_primary_blocks(sb) <= image_size / ishare_block_size(sb);
}

bool sb_root_inode(const struct ishare_inode *root)
{
	return (root->mode & MODE_TYPE) == MODE_DIRECTORY;
}

bool sb_prefix_count(const struct ishare_superblock *sb)
{
	return sb->xattr_prefix_count <= ISHARE_PREFIX_COUNT_MAX;
}

bool sb_prefix_feature(const struct ishare_superblock *sb)
{
	return sb->xattr_prefix_count == 0 ||
	       ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES);
}

bool sb_ishare_needs_prefixes(const struct ishare_superblock *sb)
{
	return !ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	       ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES);
}

bool sb_ishare_prefix_id(const struct ishare_superblock *sb)
{
	return !ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	       sb->ishare_xattr_prefix_id < sb->xattr_prefix_count;
}

bool sb_ishare_prefix_id_unused(const struct ishare_superblock *sb)
{
	return ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	       sb->ishare_xattr_prefix_id == 0;
}

bool sb_filter_reserved(const struct ishare_superblock *sb)
{
	return sb->xattr_filter_reserved == 0;
}

bool sb_reserved_zero(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext)
{
	return sb->reserved == 0 && sb->reserved2 == 0 && ext->reserved3 == 0;
}
