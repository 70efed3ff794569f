/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The table of extra devices and its rules. Specification: devices chapter. */
#ifndef ISHARE_DEVICE_H
#define ISHARE_DEVICE_H

#include "superblock.h"

/* How many slots the table has: 0 without the device table feature. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == device_count(sb); */
uint32_t ishare_device_count(const struct ishare_superblock *sb);

/* Image byte offset of slot 0. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == device_table(sb); */
uint64_t ishare_device_table(const struct ishare_superblock *sb);

/*
 * *e: the blocks that the device takes up in the unified address space; none if it has no place
 * there (uniaddr 0).
 */
/*@ requires readable: \valid_read(sb) && \valid_read(slot);
    requires writable: \valid(e);
    requires apart: \separated(e, sb, slot);
    terminates \true;
    exits \false;
    assigns *e;
    ensures start: e->start == device_start(sb, slot);
    ensures blocks: e->blocks == (device_start(sb, slot) == 0 ? 0 : device_blocks(sb, slot)); */
void ishare_device_extent(const struct ishare_superblock *sb, const struct ishare_deviceslot *slot,
			  struct ishare_extent *e);

/* Is a block of the unified address space one of e's? */
/*@ requires readable: \valid_read(e);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> extent_has(e, block); */
bool ishare_extent_has(const struct ishare_extent *e, uint64_t block);

/* image_size: bytes of the image. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_table_bounds(sb, image_size); */
bool dev_table_bounds(const struct ishare_superblock *sb, uint64_t image_size);

/*
 * offset, size: of the superblock with its extension slots, or of another piece of metadata in the
 * image.
 */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_table_place(sb, offset, size); */
bool dev_table_place(const struct ishare_superblock *sb, uint64_t offset, uint64_t size);

/* slot: the bytes of a slot. True also where it is too short to have them. */
/*@ requires view: view_ok(slot);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_reserved_zero(slot); */
bool dev_reserved_zero(const struct ishare_view *slot);

/*@ requires readable: \valid_read(sb) && \valid_read(slot);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_range(sb, slot); */
bool dev_range(const struct ishare_superblock *sb, const struct ishare_deviceslot *slot);

/*
 * a, b: two extra devices, from ishare_device_extent(); or one of them and the primary device,
 * which is block 0 and ishare_primary_blocks() blocks.
 */
/*@ requires readable: \valid_read(a) && \valid_read(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_overlap(a, b); */
bool dev_overlap(const struct ishare_extent *a, const struct ishare_extent *b);

/* offset: of a byte of metadata in the image; e: the extent of an extra device. */
/*@ requires readable: \valid_read(sb) && \valid_read(p) && \valid_read(e);
    requires block_size: 9 <= sb->blkszbits <= 16;
    requires page_size: 12 <= p->page_bits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dev_metadata(sb, p, offset, e); */
bool dev_metadata(const struct ishare_superblock *sb, const struct ishare_profile *p,
		  uint64_t offset, const struct ishare_extent *e);

#endif
