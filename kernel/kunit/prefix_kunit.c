// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the table of long xattr name prefixes: which records a mount
 * takes, and what of them is kept.
 */
#include "erofs_test.h"

/* Where the table is */
enum { IN_IMAGE, IN_IMAGE_NOT_PLAIN, IN_PACKED, IN_METABOX };

struct prefix_case {
	const char *desc;
	u8 base_index;
	u16 length; /* as stored: base index and infix */
	int err;
};

static const struct prefix_case prefix_cases[] = {
	{ "hidden name", 0, 21 },
	{ "infix of one byte", 1, 2 },
	{ "no infix", 1, 1 },
	{ "longest infix", 4, 256 },
	{ "one byte too long", 4, 257, -EFSCORRUPTED },
	{ "length of 0, taken as 65536", 1, 0, -EIO },
	{ "unknown base index", 7, 9 },
	{ "base index of a long prefix", 0x81, 9 },
};

KUNIT_ARRAY_PARAM_DESC(prefix, prefix_cases, desc);

static void fill_infix(char *infix, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		infix[i] = 'a' + i % 26;
}

static void expect_prefix(struct kunit *test, struct super_block *sb, unsigned int i, u8 base_index,
			  const char *infix, unsigned int len)
{
	struct erofs_xattr_prefix_item *pf = EROFS_SB(sb)->xattr_prefixes + i;

	KUNIT_EXPECT_EQ(test, base_index, pf->prefix->base_index);
	KUNIT_ASSERT_EQ(test, len, pf->infix_len);
	KUNIT_EXPECT_MEMEQ(test, infix, pf->prefix->infix, len);
}

/* A sound record, the one of the case, and another sound one */
static void prefix_record(struct kunit *test)
{
	const struct prefix_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);
	unsigned int len = c->length ? c->length - 1 : 0;
	struct vfsmount *mnt;
	char infix[256];
	u8 *record;

	fill_infix(infix, len);
	erofs_test_add_prefix(img, 1, "before.", 7);
	record = img->bytes + img->prefix_end;
	erofs_test_add_prefix(img, c->base_index, infix, len);
	*(__le16 *)record = cpu_to_le16(c->length);
	erofs_test_add_prefix(img, 4, "behind.", 7);

	mnt = erofs_test_mount_image(test, img, NULL);
	KUNIT_ASSERT_EQ(test, c->err, PTR_ERR_OR_ZERO(mnt));
	if (IS_ERR(mnt))
		return;
	KUNIT_EXPECT_EQ(test, 3, EROFS_SB(mnt->mnt_sb)->xattr_prefix_count);
	expect_prefix(test, mnt->mnt_sb, 0, 1, "before.", 7);
	expect_prefix(test, mnt->mnt_sb, 1, c->base_index, infix, len);
	expect_prefix(test, mnt->mnt_sb, 2, 4, "behind.", 7);
}

struct place_case {
	const char *desc;
	unsigned int place;
};

static const struct place_case place_cases[] = {
	{ "in the image", IN_IMAGE },
	{ "in the image for want of another place", IN_IMAGE_NOT_PLAIN },
	{ "in the packed inode", IN_PACKED },
	{ "in the metabox", IN_METABOX },
};

KUNIT_ARRAY_PARAM_DESC(place, place_cases, desc);

/* The image's own table would say something else. */
static void move_table(struct erofs_test_image *img, unsigned int place)
{
	static const char record[] = "\x06\x00\x04moved\x02\x00\x01x";
	struct erofs_inode_compact *inode;

	inode = erofs_test_add_file(img, "table", record, sizeof(record) - 1);
	img->sb->feature_compat &= ~cpu_to_le32(EROFS_FEATURE_COMPAT_PLAIN_XATTR_PFX);
	img->sb->xattr_prefix_start = 0;
	if (place == IN_PACKED) {
		img->sb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_FRAGMENTS);
		img->sb->packed_nid = cpu_to_le64(erofs_test_nid(img, inode));
	} else {
		img->sb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_METABOX);
		img->sb->sb_extslots = 1;
		img->sb->metabox_nid = cpu_to_le64(erofs_test_nid(img, inode));
	}
}

static void prefix_place(struct kunit *test)
{
	const struct place_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct super_block *sb;

	erofs_test_add_prefix(img, 1, "image", 5);
	erofs_test_add_prefix(img, 1, "y", 1);
	if (c->place == IN_IMAGE_NOT_PLAIN)
		img->sb->feature_compat &= ~cpu_to_le32(EROFS_FEATURE_COMPAT_PLAIN_XATTR_PFX);
	else if (c->place != IN_IMAGE)
		move_table(img, c->place);

	sb = erofs_test_mount_shared(test, img, NULL)->mnt_sb;
	if (c->place == IN_IMAGE || c->place == IN_IMAGE_NOT_PLAIN) {
		expect_prefix(test, sb, 0, 1, "image", 5);
		expect_prefix(test, sb, 1, 1, "y", 1);
	} else {
		expect_prefix(test, sb, 0, 4, "moved", 5);
		expect_prefix(test, sb, 1, 1, "x", 1);
	}
}

/* Records that begin in one block and end in the next */
static void prefix_across_blocks(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct super_block *sb;
	char infix[255];
	unsigned int i;

	fill_infix(infix, sizeof(infix));
	img->prefix_end = EROFS_TEST_BLKSZ * (EROFS_TEST_DATA + 1) - 100;
	img->sb->xattr_prefix_start = cpu_to_le32(img->prefix_end / 4);
	for (i = 0; i < 3; i++)
		erofs_test_add_prefix(img, i, infix, sizeof(infix));

	sb = erofs_test_mount_shared(test, img, NULL)->mnt_sb;
	for (i = 0; i < 3; i++)
		expect_prefix(test, sb, i, i, infix, sizeof(infix));
}

/* As many as the superblock can count */
static void prefix_most(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct super_block *sb;
	unsigned int i;
	char infix[4];

	for (i = 0; i < U8_MAX; i++)
		erofs_test_add_prefix(img, 1, infix, sprintf(infix, "%u", i));
	sb = erofs_test_mount_shared(test, img, NULL)->mnt_sb;
	for (i = 0; i < U8_MAX; i++)
		expect_prefix(test, sb, i, 1, infix, sprintf(infix, "%u", i));
}

/* The fingerprint's name is used as a string. */
static void prefix_fingerprint_name_ends(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_xattr_prefix_item *pf;
	char infix[255];

	fill_infix(infix, sizeof(infix));
	erofs_test_add_prefix(img, 0, infix, 7);
	erofs_test_add_prefix(img, 0, infix, sizeof(infix));
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	img->sb->ishare_xattr_prefix_id = 1;

	pf = EROFS_SB(erofs_test_mount_shared(test, img, NULL)->mnt_sb)->xattr_prefixes;
	KUNIT_EXPECT_EQ(test, 7, pf[0].infix_len);
	KUNIT_EXPECT_EQ(test, sizeof(infix), strlen(pf[1].prefix->infix));
}

static struct kunit_case prefix_test_cases[] = {
	KUNIT_CASE_PARAM(prefix_record, prefix_gen_params),
	KUNIT_CASE_PARAM(prefix_place, place_gen_params),
	KUNIT_CASE(prefix_across_blocks),
	KUNIT_CASE(prefix_most),
	KUNIT_CASE(prefix_fingerprint_name_ends),
	{},
};

static struct kunit_suite prefix_test_suite = {
	.name = "erofs_xattr_prefix",
	.suite_init = erofs_test_suite_init,
	.suite_exit = erofs_test_suite_exit,
	.test_cases = prefix_test_cases,
};

kunit_test_suite(prefix_test_suite);

MODULE_DESCRIPTION("KUnit tests of EROFS long xattr name prefixes");
MODULE_LICENSE("GPL");
