// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of EROFS extended attributes: how names are put together and
 * found, where values lie, what the name filter hides, and what becomes of
 * broken areas.
 */
#include <linux/namei.h>
#include "erofs_test.h"

enum { PREFIX_HIDDEN, PREFIX_USER, PREFIX_TRUSTED, PREFIX_EMPTY };

/* File "a" has an xattr of each kind. */
static struct erofs_test_image *image_of_all_kinds(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_inode_compact *a;
	u32 shared[3];

	erofs_test_add_prefix(img, 0, "hidden.", 7);
	erofs_test_add_prefix(img, EROFS_XATTR_INDEX_USER, "overlay.", 8);
	erofs_test_add_prefix(img, EROFS_XATTR_INDEX_TRUSTED, "overlay.", 8);
	erofs_test_add_prefix(img, EROFS_XATTR_INDEX_USER, "", 0);
	shared[0] = erofs_test_add_shared(img, EROFS_XATTR_INDEX_USER, "shared", "in common", 9);
	shared[1] = erofs_test_add_shared(img, EROFS_XATTR_INDEX_USER, "twice", "second", 6);
	shared[2] = erofs_test_add_shared(img, 0x80 | PREFIX_USER, "origin", "second", 6);

	a = erofs_test_add_file(img, "a", "", 0);
	erofs_test_add_ibody(img, a, shared, ARRAY_SIZE(shared));
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_USER, "own", 3, "x", 1);
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_USER, "empty", 5, "", 0);
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_USER, "twice", 5, "first", 5);
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_USER, "overlay.origin", 14, "first", 5);
	erofs_test_add_xattr(img, a, 0x80 | PREFIX_USER, "metacopy", 8, "m", 1);
	erofs_test_add_xattr(img, a, 0x80 | PREFIX_USER, "", 0, "bare", 4);
	erofs_test_add_xattr(img, a, 0x80 | PREFIX_TRUSTED, "opaque", 6, "y", 1);
	erofs_test_add_xattr(img, a, 0x80 | PREFIX_EMPTY, "plain", 5, "p", 1);
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_SECURITY, "selinux", 7, "label", 5);
	erofs_test_add_xattr(img, a, 0x80 | PREFIX_HIDDEN, "name", 4, "h", 1);
	erofs_test_add_xattr(img, a, 0, "whole", 5, "h", 1);
	erofs_test_add_xattr(img, a, 0xff, "no such prefix", 14, "?", 1);
	return img;
}

struct lookup_case {
	const char *name;
	const char *value; /* NULL: not there */
};

static const struct lookup_case lookup_cases[] = {
	{ "user.own", "x" },
	{ "user.empty", "" },
	{ "user.shared", "in common" },
	{ "user.twice", "first" },
	{ "user.overlay.origin", "first" },
	{ "user.overlay.metacopy", "m" },
	{ "user.overlay.", "bare" },
	{ "trusted.overlay.opaque", "y" },
	{ "user.plain", "p" },
	{ "security.selinux", "label" },
	{ "user.overlay.opaque" },
	{ "trusted.overlay.metacopy" },
	{ "trusted.own" },
	{ "user.ow" },
	{ "user.own2" },
	{ "user.overlay" },
	{ "user.name" },
	{ "user.hidden.name" },
	{ "user.whole" },
	{ "user.no such prefix" },
};

KUNIT_ARRAY_PARAM_DESC(lookup, lookup_cases, name);

static ssize_t get(struct dentry *dentry, const char *name, void *buf, size_t size)
{
	return __vfs_getxattr(dentry, d_inode(dentry), name, buf, size);
}

static void xattr_lookup(struct kunit *test)
{
	const struct lookup_case *c = test->param_value;
	struct erofs_test_image *img = image_of_all_kinds(test);
	struct dentry *a;
	char buf[16];
	ssize_t len;

	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, NULL), "a");
	if (!c->value) {
		KUNIT_EXPECT_EQ(test, -ENODATA, get(a, c->name, NULL, 0));
		return;
	}
	len = strlen(c->value);
	KUNIT_EXPECT_EQ(test, len, get(a, c->name, NULL, 0));
	KUNIT_ASSERT_EQ(test, len, get(a, c->name, buf, sizeof(buf)));
	KUNIT_EXPECT_MEMEQ(test, c->value, buf, len);
	if (len > 1)
		KUNIT_EXPECT_EQ(test, -ERANGE, get(a, c->name, buf, len - 1));
}

/*
 * Hidden names are not listed, nor those with a prefix that is not there;
 * those that are there twice are listed twice.
 */
static void xattr_list(struct kunit *test)
{
	static const char names[] = "user.own\0user.empty\0user.twice\0user.overlay.origin\0"
				    "user.overlay.metacopy\0user.overlay.\0"
				    "trusted.overlay.opaque\0user.plain\0security.selinux\0"
				    "user.shared\0user.twice\0user.overlay.origin";
	struct erofs_test_image *img = image_of_all_kinds(test);
	char buf[sizeof(names) + 1];
	struct dentry *a;

	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, NULL), "a");
	KUNIT_EXPECT_EQ(test, sizeof(names), erofs_listxattr(a, NULL, 0));
	KUNIT_ASSERT_EQ(test, sizeof(names), erofs_listxattr(a, buf, sizeof(buf)));
	KUNIT_EXPECT_MEMEQ(test, names, buf, sizeof(names));
	KUNIT_EXPECT_EQ(test, -ERANGE, erofs_listxattr(a, buf, sizeof(names) - 1));
}

static void xattr_without_user_xattr(struct kunit *test)
{
	static const struct erofs_test_options opts = { .other = "nouser_xattr" };
	struct erofs_test_image *img = image_of_all_kinds(test);
	struct vfsmount *mnt = erofs_test_mount_image(test, img, &opts);
	struct dentry *a;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	a = erofs_test_lookup(test, mnt, "a");
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, get(a, "user.own", NULL, 0));
	KUNIT_EXPECT_EQ(test, 5, get(a, "security.selinux", NULL, 0));
}

/* The longest name and a value longer than a block, so across blocks */
static void xattr_across_blocks(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	unsigned int size = EROFS_TEST_BLKSZ - 100;
	u8 *value = kunit_kzalloc(test, size, GFP_KERNEL);
	char name[XATTR_USER_PREFIX_LEN + 257] = XATTR_USER_PREFIX;
	char *buf = kunit_kzalloc(test, size, GFP_KERNEL);
	struct dentry *a;
	u32 shared[2];

	KUNIT_ASSERT_NOT_NULL(test, value);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(value, 0x5a, size);
	value[0] = 1;
	value[size - 1] = 2;
	memset(name + XATTR_USER_PREFIX_LEN, 'n', 255);
	shared[0] = erofs_test_add_shared(img, EROFS_XATTR_INDEX_USER, "long", value, size);
	shared[1] = erofs_test_add_shared(img, EROFS_XATTR_INDEX_USER, name + XATTR_USER_PREFIX_LEN,
					  "v", 1);
	erofs_test_add_ibody(img, erofs_test_add_file(img, "a", "", 0), shared, ARRAY_SIZE(shared));

	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, NULL), "a");
	KUNIT_ASSERT_EQ(test, size, get(a, "user.long", buf, size));
	KUNIT_EXPECT_MEMEQ(test, value, buf, size);
	KUNIT_EXPECT_EQ(test, 1, get(a, name, buf, size));
	KUNIT_EXPECT_EQ(test, 'v', buf[0]);
	name[XATTR_USER_PREFIX_LEN + 255] = 'n';
	KUNIT_EXPECT_EQ(test, -ERANGE, get(a, name, buf, size));
}

/*
 * The bits are XXH32 of the name without its namespace, the seed plus the base
 * index, modulo 32; they were computed with another implementation.
 */
struct filter_case {
	const char *name;
	unsigned int bit;
};

static const struct filter_case filter_cases[] = {
	{ "user.own", 25 },	      { "user.shared", 27 },
	{ "user.overlay.origin", 6 }, { "trusted.overlay.opaque", 20 },
	{ "security.selinux", 11 },
};

KUNIT_ARRAY_PARAM_DESC(filter, filter_cases, name);

static ssize_t get_filtered(struct kunit *test, u32 filter, u32 features, u8 reserved,
			    const char *name)
{
	struct erofs_test_image *img = image_of_all_kinds(test);
	struct erofs_xattr_ibody_header *ih = (void *)(img->files[0] + 1);
	struct dentry *a;

	img->sb->feature_compat |= cpu_to_le32(features);
	img->sb->xattr_filter_reserved = reserved;
	ih->h_name_filter = cpu_to_le32(filter);
	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, NULL), "a");
	/* a list of names does without the filter */
	KUNIT_EXPECT_GT(test, erofs_listxattr(a, NULL, 0), 0);
	return get(a, name, NULL, 0);
}

static void xattr_filter(struct kunit *test)
{
	const struct filter_case *c = test->param_value;
	u32 bit = BIT(c->bit), on = EROFS_FEATURE_COMPAT_XATTR_FILTER;

	KUNIT_EXPECT_EQ(test, -ENODATA, get_filtered(test, bit, on, 0, c->name));
	KUNIT_EXPECT_GT(test, get_filtered(test, ~bit, on, 0, c->name), 0);
	/* another form of filter, and no filter at all */
	KUNIT_EXPECT_GT(test, get_filtered(test, ~0, on, 1, c->name), 0);
	KUNIT_EXPECT_GT(test, get_filtered(test, ~0, 0, 0, c->name), 0);
}

/* Broken areas: file "a" has user.first and user.last inline. */
struct area {
	struct erofs_inode_compact *inode;
	struct erofs_xattr_ibody_header *ih;
	struct erofs_xattr_entry *first, *last;
};

struct area_case {
	const char *desc;
	void (*damage)(struct area *area);
	int first, last, list; /* length, or error */
	bool debug_stops; /* with EROFS_FS_DEBUG */
};

#define FIRST 4
#define LAST 8
#define LIST_FIRST 11 /* user.first and its terminator */
#define LIST_LAST 10

static void change_nothing(struct area *area)
{
}

static void no_area(struct area *area)
{
	area->inode->i_xattr_icount = 0;
}

static void header_only(struct area *area)
{
	area->inode->i_xattr_icount = cpu_to_le16(1);
}

static void ids_to_the_end(struct area *area)
{
	unsigned int ids = le16_to_cpu(area->inode->i_xattr_icount) - 1;

	area->ih->h_shared_count = ids;
	memset(area->ih->h_shared_xattrs, 0, ids * sizeof(u32));
}

static void an_id_too_many(struct area *area)
{
	area->ih->h_shared_count = le16_to_cpu(area->inode->i_xattr_icount);
}

static void id_behind_image(struct area *area)
{
	/* four times this is 2^32; the last entry follows */
	area->ih->h_shared_count = 1;
	area->ih->h_shared_xattrs[0] = cpu_to_le32(0x40000000);
	memmove(area->ih->h_shared_xattrs + 1, area->last, erofs_xattr_entry_size(area->last));
	area->inode->i_xattr_icount = cpu_to_le16(2 + (4 + 4 + LAST) / 4);
}

static void value_beyond(struct area *area)
{
	le16_add_cpu(&area->last->e_value_size, 4);
}

static void first_beyond(struct area *area)
{
	area->first->e_value_size = cpu_to_le16(0xffff);
}

static void fill_between(struct area *area)
{
	memset(area->first, 0, (void *)area->last - (void *)area->first);
}

static const struct area_case area_cases[] = {
	{ "nothing damaged", change_nothing, FIRST, LAST, LIST_FIRST + LIST_LAST },
	{ "no area", no_area, -ENODATA, -ENODATA, 0 },
	{ "only a header", header_only, -EOPNOTSUPP, -EOPNOTSUPP, -EOPNOTSUPP },
	{ "only shared ids", ids_to_the_end, -ENODATA, -ENODATA, 0 },
	{ "one id too many", an_id_too_many, -EFSCORRUPTED, -EFSCORRUPTED, -EFSCORRUPTED },
	{ "id behind the image", id_behind_image, -EIO, LAST, -EIO },
	{ "last value beyond the area", value_beyond, FIRST, -EFSCORRUPTED, -EFSCORRUPTED, true },
	{ "first value beyond the area", first_beyond, -EFSCORRUPTED, -EFSCORRUPTED, -EFSCORRUPTED,
	  true },
	{ "fill before the last", fill_between, -ENODATA, LAST, LIST_LAST },
};

KUNIT_ARRAY_PARAM_DESC(area, area_cases, desc);

static void xattr_area(struct kunit *test)
{
	const struct area_case *c = test->param_value;
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct area area;
	struct dentry *a;

	if (IS_ENABLED(CONFIG_EROFS_FS_DEBUG) && c->debug_stops)
		kunit_skip(test, "EROFS_FS_DEBUG stops the kernel here");
	area.inode = erofs_test_add_file(img, "a", "", 0);
	area.ih = erofs_test_add_ibody(img, area.inode, NULL, 0);
	area.first = erofs_test_add_xattr(img, area.inode, EROFS_XATTR_INDEX_USER, "first", 5,
					  "1234", FIRST);
	area.last = erofs_test_add_xattr(img, area.inode, EROFS_XATTR_INDEX_USER, "last", 4,
					 "12345678", LAST);
	c->damage(&area);

	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, NULL), "a");
	KUNIT_EXPECT_EQ(test, c->first, get(a, "user.first", NULL, 0));
	KUNIT_EXPECT_EQ(test, c->last, get(a, "user.last", NULL, 0));
	KUNIT_EXPECT_EQ(test, c->list, erofs_listxattr(a, NULL, 0));
}

/*
 * An inode in the metabox whose shared xattrs are in the image, both in page 0.
 * The metabox here is the block of inodes: its nids are those of the image.
 * Kernels that keep the page when erofs_init_metabuf() changes the mapping take
 * the one page for the other, and do not find the shared xattr.
 */
static void xattr_shared_outside_metabox(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	const struct xattr_handler *user = erofs_xattr_handlers[0];
	struct erofs_inode_compact *a, *metabox;
	u32 id = 3000 / 4;
	struct inode *inode;

	img->sb->xattr_blkaddr = 0;
	memcpy(img->bytes + 4 * id, "\x06\x01\x01\x00shareds", 11);
	a = erofs_test_add_file(img, "a", "", 0);
	erofs_test_add_ibody(img, a, &id, 1);
	erofs_test_add_xattr(img, a, EROFS_XATTR_INDEX_USER, "own", 3, "own", 3);
	metabox = erofs_test_add_file(img, "metabox", NULL, EROFS_TEST_BLKSZ);
	metabox->i_u.startblk_lo = cpu_to_le32(EROFS_TEST_INODES);
	img->sb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_METABOX);
	img->sb->sb_extslots = 1;
	img->sb->metabox_nid = cpu_to_le64(erofs_test_nid(img, metabox));

	inode = erofs_iget(erofs_test_mount_shared(test, img, NULL)->mnt_sb,
			   BIT_ULL(63) | erofs_test_nid(img, a));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inode);
	KUNIT_EXPECT_EQ(test, 3, user->get(user, NULL, inode, "own", NULL, 0));
	KUNIT_EXPECT_EQ(test, 1, user->get(user, NULL, inode, "shared", NULL, 0));
	iput(inode);
}

static struct kunit_case xattr_test_cases[] = {
	KUNIT_CASE_PARAM(xattr_lookup, lookup_gen_params),
	KUNIT_CASE(xattr_list),
	KUNIT_CASE(xattr_without_user_xattr),
	KUNIT_CASE(xattr_across_blocks),
	KUNIT_CASE_PARAM(xattr_filter, filter_gen_params),
	KUNIT_CASE_PARAM(xattr_area, area_gen_params),
	KUNIT_CASE(xattr_shared_outside_metabox),
	{},
};

static struct kunit_suite xattr_test_suite = {
	.name = "erofs_xattr",
	.suite_init = erofs_test_suite_init,
	.suite_exit = erofs_test_suite_exit,
	.test_cases = xattr_test_cases,
};

kunit_test_suite(xattr_test_suite);

MODULE_DESCRIPTION("KUnit tests of EROFS extended attributes");
MODULE_LICENSE("GPL");
