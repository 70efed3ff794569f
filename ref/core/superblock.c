// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "superblock.h"
#include "crc32c.h"

/* The file type bits of i_mode, and their value for a directory. */
#define MODE_TYPE 0xf000u
#define MODE_DIRECTORY 0x4000u

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

bool ishare_has_block_size(const struct ishare_superblock *sb)
{
	return sb->blkszbits >= ISHARE_BLOCK_BITS_MIN && sb->blkszbits <= ISHARE_BLOCK_BITS_MAX;
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

bool ishare_superblock_found(const struct ishare_superblock *sb, uint64_t image_size)
{
	return sb_size(image_size) && sb_magic(sb);
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

bool sb_compr_algs(const struct ishare_superblock *sb)
{
	return !ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_COMPR_CFGS) ||
	       (sb->compr_algs & ISHARE_COMPR_ALGS_UNKNOWN) == 0;
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
