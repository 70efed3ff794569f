/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Whether a superblock and its prefix table conform: all rules of severity error about them at
 * once, except sb.root-inode, which is about the root's inode.
 * Specification: "Conformance" in the superblock and prefixes chapters.
 */
#ifndef ISHARE_CONFORM_H
#define ISHARE_CONFORM_H

#include "prefix.h"

/*
 * ext: all zero if the superblock has no extension slot. v: the image from byte 1024, as much of it
 * as there is, or at least ishare_checksum_size() bytes. image_size: bytes of the image.
 */
/*@ requires readable: \valid_read(sb) && \valid_read(ext) && \valid_read(p);
    requires page_size: 12 <= p->page_bits <= 16;
    requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> superblock_conforms(sb, ext, p, v, image_size); */
bool ishare_superblock_conforms(const struct ishare_superblock *sb,
				const struct ishare_superblock_ext *ext,
				const struct ishare_profile *p, const struct ishare_view *v,
				uint64_t image_size);

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

/* Both; the arguments are theirs. */
/*@ requires readable: \valid_read(sb) && \valid_read(ext) && \valid_read(p);
    requires page_size: 12 <= p->page_bits <= 16;
    requires views: view_ok(v) && view_ok(table);
    requires apart: \separated(table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning:
      \result <==> conforms(sb, ext, p, v, image_size, table, space_size); */
bool ishare_conforms(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext,
		     const struct ishare_profile *p, const struct ishare_view *v,
		     uint64_t image_size, const struct ishare_view *table, uint64_t space_size);

#endif
