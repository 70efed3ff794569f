// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * directory.h: walks over and searches in every block, whole, cut off and random, and the rules at
 * their boundaries.
 */
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
	assert_true(d.stored.nid == 36 && d.stored.file_type == 2 && d.count == ENTRIES &&
		    d.name_size == 1);
	assert_int_equal(ishare_dirent_next(&v, &d), ISHARE_OK);
	assert_true(d.stored.nid == 37 && d.name_size == 2);
	assert_int_equal(ishare_dirent_next(&v, &d), ISHARE_OK);
	assert_true(d.stored.nid == UINT64_C(0x8000000000000026) && d.name_size == 4);
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

static void assert_found(const struct ishare_view *v, const char *string, uint32_t index)
{
	struct ishare_view name = guarded_string(1, string);
	struct ishare_dirent d;

	assert_int_equal(ishare_dirent_find(v, &name, &d), ISHARE_OK);
	assert_int_equal(d.index, index);
	assert_int_equal(d.name_size, name.size);
	assert_memory_equal(v->data + d.name, string, name.size);
}

static void assert_status(const struct ishare_view *v, const char *string,
			  enum ishare_status status)
{
	struct ishare_view name = guarded_string(1, string);
	struct ishare_dirent d;

	assert_int_equal(ishare_dirent_find(v, &name, &d), status);
}

static void finds_every_name(void **state)
{
	static const char *const absent[] = { "", "fil", "files", "filf", "...", "file\xff", "e" };
	struct ishare_view v = guarded(0, block, sizeof(block));

	(void)state;
	assert_found(&v, ".", 0);
	assert_found(&v, "..", 1);
	assert_found(&v, "file", 2);
	for (size_t i = 0; i < COUNT(absent); i++)
		assert_status(&v, absent[i], ISHARE_END);
}

static void finds_nothing_in_an_empty_block(void **state)
{
	struct ishare_view v = guarded(0, block, 0);

	(void)state;
	assert_status(&v, ".", ISHARE_END);
	v = guarded(0, block, 11);
	assert_status(&v, ".", ISHARE_MALFORMED);
}

static void finds_the_first_of_two(void **state)
{
	uint8_t bytes[sizeof(block)];
	struct ishare_view v;

	(void)state;
	memcpy(bytes, block, sizeof(block));
	put_le16(bytes + 2 * 12 + 8, NAMES + 2); /* ".", ".", ".file" */
	v = guarded(0, bytes, sizeof(bytes));
	assert_found(&v, ".", 0);
	assert_found(&v, ".file", 2);
}

static void malformed_entry_ends_the_search(void **state)
{
	struct ishare_view name = guarded_string(1, "file");
	uint8_t bytes[sizeof(block)];
	struct ishare_dirent d;
	struct ishare_view v;

	(void)state;
	memcpy(bytes, block, sizeof(block));
	put_le16(bytes + 12 + 8, NAMES + 3); /* the second name is empty */
	v = guarded(0, bytes, sizeof(bytes));
	assert_status(&v, "...", ISHARE_OK);
	assert_int_equal(ishare_dirent_find(&v, &name, &d), ISHARE_MALFORMED);
	assert_int_equal(d.index, 1);
	put_le16(bytes + 12 + 8, NAMES + 1);
	put_le16(bytes + 8, 13);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_dirent_find(&v, &name, &d), ISHARE_MALFORMED);
	assert_int_equal(d.index, 0);
}

/* What the walk finds; *d is then as a search must leave it. */
static enum ishare_status find_by_walk(const struct ishare_view *v, const struct ishare_view *name,
				       struct ishare_dirent *d)
{
	enum ishare_status status;

	for (status = ishare_dirent_first(v, d); status == ISHARE_OK;
	     status = ishare_dirent_next(v, d))
		if (d->name_size == name->size &&
		    !memcmp(v->data + d->name, name->data, name->size))
			break;
	return status;
}

static void finds_what_the_walk_finds(void **state)
{
	uint32_t random = 9, results[ISHARE_MALFORMED + 1] = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct ishare_view v,
			name = guarded_string(1, next_random(&random) % 2 ? "a" : "ab");
		uint32_t count = 1 + next_random(&random) % 6, offset = 12 * count;
		struct ishare_dirent d, expected;
		enum ishare_status status;
		uint8_t bytes[100];

		fill_random(bytes, sizeof(bytes), &random);
		for (uint32_t k = 12 * count; k < sizeof(bytes); k++)
			bytes[k] = "aaabb\0"[bytes[k] % 6];
		for (uint32_t k = 0; k < count; k++) {
			put_le16(bytes + 12 * k + 8, offset);
			offset += next_random(&random) % 16 ? 1 + next_random(&random) % 3 : 0;
		}
		v = guarded(0, bytes, 12 * count + next_random(&random) % (101 - 12 * count));
		status = ishare_dirent_find(&v, &name, &d);
		assert_int_equal(status, find_by_walk(&v, &name, &expected));
		if (status != ISHARE_END)
			assert_int_equal(d.index, expected.index);
		if (status == ISHARE_OK)
			assert_true(d.name == expected.name && d.name_size == expected.name_size &&
				    d.stored.nid == expected.stored.nid &&
				    d.stored.file_type == expected.stored.file_type &&
				    d.count == expected.count);
		results[status]++;
	}
	assert_true(results[ISHARE_OK] > 1000 && results[ISHARE_END] > 1000);
	assert_true(results[ISHARE_MALFORMED] > 1000);
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

			assert_int_equal(dir_type(type, &inode), type == 0 || type == i);
		}
		assert_int_equal(dir_type_unknown(type), type != 0);
	}
}

static void name_ends_with_a_nul(void **state)
{
	(void)state;
	for (uint32_t behind = 0; behind <= 0xff; behind++)
		assert_int_equal(dir_name_end(behind), behind == 0);
}

static void dot_and_parents(void **state)
{
	(void)state;
	assert_true(dir_dot(UINT64_MAX, UINT64_MAX));
	assert_false(dir_dot(36, 37));
	assert_true(dir_cycle(1, 1, 36, 36));
	assert_false(dir_cycle(0, 1, 36, 36));
	assert_false(dir_cycle(2, 1, 36, 36));
	assert_false(dir_cycle(1, 0, 36, 36));
	assert_false(dir_cycle(1, 1, 36, 37));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_whole_block),
		cmocka_unit_test(walks_block_of_every_length),
		cmocka_unit_test(walks_random_blocks),
		cmocka_unit_test(finds_every_name),
		cmocka_unit_test(finds_nothing_in_an_empty_block),
		cmocka_unit_test(finds_the_first_of_two),
		cmocka_unit_test(malformed_entry_ends_the_search),
		cmocka_unit_test(finds_what_the_walk_finds),
		cmocka_unit_test(last_name_ends_with_nul),
		cmocka_unit_test(first_offset_gives_the_count),
		cmocka_unit_test(names),
		cmocka_unit_test(type_is_that_of_the_inode),
		cmocka_unit_test(name_ends_with_a_nul),
		cmocka_unit_test(dot_and_parents),
	};

	return report_tests(tests);
}
