/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The table of long xattr name prefixes: where it lies, a walk over its records, and its rules.
 * Specification: prefixes chapter.
 *
 * Where a function takes the table, it is a view of the address space that ishare_prefix_space()
 * names, from byte ishare_prefix_start() to the end of that space (or as much of it as the caller
 * wants judged); positions count from there.
 */
#ifndef ISHARE_PREFIX_H
#define ISHARE_PREFIX_H

#include "superblock.h"

/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures in_image: \result == ISHARE_PREFIX_IN_IMAGE <==> prefixes_in_image(sb);
    ensures in_metabox: \result == ISHARE_PREFIX_IN_METABOX <==> prefixes_in_metabox(sb);
    ensures in_packed: \result == ISHARE_PREFIX_IN_PACKED <==> prefixes_in_packed(sb); */
enum ishare_prefix_space ishare_prefix_space(const struct ishare_superblock *sb);

/* Byte offset of the table in that space: a multiple of 4, less than 16 GiB. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == prefix_start(sb); */
uint64_t ishare_prefix_start(const struct ishare_superblock *sb);

/*
 * The walk: first, then next until it does not answer ISHARE_OK. count is xattr_prefix_count.
 * ISHARE_END: there is no such record. ISHARE_MALFORMED: prefix_record_bounds() or prefix_length()
 * does not hold at p->pos, and the walk cannot go on, because where the next record lies is not
 * known; only p->index and p->pos are then of use.
 */
/*@ requires view: view_ok(table);
    requires writable: \valid(p);
    requires apart: \separated(p, table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns *p;
    ensures end: \result == ISHARE_END <==> count == 0;
    ensures ok: \result == ISHARE_OK <==> count != 0 && prefix_sound(table, 0);
    ensures malformed: \result == ISHARE_MALFORMED <==> count != 0 && !prefix_sound(table, 0);
    ensures position: count != 0 ==> p->index == 0 && p->pos == 0;
    ensures record: \result == ISHARE_OK ==> prefix_at(table, p); */
enum ishare_status ishare_prefix_first(const struct ishare_view *table, uint32_t count,
				       struct ishare_prefix *p);

/*@ requires view: view_ok(table);
    requires writable: \valid(p);
    requires apart: \separated(p, table, table->data + (0 .. table->size - 1));
    requires walked: prefix_at(table, p) && p->index < count;
    terminates \true;
    exits \false;
    assigns *p;
    ensures end: \result == ISHARE_END <==> \old(p->index) + 1 == count;
    ensures ok:
      \result == ISHARE_OK <==> \old(p->index) + 1 < count && prefix_sound(table, \old(p->next));
    ensures malformed: \result == ISHARE_MALFORMED <==>
      \old(p->index) + 1 < count && !prefix_sound(table, \old(p->next));
    ensures position:
      \old(p->index) + 1 < count ==> p->index == \old(p->index) + 1 && p->pos == \old(p->next);
    ensures record: \result == ISHARE_OK ==> prefix_at(table, p); */
enum ishare_status ishare_prefix_next(const struct ishare_view *table, uint32_t count,
				      struct ishare_prefix *p);

/*
 * Walks to the record of that index, and so over all before it. ISHARE_END: the table has no such
 * record. ISHARE_MALFORMED: the walk cannot get there; p->index and p->pos are then those of the
 * first record that is not sound.
 */
/*@ requires view: view_ok(table);
    requires writable: \valid(p);
    requires apart: \separated(p, table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns *p;
    ensures end: \result == ISHARE_END <==> index >= count;
    ensures ok: \result == ISHARE_OK <==> index < count && prefixes_sound(table, index + 1);
    ensures malformed:
      \result == ISHARE_MALFORMED <==> index < count && !prefixes_sound(table, index + 1);
    ensures record: \result == ISHARE_OK ==> prefix_at(table, p) && p->index == index;
    ensures unsound: \result == ISHARE_MALFORMED ==>
      p->index <= index && p->pos == prefix_pos(table->data, p->index) &&
      prefixes_sound(table, p->index) && !prefix_sound(table, p->pos); */
enum ishare_status ishare_prefix_find(const struct ishare_view *table, uint32_t count,
				      uint32_t index, struct ishare_prefix *p);

/* space_size: bytes of the address space that ishare_prefix_space() names. */
/*@ requires readable: \valid_read(sb);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_location(sb, space_size); */
bool prefix_location(const struct ishare_superblock *sb, uint64_t space_size);

/* pos: of the record. */
/*@ requires view: view_ok(table);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_record_bounds(table, pos); */
bool prefix_record_bounds(const struct ishare_view *table, size_t pos);

/* pos: of the record. True also where the two bytes of the length are not there. */
/*@ requires view: view_ok(table);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_length(table, pos); */
bool prefix_length(const struct ishare_view *table, size_t pos);

/*@ requires readable: \valid_read(p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_base_index(p); */
bool prefix_base_index(const struct ishare_prefix *p);

/* p: a record that the walk has found. Padding that the view does not reach is not judged. */
/*@ requires view: view_ok(table);
    requires readable: \valid_read(p);
    requires walked: prefix_at(table, p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_padding_zero(table, p); */
bool prefix_padding_zero(const struct ishare_view *table, const struct ishare_prefix *p);

/* a, b: base_index and infix of two records. */
/*@ requires names: name_ok(a) && name_ok(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_duplicate(a, b); */
bool prefix_duplicate(const struct ishare_name *a, const struct ishare_name *b);

/* infix: of the record that ishare_xattr_prefix_id names. */
/*@ requires view: view_ok(infix);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_ishare_infix_nul(infix); */
bool prefix_ishare_infix_nul(const struct ishare_view *infix);

/* size: bytes of a name behind its namespace, of which there are some, but not too many. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> name_length_fits(base_index, size); */
bool ishare_name_length_fits(uint32_t base_index, size_t size);

/* p: the record that ishare_xattr_prefix_id names. */
/*@ requires readable: \valid_read(p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_ishare_name_length(p); */
bool prefix_ishare_name_length(const struct ishare_prefix *p);

#endif
