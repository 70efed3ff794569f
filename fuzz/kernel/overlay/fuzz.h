/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the parts of the loop share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/fs.h>
#include <linux/mount.h>
#include "host.h"
#include "input.h"

#define FUZZ_IMAGE_MAX 65536 /* as large as the RAM disks */

/* coverage.c */
void fuzz_coverage_start(const u8 *input, size_t size);
void fuzz_coverage_stop(void);

/* disks.c: what is mounted */
struct fuzz_disk {
	u8 *bytes; /* FUZZ_IMAGE_MAX, zeros from size on */
	size_t size; /* whole pages */
	u8 options; /* FUZZ_MOUNT_* */
	struct file *file; /* the image as a file */
	struct file *device; /* the image as a disk */
	const char *path; /* of the latter */
};

int fuzz_disks_init(void);
void fuzz_disk_fill(struct fuzz_disk *disk, const u8 *data, size_t size, u8 options);
const char *fuzz_domain(u8 options);
struct vfsmount *fuzz_mount(struct fuzz_disk *disk);
int fuzz_remount(struct vfsmount *mnt, bool share, bool acl);
extern struct fuzz_disk fuzz_disks[2];

/* reader.c: what a user of a mount does */
int fuzz_reader_init(void);
void fuzz_read_all(struct vfsmount *mnt, u8 actions);

/* judge.c: what must be so; panics if it is not */
int fuzz_judge_init(void);
bool fuzz_known_mount(unsigned int which);
void fuzz_judge_mount(unsigned int which, struct vfsmount *mnt);
void fuzz_judge_sharing(void);
void fuzz_release_inodes(void);
void fuzz_judge_remount(unsigned int which, bool share, int err);
void fuzz_judge_again(void);
void fuzz_judge_read(struct file *file, loff_t pos, size_t wanted, const u8 *data, size_t size);
void fuzz_judge_umount(const struct vfsmount *mnt);
void fuzz_judge_release(void);

/* known.c: complaints of the kernel's */
extern char fuzz_complaint[]; /* the first that is not known, or empty */
int fuzz_known_init(void);

/* memory.c: what is left behind */
void fuzz_clean_up(void);
void fuzz_count_lost(bool refused);
void fuzz_mend_cache(struct super_block *sb);
bool fuzz_is_worn_out(void);
unsigned int fuzz_count_inodes(struct super_block *sb);
void fuzz_forget_inodes(struct super_block *sb, unsigned int count);
void fuzz_census(struct fuzz_census *census);

#endif
