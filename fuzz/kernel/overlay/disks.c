// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Two images, each as a file and as a disk, and mounts of them. Files and disks are created once,
 * because that takes longer than a mount.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/crc32c.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/init_syscalls.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/pagemap.h>
#include <linux/unaligned.h>
#include "internal.h"
#include "fs/internal.h"
#include "fuzz.h"

#define HOME "/fuzz"

struct fuzz_disk fuzz_disks[2];

static int __init open_disk(struct fuzz_disk *disk, const char *file, const char *device,
			    unsigned int minor)
{
	dev_t dev = MKDEV(RAMDISK_MAJOR, minor);
	int err;

	disk->bytes = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(FUZZ_IMAGE_MAX));
	if (!disk->bytes)
		return -ENOMEM;
	disk->file = filp_open(file, O_RDWR | O_CREAT | O_LARGEFILE, 0600);
	if (IS_ERR(disk->file))
		return PTR_ERR(disk->file);
	err = init_mknod(device, S_IFBLK | 0600, new_encode_dev(dev));
	if (err)
		return err;
	disk->path = device;
	disk->device = bdev_file_open_by_dev(dev, BLK_OPEN_READ | BLK_OPEN_WRITE, NULL, NULL);
	return PTR_ERR_OR_ZERO(disk->device);
}

int __init fuzz_disks_init(void)
{
	/* Backing files have to be on a filesystem with read_folio, which tmpfs has not. */
	int err = init_mkdir(HOME, 0700) ?: init_mount("ramfs", HOME, "ramfs", 0, NULL);

	if (!err)
		err = open_disk(&fuzz_disks[0], HOME "/image0", HOME "/disk0", 0);
	if (!err)
		err = open_disk(&fuzz_disks[1], HOME "/image1", HOME "/disk1", 1);
	return err;
}

/* Rule sb.checksum: over the rest of the superblock's block */
static void mend_checksum(u8 *bytes, size_t size)
{
	struct erofs_super_block *sb = (void *)(bytes + EROFS_SUPER_OFFSET);
	size_t end = 1ul << (sb->blkszbits & 31);
	u8 *from = (u8 *)(&sb->checksum + 1);

	if (!(le32_to_cpu(sb->feature_compat) & EROFS_FEATURE_COMPAT_SB_CHKSUM))
		return;
	/* Blocks of up to 1 KiB end before the superblock: counted from its start. */
	if (end <= EROFS_SUPER_OFFSET)
		end += EROFS_SUPER_OFFSET;
	if (end > size || bytes + end < from)
		return;
	/* 0x5045b54a: the state after the magic and a checksum of zero */
	sb->checksum = cpu_to_le32(crc32c(0x5045b54a, from, bytes + end - from));
}

static void write_file(struct fuzz_disk *disk)
{
	loff_t pos = 0;

	if (i_size_read(file_inode(disk->file)) > disk->size)
		truncate_setsize(file_inode(disk->file), disk->size);
	if (kernel_write(disk->file, disk->bytes, disk->size, &pos) != disk->size)
		panic("fuzz: no memory for an image");
}

static void write_device(struct fuzz_disk *disk)
{
	struct block_device *bdev = file_bdev(disk->device);
	struct bio_vec vec;
	struct bio bio;

	/* What the last mount has read */
	truncate_inode_pages(bdev->bd_mapping, 0);
	set_capacity(bdev->bd_disk, disk->size >> SECTOR_SHIFT);
	bio_init(&bio, bdev, &vec, 1, REQ_OP_WRITE);
	__bio_add_page(&bio, virt_to_page(disk->bytes), disk->size, 0);
	if (submit_bio_wait(&bio))
		panic("fuzz: no memory for a disk");
	bio_uninit(&bio);
}

/*
 * Puts an image where it will be mounted. Its last page is filled up with zeros:
 * EROFS reads metadata in whole pages.
 */
void fuzz_disk_fill(struct fuzz_disk *disk, const u8 *data, size_t size, u8 options)
{
	size_t old = disk->size;

	size = min(size, FUZZ_IMAGE_MAX);
	disk->size = round_up(max(size, 1), PAGE_SIZE);
	disk->options = options;
	memcpy(disk->bytes, data, size);
	memset(disk->bytes + size, 0, max(disk->size, old) - size);
	if (options & FUZZ_MOUNT_MEND &&
	    size >= EROFS_SUPER_OFFSET + sizeof(struct erofs_super_block))
		mend_checksum(disk->bytes, disk->size);
	if (options & FUZZ_MOUNT_BLOCK)
		write_device(disk);
	else
		write_file(disk);
}

const char *fuzz_domain(u8 options)
{
	static const char *const domains[] = { NULL, "a", "b", "a domain with a long name" };

	return domains[(options & FUZZ_MOUNT_DOMAIN) / (FUZZ_MOUNT_DOMAIN & -FUZZ_MOUNT_DOMAIN)];
}

static int set_flag(struct fs_context *fc, const char *key)
{
	struct fs_parameter param = { .key = key, .type = fs_value_is_flag };

	return vfs_parse_fs_param(fc, &param);
}

static int set_source(struct fs_context *fc, struct fuzz_disk *disk)
{
	struct fs_parameter source = {
		.key = "source",
		.type = fs_value_is_file,
		.file = get_file(disk->file),
		.dirfd = 0, /* must not be negative; not used */
	};
	int err;

	if (disk->options & FUZZ_MOUNT_BLOCK) {
		fput(source.file);
		return vfs_parse_fs_string(fc, "source", disk->path);
	}
	err = vfs_parse_fs_param(fc, &source);
	/* EROFS takes the file over unless it fails before. */
	if (source.file)
		fput(source.file);
	return err;
}

static int set_options(struct fs_context *fc, struct fuzz_disk *disk)
{
	static const char *const strategies[] = { NULL, "disabled", "readahead", "readaround" };
	const char *strategy = strategies[(disk->options & FUZZ_MOUNT_CACHE) /
					  (FUZZ_MOUNT_CACHE & -FUZZ_MOUNT_CACHE)];
	const char *domain = fuzz_domain(disk->options);
	int err = set_source(fc, disk);

	if (!err && domain)
		err = vfs_parse_fs_string(fc, "domain_id", domain);
	if (!err && disk->options & FUZZ_MOUNT_SHARE)
		err = set_flag(fc, "inode_share");
	if (!err && disk->options & FUZZ_MOUNT_NOACL)
		err = set_flag(fc, "noacl");
	if (!err && strategy)
		err = vfs_parse_fs_string(fc, "cache_strategy", strategy);
	return err;
}

struct vfsmount *fuzz_mount(struct fuzz_disk *disk)
{
	static struct file_system_type *type;
	struct fs_context *fc;
	struct vfsmount *mnt;
	int err;

	type = type ?: get_fs_type("erofs");
	/* Kernel mounts are torn down at the last mntput(), not later. */
	fc = fs_context_for_mount(type, SB_KERNMOUNT | SB_RDONLY);
	if (IS_ERR(fc))
		return ERR_CAST(fc);
	err = set_options(fc, disk);
	mnt = err ? ERR_PTR(err) : fc_mount(fc);
	put_fs_context(fc);
	if (IS_ERR(mnt))
		fuzz_counts->refused++;
	else
		fuzz_counts->mounted++;
	return mnt;
}

int fuzz_remount(struct vfsmount *mnt, bool share, bool acl)
{
	struct super_block *sb = mnt->mnt_sb;
	struct fs_context *fc = fs_context_for_reconfigure(mnt->mnt_root, SB_RDONLY, SB_RDONLY);
	int err;

	if (IS_ERR(fc))
		return PTR_ERR(fc);
	err = set_flag(fc, acl ? "acl" : "noacl");
	if (!err && share)
		err = set_flag(fc, "inode_share");
	if (!err) {
		down_write(&sb->s_umount);
		err = reconfigure_super(fc);
		up_write(&sb->s_umount);
	}
	put_fs_context(fc);
	return err;
}
