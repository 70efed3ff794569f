// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Holds the rules of the chapters "Superblock" and "Device table" against an image. */
#include <inttypes.h>
#include <stdlib.h>

#include "crc32c.h"
#include "check/check.h"

#define SB_PLACE(field) place_superblock(check->image, ISHARE_SUPERBLOCK_##field##_OFFSET)

static bool view_image(struct check *check, uint64_t offset, size_t size, struct ishare_view *view)
{
	if (reader_view(&check->reader, 0, offset, size, view))
		return true;
	check_failed(check, &check->reader);
	return false;
}

/* Decodes what is there of the superblock; false: there is none, or it cannot be read. */
static bool read_superblock(struct check *check, enum ishare_result *result)
{
	struct ishare_image *image = check->image;
	struct ishare_view view;

	*result = ISHARE_NOT_EROFS;
	if (!sb_size(image->space.size)) {
		report(check, ISHARE_RULE_SB_SIZE,
		       place_struct(&image->space, ISHARE_STRUCT_SUPERBLOCK,
				    ISHARE_SUPERBLOCK_OFFSET),
		       "the image has %" PRIu64 " bytes; a superblock ends at byte %u",
		       image->space.size, ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE);
		image_error(image, ISHARE_NOT_EROFS,
			    "not an EROFS image: too short to hold a superblock (sb.size)");
		return false;
	}
	if (!view_image(check, ISHARE_SUPERBLOCK_OFFSET, ISHARE_SUPERBLOCK_SIZE, &view)) {
		*result = ISHARE_IO_ERROR;
		return false;
	}
	ishare_superblock_decode(&view, &image->sb);
	if (!sb_magic(&image->sb)) {
		report(check, ISHARE_RULE_SB_MAGIC, SB_PLACE(MAGIC),
		       "magic is 0x%08" PRIx32 ", not 0x%08x", image->sb.magic,
		       ISHARE_SUPERBLOCK_MAGIC);
		image_error(image, ISHARE_NOT_EROFS,
			    "not an EROFS image: no superblock magic (sb.magic)");
		return false;
	}
	*result = ISHARE_DONE;
	return true;
}

/* The extension slot counts only if the image really holds it. */
static void read_extension(struct check *check)
{
	struct ishare_image *image = check->image;
	uint64_t end =
		ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE + ISHARE_SUPERBLOCK_EXT_SIZE;
	struct ishare_view view;

	if (!image->sb.sb_extslots || image->space.size < end)
		return;
	if (view_image(check, end - ISHARE_SUPERBLOCK_EXT_SIZE, ISHARE_SUPERBLOCK_EXT_SIZE, &view))
		ishare_superblock_ext_decode(&view, &image->ext);
}

/* For the message: the rule's function has decided. */
static uint32_t computed_checksum(const struct ishare_view *view)
{
	uint32_t skip = ISHARE_SUPERBLOCK_CHECKSUM_OFFSET + ISHARE_SUPERBLOCK_CHECKSUM_WIDTH;
	struct ishare_view rest = { view->data + skip, view->size - skip };

	return ishare_crc32c(ISHARE_CHECKSUM_START, &rest);
}

static void check_checksum(struct check *check)
{
	struct ishare_image *image = check->image;
	uint64_t left = image->space.size - ISHARE_SUPERBLOCK_OFFSET;
	uint32_t size = ishare_checksum_size(&image->sb);
	struct ishare_view view;

	if (!view_image(check, ISHARE_SUPERBLOCK_OFFSET, left < size ? (size_t)left : size, &view))
		return;
	if (sb_checksum(&image->sb, &view))
		return;
	if (left < size)
		report(check, ISHARE_RULE_SB_CHECKSUM, SB_PLACE(CHECKSUM),
		       "the checksum covers %" PRIu32
		       " bytes, of which the image holds only %" PRIu64,
		       size, left);
	else
		report(check, ISHARE_RULE_SB_CHECKSUM, SB_PLACE(CHECKSUM),
		       "checksum 0x%08" PRIx32 " is not that of the %" PRIu32
		       " bytes it covers, 0x%08" PRIx32,
		       image->sb.checksum, size, computed_checksum(&view));
}

/*
 * What the geometry of everything else stands on; false: nothing further can be found in the image.
 */
static bool check_block_size(struct check *check)
{
	const struct ishare_superblock *sb = &check->image->sb;

	if (!sb_block_size(sb, &check->options->profile))
		report(check, ISHARE_RULE_SB_BLOCK_SIZE, SB_PLACE(BLKSZBITS),
		       "blkszbits is %" PRIu32 "; this reader takes 9 to %" PRIu32
		       ", as its pages have %u bytes",
		       sb->blkszbits, check->options->profile.page_bits,
		       1u << check->options->profile.page_bits);
	return sb->blkszbits >= ISHARE_BLOCK_BITS_MIN && sb->blkszbits <= ISHARE_BLOCK_BITS_MAX;
}

static void check_features(struct check *check)
{
	const struct ishare_superblock *sb = &check->image->sb;
	const struct ishare_profile *profile = &check->options->profile;

	if (!sb_feature_incompat(sb, profile))
		report(check, ISHARE_RULE_SB_FEATURE_INCOMPAT, SB_PLACE(FEATURE_INCOMPAT),
		       "feature_incompat is 0x%08" PRIx32
		       ", of which the reader does not know 0x%08" PRIx32,
		       sb->feature_incompat, sb->feature_incompat & profile->unknown_incompat);
	if (!sb_feature_compat(sb, profile))
		report(check, ISHARE_RULE_SB_FEATURE_COMPAT, SB_PLACE(FEATURE_COMPAT),
		       "feature_compat is 0x%08" PRIx32
		       ", of which the reader does not know 0x%08" PRIx32,
		       sb->feature_compat, sb->feature_compat & profile->unknown_compat);
}

static void check_layout_fields(struct check *check)
{
	struct ishare_image *image = check->image;
	const struct ishare_superblock *sb = &image->sb;

	if (!sb_dir_block_bits(sb))
		report(check, ISHARE_RULE_SB_DIR_BLOCK_BITS, SB_PLACE(DIRBLKBITS),
		       "dirblkbits is %" PRIu32 ", not 0", sb->dirblkbits);
	if (!sb_ext_slots(sb, &check->options->profile, image->space.size))
		report(check, ISHARE_RULE_SB_EXT_SLOTS, SB_PLACE(SB_EXTSLOTS),
		       "sb_extslots is %" PRIu32 ": the superblock would end at byte %" PRIu32,
		       sb->sb_extslots,
		       ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE +
			       sb->sb_extslots * ISHARE_SUPERBLOCK_EXT_SIZE);
	if (!sb_metabox_slot(sb))
		report(check, ISHARE_RULE_SB_METABOX_SLOT, SB_PLACE(SB_EXTSLOTS),
		       "METABOX is set, but sb_extslots is %" PRIu32 ": metabox_nid has no place",
		       sb->sb_extslots);
	if (!sb_metabox_self(sb, &image->ext))
		report(check, ISHARE_RULE_SB_METABOX_SELF,
		       place_field(&image->space, ISHARE_STRUCT_SUPERBLOCK_EXT,
				   ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE,
				   ISHARE_SUPERBLOCK_EXT_METABOX_NID_OFFSET),
		       "metabox_nid 0x%" PRIx64 " says that the metabox inode is in the metabox",
		       image->ext.metabox_nid);
	if (!sb_packed_nid(sb))
		report(check, ISHARE_RULE_SB_PACKED_NID, SB_PLACE(PACKED_NID),
		       "packed_nid 0x%" PRIx64 " says that the packed inode is in the metabox",
		       sb->packed_nid);
	if (!sb_blocks(sb, image->space.size))
		report(check, ISHARE_RULE_SB_BLOCKS, SB_PLACE(BLOCKS_LO),
		       "%" PRIu64 " blocks of %" PRIu64 " bytes do not fit in the image of %" PRIu64
		       " bytes",
		       ishare_primary_blocks(sb), ishare_block_size(sb), image->space.size);
	if (!sb_reserved_zero(sb, &image->ext))
		report(check, ISHARE_RULE_SB_RESERVED_ZERO,
		       place_struct(&image->space, ISHARE_STRUCT_SUPERBLOCK,
				    ISHARE_SUPERBLOCK_OFFSET),
		       "reserved bytes of the superblock are not zero");
}

static void check_xattr_fields(struct check *check)
{
	const struct ishare_superblock *sb = &check->image->sb;

	if (!sb_prefix_count(sb))
		report(check, ISHARE_RULE_SB_PREFIX_COUNT, SB_PLACE(XATTR_PREFIX_COUNT),
		       "xattr_prefix_count is %" PRIu32 "; entries can name only 128 prefixes",
		       sb->xattr_prefix_count);
	if (!sb_prefix_feature(sb))
		report(check, ISHARE_RULE_SB_PREFIX_FEATURE, SB_PLACE(FEATURE_INCOMPAT),
		       "xattr_prefix_count is %" PRIu32
		       ", but XATTR_PREFIXES is not set in feature_incompat",
		       sb->xattr_prefix_count);
	if (!sb_ishare_needs_prefixes(sb))
		report(check, ISHARE_RULE_SB_ISHARE_NEEDS_PREFIXES, SB_PLACE(FEATURE_COMPAT),
		       "ISHARE_XATTRS is set in feature_compat, but XATTR_PREFIXES is not in feature_incompat");
	if (!sb_ishare_prefix_id(sb))
		report(check, ISHARE_RULE_SB_ISHARE_PREFIX_ID, SB_PLACE(ISHARE_XATTR_PREFIX_ID),
		       "ishare_xattr_prefix_id is %" PRIu32 ", but the prefix table has %" PRIu32
		       " %s",
		       sb->ishare_xattr_prefix_id, sb->xattr_prefix_count,
		       sb->xattr_prefix_count == 1 ? "entry" : "entries");
	if (!sb_ishare_prefix_id_unused(sb))
		report(check, ISHARE_RULE_SB_ISHARE_PREFIX_ID_UNUSED,
		       SB_PLACE(ISHARE_XATTR_PREFIX_ID),
		       "ishare_xattr_prefix_id is %" PRIu32 ", but ISHARE_XATTRS is not set",
		       sb->ishare_xattr_prefix_id);
	if (!sb_filter_reserved(sb))
		report(check, ISHARE_RULE_SB_FILTER_RESERVED, SB_PLACE(XATTR_FILTER_RESERVED),
		       "xattr_filter_reserved is %" PRIu32 ": readers ignore all name filters",
		       sb->xattr_filter_reserved);
}

bool check_superblock(struct check *check, enum ishare_result *result)
{
	struct ishare_image *image = check->image;

	if (!read_superblock(check, result))
		return false;
	read_extension(check);
	if (!ishare_has_compat(&image->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS))
		check->summary->images_without_fingerprints++;
	if (!check_block_size(check)) {
		check->cut_short = true;
		return false;
	}
	image->block_bits = image->sb.blkszbits;
	check_checksum(check);
	check_features(check);
	check_layout_fields(check);
	check_xattr_fields(check);
	return !check->failed;
}

static uint64_t slot_offset(const struct ishare_image *image, uint32_t i)
{
	return ishare_device_table(&image->sb) + (uint64_t)i * ISHARE_DEVICESLOT_SIZE;
}

/* The table's bytes are in the image, so that the allocation is in proportion to them. */
static bool read_slots(struct check *check, uint32_t count)
{
	struct ishare_image *image = check->image;
	struct ishare_deviceslot slot;
	struct ishare_view view;

	image->extents = calloc(count, sizeof(*image->extents));
	if (!image->extents) {
		check_no_memory(check);
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!view_image(check, slot_offset(image, i), ISHARE_DEVICESLOT_SIZE, &view))
			return false;
		ishare_deviceslot_decode(&view, &slot);
		if (!dev_range(&image->sb, &slot))
			report(check, ISHARE_RULE_DEV_RANGE,
			       place_struct(&image->space, ISHARE_STRUCT_DEVICESLOT,
					    slot_offset(image, i)),
			       "device %" PRIu32
			       " reaches beyond the last block that can be addressed",
			       i + 1);
		ishare_device_extent(&image->sb, &slot, &image->extents[i]);
	}
	image->extent_count = count;
	return true;
}

static int compare_extents(const void *a, const void *b)
{
	const struct indexed_extent *x = a, *y = b;

	if (x->extent.start != y->extent.start)
		return x->extent.start < y->extent.start ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

/*
 * Sorted by start, an extent overlaps one before it only if it overlaps the one that reaches
 * furthest; so that each device is reported once and the work is not the square of their number.
 */
static void check_sorted_extents(struct check *check, const struct indexed_extent *sorted,
				 uint32_t count)
{
	const struct indexed_extent *furthest = &sorted[0];

	for (uint32_t i = 1; i < count; i++) {
		const struct indexed_extent *e = &sorted[i];

		if (!dev_overlap(&furthest->extent, &e->extent)) {
			uint32_t later =
				e->device > furthest->device ? e->device : furthest->device;
			uint32_t earlier =
				e->device > furthest->device ? furthest->device : e->device;

			report(check, ISHARE_RULE_DEV_OVERLAP,
			       place_struct(&check->image->space, ISHARE_STRUCT_DEVICESLOT,
					    slot_offset(check->image, later - 1)),
			       "blocks of device %" PRIu32 " are also blocks of device %" PRIu32,
			       later, earlier);
		}
		if (e->extent.start + e->extent.blocks >=
		    furthest->extent.start + furthest->extent.blocks)
			furthest = e;
	}
}

/*
 * Devices without a place of their own in the unified address space (start 0) are reached by their
 * id alone.
 */
static void check_overlaps(struct check *check)
{
	struct ishare_image *image = check->image;
	struct indexed_extent *sorted = calloc((size_t)image->extent_count + 1, sizeof(*sorted));
	uint32_t count = 1;

	if (!sorted) {
		check_no_memory(check);
		return;
	}
	sorted[0].extent.blocks = ishare_primary_blocks(&image->sb);
	for (uint32_t i = 0; i < image->extent_count; i++) {
		if (!image->extents[i].start || !image->extents[i].blocks)
			continue;
		sorted[count].extent = image->extents[i];
		sorted[count++].device = i + 1;
	}
	qsort(sorted, count, sizeof(*sorted), compare_extents);
	check_sorted_extents(check, sorted, count);
	image->sorted = sorted;
	image->sorted_count = count;
}

void check_metadata(struct check *check, const struct space *space, uint64_t offset, uint64_t size)
{
	const struct ishare_image *image = check->image;
	const struct ishare_profile *profile = &check->options->profile;
	uint64_t page_size = ishare_page_size(profile);
	uint64_t block_size = ishare_block_size(&image->sb);
	uint64_t end = offset + size < space->size ? offset + size : space->size;

	if (!space->is_image || image->sorted_count < 2)
		return;
	for (; offset < end; offset = (offset / page_size + 1) * page_size) {
		uint64_t page = offset / page_size * page_size;
		const struct indexed_extent *e = last_extent(image, page / block_size);

		if (!e || !e->device || dev_metadata(&image->sb, profile, offset, &e->extent))
			continue;
		report(check, ISHARE_RULE_DEV_METADATA, place_bytes(space, offset, 1),
		       "metadata is in the page at byte %" PRIu64
		       ", which begins in the range of device %" PRIu32,
		       page, e->device);
		return;
	}
}

/* Which of them is which could only be guessed. */
static void wrong_device_count(struct check *check, uint32_t count)
{
	uint32_t given = check->image->device_count - 1;

	image_error(check->image, ISHARE_IO_ERROR,
		    "the image has %" PRIu32 " extra device%s, but %" PRIu32 " %s given", count,
		    count == 1 ? "" : "s", given, given == 1 ? "was" : "were");
	check->failed = true;
}

void check_devices(struct check *check)
{
	struct ishare_image *image = check->image;
	uint32_t count = ishare_device_count(&image->sb);

	if (!count && image->device_count > 1)
		wrong_device_count(check, count);
	if (!count)
		return;
	if (!dev_table_bounds(&image->sb, image->space.size)) {
		report(check, ISHARE_RULE_DEV_TABLE_BOUNDS, SB_PLACE(DEVT_SLOTOFF),
		       "%" PRIu32 " device slots from byte %" PRIu64
		       " on do not fit in the image of %" PRIu64 " bytes",
		       count, ishare_device_table(&image->sb), image->space.size);
		image->extents_lost = true;
		return;
	}
	if (read_slots(check, count)) {
		check_overlaps(check);
		check_metadata(check, &image->space, ishare_device_table(&image->sb),
			       (uint64_t)count * ISHARE_DEVICESLOT_SIZE);
	}
	if (image->device_count > 1 && image->device_count - 1 != count)
		wrong_device_count(check, count);
}
