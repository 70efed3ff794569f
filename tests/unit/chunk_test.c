// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* chunk.h: records of both forms, at every length, and the bits of device ids that count. */
#include "unit.h"

enum { ALL_FORMATS = ISHARE_CHUNK_FORMAT_INDEXES | ISHARE_CHUNK_FORMAT_48BIT };

static struct ishare_superblock with_devices(uint32_t devices)
{
	return (struct ishare_superblock){ .feature_incompat = ISHARE_FEATURE_INCOMPAT_DEVICE_TABLE,
					   .extra_devices = devices };
}

static struct ishare_chunk decode(uint32_t devices, uint32_t format, const char *record)
{
	struct ishare_superblock sb = with_devices(devices);
	struct ishare_inode inode = { .u = format };
	struct ishare_view v = guarded(0, record, ishare_chunk_record_size(&inode));
	struct ishare_chunk chunk;

	assert_int_equal(ishare_chunk_decode(&sb, &inode, &v, &chunk), ISHARE_OK);
	return chunk;
}

static void needs_every_byte(void **state)
{
	struct ishare_superblock sb = with_devices(0);
	struct ishare_chunk chunk;

	(void)state;
	for (uint32_t format = 0; format <= ALL_FORMATS; format += ISHARE_CHUNK_FORMAT_INDEXES)
		for (size_t size = 0; size <= 8; size++) {
			struct ishare_inode inode = { .u = format };
			struct ishare_view v = guarded(0, "\0\0\0\0\0\0\0", size);
			size_t least = format & ISHARE_CHUNK_FORMAT_INDEXES ? 8 : 4;

			assert_int_equal(ishare_chunk_decode(&sb, &inode, &v, &chunk),
					 size < least ? ISHARE_SHORT : ISHARE_OK);
		}
}

static void block_map(void **state)
{
	struct ishare_chunk chunk = decode(3, 0, "\1\2\3\4");

	(void)state;
	assert_int_equal(chunk.start, 0x04030201);
	assert_int_equal(chunk.device_id, 0);
	assert_int_equal(chunk.hole, 0);
	chunk = decode(3, ISHARE_CHUNK_FORMAT_48BIT, "\xff\xff\xff\xff");
	assert_int_equal(chunk.hole, 1);
}

static void indexes(void **state)
{
	struct ishare_chunk chunk = decode(1, ISHARE_CHUNK_FORMAT_INDEXES, "\5\6\1\0\1\2\3\4");

	(void)state;
	assert_int_equal(chunk.start, 0x04030201);
	assert_int_equal(chunk.device_id, 1);
	chunk = decode(1, ALL_FORMATS, "\5\6\1\0\1\2\3\4");
	assert_int_equal(chunk.start, 0x060504030201);
}

static void holes_are_all_ones_in_the_bits_that_count(void **state)
{
	const char *low = "\0\0\0\0\xff\xff\xff\xff", *all = "\xff\xff\0\0\xff\xff\xff\xff";

	(void)state;
	assert_int_equal(decode(0, ISHARE_CHUNK_FORMAT_INDEXES, low).hole, 1);
	assert_int_equal(decode(0, ISHARE_CHUNK_FORMAT_INDEXES, all).hole, 1);
	assert_int_equal(decode(0, ALL_FORMATS, low).hole, 0);
	assert_int_equal(decode(0, ALL_FORMATS, all).hole, 1);
}

/* As many bits as the number of devices needs. */
static void device_ids_are_masked(void **state)
{
	static const struct {
		uint32_t devices, id;
	} cases[] = { { 0, 0 },	    { 1, 1 },	      { 2, 3 },	       { 3, 3 },
		      { 4, 7 },	    { 7, 7 },	      { 8, 15 },       { 255, 255 },
		      { 256, 511 }, { 32768, 65535 }, { 65535, 65535 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(decode(cases[i].devices, ISHARE_CHUNK_FORMAT_INDEXES,
					"\0\0\xff\xff\0\0\0\0")
					 .device_id,
				 cases[i].id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_every_byte),
		cmocka_unit_test(block_map),
		cmocka_unit_test(indexes),
		cmocka_unit_test(holes_are_all_ones_in_the_bits_that_count),
		cmocka_unit_test(device_ids_are_masked),
	};

	return report_tests(tests);
}
