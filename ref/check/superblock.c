// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks an image against the rules of the chapter "Superblock". */
#include <inttypes.h>

#include "crc32c.h"
#include "check/judges.h"

#define SB_PLACE(field) place_superblock(check->volume, ISHARE_SUPERBLOCK_##field##_OFFSET)

static void report_not_erofs(struct check *check)
{
	const struct volume *volume = check->volume;

	if (check->reader.rule == ISHARE_RULE_SB_SIZE)
		report(&check->report, ISHARE_RULE_SB_SIZE,
		       place_struct(&volume->image, ISHARE_STRUCT_SUPERBLOCK,
				    ISHARE_SUPERBLOCK_OFFSET),
		       "the image has %" PRIu64 " bytes; a superblock ends at byte %u",
		       volume->image.size, ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE);
	else
		report(&check->report, ISHARE_RULE_SB_MAGIC, SB_PLACE(MAGIC),
		       "magic is 0x%08" PRIx32 ", not 0x%08x", volume->sb.magic,
		       ISHARE_SUPERBLOCK_MAGIC);
}

/* ISHARE_DONE: there is a superblock, and it is decoded. */
static enum ishare_result load_superblock(struct check *check)
{
	switch (read_superblock(&check->reader, check->volume)) {
	case READ_OK:
		return ISHARE_DONE;
	case READ_FAILED:
		report_failure(&check->report, check->reader.error);
		return ISHARE_IO_ERROR;
	default:
		report_not_erofs(check);
		return image_error(check->report.image, ISHARE_NOT_EROFS, "%s",
				   not_erofs(check->reader.rule));
	}
}

/* Only for the message: the rule's function has decided. */
static uint32_t computed_checksum(const struct ishare_view *view)
{
	uint32_t skip = ISHARE_SUPERBLOCK_CHECKSUM_OFFSET + ISHARE_SUPERBLOCK_CHECKSUM_WIDTH;
	struct ishare_view rest = { view->data + skip, view->size - skip };

	return ishare_crc32c(ISHARE_CHECKSUM_START, &rest);
}

static void check_checksum(struct check *check)
{
	struct volume *volume = check->volume;
	uint64_t left = volume->image.size - ISHARE_SUPERBLOCK_OFFSET;
	uint32_t size = ishare_checksum_size(&volume->sb);
	struct ishare_view view;

	if (space_view(&check->reader, &volume->image, ISHARE_SUPERBLOCK_OFFSET,
		       left < size ? (size_t)left : size, &view) != READ_OK) {
		report_failure(&check->report, check->reader.error);
		return;
	}
	if (sb_checksum(&volume->sb, &view))
		return;
	if (left < size)
		report(&check->report, ISHARE_RULE_SB_CHECKSUM, SB_PLACE(CHECKSUM),
		       "the checksum covers %" PRIu32
		       " bytes, of which the image holds only %" PRIu64,
		       size, left);
	else
		report(&check->report, ISHARE_RULE_SB_CHECKSUM, SB_PLACE(CHECKSUM),
		       "checksum 0x%08" PRIx32 " is not that of the %" PRIu32
		       " bytes it covers, 0x%08" PRIx32,
		       volume->sb.checksum, size, computed_checksum(&view));
}

/*
 * What all other addresses depend on; false: nothing else can be found in the image.
 */
static bool check_block_size(struct check *check)
{
	const struct ishare_superblock *sb = &check->volume->sb;

	if (!sb_block_size(sb, &check->report.options->profile))
		report(&check->report, ISHARE_RULE_SB_BLOCK_SIZE, SB_PLACE(BLKSZBITS),
		       "blkszbits is %" PRIu32 "; this reader takes 9 to %" PRIu32
		       ", as its pages have %u bytes",
		       sb->blkszbits, check->report.options->profile.page_bits,
		       1u << check->report.options->profile.page_bits);
	return has_block_size(sb);
}

static void check_features(struct check *check)
{
	const struct ishare_superblock *sb = &check->volume->sb;
	const struct ishare_profile *profile = &check->report.options->profile;

	if (!sb_feature_incompat(sb, profile))
		report(&check->report, ISHARE_RULE_SB_FEATURE_INCOMPAT, SB_PLACE(FEATURE_INCOMPAT),
		       "feature_incompat is 0x%08" PRIx32
		       ", of which the reader does not know 0x%08" PRIx32,
		       sb->feature_incompat, sb->feature_incompat & profile->unknown_incompat);
	if (!sb_feature_compat(sb, profile))
		report(&check->report, ISHARE_RULE_SB_FEATURE_COMPAT, SB_PLACE(FEATURE_COMPAT),
		       "feature_compat is 0x%08" PRIx32
		       ", of which the reader does not know 0x%08" PRIx32,
		       sb->feature_compat, sb->feature_compat & profile->unknown_compat);
}

static void check_layout_fields(struct check *check)
{
	struct volume *volume = check->volume;
	const struct ishare_superblock *sb = &volume->sb;

	if (!sb_dir_block_bits(sb))
		report(&check->report, ISHARE_RULE_SB_DIR_BLOCK_BITS, SB_PLACE(DIRBLKBITS),
		       "dirblkbits is %" PRIu32 ", not 0", sb->dirblkbits);
	if (!sb_ext_slots(sb, &check->report.options->profile, volume->image.size))
		report(&check->report, ISHARE_RULE_SB_EXT_SLOTS, SB_PLACE(SB_EXTSLOTS),
		       "sb_extslots is %" PRIu32 ": the superblock would end at byte %" PRIu32,
		       sb->sb_extslots,
		       ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE +
			       sb->sb_extslots * ISHARE_SUPERBLOCK_EXT_SIZE);
	if (!sb_metabox_slot(sb))
		report(&check->report, ISHARE_RULE_SB_METABOX_SLOT, SB_PLACE(SB_EXTSLOTS),
		       "METABOX is set, but sb_extslots is %" PRIu32 ": metabox_nid has no place",
		       sb->sb_extslots);
	if (!sb_metabox_self(sb, &volume->ext))
		report(&check->report, ISHARE_RULE_SB_METABOX_SELF,
		       place_field(&volume->image, ISHARE_STRUCT_SUPERBLOCK_EXT,
				   ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE,
				   ISHARE_SUPERBLOCK_EXT_METABOX_NID_OFFSET),
		       "metabox_nid 0x%" PRIx64 " says that the metabox inode is in the metabox",
		       volume->ext.metabox_nid);
	if (!sb_packed_nid(sb))
		report(&check->report, ISHARE_RULE_SB_PACKED_NID, SB_PLACE(PACKED_NID),
		       "packed_nid 0x%" PRIx64 " says that the packed inode is in the metabox",
		       sb->packed_nid);
	if (!sb_blocks(sb, volume->image.size))
		report(&check->report, ISHARE_RULE_SB_BLOCKS, SB_PLACE(BLOCKS_LO),
		       "%" PRIu64 " blocks of %" PRIu64 " bytes do not fit in the image of %" PRIu64
		       " bytes",
		       ishare_primary_blocks(sb), ishare_block_size(sb), volume->image.size);
	if (!sb_reserved_zero(sb, &volume->ext))
		report(&check->report, ISHARE_RULE_SB_RESERVED_ZERO,
		       place_struct(&volume->image, ISHARE_STRUCT_SUPERBLOCK,
				    ISHARE_SUPERBLOCK_OFFSET),
		       "reserved bytes of the superblock are not zero");
}

static void check_xattr_fields(struct check *check)
{
	const struct ishare_superblock *sb = &check->volume->sb;

	if (!sb_prefix_count(sb))
		report(&check->report, ISHARE_RULE_SB_PREFIX_COUNT, SB_PLACE(XATTR_PREFIX_COUNT),
		       "xattr_prefix_count is %" PRIu32 "; entries can name only 128 prefixes",
		       sb->xattr_prefix_count);
	if (!sb_prefix_feature(sb))
		report(&check->report, ISHARE_RULE_SB_PREFIX_FEATURE, SB_PLACE(FEATURE_INCOMPAT),
		       "xattr_prefix_count is %" PRIu32
		       ", but XATTR_PREFIXES is not set in feature_incompat",
		       sb->xattr_prefix_count);
	if (!sb_ishare_needs_prefixes(sb))
		report(&check->report, ISHARE_RULE_SB_ISHARE_NEEDS_PREFIXES,
		       SB_PLACE(FEATURE_COMPAT),
		       "ISHARE_XATTRS is set in feature_compat, but XATTR_PREFIXES is not in feature_incompat");
	if (!sb_ishare_prefix_id(sb))
		report(&check->report, ISHARE_RULE_SB_ISHARE_PREFIX_ID,
		       SB_PLACE(ISHARE_XATTR_PREFIX_ID),
		       "ishare_xattr_prefix_id is %" PRIu32 ", but the prefix table has %" PRIu32
		       " %s",
		       sb->ishare_xattr_prefix_id, sb->xattr_prefix_count,
		       sb->xattr_prefix_count == 1 ? "entry" : "entries");
	if (!sb_ishare_prefix_id_unused(sb))
		report(&check->report, ISHARE_RULE_SB_ISHARE_PREFIX_ID_UNUSED,
		       SB_PLACE(ISHARE_XATTR_PREFIX_ID),
		       "ishare_xattr_prefix_id is %" PRIu32 ", but ISHARE_XATTRS is not set",
		       sb->ishare_xattr_prefix_id);
	if (!sb_filter_reserved(sb))
		report(&check->report, ISHARE_RULE_SB_FILTER_RESERVED,
		       SB_PLACE(XATTR_FILTER_RESERVED),
		       "xattr_filter_reserved is %" PRIu32 ": readers ignore all name filters",
		       sb->xattr_filter_reserved);
}

enum ishare_result check_superblock(struct check *check)
{
	enum ishare_result result = load_superblock(check);

	if (result != ISHARE_DONE)
		return result;
	if (!ishare_has_compat(&check->volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS))
		check->report.summary->images_without_fingerprints++;
	if (!check_block_size(check))
		return ISHARE_CUT_SHORT;
	check_checksum(check);
	check_features(check);
	check_layout_fields(check);
	check_xattr_fields(check);
	return ISHARE_DONE;
}
