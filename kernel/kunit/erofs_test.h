/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the KUnit tests of EROFS share: images that are made up in memory, and
 * mounts of them.
 *
 * The tests look at EROFS through real mounts and through what internal.h and
 * xattr.h declare. The static functions below that (reading the superblock,
 * walking xattrs) are reached through their callers: including their .c files
 * would build a second filesystem beside the one under test, with caches and
 * registrations of its own.
 */
#ifndef __EROFS_TEST_H
#define __EROFS_TEST_H

#include <kunit/test.h>
#include <linux/mount.h>
#include "internal.h"
#include "xattr.h"

#define EROFS_TEST_BLKBITS 12
#define EROFS_TEST_BLKSZ BIT(EROFS_TEST_BLKBITS)

/* The blocks of an image that is made up */
enum {
	EROFS_TEST_SUPER, /* superblock, and the prefix table behind it */
	EROFS_TEST_INODES, /* nid 0 is at its start */
	EROFS_TEST_ROOT, /* the root directory's entries */
	EROFS_TEST_SHARED, /* shared xattrs, two blocks */
	EROFS_TEST_DATA = EROFS_TEST_SHARED + 2, /* one block for each file */
	EROFS_TEST_BLOCKS = EROFS_TEST_DATA + 4
};

#define EROFS_TEST_PREFIXES 2048 /* where the prefix table starts */

struct erofs_test_image {
	u8 bytes[EROFS_TEST_BLOCKS * EROFS_TEST_BLKSZ];
	struct erofs_super_block *sb;
	unsigned int prefix_end, inode_end, shared_end;
	unsigned int nr_files;
	struct erofs_inode_compact *root, *files[4];
	const char *names[4];
	bool keep_checksum; /* do not make the checksum right */
};

static inline void *erofs_test_block(struct erofs_test_image *img, unsigned int block)
{
	return img->bytes + block * EROFS_TEST_BLKSZ;
}

/* Options of a mount; all zero: none */
struct erofs_test_options {
	bool inode_share;
	const char *domain_id;
	const char *other; /* another option, without value */
};

/* image.c */
struct erofs_test_image *erofs_test_image_new(struct kunit *test);
unsigned int erofs_test_add_prefix(struct erofs_test_image *img, u8 base_index, const char *infix,
				   unsigned int len);
struct erofs_inode_compact *erofs_test_add_file(struct erofs_test_image *img, const char *name,
						const void *data, u32 size);
struct erofs_xattr_ibody_header *erofs_test_add_ibody(struct erofs_test_image *img,
						      struct erofs_inode_compact *inode,
						      const u32 *shared, unsigned int nr_shared);
struct erofs_xattr_entry *erofs_test_add_xattr(struct erofs_test_image *img,
					       struct erofs_inode_compact *inode, u8 index,
					       const char *name, unsigned int name_len,
					       const void *value, unsigned int value_len);
u32 erofs_test_add_shared(struct erofs_test_image *img, u8 index, const char *name,
			  const void *value, unsigned int value_len);
erofs_nid_t erofs_test_nid(struct erofs_test_image *img, struct erofs_inode_compact *inode);
struct vfsmount *erofs_test_mount_image(struct kunit *test, struct erofs_test_image *img,
					const struct erofs_test_options *opts);
struct vfsmount *erofs_test_mount_shared(struct kunit *test, struct erofs_test_image *img,
					 const char *domain_id);
void erofs_test_umount_image(struct kunit *test, struct vfsmount *mnt);
struct super_block *erofs_test_shared_sb(struct kunit *test);

/* mount.c */
int erofs_test_suite_init(struct kunit_suite *suite);
void erofs_test_suite_exit(struct kunit_suite *suite);
struct file *erofs_test_file(const void *image, size_t size);
struct vfsmount *erofs_test_mount_file(struct file *file, const struct erofs_test_options *opts);
struct vfsmount *erofs_test_mount(const void *image, size_t size,
				  const struct erofs_test_options *opts);
void erofs_test_umount(struct vfsmount *mnt);
struct dentry *erofs_test_lookup(struct kunit *test, struct vfsmount *mnt, const char *name);
void erofs_test_put(struct kunit *test, struct dentry *dentry);
unsigned int erofs_test_count_inodes(struct super_block *sb);
struct file *erofs_test_open(struct kunit *test, struct vfsmount *mnt, struct dentry *dentry);
void erofs_test_close(struct kunit *test, struct file *file);

#endif
