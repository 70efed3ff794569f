// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * xattr.h: walks over and searches in every area, whole, cut off and random, and the rules at their
 * boundaries.
 */
#include "unit.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * Header with one shared id, then "user.ab" = "xyz", a long prefix without name or value, and fill.
 */
static const uint8_t area[] = {
	0xfe, 0xff, 0xff, 0xff, 1,   0, 0, 0, 0, 0,    0, 0, 0x78, 0x56, 0x34, 0x12, 2, 1, 3, 0,
	'a',  'b',  'x',  'y',	'z', 0, 0, 0, 0, 0x81, 0, 0, 0,	   0,	 0,    0,    0, 0, 0, 0,
};
enum { ENTRIES = 16, ENTRIES_END = 32 };

/* How many entries the walk finds; fails when it does not move on, or leaves the view. */
static uint32_t walk(const struct ishare_view *v, size_t start, enum ishare_status *last)
{
	struct ishare_entry e;
	uint32_t found = 0;
	size_t pos = start;

	for (*last = ishare_entry_first(v, start, &e); *last == ISHARE_OK;
	     *last = ishare_entry_next(v, &e)) {
		assert_true(e.pos == pos && xattr_entry_bounds(v, pos));
		assert_true(e.name == pos + 4 && e.value == e.name + e.stored.e_name_len);
		assert_true(e.value + e.stored.e_value_size <= e.next && e.next <= v->size &&
			    e.next > pos);
		(void)xattr_entry_fill(v, pos);
		(void)xattr_name_index(&e);
		(void)xattr_prefix_index(&e, 3);
		pos = e.next;
		found++;
	}
	assert_int_equal(e.pos, pos);
	if (*last == ISHARE_MALFORMED)
		assert_false(xattr_entry_bounds(v, pos));
	else
		assert_int_equal(pos, v->size);
	return found;
}

static void header_needs_every_byte(void **state)
{
	struct ishare_ibody_header h;

	(void)state;
	for (size_t size = 0; size <= 16; size++) {
		struct ishare_view v = guarded(0, area, size);

		assert_int_equal(ishare_ibody_header_decode(&v, &h),
				 size < 12 ? ISHARE_SHORT : ISHARE_OK);
		(void)xattr_reserved_zero(&v);
	}
	assert_int_equal(h.h_name_filter, 0xfffffffe);
	assert_int_equal(h.h_shared_count, 1);
}

static void walks_whole_area(void **state)
{
	struct ishare_view v = guarded(0, area, sizeof(area));
	struct ishare_entry e;

	(void)state;
	assert_int_equal(ishare_shared_id(&v, 0), 0x12345678);
	assert_int_equal(ishare_entry_first(&v, ENTRIES, &e), ISHARE_OK);
	assert_true(e.stored.e_name_len == 2 && e.stored.e_name_index == 1 &&
		    e.stored.e_value_size == 3);
	assert_memory_equal(v.data + e.value, "xyz", 3);
	assert_false(ishare_entry_is_fill(&e));
	assert_int_equal(ishare_entry_next(&v, &e), ISHARE_OK);
	assert_true(e.stored.e_name_index == 0x81 && e.stored.e_value_size == 0 &&
		    e.next == ENTRIES_END);
	assert_false(ishare_entry_is_fill(&e));
	assert_int_equal(ishare_entry_next(&v, &e), ISHARE_OK);
	assert_true(ishare_entry_is_fill(&e));
	assert_true(xattr_entry_fill(&v, e.pos));
}

static void walks_area_of_every_length(void **state)
{
	static const size_t ends[] = { ENTRIES, 28, 32, 36, 40 };

	(void)state;
	for (size_t size = ENTRIES; size <= sizeof(area); size++) {
		struct ishare_view v = guarded(0, area, size);
		enum ishare_status last;
		uint32_t whole = 0;

		while (whole + 1 < COUNT(ends) && ends[whole + 1] <= size)
			whole++;
		assert_int_equal(walk(&v, ENTRIES, &last), whole);
		assert_int_equal(last, ends[whole] == size ? ISHARE_END : ISHARE_MALFORMED);
	}
}

static void starts_beyond_the_area(void **state)
{
	static const size_t starts[] = { 41, 44, SIZE_MAX / 2, SIZE_MAX - 3, SIZE_MAX };
	struct ishare_view v = guarded(0, area, sizeof(area));
	struct ishare_entry e;

	(void)state;
	assert_int_equal(ishare_entry_first(&v, sizeof(area), &e), ISHARE_END);
	for (size_t i = 0; i < COUNT(starts); i++) {
		assert_int_equal(ishare_entry_first(&v, starts[i], &e), ISHARE_MALFORMED);
		assert_true(e.pos == starts[i]);
		assert_false(xattr_entry_bounds(&v, starts[i]));
		assert_true(xattr_entry_fill(&v, starts[i]));
	}
}

static void walks_random_areas(void **state)
{
	uint8_t bytes[400];
	uint32_t random = 11;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t size = next_random(&random) % (sizeof(bytes) + 1),
		       start = next_random(&random) % 20;
		enum ishare_status last;
		struct ishare_view v;

		fill_random(bytes, size, &random);
		for (size_t pos = 0; pos + 4 <= size; pos += 4)
			if (next_random(&random) % 2)
				memset(bytes + pos, 0, 4);
			else
				put_le32(bytes + pos, next_random(&random) & 0x001f8307);
		v = guarded(0, bytes, size);
		if (start <= size)
			assert_true(walk(&v, start, &last) <= size / 4);
	}
}

static void largest_entry(void **state)
{
	static uint8_t bytes[ISHARE_XATTR_ENTRY_MAX];
	struct ishare_entry e;
	struct ishare_view v;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_entry_first(&v, 0, &e), ISHARE_OK);
	assert_int_equal(e.next, ISHARE_XATTR_ENTRY_MAX);
	v = guarded(0, bytes, sizeof(bytes) - 1);
	assert_int_equal(ishare_entry_first(&v, 0, &e), ISHARE_MALFORMED);
}

/* Two prefixes: trusted.overlay. and the hidden name erofs.fp. */
static const uint8_t prefix_bytes[] = {
	9, 0, 4, 'o', 'v', 'e', 'r', 'l', 'a', 'y', '.', 0,
	9, 0, 0, 'e', 'r', 'o', 'f', 's', '.', 'f', 'p',
};

/* The first count of them. */
static struct ishare_prefixes known_prefixes(uint32_t count)
{
	static struct ishare_prefix records[2];
	struct ishare_prefixes prefixes = { guarded(2, prefix_bytes, sizeof(prefix_bytes)), records,
					    count };

	assert_int_equal(ishare_prefix_first(&prefixes.table, 2, &records[0]), ISHARE_OK);
	records[1] = records[0];
	assert_int_equal(ishare_prefix_next(&prefixes.table, 2, &records[1]), ISHARE_OK);
	return prefixes;
}

/* Inline entries that are put one behind the other. */
struct entries {
	uint8_t bytes[256];
	size_t size;
};

static void put_entry(struct entries *entries, uint8_t index, const char *name, const char *value)
{
	uint8_t *p = entries->bytes + entries->size;
	size_t name_size = strlen(name), value_size = strlen(value);

	p[0] = (uint8_t)name_size;
	p[1] = index;
	put_le16(p + 2, (uint32_t)value_size);
	memcpy(p + 4, name, name_size);
	memcpy(p + 4 + name_size, value, value_size);
	entries->size += (4 + name_size + value_size + 3) / 4 * 4;
}

static enum ishare_status find(const struct entries *entries, uint32_t base_index, const char *name,
			       struct ishare_entry *e)
{
	struct ishare_view v = guarded(0, entries->bytes, entries->size);
	struct ishare_name wanted = guarded_name(1, base_index, name);
	struct ishare_prefixes prefixes = known_prefixes(2);

	return ishare_entry_find(&v, 0, &prefixes, &wanted, e);
}

static void assert_found(const struct entries *entries, uint32_t base_index, const char *name,
			 const char *value)
{
	struct ishare_entry e;

	assert_int_equal(find(entries, base_index, name, &e), ISHARE_OK);
	assert_int_equal(e.stored.e_value_size, strlen(value));
	assert_memory_equal(entries->bytes + e.value, value, e.stored.e_value_size);
}

static void assert_not_found(const struct entries *entries, uint32_t base_index, const char *name)
{
	struct ishare_entry e;

	assert_int_equal(find(entries, base_index, name, &e), ISHARE_END);
	assert_int_equal(e.pos, entries->size);
}

static void finds_name_however_it_is_cut(void **state)
{
	struct entries entries = { .size = 0 };

	(void)state;
	put_entry(&entries, 1, "overlay.plain", "none");
	put_entry(&entries, 4, "overlay.whole", "no prefix");
	put_entry(&entries, 0x80, "cut", "prefix and suffix");
	put_entry(&entries, 0x81, "", "prefix alone");
	put_entry(&entries, 0, "erofs.hidden", "no namespace");
	assert_found(&entries, 1, "overlay.plain", "none");
	assert_found(&entries, 4, "overlay.whole", "no prefix");
	assert_found(&entries, 4, "overlay.cut", "prefix and suffix");
	assert_found(&entries, 0, "erofs.fp", "prefix alone");
	assert_found(&entries, 0, "erofs.hidden", "no namespace");
	assert_not_found(&entries, 1, "overlay.cut");
	assert_not_found(&entries, 4, "overlay.plain");
	assert_not_found(&entries, 4, "overlay.");
	assert_not_found(&entries, 4, "overlay.cu");
	assert_not_found(&entries, 4, "overlay.cuts");
	assert_not_found(&entries, 4, "overlay.cat");
	assert_not_found(&entries, 4, "overlax.cut");
	assert_not_found(&entries, 4, "over");
	assert_not_found(&entries, 4, "cut");
	assert_not_found(&entries, 0, "erofs.fp1");
	assert_not_found(&entries, 0x80, "cut");
	assert_not_found(&entries, 0x81, "");
}

static void unknown_prefix_names_nothing(void **state)
{
	struct entries entries = { .size = 0 };
	struct ishare_prefixes prefixes;
	struct ishare_name wanted;
	struct ishare_entry e;
	struct ishare_view v;

	(void)state;
	put_entry(&entries, 0x82, "erofs.fp", "behind the table");
	put_entry(&entries, 0xff, "erofs.fp", "the last that can be named");
	assert_not_found(&entries, 0, "erofs.fp");
	assert_not_found(&entries, 0x82, "erofs.fp");
	put_entry(&entries, 0x81, "", "known");
	assert_found(&entries, 0, "erofs.fp", "known");

	v = guarded(0, entries.bytes, entries.size);
	wanted = guarded_name(1, 0, "erofs.fp");
	prefixes = known_prefixes(1);
	assert_int_equal(ishare_entry_find(&v, 0, &prefixes, &wanted, &e), ISHARE_END);
}

/*
 * Fill spells the empty name without namespace; where a shared id names the four bytes they are an
 * entry.
 */
static void fill_names_nothing(void **state)
{
	struct entries entries = { .size = 8 };
	struct ishare_view v = guarded(0, entries.bytes, entries.size);
	struct ishare_name empty = guarded_name(1, 0, "");
	struct ishare_prefixes prefixes = known_prefixes(2);
	struct ishare_entry e;

	(void)state;
	assert_not_found(&entries, 0, "");
	assert_int_equal(ishare_entry_first(&v, 0, &e), ISHARE_OK);
	assert_true(ishare_entry_named(&v, &e, &prefixes, &empty));
	put_entry(&entries, 0, "", "value");
	assert_found(&entries, 0, "", "value");
	put_entry(&entries, 1, "behind", "fill");
	assert_found(&entries, 1, "behind", "fill");
}

static void malformed_entry_ends_the_search(void **state)
{
	struct entries entries = { .size = 0 };
	struct ishare_entry e;
	size_t bad;

	(void)state;
	put_entry(&entries, 1, "before", "found");
	bad = entries.size;
	put_entry(&entries, 1, "bad", "");
	put_entry(&entries, 1, "behind", "not found");
	put_le16(entries.bytes + bad + 2, 0xffff);
	assert_found(&entries, 1, "before", "found");
	assert_int_equal(find(&entries, 1, "behind", &e), ISHARE_MALFORMED);
	assert_int_equal(e.pos, bad);
	assert_int_equal(find(&entries, 1, "bad", &e), ISHARE_MALFORMED);
	assert_int_equal(find(&entries, 1, "nowhere", &e), ISHARE_MALFORMED);
	assert_int_equal(e.pos, bad);
	entries.size = bad + 3;
	assert_int_equal(find(&entries, 1, "bad", &e), ISHARE_MALFORMED);
}

static void finds_nothing_in_an_empty_area(void **state)
{
	struct ishare_view v = guarded(0, area, ENTRIES);
	struct ishare_name name = guarded_name(1, 0, "");
	struct ishare_prefixes prefixes = known_prefixes(0);
	struct ishare_entry e;

	(void)state;
	assert_int_equal(ishare_entry_find(&v, ENTRIES, &prefixes, &name, &e), ISHARE_END);
	assert_int_equal(e.pos, ENTRIES);
	assert_int_equal(ishare_entry_find(&v, ENTRIES + 1, &prefixes, &name, &e),
			 ISHARE_MALFORMED);
	assert_int_equal(e.pos, ENTRIES + 1);
}

static void finds_the_first_of_two(void **state)
{
	struct entries entries = { .size = 0 };

	(void)state;
	put_entry(&entries, 1, "x", "other");
	put_entry(&entries, 4, "overlay.x", "first");
	put_entry(&entries, 0x80, "x", "second");
	assert_found(&entries, 4, "overlay.x", "first");
}

/* The name of an entry, joined; false if its prefix is not known. */
static bool join_name(const struct ishare_view *v, const struct ishare_entry *e,
		      const struct ishare_prefixes *prefixes, uint8_t *buffer,
		      struct ishare_name *name)
{
	size_t size = 0;

	name->base_index = e->stored.e_name_index;
	if (e->stored.e_name_index >= 0x80) {
		const struct ishare_prefix *p;

		if (e->stored.e_name_index - 0x80 >= prefixes->count)
			return false;
		p = &prefixes->records[e->stored.e_name_index - 0x80];
		name->base_index = p->stored.base_index;
		size = p->infix_size;
		memcpy(buffer, prefixes->table.data + p->infix, size);
	}
	memcpy(buffer + size, v->data + e->name, e->stored.e_name_len);
	name->bytes = (struct ishare_view){ buffer, size + e->stored.e_name_len };
	return true;
}

/* What a walk that joins each name would find. */
static enum ishare_status find_by_walk(const struct ishare_view *v, size_t start,
				       const struct ishare_prefixes *prefixes,
				       const struct ishare_name *wanted, struct ishare_entry *e)
{
	uint8_t buffer[510];
	enum ishare_status status;
	struct ishare_name name;

	for (status = ishare_entry_first(v, start, e); status == ISHARE_OK;
	     status = ishare_entry_next(v, e)) {
		bool equal = join_name(v, e, prefixes, buffer, &name) &&
			     ishare_name_equal(&name, wanted);

		assert_int_equal(ishare_entry_named(v, e, prefixes, wanted), equal);
		if (equal && !ishare_entry_is_fill(e))
			break;
	}
	return status;
}

/* Entries that often have one of a few names, or nearly. */
static void put_random_entries(struct entries *entries, uint32_t *random)
{
	static const char *const names[] = { "", "x", "overlay.x", "overlay.", "erofs.fp" };
	static const uint8_t indexes[] = { 0, 4, 0x80, 0x81, 0x82 };
	uint32_t count = next_random(random) % 6;

	memset(entries, 0, sizeof(*entries));
	for (uint32_t i = 0; i < count; i++)
		put_entry(entries, indexes[next_random(random) % COUNT(indexes)],
			  names[next_random(random) % COUNT(names)], i % 2 ? "value" : "");
	if (count && next_random(random) % 4 == 0)
		entries->bytes[next_random(random) % entries->size] ^= 1 << next_random(random) % 8;
}

static void finds_what_a_walk_would_find(void **state)
{
	static const char *const wanted[] = { "", "x", "overlay.x", "overlay.", "erofs.fp" };
	uint32_t random = 7, results[ISHARE_MALFORMED + 1] = { 0 };

	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct ishare_name name =
			guarded_name(1, 4 * (next_random(&random) % 2),
				     wanted[next_random(&random) % COUNT(wanted)]);
		struct ishare_prefixes prefixes = known_prefixes(next_random(&random) % 3);
		size_t start = next_random(&random) % 8 ? 0 : next_random(&random) % 20;
		struct ishare_entry e, expected;
		enum ishare_status status;
		struct entries entries;
		struct ishare_view v;

		put_random_entries(&entries, &random);
		v = guarded(0, entries.bytes, entries.size);
		status = ishare_entry_find(&v, start, &prefixes, &name, &e);
		assert_int_equal(status, find_by_walk(&v, start, &prefixes, &name, &expected));
		assert_int_equal(e.pos, expected.pos);
		if (status == ISHARE_OK)
			assert_true(e.value == expected.value && e.next == expected.next);
		results[status]++;
	}
	assert_true(results[ISHARE_OK] > 1000 && results[ISHARE_END] > 1000);
	assert_true(results[ISHARE_MALFORMED] > 1000);
}

static void fill_reaches_to_the_end(void **state)
{
	uint8_t bytes[32] = { 0 };
	struct ishare_view v = guarded(0, bytes, sizeof(bytes));

	(void)state;
	assert_true(xattr_entry_fill(&v, 0));
	bytes[31] = 1;
	v = guarded(0, bytes, sizeof(bytes));
	assert_false(xattr_entry_fill(&v, 0));
	assert_false(xattr_entry_fill(&v, 24));
	assert_true(xattr_entry_fill(&v, 28));
	bytes[1] = 1;
	v = guarded(0, bytes, sizeof(bytes));
	assert_true(xattr_entry_fill(&v, 0));
}

static void shared_ids_have_room(void **state)
{
	struct ishare_ibody_header h = { .h_shared_count = 255 };

	(void)state;
	assert_true(xattr_shared_count(&h, 12 + 4 * 255));
	assert_false(xattr_shared_count(&h, 12 + 4 * 255 - 1));
	h.h_shared_count = 0;
	assert_true(xattr_shared_count(&h, 12));
	assert_false(xattr_shared_count(&h, 11));
}

static void shared_offset_does_not_wrap(void **state)
{
	struct ishare_superblock sb = { .blkszbits = 16, .xattr_blkaddr = 0xffffffff };
	const uint64_t last = UINT64_C(0xffffffff0000) + UINT64_C(0x3fffffffc);

	(void)state;
	assert_true(ishare_shared_offset(&sb, 0xffffffff) == last);
	assert_true(xattr_shared_id(&sb, 0xffffffff, last + 4));
	assert_false(xattr_shared_id(&sb, 0xffffffff, last + 3));
	assert_false(xattr_shared_id(&sb, 0, 0));
}

/* A name of size bytes `a`, with a NUL at the place nul if that is one of it. */
static bool readable(uint32_t base_index, size_t size, size_t nul)
{
	uint8_t bytes[256];
	struct ishare_name name = { base_index, { bytes, size } };

	memset(bytes, 'a', sizeof(bytes));
	if (nul < size)
		bytes[nul] = 0;
	return xattr_readable_name(&name);
}

static void readable_names(void **state)
{
	static const size_t namespaces[] = { 0, 5, 0, 0, 8, 7, 9 };

	(void)state;
	for (uint32_t index = 0; index < 256; index++) {
		size_t room = index < COUNT(namespaces) && namespaces[index]
				      ? 255 - namespaces[index]
				      : 0;

		if (index == 2 || index == 3) {
			assert_true(readable(index, 0, 1));
			assert_false(readable(index, 1, 1));
			continue;
		}
		assert_int_equal(readable(index, 0, 1), !room);
		assert_true(readable(index, 1, 1));
		assert_int_equal(readable(index, 9, 0), !room);
		assert_int_equal(readable(index, 9, 8), !room);
		assert_true(readable(index, room, room));
		assert_int_equal(readable(index, room + 1, 256), !room);
	}
}

static void name_indexes(void **state)
{
	(void)state;
	for (uint32_t index = 0; index < 256; index++) {
		struct ishare_entry e = { .stored = { .e_name_len = 1, .e_name_index = index } };

		assert_int_equal(xattr_name_index(&e), (index >= 1 && index <= 6) || index >= 128);
		assert_int_equal(xattr_prefix_index(&e, 3), index < 128 || index - 128 < 3);
		assert_int_equal(xattr_prefix_index(&e, 0), index < 128);
	}
}

static void names_are_equal_in_every_part(void **state)
{
	struct ishare_name a = guarded_name(0, 1, "name"), b = guarded_name(1, 1, "name");

	(void)state;
	assert_true(ishare_name_equal(&a, &b));
	assert_false(xattr_duplicate(&a, &b));
	b.base_index = 4;
	assert_false(ishare_name_equal(&a, &b));
	assert_true(xattr_duplicate(&a, &b));
	b = guarded_name(1, 1, "nam");
	assert_false(ishare_name_equal(&a, &b));
	b = guarded_name(1, 1, "names");
	assert_false(ishare_name_equal(&a, &b));
	b = guarded_name(1, 1, "namf");
	assert_false(ishare_name_equal(&a, &b));
}

static void filter_bit_is_xxh32_of_the_name(void **state)
{
	uint8_t bytes[510];
	uint32_t random = 5;

	(void)state;
	fill_random(bytes, sizeof(bytes), &random);
	for (uint32_t index = 0; index < 256; index++) {
		for (size_t size = 0; size <= sizeof(bytes); size += 17) {
			struct ishare_name name = { index, guarded(0, bytes, size) };
			uint32_t bit = XXH32(bytes, size, ISHARE_XATTR_FILTER_SEED + index) % 32;

			assert_int_equal(ishare_filter_bit(&name), bit);
		}
	}
}

static void filter_hides_no_name(void **state)
{
	struct ishare_superblock sb = { .feature_compat = ISHARE_FEATURE_COMPAT_XATTR_FILTER };
	struct ishare_name name = guarded_name(0, 1, "name");
	uint32_t bit = ishare_filter_bit(&name);
	struct ishare_ibody_header h = { .h_name_filter = ~(1u << bit) };

	(void)state;
	assert_true(xattr_name_filter(&sb, &h, &name));
	h.h_name_filter = 1u << bit;
	assert_false(xattr_name_filter(&sb, &h, &name));
	sb.feature_compat = 0;
	assert_true(xattr_name_filter(&sb, &h, &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_needs_every_byte),
		cmocka_unit_test(walks_whole_area),
		cmocka_unit_test(walks_area_of_every_length),
		cmocka_unit_test(starts_beyond_the_area),
		cmocka_unit_test(walks_random_areas),
		cmocka_unit_test(largest_entry),
		cmocka_unit_test(finds_name_however_it_is_cut),
		cmocka_unit_test(unknown_prefix_names_nothing),
		cmocka_unit_test(fill_names_nothing),
		cmocka_unit_test(malformed_entry_ends_the_search),
		cmocka_unit_test(finds_nothing_in_an_empty_area),
		cmocka_unit_test(finds_the_first_of_two),
		cmocka_unit_test(finds_what_a_walk_would_find),
		cmocka_unit_test(fill_reaches_to_the_end),
		cmocka_unit_test(shared_ids_have_room),
		cmocka_unit_test(shared_offset_does_not_wrap),
		cmocka_unit_test(name_indexes),
		cmocka_unit_test(readable_names),
		cmocka_unit_test(names_are_equal_in_every_part),
		cmocka_unit_test(filter_bit_is_xxh32_of_the_name),
		cmocka_unit_test(filter_hides_no_name),
	};

	return report_tests(tests);
}
