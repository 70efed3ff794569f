// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* directory.h: the walk over every block, whole, cut off and random, and the rules at their boundaries. */
#include "unit.h"

enum { ENTRIES = 3, NAMES = ENTRIES * ISHARE_DIRENT_RECORD_SIZE };

/* ".", "..", "file", nothing behind the last name. */
static const uint8_t block[NAMES + 7] = {
	36, 0,	  0,	     0, 0, 0,	      0,   0,	NAMES, 0,   2,	 0,   37,  0, 0,
	0,  0,	  0,	     0, 0, NAMES + 1, 0,   2,	0,     38,  0,	 0,   0,   0, 0,
	0,  0x80, NAMES + 3, 0, 1, 0,	      '.', '.', '.',   'f', 'i', 'l', 'e',
};

/* How many entries the walk finds; fails when it does not move on, or leaves the view. */
static uint32_t walk(const struct ishare_view *v, enum ishare_status *last)
{
	struct ishare_dirent d;
	uint32_t found = 0;

	for (*last = ishare_dirent_first(v, &d); *last == ISHARE_OK;
	     *last = ishare_dirent_next(v, &d)) {
		struct ishare_view name = { v->data + d.name, d.name_size };

		assert_true(d.index == found && d.index < d.count);
		assert_true(d.name <= v->size && d.name_size <= v->size - d.name);
		assert_true(d.name_size >= 1 && d.name_size <= 255);
		assert_true(dir_entry_bounds(v, d.index));
		(void)dir_name(&name);
		found++;
	}
	if (*last == ISHARE_MALFORMED)
		assert_false(dir_entry_bounds(v, found));
	return found;
}

static void walks_whole_block(void **state)
{
	struct ishare_view v = guarded(0, block, sizeof(block));
	struct ishare_dirent d;

	(void)state;
	assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_OK);
	assert_true(d.nid == 36 && d.file_type == 2 && d.count == ENTRIES && d.name_size == 1);
	assert_int_equal(ishare_dirent_next(&v, &d), ISHARE_OK);
	assert_true(d.nid == 37 && d.name_size == 2);
	assert_int_equal(ishare_dirent_next(&v, &d), ISHARE_OK);
	assert_true(d.nid == UINT64_C(0x8000000000000026) && d.name_size == 4);
	assert_memory_equal(v.data + d.name, "file", 4);
	assert_int_equal(ishare_dirent_next(&v, &d), ISHARE_END);
}

static void walks_block_of_every_length(void **state)
{
	(void)state;
	for (size_t size = 0; size <= sizeof(block); size++) {
		struct ishare_view v = guarded(0, block, size);
		uint32_t whole = size <= NAMES ? 0 : size < NAMES + 3 ? size - NAMES > 0 : 2;
		enum ishare_status last;
		uint32_t found = walk(&v, &last);

		if (size > NAMES + 3)
			whole = ENTRIES; /* the last name ends where the block does */
		assert_int_equal(found, whole);
		assert_int_equal(last,
				 size == 0 || whole == ENTRIES ? ISHARE_END : ISHARE_MALFORMED);
	}
}

static void walks_random_blocks(void **state)
{
	uint8_t bytes[600];
	uint32_t random = 3;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t size = next_random(&random) % (sizeof(bytes) + 1);
		uint32_t count = 1 + next_random(&random) % 8, offset = 12 * count;
		enum ishare_status last;
		struct ishare_view v;

		fill_random(bytes, size, &random);
		for (uint32_t k = 0; k < count && 12 * k + 12 <= size; k++) {
			put_le16(bytes + 12 * k + 8, offset);
			offset += next_random(&random) % 64;
		}
		v = guarded(0, bytes, size);
		assert_true(walk(&v, &last) <= size / 12);
	}
}

static void last_name_ends_with_nul(void **state)
{
	uint8_t bytes[12 + 300];
	struct ishare_dirent d;
	struct ishare_view v;

	(void)state;
	memset(bytes, 'n', sizeof(bytes));
	put_le16(bytes + 8, 12);
	v = guarded(0, bytes, 12 + 255);
	assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_OK);
	assert_int_equal(d.name_size, 255);
	v = guarded(0, bytes, 12 + 256);
	assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_MALFORMED);
	bytes[12 + 255] = 0;
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_OK);
	assert_int_equal(d.name_size, 255);
	bytes[12] = 0;
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_MALFORMED);
}

static void first_offset_gives_the_count(void **state)
{
	static const uint32_t wrong[] = { 0, 1, 11, 13, 600, 0xfff0, 0xffff };
	uint8_t bytes[600];

	(void)state;
	memset(bytes, 'n', sizeof(bytes));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct ishare_view v;
		struct ishare_dirent d;

		put_le16(bytes + 8, wrong[i]);
		v = guarded(0, bytes, sizeof(bytes));
		assert_int_equal(ishare_dirent_first(&v, &d), ISHARE_MALFORMED);
		assert_false(dir_entry_bounds(&v, 0));
		assert_false(dir_entry_bounds(&v, UINT32_MAX));
	}
}

static void names(void **state)
{
	static const char *const ordered[] = { ".", "..", ".a", "B", "a", "a.", "aa", "b", "\xff" };

	(void)state;
	for (size_t i = 0; i < COUNT(ordered); i++) {
		struct ishare_view a = guarded_string(0, ordered[i]);

		assert_true(dir_name(&a));
		for (size_t j = 0; j < COUNT(ordered); j++) {
			struct ishare_view b = guarded_string(1, ordered[j]);

			assert_int_equal(dir_name_order(&a, &b), i < j);
		}
	}
	assert_false(dir_name(&(struct ishare_view){ (const uint8_t *)"a/b", 3 }));
	assert_false(dir_name(&(struct ishare_view){ (const uint8_t *)"a\0b", 3 }));
}

static void type_is_that_of_the_inode(void **state)
{
	static const uint32_t modes[8] = { 0,	    0100000, 0040000, 0020000,
					   0060000, 0010000, 0140000, 0120000 };

	(void)state;
	for (uint32_t type = 0; type < 256; type++) {
		for (uint32_t i = 0; i < COUNT(modes); i++) {
			struct ishare_inode inode = { .mode = modes[i] | 0644 };

			assert_int_equal(dir_type(type, &inode), type == i);
		}
	}
}

static void dot_and_parents(void **state)
{
	(void)state;
	assert_true(dir_dot(UINT64_MAX, UINT64_MAX));
	assert_false(dir_dot(36, 37));
	assert_true(dir_cycle(1, 36, 36));
	assert_false(dir_cycle(0, 36, 36));
	assert_false(dir_cycle(2, 36, 36));
	assert_false(dir_cycle(1, 36, 37));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_whole_block),
		cmocka_unit_test(walks_block_of_every_length),
		cmocka_unit_test(walks_random_blocks),
		cmocka_unit_test(last_name_ends_with_nul),
		cmocka_unit_test(first_offset_gives_the_count),
		cmocka_unit_test(names),
		cmocka_unit_test(type_is_that_of_the_inode),
		cmocka_unit_test(dot_and_parents),
	};

	return report_tests(tests);
}
