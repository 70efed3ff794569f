// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts of images in memory. An image becomes a file on a ramfs of our own,
 * because EROFS reads the backing file with read_folio, which tmpfs has not.
 */
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/namei.h>
#include "erofs_test.h"

static struct vfsmount *erofs_test_ramfs;

static struct vfsmount *mount_ramfs(void)
{
	struct file_system_type *type = get_fs_type("ramfs");
	struct vfsmount *mnt;

	if (!type)
		return ERR_PTR(-ENODEV);
	mnt = kern_mount(type);
	module_put(type->owner);
	return mnt;
}

int erofs_test_suite_init(struct kunit_suite *suite)
{
	struct vfsmount *mnt = mount_ramfs();

	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	erofs_test_ramfs = mnt;
	return 0;
}

void erofs_test_suite_exit(struct kunit_suite *suite)
{
	/* Test threads have no task work: their last fput() is deferred. */
	flush_delayed_fput();
	kern_unmount(erofs_test_ramfs);
	erofs_test_ramfs = NULL;
}

static int write_all(struct file *file, const void *data, size_t size, loff_t *pos)
{
	ssize_t done = kernel_write(file, data, size, pos);

	if (done < 0)
		return done;
	return done == size ? 0 : -EIO;
}

/*
 * The rest of the last page becomes zeros, as it is on a block device: EROFS
 * reads metadata of file-backed mounts in whole pages.
 */
static int write_image(struct file *file, const void *image, size_t size)
{
	size_t rest = round_up(size, PAGE_SIZE) - size;
	loff_t pos = 0;
	int err;

	err = write_all(file, image, size, &pos);
	if (err || !rest)
		return err;
	return write_all(file, page_address(ZERO_PAGE(0)), rest, &pos);
}

/* The file of an image; zeros are added up to a whole page. */
struct file *erofs_test_file(const void *image, size_t size)
{
	struct path root = {
		.mnt = erofs_test_ramfs,
		.dentry = erofs_test_ramfs->mnt_root,
	};
	struct file *file;
	int err;

	file = kernel_tmpfile_open(&nop_mnt_idmap, &root, S_IFREG | 0600, O_RDWR | O_LARGEFILE,
				   current_cred());
	if (IS_ERR(file))
		return file;
	err = write_image(file, image, size);
	if (err) {
		__fput_sync(file);
		return ERR_PTR(err);
	}
	return file;
}

static int set_flag(struct fs_context *fc, const char *key)
{
	struct fs_parameter param = {
		.key = key,
		.type = fs_value_is_flag,
	};

	return vfs_parse_fs_param(fc, &param);
}

static int set_options(struct fs_context *fc, struct file *file,
		       const struct erofs_test_options *opts)
{
	struct fs_parameter source = {
		.key = "source",
		.type = fs_value_is_file,
		.file = file,
		.dirfd = 0, /* must not be negative; not used */
	};
	int err;

	err = vfs_parse_fs_param(fc, &source);
	/* EROFS takes the file over unless it fails before. */
	if (source.file)
		__fput_sync(source.file);
	if (!err && opts->domain_id)
		err = vfs_parse_fs_string(fc, "domain_id", opts->domain_id);
	if (!err && opts->inode_share)
		err = set_flag(fc, "inode_share");
	if (!err && opts->other)
		err = set_flag(fc, opts->other);
	return err;
}

/* Takes over the file, whether that succeeds or not. */
struct vfsmount *erofs_test_mount_file(struct file *file, const struct erofs_test_options *opts)
{
	struct file_system_type *type = get_fs_type("erofs");
	struct vfsmount *mnt;
	struct fs_context *fc;
	int err;

	/* Kernel mounts are torn down at the last mntput(), not later. */
	fc = fs_context_for_mount(type, SB_KERNMOUNT);
	module_put(type->owner);
	if (IS_ERR(fc)) {
		__fput_sync(file);
		return ERR_CAST(fc);
	}
	err = set_options(fc, file, opts);
	mnt = err ? ERR_PTR(err) : fc_mount(fc);
	put_fs_context(fc);
	return mnt;
}

/*
 * EROFS has put an image's file, which a worker will free: waiting for that
 * takes longer than a mount, so it is done for many at once.
 */
static void backing_file_put(void)
{
	static unsigned int pending;

	if (++pending % 64 == 0)
		flush_delayed_fput();
}

/**
 * erofs_test_mount - mount an image
 * @image: the image
 * @size: bytes of it; zeros are added up to a whole page
 * @opts: options of the mount, or NULL for none
 *
 * Return: a mount for erofs_test_umount(), or what a mount would fail with.
 */
struct vfsmount *erofs_test_mount(const void *image, size_t size,
				  const struct erofs_test_options *opts)
{
	static const struct erofs_test_options none;
	struct file *file = erofs_test_file(image, size);
	struct vfsmount *mnt;

	if (IS_ERR(file))
		return ERR_CAST(file);
	mnt = erofs_test_mount_file(file, opts ?: &none);
	if (IS_ERR(mnt))
		backing_file_put();
	return mnt;
}

void erofs_test_umount(struct vfsmount *mnt)
{
	mntput(mnt);
	backing_file_put();
}

static void put_dentry(void *dentry)
{
	dput(dentry);
}

/* A file of the root directory, held until erofs_test_put() or the test's end */
struct dentry *erofs_test_lookup(struct kunit *test, struct vfsmount *mnt, const char *name)
{
	struct dentry *dentry;

	dentry = lookup_noperm_positive_unlocked(&QSTR(name), mnt->mnt_root);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dentry);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_dentry, dentry));
	return dentry;
}

void erofs_test_put(struct kunit *test, struct dentry *dentry)
{
	kunit_release_action(test, put_dentry, dentry);
}

unsigned int erofs_test_count_inodes(struct super_block *sb)
{
	struct inode *inode;
	unsigned int n = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		n++;
	spin_unlock(&sb->s_inode_list_lock);
	return n;
}

static void close_file(void *file)
{
	__fput_sync(file);
	/* the shared file below, too */
	flush_delayed_fput();
}

/* An open that has to succeed, until erofs_test_close() or the test's end */
struct file *erofs_test_open(struct kunit *test, struct vfsmount *mnt, struct dentry *dentry)
{
	struct path path = { .mnt = mnt, .dentry = dentry };
	struct file *file;

	file = dentry_open(&path, O_RDONLY | O_LARGEFILE, current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_file, file));
	return file;
}

void erofs_test_close(struct kunit *test, struct file *file)
{
	kunit_release_action(test, close_file, file);
}
