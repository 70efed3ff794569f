// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of EROFS page cache sharing where memory runs out: each of the
 * allocations of a mount, a lookup, a fingerprint, an open and a read fails in
 * turn. What fails must say so, leave nothing behind, and work the next time.
 *
 * An inode that cannot get its fingerprint or its shared inode is read in all
 * the same, and does not share.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/file.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include "erofs_test.h"

#define SIZE 3000
#define MOST_ALLOCATIONS 1000

/*
 * Settings that only debugfs knows, and has the addresses of: without these,
 * single pages, and whatever may be waited for, are not refused; and each
 * refusal would fill the log.
 */
static struct setting {
	const char *dir, *name;
	size_t size;
	void *data;
	unsigned long old;
} settings[] = {
	{ "failslab", "ignore-gfp-wait", sizeof(bool) },
	{ "failslab", "verbose", sizeof(unsigned long) },
	{ "fail_page_alloc", "ignore-gfp-wait", sizeof(bool) },
	{ "fail_page_alloc", "ignore-gfp-highmem", sizeof(bool) },
	{ "fail_page_alloc", "min-order", sizeof(u32) },
	{ "fail_page_alloc", "verbose", sizeof(unsigned long) },
};

static bool settings_found = true;

static void find_setting(struct setting *s)
{
	struct dentry *dir = debugfs_lookup(s->dir, NULL);
	struct dentry *dentry = dir ? debugfs_lookup(s->name, dir) : NULL;

	s->data = dentry ? d_inode(dentry)->i_private : NULL;
	dput(dentry);
	dput(dir);
}

static int fault_init(struct kunit_suite *suite)
{
	struct setting *s;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		find_setting(s);
		settings_found &= !!s->data;
		if (!s->data)
			continue;
		memcpy(&s->old, s->data, s->size);
		memset(s->data, 0, s->size);
	}
	return erofs_test_suite_init(suite);
}

static void fault_exit(struct kunit_suite *suite)
{
	struct setting *s;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++)
		if (s->data)
			memcpy(s->data, &s->old, s->size);
	erofs_test_suite_exit(suite);
}

#ifdef CONFIG_FAULT_INJECTION
static void fail_allocation(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Ends it; whether that allocation was met */
static bool allocation_failed(void)
{
	bool met = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return met;
}
#else
static void fail_allocation(unsigned int n)
{
}

static bool allocation_failed(void)
{
	return false;
}
#endif

static int fault_test_init(struct kunit *test)
{
	if (!settings_found)
		kunit_skip(test, "needs FAILSLAB, FAIL_PAGE_ALLOC and FAULT_INJECTION_DEBUG_FS");
	return 0;
}

static struct erofs_test_image *image(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct erofs_inode_compact *a;
	u8 *content = kunit_kmalloc(test, SIZE, GFP_KERNEL);
	u32 id;

	KUNIT_ASSERT_NOT_NULL(test, content);
	memset(content, 'A', SIZE);
	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	id = erofs_test_add_shared(img, 0x80, "", "value", 5);
	a = erofs_test_add_file(img, "a", content, SIZE);
	erofs_test_add_ibody(img, a, &id, 1);
	return img;
}

static const struct erofs_test_options sharing = { true, "domain" };

static struct vfsmount *mount(struct kunit *test)
{
	struct vfsmount *mnt = erofs_test_mount_image(test, image(test), &sharing);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	return mnt;
}

static struct dentry *look_up(struct vfsmount *mnt)
{
	return lookup_noperm_positive_unlocked(&QSTR("a"), mnt->mnt_root);
}

static void expect_content(struct kunit *test, struct vfsmount *mnt, struct dentry *a)
{
	struct file *file = erofs_test_open(mnt, a);
	char *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, SIZE, kernel_read(file, buf, SIZE, &pos));
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 'A', SIZE));
	kunit_kfree(test, buf);
	erofs_test_close(file);
}

/* The shared inodes that there are, by way of one that stays */
static unsigned int count_shared(struct dentry *keeper)
{
	struct super_block *sb = EROFS_I(d_inode(keeper))->sharedentry->d_sb;
	struct inode *inode;
	unsigned int n = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		n++;
	spin_unlock(&sb->s_inode_list_lock);
	return n;
}

static struct dentry *keeper(struct kunit *test)
{
	struct dentry *a;

	a = erofs_test_lookup(test, erofs_test_mount_shared(test, image(test), "keeper"), "a");
	KUNIT_ASSERT_NOT_NULL(test, EROFS_I(d_inode(a))->sharedentry);
	return a;
}

/* Each test ends with the first round in which nothing failed. */
static void conclude(struct kunit *test, unsigned int rounds, unsigned int refused,
		     struct dentry *kept, unsigned int shared)
{
	kunit_info(test, "%u allocations failed, %u times the whole", rounds - 1, refused);
	KUNIT_EXPECT_GT(test, rounds, 1);
	KUNIT_EXPECT_LT(test, rounds, MOST_ALLOCATIONS);
	KUNIT_EXPECT_EQ(test, shared, count_shared(kept));
}

static void fault_mount(struct kunit *test)
{
	struct dentry *kept = keeper(test);
	struct erofs_test_image *img = image(test);
	unsigned int n, refused = 0, shared = count_shared(kept);
	bool failed = true;

	/* makes the image complete */
	erofs_test_mount_shared(test, img, "domain");
	for (n = 1; failed && n < MOST_ALLOCATIONS; n++) {
		struct file *file = erofs_test_file(img->bytes, sizeof(img->bytes));
		struct vfsmount *mnt;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
		fail_allocation(n);
		mnt = erofs_test_mount_file(file, &sharing);
		failed = allocation_failed();
		flush_delayed_fput();
		if (IS_ERR(mnt)) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(mnt));
			KUNIT_EXPECT_TRUE(test, failed);
			refused++;
		} else {
			erofs_test_umount(mnt);
		}
	}
	conclude(test, n - 1, refused, kept, shared);
}

static void fault_lookup(struct kunit *test)
{
	struct dentry *kept = keeper(test);
	unsigned int n, refused = 0, alone = 0, shared = count_shared(kept);
	bool failed = true;

	for (n = 1; failed && n < MOST_ALLOCATIONS; n++) {
		struct vfsmount *mnt = mount(test);
		struct dentry *a;

		fail_allocation(n);
		a = look_up(mnt);
		failed = allocation_failed();
		if (IS_ERR(a)) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(a));
			refused++;
			a = look_up(mnt);
		}
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
		alone += !EROFS_I(d_inode(a))->sharedentry;
		expect_content(test, mnt, a);
		dput(a);
		erofs_test_umount(mnt);
	}
	kunit_info(test, "%u times the file was not shared", alone);
	KUNIT_EXPECT_GT(test, alone, 0);
	conclude(test, n - 1, refused, kept, shared);
}

static void fault_fingerprint(struct kunit *test)
{
	struct dentry *kept = keeper(test);
	unsigned int n, refused = 0, shared = count_shared(kept);
	bool failed = true;

	for (n = 1; failed && n < MOST_ALLOCATIONS; n++) {
		struct erofs_inode_fingerprint fp = {};
		struct vfsmount *mnt = mount(test);
		struct dentry *a = look_up(mnt);
		int err;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
		fail_allocation(n);
		err = erofs_xattr_fill_inode_fingerprint(&fp, d_inode(a), "d");
		failed = allocation_failed();
		if (err) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, err);
			KUNIT_EXPECT_PTR_EQ(test, NULL, fp.opaque);
			refused++;
		} else {
			KUNIT_EXPECT_EQ(test, 7, fp.size);
			kfree(fp.opaque);
		}
		dput(a);
		erofs_test_umount(mnt);
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	conclude(test, n - 1, refused, kept, shared);
}

/* A failed open holds neither the real inode nor a file. */
static void fault_open(struct kunit *test)
{
	struct dentry *kept = keeper(test);
	unsigned int n, refused = 0, shared = count_shared(kept);
	bool failed = true;

	for (n = 1; failed && n < MOST_ALLOCATIONS; n++) {
		struct vfsmount *mnt = mount(test);
		struct dentry *a = look_up(mnt);
		struct file *file;
		int refs;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
		KUNIT_ASSERT_NOT_NULL(test, EROFS_I(d_inode(a))->sharedentry);
		refs = icount_read_once(d_inode(a));
		fail_allocation(n);
		file = erofs_test_open(mnt, a);
		failed = allocation_failed();
		if (IS_ERR(file)) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, PTR_ERR(file));
			refused++;
		} else {
			erofs_test_close(file);
		}
		KUNIT_EXPECT_EQ(test, refs, icount_read_once(d_inode(a)));
		expect_content(test, mnt, a);
		dput(a);
		erofs_test_umount(mnt);
	}
	KUNIT_EXPECT_GT(test, refused, 0);
	conclude(test, n - 1, refused, kept, shared);
}

/* A read that fails, or ends early, is made good by the next. */
static void fault_read(struct kunit *test)
{
	struct dentry *kept = keeper(test);
	unsigned int n, refused = 0, shared = count_shared(kept);
	char *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	bool failed = true;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (n = 1; failed && n < MOST_ALLOCATIONS; n++) {
		struct vfsmount *mnt = mount(test);
		struct dentry *a = look_up(mnt);
		loff_t pos = 0;
		struct file *file;
		ssize_t done;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
		file = erofs_test_open(mnt, a);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
		fail_allocation(n);
		done = kernel_read(file, buf, SIZE, &pos);
		failed = allocation_failed();
		if (done < 0) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, done);
			refused++;
		} else {
			KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 'A', done));
		}
		erofs_test_close(file);
		expect_content(test, mnt, a);
		dput(a);
		erofs_test_umount(mnt);
	}
	conclude(test, n - 1, refused, kept, shared);
}

static struct kunit_case fault_test_cases[] = {
	KUNIT_CASE(fault_mount), KUNIT_CASE(fault_lookup), KUNIT_CASE(fault_fingerprint),
	KUNIT_CASE(fault_open),	 KUNIT_CASE(fault_read),   {}
};

static struct kunit_suite fault_test_suite = {
	.name = "erofs_fault",
	.suite_init = fault_init,
	.suite_exit = fault_exit,
	.init = fault_test_init,
	.test_cases = fault_test_cases,
};

kunit_test_suite(fault_test_suite);

MODULE_DESCRIPTION("KUnit tests of EROFS page cache sharing without memory");
MODULE_LICENSE("GPL");
