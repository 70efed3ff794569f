// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* device.h: decoding at every length, and the rules at their boundaries. */
#include "unit.h"

static void needs_every_byte(void **state)
{
	uint8_t bytes[ISHARE_DEVICESLOT_SIZE + 1] = { 0 };
	struct ishare_deviceslot slot;

	(void)state;
	put_le32(bytes + 64, 0x01020304);
	put_le32(bytes + 68, 0x05060708);
	put_le16(bytes + 72, 0x090a);
	put_le16(bytes + 74, 0x0b0c);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		struct ishare_view v = guarded(0, bytes, size);

		assert_int_equal(ishare_deviceslot_decode(&v, &slot),
				 size < ISHARE_DEVICESLOT_SIZE ? ISHARE_SHORT : ISHARE_OK);
	}
	assert_int_equal(slot.blocks_lo, 0x01020304);
	assert_int_equal(slot.uniaddr_lo, 0x05060708);
	assert_int_equal(slot.blocks_hi, 0x090a);
	assert_int_equal(slot.uniaddr_hi, 0x0b0c);
}

static void table_ends_with_its_last_slot(void **state)
{
	struct ishare_superblock sb = { .feature_incompat = ISHARE_FEATURE_INCOMPAT_DEVICE_TABLE,
					.extra_devices = 2,
					.devt_slotoff = 9 };

	(void)state;
	assert_int_equal(ishare_device_table(&sb), 1152);
	assert_false(dev_table_bounds(&sb, 1152 + 256 - 1));
	assert_true(dev_table_bounds(&sb, 1152 + 256));
	sb.extra_devices = 0xffff;
	sb.devt_slotoff = 0xffff;
	assert_false(dev_table_bounds(&sb, 128ull * 0x1fffe - 1));
	assert_true(dev_table_bounds(&sb, 128ull * 0x1fffe));
	sb.feature_incompat = 0;
	assert_int_equal(ishare_device_count(&sb), 0);
	assert_true(dev_table_bounds(&sb, 0));
}

static void table_may_touch(void **state)
{
	struct ishare_superblock sb = { .feature_incompat = ISHARE_FEATURE_INCOMPAT_DEVICE_TABLE,
					.extra_devices = 2,
					.devt_slotoff = 9 };
	static const struct {
		uint64_t offset, size;
		bool holds;
	} cases[] = {
		{ 1024, 128, true },	  { 1024, 129, false },
		{ 1407, 1, false },	  { 1408, 1, true },
		{ 1200, 1, false },	  { 1200, 0, true },
		{ 0, UINT64_MAX, false }, { UINT64_MAX, UINT64_MAX, true },
		{ 1152, 256, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(dev_table_place(&sb, cases[i].offset, cases[i].size),
				 cases[i].holds);
	sb.extra_devices = 0;
	assert_true(dev_table_place(&sb, 1152, 256));
}

static void range_ends_where_block_numbers_do(void **state)
{
	struct ishare_deviceslot slot = { .blocks_lo = 0xffffffff, .uniaddr_lo = 1 };
	struct ishare_superblock sb = { 0 };

	(void)state;
	assert_true(dev_range(&sb, &slot));
	slot.uniaddr_lo = 2;
	assert_false(dev_range(&sb, &slot));
	sb.feature_incompat = ISHARE_FEATURE_INCOMPAT_48BIT;
	assert_true(dev_range(&sb, &slot));
	slot.blocks_hi = 0xffff;
	assert_false(dev_range(&sb, &slot));
	slot.uniaddr_lo = 1;
	assert_true(dev_range(&sb, &slot));
	slot.uniaddr_hi = 0xffff;
	assert_false(dev_range(&sb, &slot));
}

static void extents_may_touch(void **state)
{
	static const struct {
		struct ishare_extent a, b;
		bool holds;
	} cases[] = {
		{ { 0, 10 }, { 10, 1 }, true },
		{ { 0, 10 }, { 9, 1 }, false },
		{ { 5, 5 }, { 0, 5 }, true },
		{ { 5, 5 }, { 0, 6 }, false },
		{ { 3, 4 }, { 3, 4 }, false },
		{ { 0, 100 }, { 40, 2 }, false },
		{ { 0, 10 }, { 5, 0 }, true },
		{ { 5, 0 }, { 0, 10 }, true },
		{ { 0, UINT64_C(1) << 48 }, { (UINT64_C(1) << 48) - 1, 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(dev_overlap(&cases[i].a, &cases[i].b), cases[i].holds);
		assert_int_equal(dev_overlap(&cases[i].b, &cases[i].a), cases[i].holds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_every_byte),
		cmocka_unit_test(table_ends_with_its_last_slot),
		cmocka_unit_test(table_may_touch),
		cmocka_unit_test(range_ends_where_block_numbers_do),
		cmocka_unit_test(extents_may_touch),
	};

	return report_tests(tests);
}
