/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * All rules about a superblock, or about its prefix table, at once, except sb.root-inode, which is
 * about the root's inode.
 * Specification: "Conformance" and "Judging" in the superblock and prefixes chapters.
 */
#ifndef ISHARE_CONFORM_H
#define ISHARE_CONFORM_H

#include "prefix.h"

/*
 * Decodes a superblock. *ext: its first extension slot; all zero if it has none, or if the image
 * ends before that. v, image_size: as of ishare_superblock_judge(). ISHARE_SHORT: sb.size does not
 * hold; the members are then unspecified.
 */
/*@ requires view: superblock_view(v, image_size);
    requires writable: \valid(sb) && \valid(ext);
    requires apart: \separated(sb, ext, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns *sb, *ext;
    ensures ok: \result == ISHARE_OK <==> sb_size(image_size);
    ensures short: \result == ISHARE_SHORT <==> !sb_size(image_size);
    ensures decoded: \result == ISHARE_OK ==> superblock_at(v->data, sb);
    ensures slot: \result == ISHARE_OK ==> superblock_slot_at(v->data, image_size, sb, ext); */
enum ishare_status ishare_superblock_read(const struct ishare_view *v, uint64_t image_size,
					  struct ishare_superblock *sb,
					  struct ishare_superblock_ext *ext);

/*
 * Decodes a superblock and judges it; returns whether it conforms. v: the image from byte 1024, to
 * its end or at least ISHARE_CHECKSUM_SIZE_MAX bytes. image_size: bytes of the image. *sb, *ext: as
 * ishare_superblock_read() decodes them, for which the image must be long enough: see
 * faults->sb_size.
 */
/*@ requires view: superblock_view(v, image_size);
    requires readable: \valid_read(p);
    requires page_size: 12 <= p->page_bits <= 16;
    requires writable: \valid(sb) && \valid(ext) && \valid(faults);
    requires apart: \separated(sb, ext, faults, p, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns *sb, *ext, *faults;
    ensures decoded: sb_size(image_size) ==> superblock_at(v->data, sb);
    ensures slot: sb_size(image_size) ==> superblock_slot_at(v->data, image_size, sb, ext);
    ensures faults: superblock_faults(sb, ext, p, v, image_size, faults);
    ensures faultless: \result <==> superblock_faultless(faults);
    ensures meaning: \result <==> superblock_bytes_conform(v, image_size, p); */
bool ishare_superblock_judge(const struct ishare_view *v, uint64_t image_size,
			     const struct ishare_profile *p, struct ishare_superblock *sb,
			     struct ishare_superblock_ext *ext,
			     struct ishare_superblock_faults *faults);

/*
 * table: the space that ishare_prefix_space() names, from byte ishare_prefix_start(); empty if it
 * ends before that. space_size: bytes of that space.
 */
/*@ requires readable: \valid_read(sb);
    requires view: view_ok(table);
    requires apart: \separated(table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefixes_conform(sb, table, space_size); */
bool ishare_prefixes_conform(const struct ishare_superblock *sb, const struct ishare_view *table,
			     uint64_t space_size);

#endif
