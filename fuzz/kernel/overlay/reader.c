// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Acts as a user of a mount: walks, looks up and reads in every way. */
#include <linux/fadvise.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/delayed_call.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/mm.h>
#include <linux/splice.h>
#include <linux/statfs.h>
#include <linux/uaccess.h>
#include <linux/xattr.h>
#include "internal.h"
#include "fuzz.h"

#define DEPTH 4 /* of directories */
#define NAMES 16 /* of a directory */
#define VISITS 64 /* of a mount */
#define READ_MAX SZ_64K
#define MAP_MAX SZ_16K

struct names {
	struct dir_context ctx;
	unsigned int count;
	char name[NAMES][NAME_MAX + 1];
};

static struct names levels[DEPTH];
static u8 *buffer;
static struct pipe_inode_info *pipe;

int fuzz_reader_init(void)
{
	struct mm_struct *mm = mm_alloc();

	buffer = kmalloc(READ_MAX, GFP_KERNEL);
	pipe = alloc_pipe_info();
	if (!buffer || !pipe || !mm)
		return -ENOMEM;
	pipe->readers = 1;
	/* For mappings. This is not a kernel thread, in order to have task work. */
	current->flags |= PF_KTHREAD;
	kthread_use_mm(mm);
	current->flags &= ~PF_KTHREAD;
	return 0;
}

/* ---- Xattrs ---- */

static void read_xattrs(struct dentry *dentry)
{
	static char list[SZ_4K], value[SZ_4K];
	ssize_t size = vfs_listxattr(dentry, list, sizeof(list)), at;
	unsigned int count = 0;

	/* Every other time only the size is asked for. */
	for (at = 0; at < size && count++ < NAMES; at += strlen(list + at) + 1)
		vfs_getxattr(&nop_mnt_idmap, dentry, list + at, count % 2 ? value : NULL,
			     count % 2 ? sizeof(value) : 0);
	vfs_getxattr(&nop_mnt_idmap, dentry, "user.absent", value, sizeof(value));
}

/* ---- What is known ---- */

static struct inode *data_inode(struct inode *inode)
{
	struct dentry *shared = EROFS_I(inode)->sharedentry;

	return shared ? d_inode(shared) : inode;
}

/*
 * Finding fileio-huge-size-hang: an extent of 2^63 bytes, on a file-backed mount
 * and not compressed, is read without end: a file's, a link's or a directory's.
 */
static bool known_hang(struct inode *inode)
{
	u64 end = round_up((u64)i_size_read(inode), (u64)i_blocksize(inode));

	return data_inode(inode)->i_mapping->a_ops == &erofs_fileio_aops && end == BIT_ULL(63);
}

/*
 * Finding block-size: files on disks that share pages larger than their blocks
 * end in stale memory, and iomap warns.
 */
static bool known_stale(struct inode *inode)
{
	struct inode *shared = data_inode(inode);
	struct erofs_inode *real;

	if (shared == inode || shared->i_mapping->a_ops != &erofs_aops)
		return false;
	list_for_each_entry(real, &EROFS_I(shared)->ishare_list,
			    ishare_list) if (real->vfs_inode.i_blkbits < PAGE_SHIFT) return true;
	return false;
}

/* Extent records of 4 bytes: to look one up, all before it are added up. */
static bool has_small_records(struct inode *inode)
{
	struct erofs_inode *vi = EROFS_I(inode);
	struct erofs_map_blocks map = {};

	if (vi->datalayout != EROFS_INODE_COMPRESSED_FULL)
		return false;
	z_erofs_map_blocks_iter(inode, &map, 0); /* reads z_advise */
	erofs_put_metabuf(&map.buf);
	return vi->z_advise & Z_EROFS_ADVISE_EXTENTS && z_erofs_extent_recsize(vi->z_advise) == 4;
}

/*
 * Finding huge-size-walk: what is far behind in a file or directory with small
 * records is read too slowly. Of inodes that share, any may be the one that is read.
 */
static bool known_slow_read(struct inode *inode)
{
	struct inode *shared = data_inode(inode);
	struct erofs_inode *real;

	if (i_size_read(inode) <= SZ_16M)
		return false;
	if (shared == inode)
		return has_small_records(inode);
	list_for_each_entry(real, &EROFS_I(shared)->ishare_list,
			    ishare_list) if (has_small_records(&real->vfs_inode)) return true;
	return false;
}

/*
 * Finding huge-size-walk: looking for a hole or for data goes from extent to extent,
 * and takes time in proportion to the square of the size where records are small.
 * Flat files have two extents at most. It is the file's own inode that counts.
 */
static bool known_slow_seek(struct inode *inode)
{
	unsigned int layout = EROFS_I(inode)->datalayout;
	loff_t size = i_size_read(inode);

	if (layout == EROFS_INODE_FLAT_PLAIN || layout == EROFS_INODE_FLAT_INLINE)
		return false;
	return size > SZ_16M || (size > SZ_256K && has_small_records(inode));
}

/* ---- Links ---- */

static void read_link(struct dentry *dentry)
{
	DEFINE_DELAYED_CALL(done);
	const char *link;

	if (known_hang(d_inode(dentry)))
		return;
	link = vfs_get_link(dentry, &done);
	/* KASAN looks at each byte. */
	if (!IS_ERR_OR_NULL(link))
		strscpy(buffer, link, PATH_MAX);
	do_delayed_call(&done);
}

/* ---- Data ---- */

static void read_at(struct file *file, loff_t pos, size_t size)
{
	loff_t at = pos;
	ssize_t got = kernel_read(file, buffer, size, &at);

	fuzz_judge_read(file, pos, size, buffer, max(got, 0));
}

static void read_data(struct file *file, loff_t size)
{
	read_at(file, 0, READ_MAX);
	if (size > READ_MAX && !known_slow_read(file_inode(file)))
		read_at(file, size - 100, 100);
	if (known_slow_seek(file_inode(file)))
		return;
	vfs_llseek(file, 0, SEEK_HOLE);
	vfs_llseek(file, size / 2, SEEK_DATA);
}

static void map_data(struct file *file, loff_t size)
{
	size_t length = min_t(loff_t, size, MAP_MAX), missing;
	unsigned long at;

	if (!length)
		return;
	at = vm_mmap(file, 0, length, PROT_READ, MAP_PRIVATE, 0);
	if (IS_ERR_VALUE(at)) {
		fuzz_judge_read(file, 0, length, buffer, 0);
		return;
	}
	missing = copy_from_user(buffer, (void __user *)at, length);
	fuzz_judge_read(file, 0, length, buffer, length - missing);
	vm_munmap(at, length);
}

/* Return: the bytes that were in it; to: where they go */
static size_t empty_pipe(u8 *to)
{
	size_t size = 0;

	while (!pipe_is_empty(pipe)) {
		struct pipe_buffer *buf = pipe_buf(pipe, pipe->tail);

		if (!pipe_buf_confirm(pipe, buf)) {
			memcpy(to + size, page_address(buf->page) + buf->offset, buf->len);
			size += buf->len;
		}
		pipe_buf_release(pipe, buf);
		pipe->tail++;
	}
	return size;
}

static void splice_data(struct file *file)
{
	loff_t pos = 0;
	size_t size;

	pipe_lock(pipe);
	vfs_splice_read(file, &pos, pipe, MAP_MAX, 0);
	size = empty_pipe(buffer);
	pipe_unlock(pipe);
	fuzz_judge_read(file, 0, MAP_MAX, buffer, size);
}

static void read_file(const struct path *path, u8 actions)
{
	unsigned int flags = O_RDONLY | O_LARGEFILE | (actions & FUZZ_DO_DIRECT ? O_DIRECT : 0);
	struct inode *inode = d_inode(path->dentry);
	struct file *file;

	if (known_hang(inode) || known_stale(inode))
		return;
	file = dentry_open(path, flags, current_cred());
	if (IS_ERR(file))
		return;
	if (actions & FUZZ_DO_FADVISE)
		vfs_fadvise(file, 0, READ_MAX, POSIX_FADV_WILLNEED);
	if (actions & FUZZ_DO_SPLICE)
		splice_data(file);
	if (actions & FUZZ_DO_MAP)
		map_data(file, i_size_read(inode));
	read_data(file, i_size_read(inode));
	if (actions & FUZZ_DO_FADVISE)
		vfs_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	fput(file);
}

/* ---- Directories ---- */

static bool add_name(struct dir_context *ctx, const char *name, int size, loff_t pos, u64 ino,
		     unsigned int type)
{
	struct names *names = container_of(ctx, struct names, ctx);

	if (name_is_dot_dotdot(name, size))
		return true;
	if (size > 0 && size <= NAME_MAX && !memchr(name, '/', size) && !memchr(name, 0, size)) {
		memcpy(names->name[names->count], name, size);
		names->name[names->count++][size] = '\0';
	}
	return names->count < NAMES;
}

static void list_names(const struct path *path, struct names *names)
{
	struct file *file = dentry_open(path, O_RDONLY | O_DIRECTORY, current_cred());

	names->count = 0;
	names->ctx = (struct dir_context){ .actor = add_name };
	if (IS_ERR(file))
		return;
	iterate_dir(file, &names->ctx);
	fput(file);
}

static void look_at(const struct path *path, u8 actions)
{
	struct kstat stat;

	vfs_getattr(path, &stat, STATX_BASIC_STATS, 0);
	read_xattrs(path->dentry);
	if (d_is_symlink(path->dentry))
		read_link(path->dentry);
	else if (d_is_reg(path->dentry))
		read_file(path, actions);
}

static void walk(const struct path *path, unsigned int depth, unsigned int *visits, u8 actions)
{
	struct names *names = &levels[depth];
	struct dentry *absent;
	unsigned int i;

	if (known_hang(d_inode(path->dentry)) || known_slow_read(d_inode(path->dentry)))
		return;
	list_names(path, names);
	for (i = 0; i < names->count && *visits; i++) {
		struct path entry = { .mnt = path->mnt };

		entry.dentry = lookup_noperm_positive_unlocked(&QSTR(names->name[i]), path->dentry);
		if (IS_ERR(entry.dentry))
			continue;
		--*visits;
		look_at(&entry, actions);
		if (d_is_dir(entry.dentry) && depth + 1 < DEPTH)
			walk(&entry, depth + 1, visits, actions);
		dput(entry.dentry);
	}
	absent = lookup_noperm_unlocked(&QSTR("absent"), path->dentry);
	if (!IS_ERR(absent))
		dput(absent);
}

void fuzz_read_all(struct vfsmount *mnt, u8 actions)
{
	struct path root = { .mnt = mnt, .dentry = mnt->mnt_root };
	unsigned int visits = VISITS;
	struct kstatfs statfs;

	vfs_statfs(&root, &statfs);
	look_at(&root, actions);
	walk(&root, 0, &visits, actions);
}
