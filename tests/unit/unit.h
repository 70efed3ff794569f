/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * What the unit tests of the core share: cmocka, bytes with a guard behind them, and bytes that
 * look random.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* xorshift32: the same numbers on every machine and in every run. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline void fill_random(uint8_t *bytes, size_t size, uint32_t *state)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(next_random(state) >> 11);
}

enum { GUARDS = 3, GUARD_ROOM = 1 << 17 };

/*
 * A copy of the bytes that ends where readable memory does: reading one byte too many is the end of
 * the test. Valid until the next call with the same guard, 0 to GUARDS - 1.
 */
static inline struct ishare_view guarded(unsigned int guard, const void *bytes, size_t size)
{
	static uint8_t *rooms[GUARDS];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ishare_view view = { .size = size };

	assert_true(guard < GUARDS && size <= GUARD_ROOM);
	if (!rooms[guard]) {
		uint8_t *map = mmap(NULL, page + GUARD_ROOM + page, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(map, MAP_FAILED);
		assert_int_equal(mprotect(map + page, GUARD_ROOM, PROT_READ | PROT_WRITE), 0);
		rooms[guard] = map + page;
	}
	if (size)
		memcpy(rooms[guard] + GUARD_ROOM - size, bytes, size);
	view.data = rooms[guard] + GUARD_ROOM - size;
	return view;
}

static inline struct ishare_view guarded_string(unsigned int guard, const char *string)
{
	return guarded(guard, string, strlen(string));
}

static inline struct ishare_name guarded_name(unsigned int guard, uint32_t base_index,
					      const char *string)
{
	return (struct ishare_name){ base_index, guarded_string(guard, string) };
}

static inline void put_le16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t value)
{
	put_le16(p, value);
	put_le16(p + 2, value >> 16);
}

/* Runs the tests and ends the program; what they say is TAP. */
#define report_tests(tests)                        \
	(cmocka_set_message_output(CM_OUTPUT_TAP), \
	 cmocka_run_group_tests((tests), NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS)

#endif
