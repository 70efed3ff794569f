// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of EROFS fingerprints: the xattrs that are taken for one, and the
 * key that a domain and a fingerprint make.
 */
#include "erofs_test.h"

#define NAME "fingerprint"
#define VALUE "sha256:0123456789abcdef"

/* An image with two prefixes: 0 the beginning of the name, 1 the whole name */
static struct erofs_test_image *image_with_feature(struct kunit *test, u8 base_index)
{
	struct erofs_test_image *img = erofs_test_image_new(test);

	erofs_test_add_prefix(img, base_index, "finger", 6);
	img->sb->ishare_xattr_prefix_id =
		erofs_test_add_prefix(img, base_index, NAME, strlen(NAME));
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	return img;
}

/* The key of file "a", in the domain of its mount */
static int fill(struct kunit *test, struct vfsmount *mnt, struct erofs_inode_fingerprint *fp)
{
	struct dentry *a = erofs_test_lookup(test, mnt, "a");
	const char *domain = EROFS_SB(mnt->mnt_sb)->domain_id ?: "";

	return erofs_xattr_fill_inode_fingerprint(fp, d_inode(a), domain);
}

static void expect_key(struct kunit *test, struct vfsmount *mnt, const char *domain,
		       const void *value, unsigned int len)
{
	unsigned int domain_len = strlen(domain) + 1;
	struct erofs_inode_fingerprint fp;

	KUNIT_ASSERT_EQ(test, 0, fill(test, mnt, &fp));
	KUNIT_EXPECT_EQ(test, domain_len + len, fp.size);
	if (fp.size == domain_len + len) {
		KUNIT_EXPECT_MEMEQ(test, domain, fp.opaque, domain_len);
		KUNIT_EXPECT_MEMEQ(test, value, fp.opaque + domain_len, len);
	}
	kfree(fp.opaque);
}

/* However its name is cut, the xattr is the fingerprint. */
struct encoding_case {
	const char *desc;
	u8 base_index;
	u8 name_index;
	const char *name;
	bool found;
};

static const struct encoding_case encoding_cases[] = {
	{ "the prefix alone", 0, 0x81, "", true },
	{ "a shorter prefix and a rest", 0, 0x80, "print", true },
	{ "no prefix", 0, 0, NAME, true },
	{ "user: the prefix alone", 1, 0x81, "", true },
	{ "user: a shorter prefix and a rest", 1, 0x80, "print", true },
	{ "user: no prefix", 1, 1, NAME, true },
	{ "unknown base index", 9, 0x81, "", true },
	{ "another base index", 0, 1, NAME, false },
	{ "more than the prefix", 0, 0x81, "2", false },
	{ "less than the name", 0, 0x80, "prin", false },
	{ "a prefix that is not there", 0, 0x82, "", false },
};

KUNIT_ARRAY_PARAM_DESC(encoding, encoding_cases, desc);

static void fingerprint_encoding(struct kunit *test)
{
	const struct encoding_case *c = test->param_value;
	struct erofs_test_image *img = image_with_feature(test, c->base_index);
	struct erofs_inode_compact *a = erofs_test_add_file(img, "a", "", 0);
	struct erofs_inode_fingerprint fp;
	struct vfsmount *mnt;

	erofs_test_add_ibody(img, a, NULL, 0);
	erofs_test_add_xattr(img, a, c->name_index, c->name, strlen(c->name), VALUE, strlen(VALUE));
	mnt = erofs_test_mount_shared(test, img, "domain");
	if (c->found)
		expect_key(test, mnt, "domain", VALUE, strlen(VALUE));
	else
		KUNIT_EXPECT_EQ(test, -EFSCORRUPTED, fill(test, mnt, &fp));
}

/* Values of 1 byte up to a block, of whatever bytes, shared or inline */
struct size_case {
	const char *desc;
	unsigned int size;
	int err;
};

static const struct size_case size_cases[] = {
	{ "no byte", 0, -EFSCORRUPTED },
	{ "one byte", 1 },
	{ "as mkfs.erofs writes it", 39 },
	{ "one less than a block", EROFS_TEST_BLKSZ - 1 },
	{ "a block", EROFS_TEST_BLKSZ },
	{ "one more than a block", EROFS_TEST_BLKSZ + 1, -EFSCORRUPTED },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, desc);

static void fingerprint_size(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct erofs_test_image *img = image_with_feature(test, 0);
	struct erofs_inode_fingerprint fp;
	struct vfsmount *mnt;
	unsigned int i;
	u8 *value;
	u32 id;

	value = kunit_kmalloc(test, EROFS_TEST_BLKSZ + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, value);
	for (i = 0; i <= EROFS_TEST_BLKSZ; i++)
		value[i] = i % 251; /* NUL first */
	id = erofs_test_add_shared(img, 0x81, "", value, c->size);
	erofs_test_add_ibody(img, erofs_test_add_file(img, "a", "", 0), &id, 1);
	mnt = erofs_test_mount_shared(test, img, "domain");
	if (c->err)
		KUNIT_EXPECT_EQ(test, c->err, fill(test, mnt, &fp));
	else
		expect_key(test, mnt, "domain", value, c->size);
}

/* The first counts: inline before shared, in their order. */
static void fingerprint_first_counts(struct kunit *test)
{
	struct erofs_test_image *img = image_with_feature(test, 0);
	struct erofs_inode_compact *a;
	u32 id;

	id = erofs_test_add_shared(img, 0x81, "", "shared", 6);
	a = erofs_test_add_file(img, "a", "", 0);
	erofs_test_add_ibody(img, a, &id, 1);
	erofs_test_add_xattr(img, a, 0x80, "print", 5, "first", 5);
	erofs_test_add_xattr(img, a, 0x81, "", 0, "second", 6);
	expect_key(test, erofs_test_mount_shared(test, img, "domain"), "domain", "first", 5);
}

/* A file without one */
static void fingerprint_none(struct kunit *test)
{
	struct erofs_test_image *img = image_with_feature(test, 0);
	struct erofs_inode_fingerprint fp;

	erofs_test_add_file(img, "a", "", 0);
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED,
			fill(test, erofs_test_mount_shared(test, img, "d"), &fp));
}

static void fingerprint_filtered(struct kunit *test)
{
	struct erofs_test_image *img = image_with_feature(test, 0);
	struct erofs_inode_compact *a = erofs_test_add_file(img, "a", "", 0);
	struct erofs_xattr_ibody_header *ih;
	struct erofs_inode_fingerprint fp;
	u32 bit = BIT(2); /* XXH32 of the name, modulo 32 */

	ih = erofs_test_add_ibody(img, a, NULL, 0);
	erofs_test_add_xattr(img, a, 0x81, "", 0, VALUE, strlen(VALUE));
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_XATTR_FILTER);
	ih->h_name_filter = cpu_to_le32(~bit);
	expect_key(test, erofs_test_mount_shared(test, img, "d"), "d", VALUE, strlen(VALUE));
	ih->h_name_filter = cpu_to_le32(bit);
	KUNIT_EXPECT_EQ(test, -EFSCORRUPTED,
			fill(test, erofs_test_mount_shared(test, img, "d"), &fp));
}

/* The name ends at the first NUL of the infix. */
static void fingerprint_name_with_nul(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_inode_compact *a;

	erofs_test_add_prefix(img, 0, "finger\0print", 12);
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	a = erofs_test_add_file(img, "a", "", 0);
	erofs_test_add_ibody(img, a, NULL, 0);
	erofs_test_add_xattr(img, a, 0x80, "", 0, "under the whole name", 20);
	erofs_test_add_xattr(img, a, 0, "finger", 6, "cut", 3);
	expect_key(test, erofs_test_mount_shared(test, img, "d"), "d", "cut", 3);
}

/* Without inode_share, no fingerprint is looked up. */
static void fingerprint_not_shared(struct kunit *test)
{
	struct erofs_test_image *img = image_with_feature(test, 0);
	struct erofs_inode_compact *a = erofs_test_add_file(img, "a", "", 0);
	struct erofs_inode_fingerprint fp;

	erofs_test_add_ibody(img, a, NULL, 0);
	erofs_test_add_xattr(img, a, 0x81, "", 0, VALUE, strlen(VALUE));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			fill(test, erofs_test_mount_shared(test, img, NULL), &fp));
}

static struct kunit_case fingerprint_test_cases[] = {
	KUNIT_CASE_PARAM(fingerprint_encoding, encoding_gen_params),
	KUNIT_CASE_PARAM(fingerprint_size, size_gen_params),
	KUNIT_CASE(fingerprint_first_counts),
	KUNIT_CASE(fingerprint_none),
	KUNIT_CASE(fingerprint_filtered),
	KUNIT_CASE(fingerprint_name_with_nul),
	KUNIT_CASE(fingerprint_not_shared),
	{},
};

static struct kunit_suite fingerprint_test_suite = {
	.name = "erofs_fingerprint",
	.suite_init = erofs_test_suite_init,
	.suite_exit = erofs_test_suite_exit,
	.test_cases = fingerprint_test_cases,
};

kunit_test_suite(fingerprint_test_suite);

MODULE_DESCRIPTION("KUnit tests of EROFS fingerprints");
MODULE_LICENSE("GPL");
