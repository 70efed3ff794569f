// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* superblock.h: decoding at every length, and the rules at their boundaries. */
#include "unit.h"

#include "crc32c.h"

static void needs_every_byte(void **state)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE + 1] = { 0 };
	struct ishare_superblock_ext ext;
	struct ishare_superblock sb;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		struct ishare_view v = guarded(0, bytes, size);

		assert_int_equal(ishare_superblock_decode(&v, &sb),
				 size < ISHARE_SUPERBLOCK_SIZE ? ISHARE_SHORT : ISHARE_OK);
		assert_int_equal(ishare_superblock_ext_decode(&v, &ext),
				 size < ISHARE_SUPERBLOCK_EXT_SIZE ? ISHARE_SHORT : ISHARE_OK);
	}
}

/* Byte i holds i + 1, so a field at the wrong place or in the wrong order has another value. */
static void decodes_little_endian_fields(void **state)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE];
	struct ishare_superblock sb;
	struct ishare_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_superblock_decode(&v, &sb), ISHARE_OK);
	assert_int_equal(sb.magic, 0x04030201);
	assert_int_equal(sb.checksum, 0x08070605);
	assert_int_equal(sb.feature_compat, 0x0c0b0a09);
	assert_int_equal(sb.blkszbits, 13);
	assert_int_equal(sb.sb_extslots, 14);
	assert_int_equal(sb.rootnid_2b, 0x100f);
	assert_int_equal(sb.blocks_lo, 0x28272625);
	assert_int_equal(sb.meta_blkaddr, 0x2c2b2a29);
	assert_int_equal(sb.xattr_blkaddr, 0x302f2e2d);
	assert_int_equal(sb.feature_incompat, 0x54535251);
	assert_int_equal(sb.extra_devices, 0x5857);
	assert_int_equal(sb.devt_slotoff, 0x5a59);
	assert_int_equal(sb.dirblkbits, 91);
	assert_int_equal(sb.xattr_prefix_count, 92);
	assert_int_equal(sb.xattr_prefix_start, 0x605f5e5d);
	assert_true(sb.packed_nid == 0x6867666564636261);
	assert_int_equal(sb.xattr_filter_reserved, 105);
	assert_int_equal(sb.ishare_xattr_prefix_id, 106);
	assert_true(sb.rootnid_8b == 0x7877767574737271);
}

static void size_of_image(void **state)
{
	(void)state;
	assert_false(sb_size(0));
	assert_false(sb_size(1151));
	assert_true(sb_size(1152));
	assert_true(sb_size(UINT64_MAX));
}

static void block_size_depends_on_page_size(void **state)
{
	static const struct {
		uint32_t bits, page_bits;
		bool holds;
	} cases[] = {
		{ 0, 12, false }, { 8, 12, false },  { 9, 12, true },
		{ 12, 12, true }, { 13, 12, false }, { 13, 14, true },
		{ 16, 16, true }, { 17, 16, false }, { 255, 16, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ishare_superblock sb = { .blkszbits = cases[i].bits };
		struct ishare_profile p = { .page_bits = cases[i].page_bits };

		assert_int_equal(sb_block_size(&sb, &p), cases[i].holds);
		if (cases[i].holds)
			assert_int_equal(ishare_block_size(&sb), UINT64_C(1) << cases[i].bits);
	}
}

/* The sum covers the rest of the superblock's block; with small blocks, one whole block. */
static void checksum_covers_a_block(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 9, 512 }, { 10, 1024 }, { 11, 1024 }, { 12, 3072 }, { 16, 64512 }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct ishare_superblock sb = { .blkszbits = sizes[i][0] };

		assert_int_equal(ishare_checksum_size(&sb), sizes[i][1]);
	}
}

static void checksum_of_what_is_there(void **state)
{
	struct ishare_superblock sb = { .blkszbits = 9,
					.feature_compat = ISHARE_FEATURE_COMPAT_SB_CHKSUM };
	uint8_t bytes[512] = { 0 };
	struct ishare_view v, rest;

	(void)state;
	put_le32(bytes, ISHARE_SUPERBLOCK_MAGIC);
	bytes[511] = 1;
	v = guarded(0, bytes, sizeof(bytes));
	rest = (struct ishare_view){ v.data + 8, v.size - 8 };
	sb.checksum = ishare_crc32c(ISHARE_CHECKSUM_START, &rest);
	assert_true(sb_checksum(&sb, &v));
	for (size_t size = 0; size < sizeof(bytes); size++) {
		v = guarded(0, bytes, size);
		assert_false(sb_checksum(&sb, &v));
	}
	bytes[511] = 2;
	v = guarded(0, bytes, sizeof(bytes));
	assert_false(sb_checksum(&sb, &v));
	sb.feature_compat = 0;
	assert_true(sb_checksum(&sb, &v));
}

static void extension_slots_fit_page_and_image(void **state)
{
	struct ishare_profile p = { .page_bits = 12 };
	struct ishare_superblock sb = { .sb_extslots = 184 };

	(void)state;
	assert_true(sb_ext_slots(&sb, &p, 4096));
	assert_false(sb_ext_slots(&sb, &p, 4095));
	sb.sb_extslots = 185;
	assert_false(sb_ext_slots(&sb, &p, UINT64_MAX));
	p.page_bits = 14;
	assert_true(sb_ext_slots(&sb, &p, UINT64_MAX));
	sb.sb_extslots = 0;
	assert_true(sb_ext_slots(&sb, &p, 1152));
}

static void root_and_blocks_with_48_bits(void **state)
{
	struct ishare_superblock sb = { .rootnid_2b = 0x1234, .rootnid_8b = 5, .blocks_lo = 7 };

	(void)state;
	assert_int_equal(ishare_root_nid(&sb), 0x1234);
	assert_int_equal(ishare_primary_blocks(&sb), 7);
	sb.feature_incompat = ISHARE_FEATURE_INCOMPAT_48BIT;
	assert_int_equal(ishare_root_nid(&sb), 5);
	assert_true(ishare_primary_blocks(&sb) == UINT64_C(0x123400000007));
	sb.rootnid_8b = 0;
	assert_int_equal(ishare_root_nid(&sb), 0x1234);
	assert_int_equal(ishare_primary_blocks(&sb), 7);
}

static void blocks_are_all_there(void **state)
{
	struct ishare_superblock sb = { .blkszbits = 12, .blocks_lo = 3 };

	(void)state;
	assert_false(sb_blocks(&sb, 3 * 4096 - 1));
	assert_true(sb_blocks(&sb, 3 * 4096));
	sb.blocks_lo = 0xffffffff;
	assert_false(sb_blocks(&sb, 0xfffffffeull * 4096));
	assert_true(sb_blocks(&sb, 0xffffffffull * 4096));
}

static void nids_stay_below_bit_63(void **state)
{
	struct ishare_superblock sb = { .feature_incompat = ISHARE_FEATURE_INCOMPAT_METABOX |
							    ISHARE_FEATURE_INCOMPAT_FRAGMENTS };
	struct ishare_superblock_ext ext = { .metabox_nid = ISHARE_NID_LIMIT };

	(void)state;
	sb.packed_nid = ISHARE_NID_LIMIT;
	assert_true(sb_packed_nid(&sb));
	assert_true(sb_metabox_self(&sb, &ext));
	sb.packed_nid++;
	ext.metabox_nid++;
	assert_false(sb_packed_nid(&sb));
	assert_false(sb_metabox_self(&sb, &ext));
	sb.feature_incompat = 0;
	assert_true(sb_packed_nid(&sb));
	assert_true(sb_metabox_self(&sb, &ext));
}

static void prefix_id_is_one_of_the_table(void **state)
{
	struct ishare_superblock sb = { .feature_compat = ISHARE_FEATURE_COMPAT_ISHARE_XATTRS };

	(void)state;
	assert_false(sb_ishare_prefix_id(&sb));
	sb.xattr_prefix_count = 1;
	assert_true(sb_ishare_prefix_id(&sb));
	sb.ishare_xattr_prefix_id = 1;
	assert_false(sb_ishare_prefix_id(&sb));
	sb.xattr_prefix_count = 255;
	sb.ishare_xattr_prefix_id = 254;
	assert_true(sb_ishare_prefix_id(&sb));
	sb.ishare_xattr_prefix_id = 255;
	assert_false(sb_ishare_prefix_id(&sb));
	assert_true(sb_ishare_prefix_id_unused(&sb));
	sb.feature_compat = 0;
	assert_true(sb_ishare_prefix_id(&sb));
	assert_false(sb_ishare_prefix_id_unused(&sb));
	sb.ishare_xattr_prefix_id = 0;
	assert_true(sb_ishare_prefix_id_unused(&sb));
}

static void prefixes_that_entries_can_name(void **state)
{
	struct ishare_superblock sb = { .xattr_prefix_count = 128 };

	(void)state;
	assert_true(sb_prefix_count(&sb));
	sb.xattr_prefix_count = 129;
	assert_false(sb_prefix_count(&sb));
}

static void unknown_features_are_refused_bit_by_bit(void **state)
{
	struct ishare_profile p = { .unknown_compat = 0xffffffc0, .unknown_incompat = 0xfffffe00 };

	(void)state;
	for (uint32_t bit = 0; bit < 32; bit++) {
		struct ishare_superblock sb = { .feature_compat = 1u << bit,
						.feature_incompat = 1u << bit };

		assert_int_equal(sb_feature_compat(&sb, &p), bit < 6);
		assert_int_equal(sb_feature_incompat(&sb, &p), bit < 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_every_byte),
		cmocka_unit_test(decodes_little_endian_fields),
		cmocka_unit_test(size_of_image),
		cmocka_unit_test(block_size_depends_on_page_size),
		cmocka_unit_test(checksum_covers_a_block),
		cmocka_unit_test(checksum_of_what_is_there),
		cmocka_unit_test(extension_slots_fit_page_and_image),
		cmocka_unit_test(root_and_blocks_with_48_bits),
		cmocka_unit_test(blocks_are_all_there),
		cmocka_unit_test(nids_stay_below_bit_63),
		cmocka_unit_test(prefix_id_is_one_of_the_table),
		cmocka_unit_test(prefixes_that_entries_can_name),
		cmocka_unit_test(unknown_features_are_refused_bit_by_bit),
	};

	return report_tests(tests);
}
