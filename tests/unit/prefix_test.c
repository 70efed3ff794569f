// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * prefix.h: the walk over every table, whole, cut off and random, and the rules at their
 * boundaries.
 */
#include "unit.h"

/* Three records: "user.ab", base_index alone, and one that needs no padding; 4-byte aligned. */
static const uint8_t table[] = {
	3, 0, 1, 'a', 'b', 0,	0,   0, /* length 3: base_index 1, "ab"; 3 bytes of padding */
	1, 0, 4, 0, /* length 1: base_index 4, no infix */
	6, 0, 0, 'd', 'i', 'g', 's', 't', /* length 6: base_index 0, "digst" */
};
enum { RECORDS = 3 };
static const size_t record_end[RECORDS] = { 5, 11, 20 };

/* Looking a record up leads to where the walk has come. */
static void assert_found(const struct ishare_view *v, uint32_t count, enum ishare_status status,
			 const struct ishare_prefix *walked)
{
	struct ishare_prefix p;

	assert_int_equal(ishare_prefix_find(v, count, walked->index, &p), status);
	assert_true(p.index == walked->index && p.pos == walked->pos);
	if (status == ISHARE_OK)
		assert_true(p.stored.base_index == walked->stored.base_index &&
			    p.infix == walked->infix && p.infix_size == walked->infix_size &&
			    p.next == walked->next);
}

/* How many records the walk finds; fails when it does not move on, or leaves the view. */
static uint32_t walk(const struct ishare_view *v, uint32_t count, enum ishare_status *last)
{
	struct ishare_prefix p;
	uint32_t found = 0;

	for (*last = ishare_prefix_first(v, count, &p); *last == ISHARE_OK;
	     *last = ishare_prefix_next(v, count, &p)) {
		assert_int_equal(p.index, found);
		assert_true(p.infix + p.infix_size <= v->size);
		assert_true(p.next >= p.infix + p.infix_size && p.next % 4 == p.pos % 4);
		assert_true(prefix_record_bounds(v, p.pos) && prefix_length(v, p.pos));
		assert_found(v, count, ISHARE_OK, &p);
		(void)prefix_padding_zero(v, &p);
		(void)prefix_base_index(&p);
		(void)prefix_ishare_name_length(&p);
		found++;
	}
	if (*last == ISHARE_MALFORMED) {
		assert_true(p.index == found && found < count);
		assert_found(v, count, ISHARE_MALFORMED, &p);
		assert_false(prefix_record_bounds(v, p.pos) && prefix_length(v, p.pos));
	}
	return found;
}

static void walks_whole_table(void **state)
{
	struct ishare_view v = guarded(0, table, sizeof(table));
	struct ishare_prefix p;

	(void)state;
	assert_int_equal(ishare_prefix_first(&v, 0, &p), ISHARE_END);
	assert_int_equal(ishare_prefix_first(&v, RECORDS, &p), ISHARE_OK);
	assert_int_equal(p.stored.base_index, 1);
	assert_int_equal(p.infix_size, 2);
	assert_memory_equal(v.data + p.infix, "ab", 2);
	assert_int_equal(ishare_prefix_next(&v, RECORDS, &p), ISHARE_OK);
	assert_true(p.pos == 8 && p.stored.base_index == 4 && p.infix_size == 0);
	assert_int_equal(ishare_prefix_next(&v, RECORDS, &p), ISHARE_OK);
	assert_true(p.pos == 12 && p.infix_size == 5);
	assert_int_equal(ishare_prefix_next(&v, RECORDS, &p), ISHARE_END);
}

static void walks_table_of_every_length(void **state)
{
	(void)state;
	for (size_t size = 0; size <= sizeof(table); size++) {
		struct ishare_view v = guarded(0, table, size);
		enum ishare_status last;
		uint32_t found = walk(&v, RECORDS, &last), whole = 0;

		while (whole < RECORDS && record_end[whole] <= size)
			whole++;
		assert_int_equal(found, whole);
		assert_int_equal(last, whole == RECORDS ? ISHARE_END : ISHARE_MALFORMED);
	}
}

static void walks_random_tables(void **state)
{
	uint8_t bytes[300];
	uint32_t random = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t size = next_random(&random) % (sizeof(bytes) + 1);
		enum ishare_status last;
		struct ishare_view v;

		fill_random(bytes, size, &random);
		for (size_t pos = 1; pos < size; pos += 4)
			bytes[pos] =
				(uint8_t)(next_random(&random) % 16 == 0); /* lengths below 512 */
		v = guarded(0, bytes, size);
		assert_true(walk(&v, 128, &last) <= 128);
	}
}

static void finds_each_record(void **state)
{
	static const size_t position[RECORDS] = { 0, 8, 12 };

	(void)state;
	for (size_t size = 0; size <= sizeof(table); size++) {
		struct ishare_view v = guarded(0, table, size);
		uint32_t whole = 0;

		while (whole < RECORDS && record_end[whole] <= size)
			whole++;
		for (uint32_t i = 0; i < RECORDS; i++) {
			struct ishare_prefix p;

			assert_int_equal(ishare_prefix_find(&v, RECORDS, i, &p),
					 i < whole ? ISHARE_OK : ISHARE_MALFORMED);
			assert_int_equal(p.index, i < whole ? i : whole);
			assert_int_equal(p.pos, position[p.index]);
		}
	}
}

static void finds_nothing_beyond_the_table(void **state)
{
	struct ishare_view v = guarded(0, table, sizeof(table)), none = guarded(1, "", 0);
	struct ishare_prefix p;

	(void)state;
	assert_int_equal(ishare_prefix_find(&v, RECORDS, RECORDS, &p), ISHARE_END);
	assert_int_equal(ishare_prefix_find(&v, RECORDS, UINT32_MAX, &p), ISHARE_END);
	assert_int_equal(ishare_prefix_find(&none, 0, 0, &p), ISHARE_END);
	assert_int_equal(ishare_prefix_find(&none, 1, 1, &p), ISHARE_END);
	assert_int_equal(ishare_prefix_find(&none, 1, 0, &p), ISHARE_MALFORMED);
	assert_true(p.index == 0 && p.pos == 0);
}

/* A record that is not sound hides those behind it, not those before it. */
static void finds_the_first_unsound_record(void **state)
{
	uint8_t bytes[sizeof(table)];
	struct ishare_prefix p;
	struct ishare_view v;

	(void)state;
	memcpy(bytes, table, sizeof(bytes));
	put_le16(bytes + 8, 0);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_prefix_find(&v, RECORDS, 0, &p), ISHARE_OK);
	assert_int_equal(p.infix_size, 2);
	for (uint32_t i = 1; i < RECORDS; i++) {
		assert_int_equal(ishare_prefix_find(&v, RECORDS, i, &p), ISHARE_MALFORMED);
		assert_true(p.index == 1 && p.pos == 8);
	}
}

static void length_boundaries(void **state)
{
	uint8_t bytes[2 + 65535] = { 0 };
	static const uint32_t lengths[] = { 0, 1, 256, 257, 65535 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct ishare_view v, shorter;

		put_le16(bytes, lengths[i]);
		v = guarded(0, bytes, 2 + lengths[i]);
		assert_int_equal(prefix_length(&v, 0), lengths[i] >= 1 && lengths[i] <= 256);
		assert_true(prefix_record_bounds(&v, 0));
		if (lengths[i] == 0)
			continue;
		shorter = guarded(1, bytes, 1 + lengths[i]);
		assert_false(prefix_record_bounds(&shorter, 0));
	}
}

static void position_beyond_the_view(void **state)
{
	static const size_t positions[] = { 19, 20, 21, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX };
	struct ishare_view v = guarded(0, table, sizeof(table));

	(void)state;
	for (size_t i = 0; i < COUNT(positions); i++) {
		assert_false(prefix_record_bounds(&v, positions[i]));
		assert_true(prefix_length(&v, positions[i]));
	}
}

static void padding_is_judged_as_far_as_it_is_there(void **state)
{
	uint8_t bytes[8] = { 3, 0, 1, 'a', 'b', 0, 0, 1 };
	struct ishare_prefix p;

	(void)state;
	for (size_t size = 5; size <= sizeof(bytes); size++) {
		struct ishare_view v = guarded(0, bytes, size);

		assert_int_equal(ishare_prefix_first(&v, 1, &p), ISHARE_OK);
		assert_int_equal(prefix_padding_zero(&v, &p), size < sizeof(bytes));
	}
}

static void table_lies_where_features_say(void **state)
{
	const uint32_t both = ISHARE_FEATURE_INCOMPAT_METABOX | ISHARE_FEATURE_INCOMPAT_FRAGMENTS;
	struct ishare_superblock sb = { .feature_incompat = both, .packed_nid = 1 };

	(void)state;
	assert_int_equal(ishare_prefix_space(&sb), ISHARE_PREFIX_IN_METABOX);
	sb.feature_incompat = ISHARE_FEATURE_INCOMPAT_FRAGMENTS;
	assert_int_equal(ishare_prefix_space(&sb), ISHARE_PREFIX_IN_PACKED);
	sb.packed_nid = 0;
	assert_int_equal(ishare_prefix_space(&sb), ISHARE_PREFIX_IN_IMAGE);
	sb.packed_nid = 1;
	sb.feature_incompat = both;
	sb.feature_compat = ISHARE_FEATURE_COMPAT_PLAIN_XATTR_PFX;
	assert_int_equal(ishare_prefix_space(&sb), ISHARE_PREFIX_IN_IMAGE);
}

static void start_does_not_wrap(void **state)
{
	struct ishare_superblock sb = { .xattr_prefix_start = 0xffffffff, .xattr_prefix_count = 1 };

	(void)state;
	assert_true(ishare_prefix_start(&sb) == UINT64_C(0x3fffffffc));
	assert_false(prefix_location(&sb, UINT64_C(0x3fffffffc)));
	assert_true(prefix_location(&sb, UINT64_C(0x3fffffffd)));
	sb.xattr_prefix_count = 0;
	assert_true(prefix_location(&sb, 0));
}

static void names_differ(void **state)
{
	struct ishare_name a = guarded_name(0, 1, "overlay."), b = guarded_name(1, 1, "overlay."),
			   c = guarded_name(2, 1, "overlay"), d = a;

	(void)state;
	assert_false(prefix_duplicate(&a, &b));
	assert_true(prefix_duplicate(&a, &c));
	d.base_index = 4;
	assert_true(prefix_duplicate(&a, &d));
}

/* The whole name, namespace included, has at most 255 bytes. */
static void fingerprint_name_fits(void **state)
{
	static const uint32_t most[] = { 255, 250, 232, 231, 247, 248, 246 };

	(void)state;
	for (uint32_t index = 0; index < COUNT(most); index++) {
		struct ishare_prefix p = { .stored.base_index = index, .infix_size = most[index] };

		assert_true(prefix_ishare_name_length(&p));
		p.infix_size++;
		assert_false(prefix_ishare_name_length(&p));
		p.infix_size = 0;
		assert_false(prefix_ishare_name_length(&p));
	}
}

static void fingerprint_name_has_no_nul(void **state)
{
	struct ishare_view v = guarded(0, "a\0b", 3), none = guarded(1, "", 0);

	(void)state;
	assert_false(prefix_ishare_infix_nul(&v));
	v.size = 1;
	assert_true(prefix_ishare_infix_nul(&v));
	assert_true(prefix_ishare_infix_nul(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_whole_table),
		cmocka_unit_test(walks_table_of_every_length),
		cmocka_unit_test(walks_random_tables),
		cmocka_unit_test(finds_each_record),
		cmocka_unit_test(finds_nothing_beyond_the_table),
		cmocka_unit_test(finds_the_first_unsound_record),
		cmocka_unit_test(length_boundaries),
		cmocka_unit_test(position_beyond_the_view),
		cmocka_unit_test(padding_is_judged_as_far_as_it_is_there),
		cmocka_unit_test(table_lies_where_features_say),
		cmocka_unit_test(start_does_not_wrap),
		cmocka_unit_test(names_differ),
		cmocka_unit_test(fingerprint_name_fits),
		cmocka_unit_test(fingerprint_name_has_no_nul),
	};

	return report_tests(tests);
}
