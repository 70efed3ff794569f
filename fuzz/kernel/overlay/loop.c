// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The loop that AFL++ drives: an input says what to mount and how, and what to
 * do then. It runs in the kernel's first process, before there is any program.
 */
#include <linux/init.h>
#include <linux/kmsg_dump.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/task_work.h>
#include <linux/unaligned.h>
#include <uapi/linux/sched/types.h>
#include "internal.h"
#include "fuzz.h"

struct input {
	u8 header[FUZZ_HEADER];
	const u8 *image[2];
	size_t size[2];
};

static struct task_struct *loop_task;

/* ---- The input ---- */

static void decode(struct input *in, const u8 *data, size_t size)
{
	size_t first;

	memset(in, 0, sizeof(*in));
	memcpy(in->header, data, min(size, FUZZ_HEADER));
	data += min(size, FUZZ_HEADER);
	size -= min(size, FUZZ_HEADER);
	first = min_t(size_t, get_unaligned_le32(&in->header[FUZZ_SIZE]), size);
	in->image[0] = data;
	in->size[0] = first;
	in->image[1] = data + first;
	in->size[1] = size - first;
	if (in->header[FUZZ_ACTIONS] & FUZZ_DO_TWIN) {
		in->image[1] = data;
		in->size[1] = first;
	}
}

/* ---- What is done with it ---- */

static struct vfsmount *mount_one(const struct input *in, unsigned int which)
{
	struct fuzz_disk *disk = &fuzz_disks[which];
	struct vfsmount *mnt;

	fuzz_disk_fill(disk, in->image[which], in->size[which], in->header[FUZZ_FIRST + which]);
	if (fuzz_known_mount(which))
		return NULL;
	mnt = fuzz_mount(disk);
	fuzz_judge_mount(which, mnt);
	return mnt;
}

/*
 * Finding remount-unchecked: inode_share is turned on without what it needs,
 * the domain of the mount and the feature.
 */
static bool may_share(struct vfsmount *mnt)
{
	struct erofs_sb_info *sbi = EROFS_SB(mnt->mnt_sb);

	return sbi->domain_id && erofs_sb_has_ishare_xattrs(sbi);
}

static void remount_one(struct vfsmount *mnt[2], unsigned int which, bool share, bool acl)
{
	if (!IS_ERR_OR_NULL(mnt[which]) && (!share || may_share(mnt[which])))
		fuzz_judge_remount(which, share, fuzz_remount(mnt[which], share, acl));
}

static void remount(struct vfsmount *mnt[2], enum fuzz_remount how)
{
	if (how == FUZZ_REMOUNT_SHARE)
		remount_one(mnt, 0, true, true);
	else if (how == FUZZ_REMOUNT_PLAIN)
		remount_one(mnt, 0, false, false);
	else if (how == FUZZ_REMOUNT_OTHER)
		remount_one(mnt, 1, true, true);
}

static void read_both(struct vfsmount *mnt[2], u8 actions)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (!IS_ERR_OR_NULL(mnt[i]))
			fuzz_read_all(mnt[i], actions);
}

static void umount_one(struct vfsmount **mnt)
{
	if (!IS_ERR_OR_NULL(*mnt)) {
		task_work_run();
		fuzz_judge_umount(*mnt);
		fuzz_mend_cache((*mnt)->mnt_sb);
		mntput(*mnt);
	}
	*mnt = NULL;
}

static void run(const u8 *data, size_t size)
{
	static struct input in;
	struct vfsmount *mnt[2] = {};
	unsigned int remounts, actions;

	decode(&in, data, size);
	actions = in.header[FUZZ_ACTIONS];
	remounts = in.header[FUZZ_REMOUNTS];
	mnt[0] = mount_one(&in, 0);
	if (actions & (FUZZ_DO_SECOND | FUZZ_DO_TWIN))
		mnt[1] = mount_one(&in, 1);
	fuzz_judge_sharing();
	fuzz_release_inodes();
	read_both(mnt, actions);
	if (remounts) {
		for (; remounts; remounts >>= 2)
			remount(mnt, remounts & 3);
		read_both(mnt, 0);
		fuzz_judge_again();
		fuzz_release_inodes();
		read_both(mnt, 0);
	}
	if (actions & FUZZ_DO_FIRST_GOES) {
		umount_one(&mnt[0]);
		read_both(mnt, actions);
	}
	umount_one(&mnt[1]);
	umount_one(&mnt[0]);
	fuzz_judge_release();
}

/* The input is an image: mount, read and unmount it, without anything else. */
static void run_bare(const u8 *data, size_t size)
{
	struct vfsmount *mnt;

	fuzz_disk_fill(&fuzz_disks[0], data, size, FUZZ_MOUNT_SHARE | FUZZ_MOUNT_DOMAIN);
	if (fuzz_known_mount(0))
		return;
	mnt = fuzz_mount(&fuzz_disks[0]);
	if (!IS_ERR(mnt))
		fuzz_read_all(mnt, 0);
	umount_one(&mnt);
}

/* ---- When it goes wrong ---- */

/* The launcher has waited for long enough. */
void fuzz_hang(void)
{
	if (current != loop_task)
		sched_show_task(loop_task);
	panic("hang: an input does not end");
}

/* The log's end. Nothing is printed before: that would take longer than an input. */
static void dump_log(struct kmsg_dumper *dumper, struct kmsg_dump_detail *detail)
{
	static char text[SZ_64K];
	struct kmsg_dump_iter iter;
	size_t size;

	kmsg_dump_rewind(&iter);
	if (kmsg_dump_get_buffer(&iter, false, text, sizeof(text), &size))
		fuzz_host_write(text, size);
}

static struct kmsg_dumper dumper = { .dump = dump_log };

/* ---- The loop ---- */

/* All others go first, so that what an input does is the same each time. */
static int __init give_way(void)
{
	struct sched_param param = {};

	return sched_setscheduler_nocheck(current, SCHED_IDLE, &param);
}

static int __init init(void)
{
	int err = kmsg_dump_register(&dumper);

	loop_task = current;
	if (!err)
		err = give_way();
	if (!err)
		err = fuzz_known_init();
	if (!err)
		err = fuzz_disks_init();
	if (!err)
		err = fuzz_reader_init();
	if (!err)
		err = fuzz_judge_init();
	return err;
}

static void take_census(void)
{
	/* Caches grow at first. */
	if (fuzz_shared->runs == 4096)
		fuzz_census(&fuzz_shared->first);
	if (fuzz_shared->runs % 4096 == 0)
		fuzz_census(&fuzz_shared->last);
}

static void run_one(const u8 *data, size_t size, bool bare)
{
	u64 refused = fuzz_counts->refused;

	fuzz_coverage_start(data, size);
	if (bare)
		run_bare(data, size);
	else
		run(data, size);
	fuzz_clean_up();
	fuzz_count_lost(refused != fuzz_counts->refused);
	fuzz_coverage_stop();
	if (*fuzz_complaint)
		panic("%s", fuzz_complaint);
	take_census();
	cond_resched();
}

static int __init fuzz_loop(void)
{
	const unsigned char *data;
	unsigned int size;
	bool bare;
	int err;

	if (!fuzz_host_start())
		return 0;
	err = init();
	if (err)
		panic("fuzz: cannot start: %d", err);
	bare = fuzz_host_bare();
	while (fuzz_host_next_seed(&data, &size)) {
		run_one(data, size, bare);
		fuzz_host_done(false);
	}
	while (!fuzz_is_worn_out() && fuzz_host_next(&data, &size)) {
		run_one(data, size, bare);
		fuzz_host_done(fuzz_is_worn_out());
	}
	kernel_power_off();
	return 0;
}
late_initcall_sync(fuzz_loop);
