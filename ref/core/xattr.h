/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Extended attributes of inodes. Specification: xattrs chapter.
 *
 * A view named area is either the xattr area of an inode (xattr_isize bytes behind the inode:
 * header, shared ids, inline entries), or a window into the shared xattrs that starts with an
 * entry and ends where their address space does (or anywhere beyond ISHARE_XATTR_ENTRY_MAX bytes).
 * True means that the rule holds.
 */
#ifndef ISHARE_XATTR_H
#define ISHARE_XATTR_H

#include "superblock.h"

/*
 * i: which of the shared ids, from 0; all of those that xattr_shared_count() allows for are in the
 * area.
 */
/*@ requires view: view_ok(area);
    requires there: ISHARE_IBODY_HEADER_SIZE + 4 * (i + 1) <= area->size;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == shared_id(area, i); */
uint32_t ishare_shared_id(const struct ishare_view *area, uint32_t i);

/* header: the first bytes of an entry, 4 at least. Bytes that it claims, padding included. */
/*@ requires view: view_ok(header);
    requires there: ISHARE_XATTR_ENTRY_SIZE <= header->size;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == entry_size(header->data);
    ensures range: ISHARE_XATTR_ENTRY_SIZE <= \result <= ISHARE_XATTR_ENTRY_MAX; */
size_t ishare_entry_size(const struct ishare_view *header);

/*
 * Byte offset of a shared xattr in the image, or in the metabox if that is where feature_compat
 * puts them.
 */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == shared_offset(sb, id); */
uint64_t ishare_shared_offset(const struct ishare_superblock *sb, uint32_t id);

/*
 * The walk over entries: first, then next until it does not answer ISHARE_OK. start is where the
 * inline entries do, 12 + 4 * h_shared_count; or 0 for a shared xattr, which is one entry and no
 * walk. ISHARE_END: the area ends here. ISHARE_MALFORMED: xattr_entry_bounds() does not hold at
 * e->pos; nothing else of *e is then of use. Fill is walked like any entry; whoever meets it can
 * stop, as xattr_entry_fill() judges all that follows.
 */
/*@ requires view: view_ok(area);
    requires writable: \valid(e);
    requires apart: \separated(e, area, area->data + (0 .. area->size - 1));
    terminates \true;
    exits \false;
    assigns *e;
    ensures end: \result == ISHARE_END <==> start == area->size;
    ensures ok: \result == ISHARE_OK <==> xattr_entry_bounds(area, start);
    ensures malformed: \result == ISHARE_MALFORMED <==>
      start != area->size && !xattr_entry_bounds(area, start);
    ensures position: e->pos == start;
    ensures entry: \result == ISHARE_OK ==> entry_decoded(area, e); */
enum ishare_status ishare_entry_first(const struct ishare_view *area, size_t start,
				      struct ishare_entry *e);

/* e: the entry before, as the walk has left it. */
/*@ requires view: view_ok(area);
    requires writable: \valid(e);
    requires apart: \separated(e, area, area->data + (0 .. area->size - 1));
    requires walked: entry_decoded(area, e);
    terminates \true;
    exits \false;
    assigns *e;
    ensures end: \result == ISHARE_END <==> \old(e->next) == area->size;
    ensures ok: \result == ISHARE_OK <==> xattr_entry_bounds(area, \old(e->next));
    ensures malformed: \result == ISHARE_MALFORMED <==>
      \old(e->next) != area->size && !xattr_entry_bounds(area, \old(e->next));
    ensures position: e->pos == \old(e->next);
    ensures order: \forall integer start, k;
      0 <= k && \old(e->pos) == entry_pos(area->data, start, k) ==>
        e->pos == entry_pos(area->data, start, k + 1);
    ensures advances: e->pos > \old(e->pos);
    ensures entry: \result == ISHARE_OK ==> entry_decoded(area, e); */
enum ishare_status ishare_entry_next(const struct ishare_view *area, struct ishare_entry *e);

/*@ requires readable: \valid_read(e);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> is_fill(e); */
bool ishare_entry_is_fill(const struct ishare_entry *e);

/*
 * Whether the entry has the name, however it is cut. e: as the walk has left it. A prefix that is
 * not known names nothing.
 */
/*@ requires view: view_ok(area);
    requires walked: \valid_read(e) && entry_decoded(area, e);
    requires prefixes: prefixes_decoded(prefixes);
    requires name: name_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> entry_named(area->data + e->pos, prefixes, name); */
bool ishare_entry_named(const struct ishare_view *area, const struct ishare_entry *e,
			const struct ishare_prefixes *prefixes, const struct ishare_name *name);

/*
 * Looks for a name among the inline entries; start as for ishare_entry_first(). ISHARE_OK: *e is
 * the first that has it. ISHARE_END: none has. ISHARE_MALFORMED: none has up to e->pos, where
 * xattr_entry_bounds() does not hold; nothing else of *e is then of use.
 */
/*@ requires view: view_ok(area);
    requires prefixes: prefixes_decoded(prefixes);
    requires name: name_ok(name);
    requires writable: \valid(e);
    requires apart_from_area: \separated(e, area, area->data + (0 .. area->size - 1));
    requires apart_from_prefixes:
      \separated(e, prefixes, prefixes->records + (0 .. prefixes->count - 1),
                 prefixes->table.data + (0 .. prefixes->table.size - 1));
    requires apart_from_name:
      \separated(e, name, name->bytes.data + (0 .. name->bytes.size - 1));
    terminates \true;
    exits \false;
    assigns *e;
    ensures ok: \result == ISHARE_OK <==>
      \exists integer k; entry_search{Pre}(area, start, prefixes, name, k) &&
        xattr_entry_bounds(area, entry_pos(area->data, start, k)) &&
        entry_matches{Pre}(area->data + entry_pos(area->data, start, k), prefixes, name);
    ensures end: \result == ISHARE_END <==>
      \exists integer k; entry_search{Pre}(area, start, prefixes, name, k) &&
        entry_pos(area->data, start, k) == area->size;
    ensures malformed: \result == ISHARE_MALFORMED <==>
      \exists integer k; entry_search{Pre}(area, start, prefixes, name, k) &&
        entry_pos(area->data, start, k) != area->size &&
        !xattr_entry_bounds(area, entry_pos(area->data, start, k));
    ensures position: \exists integer k; entry_search{Pre}(area, start, prefixes, name, k) &&
      e->pos == entry_pos(area->data, start, k);
    ensures entry: \result == ISHARE_OK ==> entry_decoded(area, e);
    ensures found: \result == ISHARE_OK ==> entry_matches{Pre}(area->data + e->pos, prefixes, name);
    ensures not_found: \result == ISHARE_END ==> e->pos == area->size;
    ensures stopped: \result == ISHARE_MALFORMED ==> !xattr_entry_bounds(area, e->pos); */
enum ishare_status ishare_entry_find(const struct ishare_view *area, size_t start,
				     const struct ishare_prefixes *prefixes,
				     const struct ishare_name *name, struct ishare_entry *e);

/* Whether a and b name the same xattr, however the entries cut the name. */
/*@ requires names: name_ok(a) && name_ok(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> same_name(a, b); */
bool ishare_name_equal(const struct ishare_name *a, const struct ishare_name *b);

/* Number of the bit of h_name_filter that stands for the name. */
/*@ requires name: name_ok(name);
    requires base_index: name->base_index <= 255;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == filter_bit(name);
    ensures range: 0 <= \result < ISHARE_XATTR_FILTER_BITS; */
uint32_t ishare_filter_bit(const struct ishare_name *name);

/*@ requires readable: \valid_read(h);
    requires count: h->h_shared_count <= 255;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_shared_count(h, xattr_isize); */
bool xattr_shared_count(const struct ishare_ibody_header *h, uint32_t xattr_isize);

/* space_size: bytes of the image, or of the metabox if that is where the shared xattrs are. */
/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_shared_id(sb, id, space_size); */
bool xattr_shared_id(const struct ishare_superblock *sb, uint32_t id, uint64_t space_size);

/* pos: of the entry. */
/*@ requires view: view_ok(area);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_entry_bounds(area, pos); */
bool xattr_entry_bounds(const struct ishare_view *area, size_t pos);

/*
 * pos: of an entry, which need not be fill; then there is nothing to judge. Looks at each byte
 * from there at most once.
 */
/*@ requires view: view_ok(area);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_entry_fill(area, pos); */
bool xattr_entry_fill(const struct ishare_view *area, size_t pos);

/*@ requires readable: \valid_read(e);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_name_index(e); */
bool xattr_name_index(const struct ishare_entry *e);

/*@ requires readable: \valid_read(e);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_prefix_index(e, prefix_count); */
bool xattr_prefix_index(const struct ishare_entry *e, uint32_t prefix_count);

/* a, b: the names of two entries of one inode. */
/*@ requires names: name_ok(a) && name_ok(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_duplicate(a, b); */
bool xattr_duplicate(const struct ishare_name *a, const struct ishare_name *b);

/* Whether a base index is the whole name of an ACL. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> names_acl(base_index); */
bool ishare_names_acl(uint32_t base_index);

/* Whether names with a base index are in a namespace, so that somebody can ask for them. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> in_namespace(base_index); */
bool ishare_in_namespace(uint32_t base_index);

/*@ requires name: name_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_readable_name(name); */
bool xattr_readable_name(const struct ishare_name *name);

/* h: of the inode that has an xattr of this name. */
/*@ requires readable: \valid_read(sb) && \valid_read(h);
    requires name: name_ok(name);
    requires base_index: name->base_index <= 255;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_name_filter(sb, h, name); */
bool xattr_name_filter(const struct ishare_superblock *sb, const struct ishare_ibody_header *h,
		       const struct ishare_name *name);

/* area: of an inode. True also where it is too short to have the bytes. */
/*@ requires view: view_ok(area);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> xattr_reserved_zero(area); */
bool xattr_reserved_zero(const struct ishare_view *area);

#endif
