// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Specification: xattrs chapter. */
#include "prefix.h"
#include "xattr.h"
#include "xxh32.h"

uint32_t ishare_shared_id(const struct ishare_view *area, uint32_t i)
{
	return ishare_le32(area->data + (ISHARE_IBODY_HEADER_SIZE + 4u * (size_t)i));
}

uint64_t ishare_shared_offset(const struct ishare_superblock *sb, uint32_t id)
{
	return sb->xattr_blkaddr * ishare_block_size(sb) + ISHARE_XATTR_ENTRY_SIZE * (uint64_t)id;
}

/* Bytes of the entry at e with all that belongs to it. */
/*@ requires readable: \valid_read(e + (0 .. ISHARE_XATTR_ENTRY_SIZE - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == entry_size(e);
    ensures range: 4 <= \result <= ISHARE_XATTR_ENTRY_MAX;
    ensures holds: ISHARE_XATTR_ENTRY_SIZE + e[0] +
      le16(e + ISHARE_XATTR_ENTRY_E_VALUE_SIZE_OFFSET) <= \result; */
static size_t entry_size(const uint8_t *e)
{
	struct ishare_view header = { e, ISHARE_XATTR_ENTRY_SIZE };
	struct ishare_xattr_entry stored;

	ishare_xattr_entry_decode(&header, &stored);
	return (ISHARE_XATTR_ENTRY_SIZE + stored.e_name_len + stored.e_value_size + 3u) / 4u * 4u;
}

size_t ishare_entry_size(const struct ishare_view *header)
{
	return entry_size(header->data);
}

bool xattr_entry_bounds(const struct ishare_view *area, size_t pos)
{
	return ishare_fits(area->size, pos, ISHARE_XATTR_ENTRY_SIZE) &&
	       ishare_fits(area->size, pos, entry_size(area->data + pos));
}

/* The header of the entry at pos. */
/*@ requires view: view_ok(area);
    requires writable: \valid(stored);
    requires apart: \separated(stored, area, area->data + (0 .. area->size - 1));
    requires inside: pos + ISHARE_XATTR_ENTRY_SIZE <= area->size;
    terminates \true;
    exits \false;
    assigns *stored;
    ensures decoded: xattr_entry_at(area->data + pos, stored);
    ensures holds: ISHARE_XATTR_ENTRY_SIZE + stored->e_name_len + stored->e_value_size <=
      entry_size(area->data + pos); */
static void header_decode(const struct ishare_view *area, size_t pos,
			  struct ishare_xattr_entry *stored)
{
	struct ishare_view rest;

	rest.data = area->data + pos;
	rest.size = area->size - pos;
	ishare_xattr_entry_decode(&rest, stored);
}

/*
 * Decodes the entry at pos, which is in bounds. Each member has a clause of its own, as a prover
 * follows one member through the assignments, not all at once.
 */
/*@ requires view: view_ok(area);
    requires writable: \valid(e);
    requires apart: \separated(e, area, area->data + (0 .. area->size - 1));
    requires bounds: xattr_entry_bounds(area, pos);
    terminates \true;
    exits \false;
    assigns *e;
    ensures pos: e->pos == pos;
    ensures header: e->pos + ISHARE_XATTR_ENTRY_SIZE <= area->size;
    ensures stored: xattr_entry_at(area->data + e->pos, &e->stored);
    ensures name: e->name == e->pos + ISHARE_XATTR_ENTRY_SIZE;
    ensures value: e->value == e->name + e->stored.e_name_len;
    ensures next: e->next == e->pos + entry_size(area->data + e->pos);
    ensures holds: e->value + e->stored.e_value_size <= e->next;
    ensures inside: e->next <= area->size; */
static void entry_decode(const struct ishare_view *area, size_t pos, struct ishare_entry *e)
{
	size_t next = pos + entry_size(area->data + pos);

	header_decode(area, pos, &e->stored);
	e->value = pos + ISHARE_XATTR_ENTRY_SIZE + e->stored.e_name_len;
	e->name = pos + ISHARE_XATTR_ENTRY_SIZE;
	e->pos = pos;
	e->next = next;
	/*@ assert unchanged: area->size == \at(area->size, Pre); */
}

enum ishare_status ishare_entry_first(const struct ishare_view *area, size_t start,
				      struct ishare_entry *e)
{
	if (start != area->size && xattr_entry_bounds(area, start)) {
		entry_decode(area, start, e);
		return ISHARE_OK;
	}
	e->pos = start;
	return start == area->size ? ISHARE_END : ISHARE_MALFORMED;
}

enum ishare_status ishare_entry_next(const struct ishare_view *area, struct ishare_entry *e)
{
	return ishare_entry_first(area, e->next, e);
}

bool ishare_entry_is_fill(const struct ishare_entry *e)
{
	return e->stored.e_name_len == 0 && e->stored.e_name_index == 0 &&
	       e->stored.e_value_size == 0;
}

/*@ requires infix: \valid_read(infix + (0 .. infix_size - 1));
    requires suffix: \valid_read(suffix + (0 .. suffix_size - 1));
    requires whole: view_ok(whole);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> joined(infix, infix_size, suffix, suffix_size, whole); */
static bool joined(const uint8_t *infix, size_t infix_size, const uint8_t *suffix,
		   size_t suffix_size, const struct ishare_view *whole)
{
	if (infix_size > whole->size || suffix_size != whole->size - infix_size)
		return false;
	return whole->size == 0 ||
	       (ishare_same_bytes(infix, whole->data, infix_size) &&
		ishare_same_bytes(suffix, whole->data + infix_size, suffix_size));
}

/*@ requires table: view_ok(table);
    requires prefix: \valid_read(p) && table->size != 0 &&
      p->infix + p->infix_size <= table->size;
    requires suffix: \valid_read(suffix + (0 .. suffix_size - 1));
    requires name: name_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_spells(table, p, suffix, suffix_size, name); */
static bool prefix_spells(const struct ishare_view *table, const struct ishare_prefix *p,
			  const uint8_t *suffix, size_t suffix_size, const struct ishare_name *name)
{
	return name->base_index == p->stored.base_index &&
	       joined(table->data + p->infix, p->infix_size, suffix, suffix_size, &name->bytes);
}

/*@ requires header: \valid_read(e + (0 .. ISHARE_XATTR_ENTRY_SIZE - 1));
    requires suffix:
      \valid_read(e + (ISHARE_XATTR_ENTRY_SIZE .. ISHARE_XATTR_ENTRY_SIZE + e[0] - 1));
    requires prefixes: prefixes_decoded(prefixes);
    requires name: name_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> entry_named(e, prefixes, name); */
static bool entry_named(const uint8_t *e, const struct ishare_prefixes *prefixes,
			const struct ishare_name *name)
{
	const uint8_t *suffix = e + ISHARE_XATTR_ENTRY_SIZE;
	struct ishare_view header = { e, ISHARE_XATTR_ENTRY_SIZE };
	struct ishare_xattr_entry stored;
	uint32_t index;

	ishare_xattr_entry_decode(&header, &stored);
	index = stored.e_name_index;
	if (index < ISHARE_XATTR_LONG_PREFIX)
		return name->base_index == index && name->bytes.size == stored.e_name_len &&
		       (stored.e_name_len == 0 ||
			ishare_same_bytes(suffix, name->bytes.data, stored.e_name_len));
	index -= ISHARE_XATTR_LONG_PREFIX;
	return index < prefixes->count && prefix_spells(&prefixes->table, prefixes->records + index,
							suffix, stored.e_name_len, name);
}

bool ishare_entry_named(const struct ishare_view *area, const struct ishare_entry *e,
			const struct ishare_prefixes *prefixes, const struct ishare_name *name)
{
	return entry_named(area->data + e->pos, prefixes, name);
}

/*@ requires view: view_ok(area);
    requires bounds: xattr_entry_bounds(area, pos);
    requires prefixes: prefixes_decoded(prefixes);
    requires name: name_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> entry_matches(area->data + pos, prefixes, name); */
static bool entry_matches(const struct ishare_view *area, size_t pos,
			  const struct ishare_prefixes *prefixes, const struct ishare_name *name)
{
	const uint8_t *e = area->data + pos;

	/*@ assert value: 0 <= le16(e + ISHARE_XATTR_ENTRY_E_VALUE_SIZE_OFFSET); */
	/*@ assert round: \forall integer n; n <= round_up4(n); */
	/*@ assert size: ISHARE_XATTR_ENTRY_SIZE + e[0] <= entry_size(e); */
	/*@ assert suffix: pos + ISHARE_XATTR_ENTRY_SIZE + e[0] <= area->size; */
	return !ishare_all_zero(e, ISHARE_XATTR_ENTRY_SIZE) && entry_named(e, prefixes, name);
}

enum ishare_status ishare_entry_find(const struct ishare_view *area, size_t start,
				     const struct ishare_prefixes *prefixes,
				     const struct ishare_name *name, struct ishare_entry *e)
{
	size_t pos = start;
	//@ ghost size_t k = 0;

	/*@ loop invariant position: pos == entry_pos(area->data, start, k);
	    loop invariant range: 0 <= k <= pos;
	    loop invariant search: entry_search(area, start, prefixes, name, k);
	    loop assigns pos, k;
	    loop variant area->size - pos; */
	while (xattr_entry_bounds(area, pos) && !entry_matches(area, pos, prefixes, name)) {
		pos += entry_size(area->data + pos);
		//@ ghost k = k + 1;
	}
	/*@ assert last: \forall integer j;
	        entry_search(area, start, prefixes, name, j) ==> j <= k; */
	/*@ assert not_before:
	      \forall integer j; 0 <= j < k ==> entry_pos(area->data, start, j) != area->size; */
	/* If the entry here is in bounds, it is the one; if not, this says why the search ends. */
	return ishare_entry_first(area, pos, e);
}

bool ishare_name_equal(const struct ishare_name *a, const struct ishare_name *b)
{
	return a->base_index == b->base_index && ishare_same_view(&a->bytes, &b->bytes);
}

uint32_t ishare_filter_bit(const struct ishare_name *name)
{
	return ishare_xxh32(&name->bytes, ISHARE_XATTR_FILTER_SEED + name->base_index) %
	       ISHARE_XATTR_FILTER_BITS;
}

bool xattr_shared_count(const struct ishare_ibody_header *h, uint32_t xattr_isize)
{
	return ISHARE_IBODY_HEADER_SIZE + 4u * h->h_shared_count <= xattr_isize;
}

bool xattr_shared_id(const struct ishare_superblock *sb, uint32_t id, uint64_t space_size)
{
	return ishare_fits(space_size, ishare_shared_offset(sb, id), ISHARE_XATTR_ENTRY_SIZE);
}

bool xattr_entry_fill(const struct ishare_view *area, size_t pos)
{
	if (!ishare_fits(area->size, pos, ISHARE_XATTR_ENTRY_SIZE))
		return true;
	if (!ishare_all_zero(area->data + pos, ISHARE_XATTR_ENTRY_SIZE))
		return true;
	return ishare_all_zero(area->data + pos, area->size - pos);
}

bool xattr_name_index(const struct ishare_entry *e)
{
	return ishare_entry_is_fill(e) || e->stored.e_name_index >= ISHARE_XATTR_LONG_PREFIX ||
	       (e->stored.e_name_index >= ISHARE_XATTR_INDEX_USER &&
		e->stored.e_name_index <= ISHARE_XATTR_INDEX_SECURITY);
}

bool xattr_prefix_index(const struct ishare_entry *e, uint32_t prefix_count)
{
	return e->stored.e_name_index < ISHARE_XATTR_LONG_PREFIX ||
	       e->stored.e_name_index - ISHARE_XATTR_LONG_PREFIX < prefix_count;
}

bool xattr_duplicate(const struct ishare_name *a, const struct ishare_name *b)
{
	return !ishare_name_equal(a, b);
}

bool ishare_names_acl(uint32_t base_index)
{
	return base_index == ISHARE_XATTR_INDEX_POSIX_ACL_ACCESS ||
	       base_index == ISHARE_XATTR_INDEX_POSIX_ACL_DEFAULT;
}

bool ishare_in_namespace(uint32_t base_index)
{
	return base_index >= ISHARE_XATTR_INDEX_USER && base_index <= ISHARE_XATTR_INDEX_SECURITY;
}

bool xattr_readable_name(const struct ishare_name *name)
{
	if (!ishare_in_namespace(name->base_index))
		return true;
	if (ishare_names_acl(name->base_index))
		return name->bytes.size == 0;
	return ishare_name_length_fits(name->base_index, name->bytes.size) &&
	       ishare_no_nul(name->bytes.data, name->bytes.size);
}

bool xattr_name_filter(const struct ishare_superblock *sb, const struct ishare_ibody_header *h,
		       const struct ishare_name *name)
{
	if (!ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_XATTR_FILTER) ||
	    sb->xattr_filter_reserved != 0)
		return true;
	return ((h->h_name_filter >> ishare_filter_bit(name)) & 1u) == 0;
}

bool xattr_reserved_zero(const struct ishare_view *area)
{
	return area->size < ISHARE_IBODY_HEADER_SIZE ||
	       ishare_all_zero(area->data + ISHARE_IBODY_HEADER_H_RESERVED2_OFFSET,
			       ISHARE_IBODY_HEADER_H_RESERVED2_WIDTH);
}
