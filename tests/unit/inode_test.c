// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* inode.h: decoding at every length, and the rules at their boundaries. */
#include "unit.h"

static void needs_every_byte(void **state)
{
	uint8_t bytes[ISHARE_INODE_EXTENDED_SIZE + 1] = { 0 };
	struct ishare_inode inode;

	(void)state;
	for (uint8_t extended = 0; extended <= 1; extended++) {
		size_t whole = extended ? ISHARE_INODE_EXTENDED_SIZE : ISHARE_INODE_COMPACT_SIZE;

		bytes[0] = extended;
		for (size_t size = 0; size <= sizeof(bytes); size++) {
			struct ishare_view v = guarded(0, bytes, size);

			assert_int_equal(ishare_inode_decode(&v, &inode),
					 size < whole ? ISHARE_SHORT : ISHARE_OK);
		}
		assert_int_equal(inode.isize, whole);
		assert_int_equal(inode.extended, extended);
	}
}

/* Byte i holds i + 1, but for the format: compact, chunk-based. */
static void decodes_compact_fields(void **state)
{
	uint8_t bytes[ISHARE_INODE_COMPACT_SIZE];
	struct ishare_inode inode;
	struct ishare_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	put_le16(bytes, 4 << 1);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_inode_decode(&v, &inode), ISHARE_OK);
	assert_int_equal(inode.format, 8);
	assert_int_equal(inode.data_layout, ISHARE_INODE_CHUNK_BASED);
	assert_int_equal(inode.xattr_icount, 0x0403);
	assert_int_equal(inode.xattr_isize, 12 + 4 * 0x0402);
	assert_int_equal(inode.mode, 0x0605);
	assert_int_equal(inode.nb, 0x0807);
	assert_int_equal(inode.nlink, 0x0807);
	assert_int_equal(inode.size, 0x0c0b0a09);
	assert_int_equal(inode.u, 0x14131211);
}

static void decodes_extended_fields(void **state)
{
	uint8_t bytes[ISHARE_INODE_EXTENDED_SIZE];
	struct ishare_inode inode;
	struct ishare_view v;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	put_le16(bytes, 1 | 2 << 1);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_inode_decode(&v, &inode), ISHARE_OK);
	assert_int_equal(inode.data_layout, ISHARE_INODE_FLAT_INLINE);
	assert_true(inode.size == 0x100f0e0d0c0b0a09);
	assert_int_equal(inode.u, 0x14131211);
	assert_int_equal(inode.nlink, 0x302f2e2d);
	assert_true(inode.start_block == UINT64_C(0x080714131211));
}

/* A block number of all ones, as wide as the inode's form can hold, is a hole. */
static void finds_holes(void **state)
{
	uint8_t bytes[ISHARE_INODE_EXTENDED_SIZE] = { 0 };
	struct ishare_inode inode;
	struct ishare_view v;

	(void)state;
	put_le32(bytes + 16, 0xffffffff);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_inode_decode(&v, &inode), ISHARE_OK);
	assert_true(inode.start_block == ISHARE_NULL_BLOCK);
	bytes[0] = 1;
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_inode_decode(&v, &inode), ISHARE_OK);
	assert_true(inode.start_block == 0xffffffff);
	put_le16(bytes + 6, 0xffff);
	v = guarded(0, bytes, sizeof(bytes));
	assert_int_equal(ishare_inode_decode(&v, &inode), ISHARE_OK);
	assert_true(inode.start_block == ISHARE_NULL_BLOCK);
}

static void offset_ends_at_2_to_63(void **state)
{
	const uint64_t last = (UINT64_C(1) << 58) - 1;
	struct ishare_superblock sb = { .blkszbits = 9, .meta_blkaddr = 3 };
	uint64_t offset = 77;

	(void)state;
	assert_int_equal(ishare_inode_offset(&sb, 5, &offset), ISHARE_OK);
	assert_int_equal(offset, 3 * 512 + 5 * 32);
	offset = 77;
	assert_int_equal(ishare_inode_offset(&sb, last, &offset), ISHARE_MALFORMED);
	assert_int_equal(ishare_inode_offset(&sb, ISHARE_NID_LIMIT, &offset), ISHARE_MALFORMED);
	assert_int_equal(offset, 77);
	assert_int_equal(ishare_inode_offset(&sb, last - 3 * 512 / 32, &offset), ISHARE_OK);
	assert_true(offset == UINT64_C(0x7fffffffffffffe0));
	sb.blkszbits = 16;
	sb.meta_blkaddr = 0xffffffff;
	assert_int_equal(ishare_inode_offset(&sb, 0, &offset), ISHARE_OK);
	assert_true(offset == UINT64_C(0xffffffff0000));
}

static void bounds_do_not_wrap(void **state)
{
	struct ishare_inode inode = { .xattr_icount = 2, .isize = 32, .xattr_isize = 16 };

	(void)state;
	assert_true(inode_bounds(96, 32, 128));
	assert_false(inode_bounds(97, 32, 128));
	assert_false(inode_bounds(UINT64_MAX, 32, UINT64_MAX));
	assert_false(inode_bounds(UINT64_MAX - 30, 32, 128));
	assert_true(inode_xattr_bounds(&inode, 80, 128));
	assert_false(inode_xattr_bounds(&inode, 81, 128));
	assert_false(inode_xattr_bounds(&inode, UINT64_MAX - 10, 128));
	inode.xattr_icount = 0;
	assert_true(inode_xattr_bounds(&inode, UINT64_MAX, 0));
}

static void format_and_layout(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 16; bit++) {
		struct ishare_inode inode = { .format = 1u << bit };

		assert_int_equal(inode_format(&inode), bit < 5);
	}
	for (uint32_t layout = 0; layout < 8; layout++) {
		struct ishare_inode inode = { .data_layout = layout };

		assert_int_equal(inode_layout(&inode), layout <= 4);
		assert_int_equal(ishare_inode_is_compressed(&inode), layout == 1 || layout == 3);
	}
}

static void types(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 16; type++) {
		struct ishare_inode inode = { .mode = type << 12 | 0755 };
		bool known = type == 1 || type == 2 || type == 4 || type == 6 || type == 8 ||
			     type == 10 || type == 12;

		assert_int_equal(inode_mode(&inode), known);
		assert_int_equal(ishare_inode_is_directory(&inode), type == 4);
		assert_int_equal(ishare_inode_is_regular(&inode), type == 8);
		assert_int_equal(inode_internal(&inode), type == 8);
		assert_int_equal(sb_root_inode(&inode), type == 4);
	}
}

static void size_and_icount(void **state)
{
	struct ishare_inode inode = { .size = INT64_MAX };

	(void)state;
	assert_true(inode_size(&inode));
	inode.size++;
	assert_false(inode_size(&inode));
	for (uint32_t icount = 0; icount < 4; icount++) {
		inode.xattr_icount = icount;
		assert_int_equal(inode_xattr_icount(&inode), icount != 1);
	}
}

/*
 * The tail shares the block of the inode's end: 512 - 32 bytes behind an inode at a block's start.
 */
static void inline_tail_stays_in_its_block(void **state)
{
	struct ishare_superblock sb = { .blkszbits = 9 };
	struct ishare_inode inode = {
		.data_layout = ISHARE_INODE_FLAT_INLINE, .mode = 0100644, .isize = 32, .size = 480
	};

	(void)state;
	assert_true(inode_inline_tail(&sb, &inode, 512));
	inode.size = 481;
	assert_false(inode_inline_tail(&sb, &inode, 512));
	inode.size = 512 * 1000 + 480;
	assert_true(inode_inline_tail(&sb, &inode, 512));
	inode.size = 512 * 1000;
	assert_false(inode_inline_tail(&sb, &inode, 512));
	inode.size = 0;
	assert_true(inode_inline_tail(&sb, &inode, 512));
	inode.size = UINT64_MAX;
	assert_false(inode_inline_tail(&sb, &inode, INT64_MAX));
	inode.data_layout = ISHARE_INODE_FLAT_PLAIN;
	assert_true(inode_inline_tail(&sb, &inode, INT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_every_byte),
		cmocka_unit_test(decodes_compact_fields),
		cmocka_unit_test(decodes_extended_fields),
		cmocka_unit_test(finds_holes),
		cmocka_unit_test(offset_ends_at_2_to_63),
		cmocka_unit_test(bounds_do_not_wrap),
		cmocka_unit_test(format_and_layout),
		cmocka_unit_test(types),
		cmocka_unit_test(size_and_icount),
		cmocka_unit_test(inline_tail_stays_in_its_block),
	};

	return report_tests(tests);
}
