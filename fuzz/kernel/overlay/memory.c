// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Cleans up after an input, so that a guest lives for a million of them; only finding
 * failed-mount-leak leaves memory behind.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/swap.h>
#include <linux/task_work.h>
#include <linux/vmstat.h>
#include "internal.h"
#include "fs/internal.h"
#include "fuzz.h"

/* The root directory is all that a superblock of shared inodes has by itself. */
static void evict(struct super_block *sb, void *left)
{
	evict_inodes(sb);
	*(bool *)left |= !list_is_singular(&sb->s_inodes);
}

/*
 * Finding failed-mount-leak: what a mount that fails has read of compressed
 * metadata is never freed. A guest has memory for so many pclusters.
 */
#define LOST_MAX 8192

static long lost;

bool fuzz_is_worn_out(void)
{
	return lost > LOST_MAX;
}

/* refused: whether a mount has failed. Else there is nothing when nothing is mounted. */
void fuzz_count_lost(bool refused)
{
	unsigned long end = jiffies + HZ;
	long count;

	while (!refused && atomic_long_read(&erofs_global_shrink_cnt) != lost) {
		if (time_after(jiffies, end))
			panic("a pcluster stays when nothing is mounted");
		schedule_timeout_uninterruptible(1);
	}
	count = atomic_long_read(&erofs_global_shrink_cnt);
	fuzz_counts->lost += count - lost;
	lost = count;
}

/*
 * Finding metadata-over-pcluster: a folio is said to be a pcluster's, but not of
 * which, and the reference that goes with that has been dropped. To let it go
 * follows a null pointer, when the mount goes.
 */
void fuzz_mend_cache(struct super_block *sb)
{
	struct inode *cache = EROFS_SB(sb)->managed_cache;
	struct folio *folio;

	if (!cache)
		return;
	/* Folios that wait for their place in a list have a reference for that. */
	lru_add_drain_all();

	XA_STATE(xas, &cache->i_mapping->i_pages, 0);

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, ULONG_MAX) {
		if (xa_is_value(folio) || !folio_test_private(folio) || folio->private ||
		    folio_ref_count(folio) > 1)
			continue;
		folio_clear_private(folio);
		fuzz_counts->mended++;
	}
	xas_unlock_irq(&xas);
}

/*
 * Files are put by task work, and the shared inodes outlive their mounts. A worker
 * may hold one for a while: as when it reports, to nobody, that a read has failed.
 */
void fuzz_clean_up(void)
{
	unsigned long end = jiffies + HZ;
	bool left;

	task_work_run();
	flush_delayed_fput();
	for (;;) {
		left = false;
		iterate_supers_type(&erofs_anon_fs_type, evict, &left);
		if (!left)
			return;
		if (time_after(jiffies, end))
			panic("a shared inode stays when no file is left");
		schedule_timeout_uninterruptible(1);
	}
}

unsigned int fuzz_count_inodes(struct super_block *sb)
{
	struct inode *inode;
	unsigned int count = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) count++;
	spin_unlock(&sb->s_inode_list_lock);
	return count;
}

/*
 * As if memory were short: the inodes go, but for so many that the mount holds
 * itself, and those that a worker holds for a while.
 */
void fuzz_forget_inodes(struct super_block *sb, unsigned int count)
{
	unsigned long end = jiffies + HZ;

	task_work_run();
	flush_delayed_fput();
	for (;;) {
		shrink_dcache_sb(sb);
		evict_inodes(sb);
		if (fuzz_count_inodes(sb) <= count)
			return;
		if (time_after(jiffies, end))
			panic("an inode stays when nobody uses it");
		schedule_timeout_uninterruptible(1);
	}
}

static void count_super(struct super_block *sb, void *count)
{
	struct fuzz_census *census = count;

	census->inodes += fuzz_count_inodes(sb);
	census->mounts++;
}

void fuzz_census(struct fuzz_census *census)
{
	*census = (struct fuzz_census){
		.run = fuzz_shared->runs,
		.free_pages = global_zone_page_state(NR_FREE_PAGES),
		.slab_pages = global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
			      global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B),
	};
	iterate_supers(count_super, census);
}
