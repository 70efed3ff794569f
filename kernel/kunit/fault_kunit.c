// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of EROFS page cache sharing where memory runs out: each of the
 * allocations of a mount, a lookup, a fingerprint, an open and a read fails in
 * turn. What fails must say so, leave no shared inode behind, and work the next
 * time. Only inodes are counted: other memory that is lost is not noticed.
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
 * Settings without which single pages, and what may be waited for, are not
 * refused, and each refusal fills the log. Only user space can set them, through
 * debugfs; this reaches into debugfs for their addresses, so it is not for
 * posting.
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
	int err;

	err = erofs_test_suite_init(suite);
	if (err)
		return err;
	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		find_setting(s);
		settings_found &= !!s->data;
		if (!s->data)
			continue;
		memcpy(&s->old, s->data, s->size);
		memset(s->data, 0, s->size);
	}
	return 0;
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
	if (!IS_ENABLED(CONFIG_FAILSLAB) || !IS_ENABLED(CONFIG_FAIL_PAGE_ALLOC) ||
	    !IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs FAILSLAB, FAIL_PAGE_ALLOC and FAULT_INJECTION_DEBUG_FS");
	KUNIT_ASSERT_TRUE_MSG(test, settings_found, "debugfs has other settings than expected");
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
	return erofs_test_mount_shared(test, image(test), sharing.domain_id);
}

static void expect_content(struct kunit *test, struct vfsmount *mnt, struct dentry *a)
{
	struct file *file = erofs_test_open(test, mnt, a);
	char *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	loff_t pos = 0;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, SIZE, kernel_read(file, buf, SIZE, &pos));
	KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 'A', SIZE));
	kunit_kfree(test, buf);
	erofs_test_close(test, file);
}

/*
 * Calls @attempt again and again, with the first, the second... allocation
 * failing, until none did. @attempt returns the error of what is under test, and
 * in @met what allocation_failed() says right after that.
 *
 * Return: how often there was an error
 */
static unsigned int fail_in_turn(struct kunit *test,
				 int (*attempt)(struct kunit *test, unsigned int n, bool *met))
{
	struct super_block *sb = erofs_test_shared_sb(test);
	unsigned int n = 0, errors = 0, shared = erofs_test_count_inodes(sb);
	bool met = true;

	while (met && n < MOST_ALLOCATIONS) {
		int err = attempt(test, ++n, &met);

		if (!err)
			continue;
		errors++;
		KUNIT_EXPECT_EQ(test, -ENOMEM, err);
		KUNIT_EXPECT_TRUE(test, met);
	}
	kunit_info(test, "%u allocations failed, %u times the whole", n - 1, errors);
	KUNIT_EXPECT_GT(test, n, 1);
	KUNIT_EXPECT_FALSE(test, met);
	KUNIT_EXPECT_EQ(test, shared, erofs_test_count_inodes(sb));
	return errors;
}

static int try_mount(struct kunit *test, unsigned int n, bool *met)
{
	struct erofs_test_image *img = image(test);
	struct vfsmount *mnt;
	struct file *file;

	/* makes the image complete */
	erofs_test_umount_image(test, erofs_test_mount_shared(test, img, sharing.domain_id));
	file = erofs_test_file(img->bytes, sizeof(img->bytes));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	fail_allocation(n);
	mnt = erofs_test_mount_file(file, &sharing);
	*met = allocation_failed();
	flush_delayed_fput();
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	erofs_test_umount(mnt);
	return 0;
}

static void fault_mount(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, fail_in_turn(test, try_mount), 0);
}

/* Whatever failed, the file has its content. */
static void expect_good(struct kunit *test, struct vfsmount *mnt, struct dentry *a)
{
	expect_content(test, mnt, a);
	erofs_test_put(test, a);
	erofs_test_umount_image(test, mnt);
}

/* Counts in test->priv how often the file was found, but does not share. */
static int try_lookup(struct kunit *test, unsigned int n, bool *met)
{
	struct vfsmount *mnt = mount(test);
	unsigned int *alone = test->priv;
	struct dentry *first, *a;

	fail_allocation(n);
	first = lookup_noperm_positive_unlocked(&QSTR("a"), mnt->mnt_root);
	*met = allocation_failed();
	a = erofs_test_lookup(test, mnt, "a");
	if (!IS_ERR(first))
		dput(first);
	*alone += !EROFS_I(d_inode(a))->sharedentry;
	expect_good(test, mnt, a);
	return PTR_ERR_OR_ZERO(first);
}

static void fault_lookup(struct kunit *test)
{
	unsigned int alone = 0;

	test->priv = &alone;
	KUNIT_EXPECT_GT(test, fail_in_turn(test, try_lookup), 0);
	kunit_info(test, "%u times the file was not shared", alone);
	KUNIT_EXPECT_GT(test, alone, 0);
}

static struct dentry *look_up_shared(struct kunit *test, struct vfsmount *mnt)
{
	struct dentry *a = erofs_test_lookup(test, mnt, "a");

	KUNIT_ASSERT_NOT_NULL(test, EROFS_I(d_inode(a))->sharedentry);
	return a;
}

static int try_fingerprint(struct kunit *test, unsigned int n, bool *met)
{
	struct vfsmount *mnt = mount(test);
	struct dentry *a = look_up_shared(test, mnt);
	struct erofs_inode_fingerprint fp = {};
	static const char key[] = "d\0value";
	int err;

	fail_allocation(n);
	err = erofs_xattr_fill_inode_fingerprint(&fp, d_inode(a), "d");
	*met = allocation_failed();
	if (err)
		KUNIT_EXPECT_PTR_EQ(test, NULL, fp.opaque);
	else if (fp.size == sizeof(key) - 1)
		KUNIT_EXPECT_MEMEQ(test, key, fp.opaque, fp.size);
	else
		KUNIT_FAIL(test, "a key of %d bytes", fp.size);
	kfree(fp.opaque);
	expect_good(test, mnt, a);
	return err;
}

static void fault_fingerprint(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, fail_in_turn(test, try_fingerprint), 0);
}

/* A failed open holds neither the real inode nor a file. */
static int try_open(struct kunit *test, unsigned int n, bool *met)
{
	struct vfsmount *mnt = mount(test);
	struct dentry *a = look_up_shared(test, mnt);
	struct path path = { .mnt = mnt, .dentry = a };
	int refs = icount_read_once(d_inode(a));
	struct file *file;

	fail_allocation(n);
	file = dentry_open(&path, O_RDONLY | O_LARGEFILE, current_cred());
	*met = allocation_failed();
	if (!IS_ERR(file))
		__fput_sync(file);
	/* the shared file below, too */
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, refs, icount_read_once(d_inode(a)));
	expect_good(test, mnt, a);
	return PTR_ERR_OR_ZERO(file);
}

static void fault_open(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, fail_in_turn(test, try_open), 0);
}

static int try_read(struct kunit *test, unsigned int n, bool *met)
{
	struct vfsmount *mnt = mount(test);
	struct dentry *a = look_up_shared(test, mnt);
	char *buf = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	struct file *file = erofs_test_open(test, mnt, a);
	loff_t pos = 0;
	ssize_t done;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	fail_allocation(n);
	done = kernel_read(file, buf, SIZE, &pos);
	*met = allocation_failed();
	if (done > 0)
		KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(buf, 'A', done));
	erofs_test_close(test, file);
	expect_good(test, mnt, a);
	return min(done, 0);
}

/* A read need not fail: what readahead cannot have is read without it. */
static void fault_read(struct kunit *test)
{
	fail_in_turn(test, try_read);
}

static struct kunit_case fault_test_cases[] = {
	KUNIT_CASE(fault_mount),
	KUNIT_CASE(fault_lookup),
	KUNIT_CASE(fault_fingerprint),
	KUNIT_CASE(fault_open),
	KUNIT_CASE(fault_read), /* in which nothing need fail */
	{},
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
