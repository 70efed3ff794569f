// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the EROFS superblock: what a mount refuses and with which
 * error, what it takes over, and the options that concern page cache sharing.
 */
#include <linux/statfs.h>
#include "erofs_test.h"

#define AT(field) offsetof(struct erofs_super_block, field)
/* Slots follow the 128 bytes that every superblock has. */
#define SLOTS_IN_4K ((SZ_4K - EROFS_SUPER_OFFSET - 128) / EROFS_SB_EXTSLOT_SIZE)

struct super_case {
	const char *desc;
	unsigned int offset, size;
	u64 value;
	int err;
	bool keep_checksum;
};

static const struct super_case super_cases[] = {
	{ "nothing changed", AT(inos), 8, 7 },
	{ "magic off by one", AT(magic), 4, EROFS_SUPER_MAGIC_V1 + 1, -EINVAL },
	{ "magic of zero", AT(magic), 4, 0, -EINVAL },
	{ "blocks of 256 bytes", AT(blkszbits), 1, 8, -EINVAL },
	{ "blocks larger than a page", AT(blkszbits), 1, PAGE_SHIFT + 1, -EINVAL },
	{ "block bits that shift beyond 32", AT(blkszbits), 1, 32, -EINVAL },
	{ "block bits of 255", AT(blkszbits), 1, 255, -EINVAL },
	{ "directory blocks of two blocks", AT(dirblkbits), 1, 1, -EINVAL },
	{ "checksum of another image", AT(checksum), 4, 0, -EBADMSG, true },
	{ "checksum without the feature", AT(feature_compat), 4, 0, 0, true },
	{ "unknown compatible feature", AT(feature_compat), 4,
	  0x80000000 | EROFS_FEATURE_COMPAT_SB_CHKSUM },
	{ "first unknown incompatible feature", AT(feature_incompat), 4,
	  EROFS_ALL_FEATURE_INCOMPAT + 1, -EINVAL },
	{ "last unknown incompatible feature", AT(feature_incompat), 4, 0x80000000, -EINVAL },
	{ "extension slots up to the end of a page of 4 KiB", AT(sb_extslots), 1, SLOTS_IN_4K },
	{ "one extension slot more", AT(sb_extslots), 1, SLOTS_IN_4K + 1,
	  PAGE_SHIFT == 12 ? -EINVAL : 0 },
	{ "metabox without its slot", AT(feature_incompat), 4, EROFS_FEATURE_INCOMPAT_METABOX,
	  -EFSCORRUPTED },
	{ "fingerprints without prefixes", AT(feature_compat), 4,
	  EROFS_FEATURE_COMPAT_SB_CHKSUM | EROFS_FEATURE_COMPAT_ISHARE_XATTRS, -EFSCORRUPTED },
	{ "fingerprint prefix unused", AT(ishare_xattr_prefix_id), 1, 255 },
	{ "root that is no inode", AT(rb.rootnid_2b), 2, 16, -EFSCORRUPTED },
	{ "root behind the image", AT(rb.rootnid_2b), 2, 0xffff, -EIO },
	{ "prefixes where there are none", AT(xattr_prefix_count), 1, 1, -EIO },
	{ "device slots behind the image", AT(extra_devices), 2, 1 },
	{ "reserved bytes", AT(reserved), 2, 0xffff },
	{ "filter in another form", AT(xattr_filter_reserved), 1, 1 },
};

static void put_le(u8 *p, unsigned int size, u64 value)
{
	while (size--) {
		*p++ = value;
		value >>= 8;
	}
}

static void super_mount(struct kunit *test)
{
	const struct super_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);

	put_le((u8 *)img->sb + c->offset, c->size, c->value);
	img->keep_checksum = c->keep_checksum;
	KUNIT_EXPECT_EQ(test, c->err, PTR_ERR_OR_ZERO(erofs_test_mount_image(test, img, NULL)));
}

KUNIT_ARRAY_PARAM_DESC(super, super_cases, desc);

/* What a mount takes over from the superblock */
static void super_fields(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_super_block *dsb = img->sb;
	struct erofs_sb_info *sbi;
	struct super_block *sb;
	struct kstatfs st = {};

	dsb->inos = cpu_to_le64(0x123456789);
	dsb->epoch = cpu_to_le64(-5);
	dsb->fixed_nsec = cpu_to_le32(999);
	memset(dsb->uuid, 0xa5, sizeof(dsb->uuid));
	memcpy(dsb->volume_name, "sixteen bytes...", 16);
	dsb->packed_nid = cpu_to_le64(0x4321);
	erofs_test_add_prefix(img, 1, "p.", 2);
	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	dsb->ishare_xattr_prefix_id = 1;
	dsb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);

	sb = erofs_test_mount_shared(test, img, NULL)->mnt_sb;
	sbi = EROFS_SB(sb);
	KUNIT_EXPECT_EQ(test, EROFS_TEST_BLKSZ, sb->s_blocksize);
	KUNIT_EXPECT_EQ(test, EROFS_TEST_BLKBITS, sbi->blkszbits);
	KUNIT_EXPECT_EQ(test, 0, sbi->root_nid);
	KUNIT_EXPECT_EQ(test, 0x123456789, sbi->inos);
	KUNIT_EXPECT_EQ(test, -5, sbi->epoch);
	KUNIT_EXPECT_EQ(test, 999, sbi->fixed_nsec);
	KUNIT_EXPECT_EQ(test, EROFS_TEST_BLOCKS, sbi->total_blocks);
	KUNIT_EXPECT_EQ(test, EROFS_TEST_INODES, sbi->meta_blkaddr);
	KUNIT_EXPECT_EQ(test, EROFS_TEST_SHARED, sbi->xattr_blkaddr);
	KUNIT_EXPECT_EQ(test, 0x4321, sbi->packed_nid);
	KUNIT_EXPECT_EQ(test, 2, sbi->xattr_prefix_count);
	KUNIT_EXPECT_EQ(test, 1, sbi->ishare_xattr_prefix_id);
	KUNIT_EXPECT_MEMEQ(test, dsb->uuid, sb->s_uuid.b, sizeof(dsb->uuid));
	/* not terminated on disk */
	KUNIT_EXPECT_STREQ(test, "sixteen bytes...", sbi->volume_name);
	KUNIT_EXPECT_PTR_EQ(test, NULL, sbi->packed_inode);
	KUNIT_EXPECT_EQ(test, 0, sb->s_op->statfs(sb->s_root, &st));
	KUNIT_EXPECT_EQ(test, EROFS_TEST_BLOCKS, st.f_blocks);
}

/* Without the feature, the fingerprint's prefix does not count. */
static void super_ignores_unused_prefix_id(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct super_block *sb;

	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	img->sb->ishare_xattr_prefix_id = 1;
	sb = erofs_test_mount_shared(test, img, NULL)->mnt_sb;
	KUNIT_EXPECT_EQ(test, 0, EROFS_SB(sb)->ishare_xattr_prefix_id);
}

struct wide_case {
	const char *desc;
	u64 rootnid_8b;
	u16 rb; /* nid of the root, or bits 32 to 47 of the blocks */
	bool _48bit;
	u64 nid, blocks;
};

static const struct wide_case wide_cases[] = {
	{ "root in 2 bytes", 0, 3, false, 3, EROFS_TEST_BLOCKS },
	{ "8 bytes without the feature", 3, 0, false, 0, EROFS_TEST_BLOCKS },
	{ "root in 8 bytes", 3, 2, true, 3, EROFS_TEST_BLOCKS | 2ULL << 32 },
	{ "feature with a root in 2 bytes", 0, 3, true, 3, EROFS_TEST_BLOCKS },
};

KUNIT_ARRAY_PARAM_DESC(wide, wide_cases, desc);

static void super_root_and_blocks(struct kunit *test)
{
	const struct wide_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_super_block *dsb = img->sb;
	u32 root_size = 2 * sizeof(struct erofs_dirent) + strlen(".") + strlen("..");
	struct erofs_sb_info *sbi;

	/* a second root directory at nid 3 */
	memcpy(img->root + 3, img->root, sizeof(*img->root));
	img->root[3].i_size = cpu_to_le32(root_size);
	dsb->rb.rootnid_2b = cpu_to_le16(c->rb);
	dsb->rootnid_8b = cpu_to_le64(c->rootnid_8b);
	if (c->_48bit)
		dsb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_48BIT);

	sbi = EROFS_SB(erofs_test_mount_shared(test, img, NULL)->mnt_sb);
	KUNIT_EXPECT_EQ(test, c->nid, sbi->root_nid);
	KUNIT_EXPECT_EQ(test, c->blocks, sbi->total_blocks);
}

struct metabox_case {
	const char *desc;
	u8 slots;
	u64 nid;
	int err;
};

static const struct metabox_case metabox_cases[] = {
	{ "in the image", 1, 1 },
	{ "without its slot", 0, 1, -EFSCORRUPTED },
	{ "in itself", 1, BIT_ULL(63) | 1, -EFSCORRUPTED },
	{ "behind the image", 1, 1 << 20, -EIO },
};

KUNIT_ARRAY_PARAM_DESC(metabox, metabox_cases, desc);

static void super_metabox(struct kunit *test)
{
	const struct metabox_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);

	erofs_test_add_file(img, "metabox", "", 0);
	img->sb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_METABOX);
	img->sb->sb_extslots = c->slots;
	img->sb->metabox_nid = cpu_to_le64(c->nid);
	KUNIT_EXPECT_EQ(test, c->err, PTR_ERR_OR_ZERO(erofs_test_mount_image(test, img, NULL)));
}

/* Options of a mount; not tested here: options of a remount. */
struct option_case {
	const char *desc;
	struct erofs_test_options opts;
	bool feature; /* has the image fingerprints? */
	int err;
	bool sharing;
};

static const struct option_case option_cases[] = {
	{ "none", {}, true },
	{ "domain alone", { .domain_id = "d" }, true },
	{ "inode_share without a domain", { .inode_share = true }, true, -EINVAL },
	{ "both", { .inode_share = true, .domain_id = "d" }, true, 0, true },
	{ "empty domain", { .inode_share = true, .domain_id = "" }, true, -EINVAL },
	{ "image without fingerprints", { .inode_share = true, .domain_id = "d" } },
	{ "inode_share without either", { .inode_share = true }, false, -EINVAL },
	{ "with DAX", { .inode_share = true, .domain_id = "d", .other = "dax" }, true, -EINVAL },
	{ "unknown option", { .other = "inode_shared" }, true, -EINVAL },
	{ "option given a no", { .other = "noinode_share" }, true, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(option, option_cases, desc);

static void super_options(struct kunit *test)
{
	const struct option_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_sb_info *sbi;
	struct vfsmount *mnt;

	/* The option parser would refuse it, whatever else is set. */
	if (!IS_ENABLED(CONFIG_FS_DAX) && c->opts.other && !strcmp(c->opts.other, "dax"))
		kunit_skip(test, "needs FS_DAX");
	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	if (c->feature)
		img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	mnt = erofs_test_mount_image(test, img, &c->opts);
	KUNIT_ASSERT_EQ(test, c->err, PTR_ERR_OR_ZERO(mnt));
	if (IS_ERR(mnt))
		return;
	sbi = EROFS_SB(mnt->mnt_sb);
	KUNIT_EXPECT_EQ(test, c->sharing, !!test_opt(&sbi->opt, INODE_SHARE));
}

static struct kunit_case super_test_cases[] = {
	KUNIT_CASE_PARAM(super_mount, super_gen_params),
	KUNIT_CASE(super_fields),
	KUNIT_CASE(super_ignores_unused_prefix_id),
	KUNIT_CASE_PARAM(super_root_and_blocks, wide_gen_params),
	KUNIT_CASE_PARAM(super_metabox, metabox_gen_params),
	KUNIT_CASE_PARAM(super_options, option_gen_params),
	{},
};

static struct kunit_suite super_test_suite = {
	.name = "erofs_super",
	.suite_init = erofs_test_suite_init,
	.suite_exit = erofs_test_suite_exit,
	.test_cases = super_test_cases,
};

kunit_test_suite(super_test_suite);

MODULE_DESCRIPTION("KUnit tests of the EROFS superblock");
MODULE_LICENSE("GPL");
