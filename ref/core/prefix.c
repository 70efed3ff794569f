// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "prefix.h"

enum ishare_prefix_space ishare_prefix_space(const struct ishare_superblock *sb)
{
	if (ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_PLAIN_XATTR_PFX))
		return ISHARE_PREFIX_IN_IMAGE;
	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_METABOX))
		return ISHARE_PREFIX_IN_METABOX;
	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS) && sb->packed_nid != 0)
		return ISHARE_PREFIX_IN_PACKED;
	return ISHARE_PREFIX_IN_IMAGE;
}

uint64_t ishare_prefix_start(const struct ishare_superblock *sb)
{
	return 4u * (uint64_t)sb->xattr_prefix_start;
}

/* Decodes the record at p->pos, whose index is p->index. */
/*@ requires view: view_ok(table);
    requires writable: \valid(p);
    requires apart: \separated(p, table, table->data + (0 .. table->size - 1));
    requires position: p->pos == prefix_pos(table->data, p->index);
    terminates \true;
    exits \false;
    assigns p->stored, p->infix_size, p->infix, p->next;
    ensures ok: \result == ISHARE_OK <==> prefix_sound(table, p->pos);
    ensures malformed: \result == ISHARE_MALFORMED <==> !prefix_sound(table, p->pos);
    ensures record: \result == ISHARE_OK ==> prefix_at(table, p); */
static enum ishare_status decode(const struct ishare_view *table, struct ishare_prefix *p)
{
	struct ishare_view rest;

	if (!prefix_record_bounds(table, p->pos) || !prefix_length(table, p->pos))
		return ISHARE_MALFORMED;
	rest.data = table->data + p->pos;
	rest.size = table->size - p->pos;
	ishare_prefix_record_decode(&rest, &p->stored);
	p->infix_size = p->stored.length - 1u;
	p->infix = p->pos + ISHARE_PREFIX_RECORD_SIZE;
	p->next = (p->pos + 2u + p->stored.length + 3u) / 4u * 4u;
	/*@ assert position: p->pos == prefix_pos(table->data, p->index); */
	/*@ assert sound: prefix_sound(table, p->pos); */
	/*@ assert next: p->next == round_up4(prefix_end(table->data, p->pos)); */
	return ISHARE_OK;
}

enum ishare_status ishare_prefix_first(const struct ishare_view *table, uint32_t count,
				       struct ishare_prefix *p)
{
	if (count == 0)
		return ISHARE_END;
	p->index = 0;
	p->pos = 0;
	return decode(table, p);
}

enum ishare_status ishare_prefix_next(const struct ishare_view *table, uint32_t count,
				      struct ishare_prefix *p)
{
	if (count - p->index == 1)
		return ISHARE_END;
	/*@ assert step: prefix_pos(table->data, p->index + 1) == p->next; */
	p->index++;
	p->pos = p->next;
	return decode(table, p);
}

enum ishare_status ishare_prefix_find(const struct ishare_view *table, uint32_t count,
				      uint32_t index, struct ishare_prefix *p)
{
	enum ishare_status status;

	if (index >= count)
		return ISHARE_END;
	status = ishare_prefix_first(table, count, p);
	/*@ loop invariant range: p->index <= index;
	    loop invariant position: p->pos == prefix_pos(table->data, p->index);
	    loop invariant before: prefixes_sound(table, p->index);
	    loop invariant status: status == ISHARE_OK || status == ISHARE_MALFORMED;
	    loop invariant ok: status == ISHARE_OK <==> prefix_sound(table, p->pos);
	    loop invariant record: status == ISHARE_OK ==> prefix_at(table, p);
	    loop assigns status, *p;
	    loop variant index - p->index; */
	while (status == ISHARE_OK && p->index < index)
		status = ishare_prefix_next(table, count, p);
	return status;
}

bool prefix_location(const struct ishare_superblock *sb, uint64_t space_size)
{
	return sb->xattr_prefix_count == 0 || ishare_prefix_start(sb) < space_size;
}

bool prefix_record_bounds(const struct ishare_view *table, size_t pos)
{
	if (!ishare_fits(table->size, pos, 2))
		return false;
	return ishare_fits(table->size, pos + 2u, ishare_le16(table->data + pos));
}

bool prefix_length(const struct ishare_view *table, size_t pos)
{
	uint32_t length;

	if (!ishare_fits(table->size, pos, 2))
		return true;
	length = ishare_le16(table->data + pos);
	return length >= 1 && length <= ISHARE_PREFIX_LENGTH_MAX;
}

bool prefix_base_index(const struct ishare_prefix *p)
{
	return p->stored.base_index <= ISHARE_BASE_INDEX_MAX;
}

bool prefix_padding_zero(const struct ishare_view *table, const struct ishare_prefix *p)
{
	size_t end = p->pos + 2u + p->stored.length;
	size_t limit = p->next < table->size ? p->next : table->size;

	return ishare_all_zero(table->data + end, limit - end);
}

bool prefix_duplicate(const struct ishare_name *a, const struct ishare_name *b)
{
	return a->base_index != b->base_index || !ishare_same_view(&a->bytes, &b->bytes);
}

bool prefix_ishare_infix_nul(const struct ishare_view *infix)
{
	return infix->size == 0 || ishare_no_nul(infix->data, infix->size);
}

/* Bytes of the name of a namespace, its dot included; "Rules" in the prefixes chapter. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == namespace_size(base_index);
    ensures range: \result <= 24; */
static uint32_t namespace_size(uint32_t base_index)
{
	switch (base_index) {
	case 1:
		return 5; /* user. */
	case 2:
		return 23; /* system.posix_acl_access */
	case 3:
		return 24; /* system.posix_acl_default */
	case 4:
		return 8; /* trusted. */
	case 5:
		return 7; /* lustre. */
	case 6:
		return 9; /* security. */
	default:
		return 0; /* hidden, or unknown */
	}
}

bool ishare_name_length_fits(uint32_t base_index, size_t size)
{
	return size >= 1 && size <= ISHARE_XATTR_NAME_MAX - namespace_size(base_index);
}

bool prefix_ishare_name_length(const struct ishare_prefix *p)
{
	return ishare_name_length_fits(p->stored.base_index, p->infix_size);
}
