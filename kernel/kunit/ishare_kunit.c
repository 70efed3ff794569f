// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of EROFS page cache sharing: who shares, what is read, and for
 * how long the shared inode lives.
 *
 * Not tested here: images on block devices, unmounts during a read through
 * another image, and remounts.
 */
#include <linux/fadvise.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/uaccess.h>
#include "erofs_test.h"

#define SIZE 3000

/* An image with one file, "a" */
struct file_spec {
	const char *domain; /* NULL: mounted without inode_share */
	const char *value; /* fingerprint; NULL: none */
	unsigned int size;
	char fill; /* the content's byte */
	bool no_feature;
};

static const struct file_spec ordinary = { "domain", "value", SIZE, 'A' };

static struct erofs_test_image *image_of(struct kunit *test, const struct file_spec *spec)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_inode_compact *a;
	u8 *content = kunit_kmalloc(test, EROFS_TEST_BLKSZ, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, content);
	memset(content, spec->fill, EROFS_TEST_BLKSZ);
	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	if (!spec->no_feature)
		img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	a = erofs_test_add_file(img, "a", content, spec->size);
	if (spec->value) {
		erofs_test_add_ibody(img, a, NULL, 0);
		erofs_test_add_xattr(img, a, 0x80, "", 0, spec->value, strlen(spec->value));
	}
	kunit_kfree(test, content);
	return img;
}

/* Until the test ends */
static struct vfsmount *mount_spec(struct kunit *test, const struct file_spec *spec)
{
	struct erofs_test_image *img = image_of(test, spec);
	struct vfsmount *mnt = erofs_test_mount_shared(test, img, spec->domain);

	kunit_kfree(test, img);
	return mnt;
}

/* The file's shared inode, or NULL */
static struct inode *shared_inode(struct dentry *dentry)
{
	struct dentry *shared = EROFS_I(d_inode(dentry))->sharedentry;

	return shared ? d_inode(shared) : NULL;
}

static struct dentry *lookup_spec(struct kunit *test, const struct file_spec *spec)
{
	return erofs_test_lookup(test, mount_spec(test, spec), "a");
}

/* Reads the file through an open of its own: all bytes are the same. Return: that byte */
static char read_content(struct kunit *test, struct vfsmount *mnt, struct dentry *dentry)
{
	struct file *file = erofs_test_open(test, mnt, dentry);
	loff_t size = i_size_read(d_inode(dentry)), pos = 0;
	size_t most = EROFS_TEST_BLKSZ + 1;
	char *buf = kunit_kzalloc(test, most, GFP_KERNEL);
	char fill;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, size, kernel_read(file, buf, most, &pos));
	KUNIT_EXPECT_EQ(test, size, pos);
	fill = buf[0];
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, fill, size));
	kunit_kfree(test, buf);
	erofs_test_close(test, file);
	return fill;
}

/* Who shares with the ordinary file, which was read in before */
struct decision_case {
	const char *desc;
	struct file_spec other;
	bool shares; /* has it a shared inode at all? */
	bool same; /* is it that of the ordinary file? */
};

static const struct decision_case decision_cases[] = {
	{ "equal", { "domain", "value", SIZE, 'B' }, true, true },
	{ "other domain", { "domain2", "value", SIZE, 'B' }, true, false },
	{ "domain that begins alike", { "domai", "value", SIZE, 'B' }, true, false },
	{ "domain in capitals", { "DOMAIN", "value", SIZE, 'B' }, true, false },
	{ "same bytes, cut elsewhere", { "domainva", "lue", SIZE, 'B' }, true, false },
	{ "other fingerprint", { "domain", "valuf", SIZE, 'B' }, true, false },
	{ "longer fingerprint", { "domain", "value2", SIZE, 'B' }, true, false },
	{ "shorter fingerprint", { "domain", "val", SIZE, 'B' }, true, false },
	{ "other size", { "domain", "value", SIZE - 1, 'B' }, false, false },
	{ "no fingerprint", { "domain", NULL, SIZE, 'B' }, false, false },
	{ "empty fingerprint", { "domain", "", SIZE, 'B' }, false, false },
	{ "no inode_share", { NULL, "value", SIZE, 'B' }, false, false },
	{ "no feature", { "domain", "value", SIZE, 'B', true }, false, false },
};

KUNIT_ARRAY_PARAM_DESC(decision, decision_cases, desc);

static void ishare_decision(struct kunit *test)
{
	const struct decision_case *c = test->param_value;
	struct vfsmount *first = mount_spec(test, &ordinary);
	struct vfsmount *second = mount_spec(test, &c->other);
	struct dentry *a = erofs_test_lookup(test, first, "a");
	struct dentry *b = erofs_test_lookup(test, second, "a");
	char fill;

	KUNIT_ASSERT_NOT_NULL(test, shared_inode(a));
	KUNIT_EXPECT_EQ(test, c->shares, !!shared_inode(b));
	KUNIT_EXPECT_EQ(test, c->same, shared_inode(a) == shared_inode(b));
	KUNIT_EXPECT_PTR_EQ(test, c->shares ? &erofs_ishare_fops : &erofs_file_fops,
			    d_inode(b)->i_fop);

	/* Sharers show one content, whichever's it is; others show their own. */
	fill = read_content(test, first, a);
	if (c->same) {
		KUNIT_EXPECT_TRUE(test, fill == 'A' || fill == 'B');
		KUNIT_EXPECT_EQ(test, fill, read_content(test, second, b));
	} else {
		KUNIT_EXPECT_EQ(test, 'A', fill);
		KUNIT_EXPECT_EQ(test, 'B', read_content(test, second, b));
	}
	KUNIT_EXPECT_EQ(test, 0, d_inode(a)->i_mapping->nrpages);
	KUNIT_EXPECT_EQ(test, c->shares, !d_inode(b)->i_mapping->nrpages);
}

/* Only regular files share; two files of one image do like any. */
static void ishare_in_one_image(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_inode_compact *inode;
	struct vfsmount *mnt;
	struct dentry *a, *b, *c;
	u32 id;

	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	id = erofs_test_add_shared(img, 0x80, "", "value", 5);
	erofs_test_add_ibody(img, erofs_test_add_file(img, "a", "x", 1), &id, 1);
	erofs_test_add_ibody(img, erofs_test_add_file(img, "b", "x", 1), &id, 1);
	inode = erofs_test_add_file(img, "c", "x", 1);
	erofs_test_add_ibody(img, inode, &id, 1);
	inode->i_mode = cpu_to_le16(S_IFLNK | 0777);

	mnt = erofs_test_mount_shared(test, img, "domain");
	a = erofs_test_lookup(test, mnt, "a");
	b = erofs_test_lookup(test, mnt, "b");
	c = erofs_test_lookup(test, mnt, "c");
	KUNIT_EXPECT_NOT_NULL(test, shared_inode(a));
	KUNIT_EXPECT_PTR_EQ(test, shared_inode(a), shared_inode(b));
	KUNIT_EXPECT_PTR_EQ(test, NULL, shared_inode(c));
}

/* Up to the one block that a file has here, an empty file among them */
static const unsigned int sizes[] = {
	0,
	1,
	EROFS_TEST_BLKSZ - 1,
	EROFS_TEST_BLKSZ,
};

static void size_desc(const unsigned int *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(file_size, sizes, size_desc);

static void ishare_file_size(struct kunit *test)
{
	const unsigned int *size = test->param_value;
	const struct file_spec spec = { "domain", "value", *size, 'A' };
	struct vfsmount *first = mount_spec(test, &spec);
	struct vfsmount *second = mount_spec(test, &spec);
	struct dentry *a = erofs_test_lookup(test, first, "a");
	struct dentry *b = erofs_test_lookup(test, second, "a");

	KUNIT_ASSERT_NOT_NULL(test, shared_inode(a));
	KUNIT_EXPECT_PTR_EQ(test, shared_inode(a), shared_inode(b));
	KUNIT_EXPECT_EQ(test, *size, i_size_read(shared_inode(a)));
	KUNIT_EXPECT_EQ(test, *size ? 'A' : 0, read_content(test, first, a));
	KUNIT_EXPECT_EQ(test, *size ? 'A' : 0, read_content(test, second, b));
}

static void ishare_refuses_direct_io(struct kunit *test)
{
	struct path path = { .mnt = mount_spec(test, &ordinary) };
	struct file *file;

	path.dentry = erofs_test_lookup(test, path.mnt, "a");
	KUNIT_ASSERT_NOT_NULL(test, shared_inode(path.dentry));
	file = dentry_open(&path, O_RDONLY | O_DIRECT, current_cred());
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(file));
	if (!IS_ERR(file))
		__fput_sync(file);
}

/* Advice goes to the shared inode: one drops the other's pages. */
static void ishare_fadvise(struct kunit *test)
{
	struct vfsmount *mnt = mount_spec(test, &ordinary);
	struct dentry *a = erofs_test_lookup(test, mnt, "a");
	struct dentry *b = lookup_spec(test, &ordinary);
	struct file *file;

	KUNIT_ASSERT_NOT_NULL(test, shared_inode(a));
	KUNIT_EXPECT_EQ(test, 'A', read_content(test, mnt, a));
	KUNIT_EXPECT_EQ(test, 1, shared_inode(b)->i_mapping->nrpages);
	file = erofs_test_open(test, mnt, a);
	KUNIT_EXPECT_EQ(test, 0, vfs_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
	KUNIT_EXPECT_EQ(test, 0, shared_inode(b)->i_mapping->nrpages);
	erofs_test_close(test, file);
	KUNIT_EXPECT_EQ(test, 'A', read_content(test, mnt, a));
}

/* ---- Life time ---- */

/* What there was when the test began */
struct start {
	struct super_block *sb; /* of shared inodes */
	unsigned int inodes;
};

static int ishare_init(struct kunit *test)
{
	struct start *start = kunit_kzalloc(test, sizeof(*start), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, start);
	start->sb = erofs_test_shared_sb(test);
	start->inodes = erofs_test_count_inodes(start->sb);
	test->priv = start;
	return 0;
}

static unsigned int new_shared_inodes(struct kunit *test)
{
	const struct start *start = test->priv;

	return erofs_test_count_inodes(start->sb) - start->inodes;
}

/* One that the test unmounts itself */
struct sharer {
	struct vfsmount *mnt;
	struct dentry *a;
};

static struct sharer sharer_mount(struct kunit *test, const struct file_spec *spec)
{
	struct vfsmount *mnt = mount_spec(test, spec);
	struct sharer s = { mnt, erofs_test_lookup(test, mnt, "a") };

	KUNIT_ASSERT_NOT_NULL(test, shared_inode(s.a));
	return s;
}

static void sharer_umount(struct kunit *test, struct sharer *s)
{
	erofs_test_put(test, s->a);
	erofs_test_umount_image(test, s->mnt);
}

static const struct file_spec other = { "domain", "value", SIZE, 'B' };

/* The pages outlive the image that filled them, and go with the last sharer. */
static void ishare_pages_stay(struct kunit *test)
{
	struct sharer a = sharer_mount(test, &ordinary), b;

	KUNIT_EXPECT_EQ(test, 'A', read_content(test, a.mnt, a.a));
	b = sharer_mount(test, &other);
	KUNIT_EXPECT_EQ(test, 1, new_shared_inodes(test));
	sharer_umount(test, &a);
	KUNIT_EXPECT_EQ(test, 'A', read_content(test, b.mnt, b.a));
	sharer_umount(test, &b);
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));

	b = sharer_mount(test, &other);
	KUNIT_EXPECT_EQ(test, 'B', read_content(test, b.mnt, b.a));
	sharer_umount(test, &b);
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));
}

/* Any sharer that is left serves, although it was not the first. */
static void ishare_any_sharer_serves(struct kunit *test)
{
	struct sharer a = sharer_mount(test, &ordinary);
	struct sharer b = sharer_mount(test, &other);
	struct sharer c;

	sharer_umount(test, &a);
	KUNIT_EXPECT_EQ(test, 'B', read_content(test, b.mnt, b.a));
	c = sharer_mount(test, &ordinary);
	sharer_umount(test, &b);
	KUNIT_EXPECT_EQ(test, 'B', read_content(test, c.mnt, c.a));
	sharer_umount(test, &c);
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));
}

/* An open file holds its image, and through it the shared inode. */
static void ishare_open_file_holds(struct kunit *test)
{
	struct sharer a = sharer_mount(test, &ordinary);
	struct file *file = erofs_test_open(test, a.mnt, a.a);
	loff_t pos = 0;
	char c = 0;

	sharer_umount(test, &a);
	KUNIT_EXPECT_EQ(test, 1, new_shared_inodes(test));
	KUNIT_EXPECT_EQ(test, 1, kernel_read(file, &c, 1, &pos));
	KUNIT_EXPECT_EQ(test, 'A', c);
	erofs_test_close(test, file);
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));
}

/* A mapping holds the shared file, and that the image. */
static void ishare_mapping_holds(struct kunit *test)
{
	struct sharer a = sharer_mount(test, &ordinary);
	struct file *file = erofs_test_open(test, a.mnt, a.a);
	struct vm_area_struct *vma;
	unsigned long addr;
	char *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	addr = kunit_vm_mmap(test, file, 0, SIZE, PROT_READ, MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_PTR_EQ(test, shared_inode(a.a), file_inode(vma->vm_file));
	mmap_read_unlock(current->mm);

	erofs_test_close(test, file);
	sharer_umount(test, &a);
	KUNIT_EXPECT_EQ(test, 0, copy_from_user(buf, (void __user *)addr, SIZE));
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 'A', SIZE));
	KUNIT_EXPECT_EQ(test, 1, new_shared_inodes(test));

	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, SIZE));
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));
}

/* Many rounds leave nothing behind. */
static void ishare_rounds(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		struct sharer a = sharer_mount(test, &ordinary);
		struct sharer b = sharer_mount(test, &other);

		char fill = read_content(test, a.mnt, a.a);

		KUNIT_EXPECT_EQ(test, fill, read_content(test, b.mnt, b.a));
		sharer_umount(test, i & 1 ? &a : &b);
		sharer_umount(test, i & 1 ? &b : &a);
	}
	KUNIT_EXPECT_EQ(test, 0, new_shared_inodes(test));
}

static struct kunit_case ishare_test_cases[] = {
	KUNIT_CASE_PARAM(ishare_decision, decision_gen_params),
	KUNIT_CASE(ishare_in_one_image),
	KUNIT_CASE_PARAM(ishare_file_size, file_size_gen_params),
	KUNIT_CASE(ishare_refuses_direct_io),
	KUNIT_CASE(ishare_fadvise),
	KUNIT_CASE(ishare_pages_stay),
	KUNIT_CASE(ishare_any_sharer_serves),
	KUNIT_CASE(ishare_open_file_holds),
	KUNIT_CASE(ishare_mapping_holds),
	KUNIT_CASE(ishare_rounds),
	{},
};

static struct kunit_suite ishare_test_suite = {
	.name = "erofs_ishare",
	.suite_init = erofs_test_suite_init,
	.suite_exit = erofs_test_suite_exit,
	.init = ishare_init,
	.test_cases = ishare_test_cases,
};

kunit_test_suite(ishare_test_suite);

MODULE_DESCRIPTION("KUnit tests of EROFS page cache sharing");
MODULE_LICENSE("GPL");
