// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The devices of an image, and which of them a reader takes a block from. */
#include <string.h>

#include "set.h"

#define LIMIT_32BIT 0x100000000ull
#define LIMIT_48BIT 0x1000000000000ull

static uint32_t block_size(const struct image *image)
{
	return 1u << image->bits;
}

static bool in_range(const struct device *device, uint64_t block)
{
	return device->start && block >= device->start && block - device->start < device->blocks;
}

bool resolve(const struct image *image, uint32_t id, uint64_t block, uint32_t *device, uint64_t *at)
{
	*device = 0;
	*at = block;
	if (id > image->device_count)
		return false;
	if (id && image->mode == GIVEN)
		*device = id;
	else if (id)
		*at += image->devices[id].start;
	for (uint32_t d = 1; !id && image->mode == GIVEN && d <= image->device_count; d++) {
		if (!in_range(&image->devices[d], block))
			continue;
		*device = d;
		*at -= image->devices[d].start;
		break;
	}
	return *at < image->devices[*device].room;
}

static bool is_covered(const struct image *image, uint64_t block)
{
	for (uint32_t d = 1; d <= image->device_count; d++)
		if (in_range(&image->devices[d], block))
			return true;
	return false;
}

static unsigned int add_region(struct region *regions, unsigned int count, uint32_t id,
			       uint64_t block, uint64_t blocks)
{
	if (blocks && count < MAX_REGIONS)
		regions[count++] = (struct region){ id, block, blocks };
	return count;
}

/* Those parts of the primary device that no range covers. */
static unsigned int find_primary_regions(const struct image *image, struct region *regions)
{
	unsigned int count = 0;
	uint64_t start = image->reserve;

	for (uint64_t block = start; block <= image->devices[0].room; block++) {
		if (block < image->devices[0].room && !is_covered(image, block))
			continue;
		count = add_region(regions, count, 0, start, block - start);
		start = block + 1;
	}
	return count;
}

unsigned int find_regions(const struct image *image, bool by_id, struct region *regions)
{
	unsigned int count = find_primary_regions(image, regions);

	if (image->mode == NOT_GIVEN && image->trap != TRAP_DECOY)
		return count;
	for (uint32_t d = 1; d <= image->device_count; d++) {
		const struct device *device = &image->devices[d];

		if (device->start)
			count = add_region(regions, count, 0, device->start, device->blocks);
		if (by_id && (device->start || image->mode == GIVEN))
			count = add_region(regions, count, d, 0, device->blocks);
	}
	return count;
}

/* Where block number of a run is put: where it is read by itself, or behind the run's first one. */
static bool resolve_in_run(const struct image *image, uint32_t id, uint64_t block, uint64_t number,
			   uint32_t *device, uint64_t *at)
{
	if (!image->together)
		return resolve(image, id, block + number, device, at);
	if (!resolve(image, id, block, device, at))
		return false;
	*at += number;
	return *at < image->devices[*device].room;
}

/* One block of a run: reads as the bytes, or can be made to. */
static bool place_block(struct image *image, uint32_t id, uint64_t block, uint64_t number,
			const uint8_t *bytes, bool write)
{
	uint32_t device;
	uint64_t at;
	uint8_t *there;

	if (!resolve_in_run(image, id, block, number, &device, &at) ||
	    (!device && at < image->reserve))
		return false;
	there = image->devices[device].bytes + (at << image->bits);
	if (image->devices[device].used[at])
		return !memcmp(there, bytes, block_size(image));
	if (!write)
		return true;
	memcpy(there, bytes, block_size(image));
	image->devices[device].used[at] = true;
	return true;
}

static bool place_blocks(struct image *image, uint32_t id, uint64_t block, const uint8_t *bytes,
			 uint64_t blocks, bool write)
{
	for (uint64_t i = 0; i < blocks; i++)
		if (!place_block(image, id, block, i, bytes + (i << image->bits), write))
			return false;
	return true;
}

bool can_place(struct image *image, uint32_t id, uint64_t block, const uint8_t *bytes, size_t size)
{
	uint64_t blocks = (size + block_size(image) - 1) >> image->bits;

	return place_blocks(image, id, block, bytes, blocks, false);
}

bool place(struct image *image, uint32_t id, uint64_t block, const uint8_t *bytes, size_t size)
{
	uint64_t blocks = (size + block_size(image) - 1) >> image->bits;

	return place_blocks(image, id, block, bytes, blocks, false) &&
	       place_blocks(image, id, block, bytes, blocks, true);
}

/* ---- Drawing ---- */

static void draw_room(struct set *set, struct image *image, struct device *device, uint32_t pages,
		      uint32_t spare)
{
	uint32_t room = pages * PAGE / block_size(image);

	device->room = (pages + spare) * PAGE / block_size(image);
	device->blocks = room;
	memset(device->used, 0, sizeof(device->used));
	noise(&set->random, device->bytes, (size_t)device->room << image->bits);
}

/* Behind what is there already, at once or after a gap; or at the very end of the address space. */
static uint64_t draw_start(struct set *set, struct image *image, struct device *device,
			   uint64_t *next)
{
	uint64_t start;

	if (image->mode == GIVEN && !image->high && chance(&set->random, 6)) {
		image->high = true;
		has(set, HAS_RANGE_HIGH);
		if (chance(&set->random, 40))
			return LIMIT_32BIT - device->blocks;
		image->wide = true;
		return chance(&set->random, 50)
			       ? LIMIT_32BIT - below(&set->random, device->blocks) - 1
			       : LIMIT_48BIT - device->blocks;
	}
	if (chance(&set->random, 60))
		has(set, HAS_RANGE_ADJACENT);
	else
		*next += between(&set->random, 1, 5);
	start = *next;
	*next += device->blocks;
	return start;
}

/* The primary device ends early, as far as the superblock knows, and ranges begin there. */
static bool shorten_primary(struct set *set, struct image *image)
{
	uint32_t low = image->reserve + 1, high = image->devices[0].room - 1;
	unsigned int percent =
		image->trap >= TRAP_FLAT_CROSSES && image->trap <= TRAP_METABOX_CROSSES ? 50 : 20;

	if (image->mode == FLAT || low > high || !chance(&set->random, percent))
		return false;
	image->primary_blocks = between(&set->random, low, high);
	has(set, HAS_RANGE_OVERLAPS);
	return true;
}

/* A flat image is as long as its devices' ranges. */
static void extend_primary(struct set *set, struct image *image)
{
	uint64_t end = image->devices[0].room;

	for (uint32_t d = 1; d <= image->device_count; d++)
		if (image->devices[d].start + image->devices[d].blocks > end)
			end = image->devices[d].start + image->devices[d].blocks;
	end = (end * block_size(image) + PAGE - 1) / PAGE * PAGE;
	if (end > MAX_ROOM)
		end = MAX_ROOM;
	image->devices[0].room = (uint32_t)(end >> image->bits);
	noise(&set->random, image->devices[0].bytes, end);
}

/*
 * A range over blocks that are reserved for metadata. The superblock counts fewer blocks than there
 * are, so that nothing overlaps as far as it says.
 */
static void cover_metadata(struct set *set, struct image *image)
{
	struct device *device = &image->devices[1];

	device->start = between(&set->random, 1, image->reserve - 1);
	if (chance(&set->random, 50))
		device->blocks = between(&set->random, 1, image->reserve - device->start);
	for (uint64_t i = 0; i < device->room && device->start + i < image->reserve; i++)
		device->used[i] = true;
	image->primary_blocks =
		chance(&set->random, 60) ? 0 : between(&set->random, 0, device->start);
	has(set, HAS_RANGE_OVERLAPS);
}

static void draw_ranges(struct set *set, struct image *image)
{
	bool unified = image->mode != GIVEN || chance(&set->random, 75);
	uint64_t next = image->primary_blocks;

	if (unified && shorten_primary(set, image))
		next = image->primary_blocks;
	for (uint32_t d = 1; d <= image->device_count; d++) {
		struct device *device = &image->devices[d];

		device->start = 0;
		if (unified && (image->mode != GIVEN || chance(&set->random, 90)))
			device->start = draw_start(set, image, device, &next);
		if (image->mode == GIVEN)
			has(set, device->start ? HAS_DEVICES_UNIFIED : HAS_DEVICES_BY_ID);
	}
	if (image->trap == TRAP_METADATA)
		cover_metadata(set, image);
	if (image->trap == TRAP_RANGES_OVERLAP && image->device_count > 1) {
		image->devices[2].start = image->devices[1].start + below(&set->random, 3);
		image->trapped = image->devices[1].start != 0;
	}
}

/* Devices are numbered in the table's order, which need not be that of their ranges. */
static void swap_ranges(struct image *image)
{
	uint64_t start = image->devices[1].start;
	uint64_t shift = image->devices[2].blocks - image->devices[1].blocks;

	if (image->high || image->devices[2].start < start || !start)
		return;
	image->devices[1].start = image->devices[2].start + shift;
	image->devices[2].start = start;
}

void draw_devices(struct set *set, struct image *image, const struct device *common)
{
	uint32_t more = set->most_pages > 16 ? 20 : 0;
	uint32_t pages = (uint32_t)between(&set->random, 6, 10) + more;

	image->reserve = (uint32_t)between(&set->random, 2, 3) * PAGE / block_size(image);
	draw_room(set, image, &image->devices[0], pages + image->reserve * block_size(image) / PAGE,
		  0);
	image->primary_blocks = image->devices[0].blocks;
	for (uint32_t d = 1; d <= image->device_count; d++)
		draw_room(set, image, &image->devices[d],
			  (uint32_t)between(&set->random, image->trap == TRAP_CHUNKS_MERGE ? 5 : 1,
					    image->mode == GIVEN ? 12 + more : 5),
			  chance(&set->random, image->trap == TRAP_NONE ? 30 : 60)
				  ? (uint32_t)between(&set->random, 1, 6)
				  : 0);
	if (!image->device_count)
		return;
	if (common)
		image->devices[1] = *common;
	draw_ranges(set, image);
	if (image->device_count > 1 && image->trap != TRAP_RANGES_OVERLAP &&
	    image->trap != TRAP_METADATA && chance(&set->random, 30))
		swap_ranges(image);
	if (image->mode != GIVEN)
		extend_primary(set, image);
	if (image->mode == FLAT)
		has(set, HAS_DEVICES_FLAT);
	if (image->mode == NOT_GIVEN)
		has(set, HAS_DEVICES_NOT_GIVEN);
}
