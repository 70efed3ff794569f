// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* xattr.h: the walk over every area, whole, cut off and random, and the rules at their boundaries. */
#include "unit.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Header with one shared id, then "user.ab" = "xyz", a long prefix without name or value, and fill. */
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
		assert_true(e.name == pos + 4 && e.value == e.name + e.name_size);
		assert_true(e.value + e.value_size <= e.next && e.next <= v->size && e.next > pos);
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

		assert_int_equal(ishare_ibody_decode(&v, &h), size < 12 ? ISHARE_SHORT : ISHARE_OK);
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
	assert_true(e.name_size == 2 && e.name_index == 1 && e.value_size == 3);
	assert_memory_equal(v.data + e.value, "xyz", 3);
	assert_false(ishare_entry_is_fill(&e));
	assert_int_equal(ishare_entry_next(&v, &e), ISHARE_OK);
	assert_true(e.name_index == 0x81 && e.value_size == 0 && e.next == ENTRIES_END);
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

static void name_indexes(void **state)
{
	(void)state;
	for (uint32_t index = 0; index < 256; index++) {
		struct ishare_entry e = { .name_index = index, .name_size = 1 };

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
		cmocka_unit_test(fill_reaches_to_the_end),
		cmocka_unit_test(shared_ids_have_room),
		cmocka_unit_test(shared_offset_does_not_wrap),
		cmocka_unit_test(name_indexes),
		cmocka_unit_test(names_are_equal_in_every_part),
		cmocka_unit_test(filter_bit_is_xxh32_of_the_name),
		cmocka_unit_test(filter_hides_no_name),
	};

	return report_tests(tests);
}
