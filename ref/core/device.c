// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "device.h"

uint32_t ishare_device_count(const struct ishare_superblock *sb)
{
	if (!ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_DEVICE_TABLE))
		return 0;
	return sb->extra_devices;
}

uint64_t ishare_device_table(const struct ishare_superblock *sb)
{
	return ISHARE_DEVICESLOT_SIZE * (uint64_t)sb->devt_slotoff;
}

/*@ requires readable: \valid_read(sb) && \valid_read(slot);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == device_start(sb, slot); */
static uint64_t device_start(const struct ishare_superblock *sb,
			     const struct ishare_deviceslot *slot)
{
	if (!ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_48BIT))
		return slot->uniaddr_lo;
	return slot->uniaddr_lo + 4294967296u * (uint64_t)slot->uniaddr_hi;
}

/*@ requires readable: \valid_read(sb) && \valid_read(slot);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == device_blocks(sb, slot); */
static uint64_t device_blocks(const struct ishare_superblock *sb,
			      const struct ishare_deviceslot *slot)
{
	if (!ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_48BIT))
		return slot->blocks_lo;
	return slot->blocks_lo + 4294967296u * (uint64_t)slot->blocks_hi;
}

void ishare_device_extent(const struct ishare_superblock *sb, const struct ishare_deviceslot *slot,
			  struct ishare_extent *e)
{
	e->start = device_start(sb, slot);
	e->blocks = 0;
	if (e->start != 0)
		e->blocks = device_blocks(sb, slot);
}

bool ishare_extent_has(const struct ishare_extent *e, uint64_t block)
{
	return e->start <= block && block - e->start < e->blocks;
}

bool dev_table_bounds(const struct ishare_superblock *sb, uint64_t image_size)
{
	uint64_t size = ISHARE_DEVICESLOT_SIZE * (uint64_t)ishare_device_count(sb);

	return size == 0 || ishare_fits(image_size, ishare_device_table(sb), size);
}

bool dev_table_place(const struct ishare_superblock *sb, uint64_t offset, uint64_t size)
{
	uint64_t start = ishare_device_table(sb);
	uint64_t slots = ISHARE_DEVICESLOT_SIZE * (uint64_t)ishare_device_count(sb);

	if (slots == 0 || size == 0)
		return true;
	if (offset <= start)
		return size <= start - offset;
	return slots <= offset - start;
}

bool dev_reserved_zero(const struct ishare_view *slot)
{
	return slot->size < ISHARE_DEVICESLOT_SIZE ||
	       ishare_all_zero(slot->data + ISHARE_DEVICESLOT_RESERVED_OFFSET,
			       ISHARE_DEVICESLOT_RESERVED_WIDTH);
}

bool dev_range(const struct ishare_superblock *sb, const struct ishare_deviceslot *slot)
{
	uint64_t limit = ISHARE_DEVICE_LIMIT;

	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_48BIT))
		limit = ISHARE_DEVICE_LIMIT_48BIT;
	return ishare_fits(limit, device_start(sb, slot), device_blocks(sb, slot));
}

bool dev_overlap(const struct ishare_extent *a, const struct ishare_extent *b)
{
	if (a->blocks == 0 || b->blocks == 0)
		return true;
	if (a->start <= b->start)
		return a->blocks <= b->start - a->start;
	return b->blocks <= a->start - b->start;
}

bool dev_metadata(const struct ishare_superblock *sb, const struct ishare_profile *p,
		  uint64_t offset, const struct ishare_extent *e)
{
	uint64_t page_size = ishare_page_size(p);

	return !ishare_extent_has(e, offset / page_size * page_size / ishare_block_size(sb));
}
