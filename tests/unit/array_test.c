// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* image/walk.h: arrays grow as long as their size in bytes is a number. */
#include "unit.h"

#include "image/image.h"

static void grows_and_keeps_its_items(void **state)
{
	uint64_t *items = NULL;
	size_t room = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		assert_true(array_make_room(&items, &room, i + 1, sizeof(*items)));
		assert_true(room > i);
		items[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	free(items);
}

/* In each case, sizes that wrapped would be small ones. */
static void refuses_sizes_that_overflow(void **state)
{
	static const size_t counts[] = { SIZE_MAX, SIZE_MAX - 16, SIZE_MAX / 3 * 2,
					 SIZE_MAX / sizeof(uint64_t),
					 SIZE_MAX / sizeof(uint64_t) / 3 * 2 };
	uint64_t *items = NULL;
	size_t room = 0;

	(void)state;
	assert_true(array_make_room(&items, &room, 1, sizeof(*items)));
	for (size_t i = 0; i < COUNT(counts); i++) {
		uint64_t *before = items;
		size_t room_before = room;

		assert_false(array_make_room(&items, &room, counts[i], sizeof(*items)));
		assert_ptr_equal(items, before);
		assert_int_equal(room, room_before);
	}
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_its_items),
		cmocka_unit_test(refuses_sizes_that_overflow),
	};

	return report_tests(tests);
}
