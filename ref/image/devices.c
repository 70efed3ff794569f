// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The table of extra devices. Chapter "Devices". */
#include <inttypes.h>
#include <stdlib.h>

#include "image/image.h"

uint64_t held_bytes(const struct volume *volume)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < volume->device_count; i++)
		bytes += volume->devices[i].held;
	return bytes;
}

uint64_t slot_offset(const struct volume *volume, uint32_t i)
{
	return ishare_device_table(&volume->sb) + (uint64_t)i * ISHARE_DEVICESLOT_SIZE;
}

enum read_result read_slot(struct reader *reader, uint32_t i, struct ishare_deviceslot *slot)
{
	const struct volume *volume = reader->volume;
	struct ishare_view view;
	enum read_result result = space_view(reader, &volume->image, slot_offset(volume, i),
					     ISHARE_DEVICESLOT_SIZE, &view);

	if (result == READ_OK)
		ishare_deviceslot_decode(&view, slot);
	return result;
}

static enum read_result read_slots(struct reader *reader, struct device_map *map, uint32_t count)
{
	enum read_result result;
	struct ishare_deviceslot slot;

	for (uint32_t i = 0; i < count; i++) {
		result = read_slot(reader, i, &slot);
		if (result != READ_OK)
			return result;
		ishare_device_extent(&reader->volume->sb, &slot, &map->extents[i]);
		map->count++;
	}
	return READ_OK;
}

static int compare_extents(const void *a, const void *b)
{
	const struct indexed_extent *x = a, *y = b;

	if (x->extent.start != y->extent.start)
		return x->extent.start < y->extent.start ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

/*
 * Devices without a place of their own in the unified address space (start 0) are reached by their
 * id alone.
 */
static void sort_extents(struct device_map *map, uint64_t primary_blocks)
{
	map->sorted[0].extent.blocks = primary_blocks;
	map->sorted_count = 1;
	for (uint32_t i = 0; i < map->count; i++) {
		if (!map->extents[i].start || !map->extents[i].blocks)
			continue;
		map->sorted[map->sorted_count].extent = map->extents[i];
		map->sorted[map->sorted_count++].device = i + 1;
	}
	qsort(map->sorted, map->sorted_count, sizeof(*map->sorted), compare_extents);
}

/*
 * Behind that, a block device made of the image reads as zeros, and a mount of the file as an
 * error.
 */
static void end_with_last_sector(struct space *space)
{
	space->size -= space->size % ISHARE_SECTOR_SIZE;
}

/* The table's bytes are in the image, so that the allocations are in proportion to them. */
enum read_result read_devices(struct reader *reader, struct volume *volume)
{
	struct device_map *map = &volume->map;
	uint32_t count = ishare_device_count(&volume->sb);
	enum read_result result;

	end_with_last_sector(&volume->image);
	if (!count)
		return READ_OK;
	if (!dev_table_bounds(&volume->sb, volume->image.size)) {
		map->lost = true;
		return rule_broken(reader, READ_OUTSIDE, ISHARE_RULE_DEV_TABLE_BOUNDS);
	}
	map->extents = calloc(count, sizeof(*map->extents));
	map->sorted = calloc((size_t)count + 1, sizeof(*map->sorted));
	if (!map->extents || !map->sorted)
		return read_failed(reader, "out of memory");
	result = read_slots(reader, map, count);
	if (result == READ_OK)
		sort_extents(map, ishare_primary_blocks(&volume->sb));
	return result;
}

/* Which of them is which could only be guessed. */
enum read_result match_devices(struct reader *reader)
{
	const struct volume *volume = reader->volume;
	uint32_t count = ishare_device_count(&volume->sb), given = volume->device_count - 1;

	if (!given || given == count)
		return READ_OK;
	return read_failed(reader,
			   "the image has %" PRIu32 " extra device%s, but %" PRIu32 " %s given",
			   count, count == 1 ? "" : "s", given, given == 1 ? "was" : "were");
}
