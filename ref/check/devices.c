// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks the table of extra devices against the rules of the chapter "Devices". */
#include <inttypes.h>

#include "check/judges.h"

static void check_slot_reserved(struct check *check, uint32_t i)
{
	const struct space *image = &check->volume->image;
	uint64_t offset = slot_offset(check->volume, i);
	struct ishare_view bytes;

	if (space_view(&check->reader, image, offset, ISHARE_DEVICESLOT_SIZE, &bytes) != READ_OK)
		report_failure(&check->report, check->reader.error);
	else if (!dev_reserved_zero(&bytes))
		report(&check->report, ISHARE_RULE_DEV_RESERVED_ZERO,
		       place_field(image, ISHARE_STRUCT_DEVICESLOT, offset,
				   ISHARE_DEVICESLOT_RESERVED_OFFSET),
		       "reserved bytes of the slot of device %" PRIu32 " are not zero", i + 1);
}

static void check_slot(struct check *check, uint32_t i)
{
	struct ishare_deviceslot slot;
	enum read_result result = read_slot(&check->reader, i, &slot);

	check_slot_reserved(check, i);
	if (result != READ_OK)
		report_failure(&check->report, check->reader.error);
	else if (!dev_range(&check->volume->sb, &slot))
		report(&check->report, ISHARE_RULE_DEV_RANGE,
		       place_struct(&check->volume->image, ISHARE_STRUCT_DEVICESLOT,
				    slot_offset(check->volume, i)),
		       "device %" PRIu32 " reaches beyond the last block that can be addressed",
		       i + 1);
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

			report(&check->report, ISHARE_RULE_DEV_OVERLAP,
			       place_struct(&check->volume->image, ISHARE_STRUCT_DEVICESLOT,
					    slot_offset(check->volume, later - 1)),
			       "blocks of device %" PRIu32 " are also blocks of device %" PRIu32,
			       later, earlier);
		}
		if (e->extent.start + e->extent.blocks >=
		    furthest->extent.start + furthest->extent.blocks)
			furthest = e;
	}
}

/* Judges dev.table-place where the table could be read. */
static void check_table_place(struct check *check, const char *what, uint64_t offset, uint64_t size)
{
	const struct volume *volume = check->volume;
	uint32_t count = volume->map.count;

	if (!count || dev_table_place(&volume->sb, offset, size))
		return;
	report(&check->report, ISHARE_RULE_DEV_TABLE_PLACE,
	       place_superblock(volume, ISHARE_SUPERBLOCK_DEVT_SLOTOFF_OFFSET),
	       "the table of %" PRIu32 " device slot%s from byte %" PRIu64
	       " on overlaps with %s, %" PRIu64 " byte%s from byte %" PRIu64 " on",
	       count, plural(count), ishare_device_table(&volume->sb), what, size, plural(size),
	       offset);
}

static void check_page_device(struct check *check, const struct space *space, uint64_t offset,
			      uint64_t size)
{
	const struct volume *volume = check->volume;
	const struct ishare_profile *profile = &check->report.options->profile;
	uint64_t page_size = ishare_page_size(profile);
	uint64_t block_size = ishare_block_size(&volume->sb);
	uint64_t end = offset + size < space->size ? offset + size : space->size;

	if (volume->map.sorted_count < 2)
		return;
	for (; offset < end; offset = (offset / page_size + 1) * page_size) {
		uint64_t page = offset / page_size * page_size;
		const struct indexed_extent *e = last_extent(&volume->map, page / block_size);

		if (!e || !e->device || dev_metadata(&volume->sb, profile, offset, &e->extent))
			continue;
		report(&check->report, ISHARE_RULE_DEV_METADATA, place_bytes(space, offset, 1),
		       "metadata is in the page at byte %" PRIu64
		       ", which begins in the range of device %" PRIu32,
		       page, e->device);
		return;
	}
}

void check_metadata(struct check *check, const struct space *space, uint64_t offset, uint64_t size)
{
	if (space->id != SPACE_IMAGE)
		return;
	check_table_place(check, "other metadata", offset, size);
	check_page_device(check, space, offset, size);
}

static void report_bounds(struct check *check, uint32_t count)
{
	const struct volume *volume = check->volume;

	report(&check->report, ISHARE_RULE_DEV_TABLE_BOUNDS,
	       place_superblock(volume, ISHARE_SUPERBLOCK_DEVT_SLOTOFF_OFFSET),
	       "the table of %" PRIu32 " device slot%s from byte %" PRIu64
	       " on does not fit in the image of %" PRIu64 " bytes",
	       count, plural(count), ishare_device_table(&volume->sb), volume->image.size);
}

static void check_table(struct check *check)
{
	const struct device_map *map = &check->volume->map;

	for (uint32_t i = 0; i < map->count && verdict_so_far(check) == JUDGED; i++)
		check_slot(check, i);
	check_sorted_extents(check, map->sorted, map->sorted_count);
	check_table_place(check, "the superblock", ISHARE_SUPERBLOCK_OFFSET,
			  ISHARE_SUPERBLOCK_SIZE +
				  ISHARE_SUPERBLOCK_SLOT * (uint64_t)check->volume->sb.sb_extslots);
	check_page_device(check, &check->volume->image, ishare_device_table(&check->volume->sb),
			  (uint64_t)map->count * ISHARE_DEVICESLOT_SIZE);
}

void check_devices(struct check *check)
{
	uint32_t count = ishare_device_count(&check->volume->sb);

	switch (read_devices(&check->reader, check->volume)) {
	case READ_OK:
		if (count)
			check_table(check);
		if (match_devices(&check->reader) != READ_OK)
			report_failure(&check->report, check->reader.error);
		break;
	case READ_OUTSIDE:
		report_bounds(check, count);
		break;
	default:
		report_failure(&check->report, check->reader.error);
		break;
	}
}
