// SPDX-License-Identifier: GPL-2.0-or-later
/* What a program sees of a file that shares, beside its data. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "all_topics.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static const struct file *file;

static int open_file(const char *directory)
{
	int fd = open_at(directory, file->name, O_RDONLY);

	if (fd < 0)
		give_up(directory, -errno);
	return fd;
}

/* A and b are two mounts of one image, a shares, b does not. */
static void try_stat(int a, int b)
{
	struct stat sa, sb;

	fstat(a, &sa);
	fstat(b, &sb);
	ok(sa.st_ino == sb.st_ino && sa.st_mode == sb.st_mode && sa.st_uid == sb.st_uid &&
		   sa.st_size == sb.st_size && sa.st_blocks == sb.st_blocks &&
		   sa.st_blksize == sb.st_blksize && sa.st_mtime == sb.st_mtime &&
		   sa.st_nlink == sb.st_nlink,
	   "fstat is that of the image");
	ok(sa.st_dev != sb.st_dev, "each mount has its own device number");
}

static void try_link(int a)
{
	char link[64], target[128] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", a);
	ok(readlink(link, target, sizeof(target) - 1) > 0 && !strcmp(target, WORK "/a/mib"),
	   "/proc/self/fd shows the path in the image's mount");
}

static void try_ioctls(int a, int b)
{
	char label[FSLABEL_MAX] = "";
	struct {
		struct fiemap map;
		struct fiemap_extent extents[4];
	} fa = { 0 }, fb;

	ok(ioctl(a, FS_IOC_GETFSLABEL, label) && errno == ENOTTY,
	   "ioctl(FS_IOC_GETFSLABEL): ENOTTY");
	ok(!ioctl(b, FS_IOC_GETFSLABEL, label) && !strncmp(label, "probe-", 6),
	   "on a file that does not share: the label");
	fa.map.fm_length = FIEMAP_MAX_OFFSET;
	fa.map.fm_extent_count = 4;
	fb = fa;
	ok(!ioctl(a, FS_IOC_FIEMAP, &fa) && !ioctl(b, FS_IOC_FIEMAP, &fb) &&
		   fa.map.fm_mapped_extents && !memcmp(&fa, &fb, sizeof(fa)),
	   "ioctl(FS_IOC_FIEMAP): extents in the file's own image");
}

static void try_locks(int a, int b)
{
	ok(fcntl(a, F_SETLEASE, F_RDLCK) && errno == EINVAL, "fcntl(F_SETLEASE): EINVAL");
	ok(!fcntl(b, F_SETLEASE, F_RDLCK), "on a file that does not share: a lease");
	fcntl(b, F_SETLEASE, F_UNLCK);
	ok(!flock(a, LOCK_SH) && !flock(a, LOCK_UN), "flock works");
}

static void try_seek(void)
{
	const struct file *sparse = tree_file("sparse");
	int a = open_at(WORK "/c", sparse->name, O_RDONLY);

	ok(lseek(a, 0, SEEK_HOLE) == 64 << 10,
	   "lseek(SEEK_HOLE) finds the hole of the file's own image");
	ok(lseek(a, 64 << 10, SEEK_DATA) == 128 << 10, "lseek(SEEK_DATA) finds the data behind it");
	ok(lseek(a, -1, SEEK_END) == (off_t)sparse->size - 1,
	   "lseek(SEEK_END) goes by the file's size");
	close(a);
}

struct cachestat_answer {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static void try_cachestat(int a, int b)
{
	struct {
		uint64_t offset, length;
	} range = { 0, 0 };
	struct cachestat_answer of_a = { 0 }, of_b = { 0 };

	read_private_mapping(a, file);
	read_private_mapping(b, file);
	if (syscall(SYS_cachestat, a, &range, &of_a, 0) ||
	    syscall(SYS_cachestat, b, &range, &of_b, 0)) {
		skip("no cachestat (CONFIG_CACHESTAT_SYSCALL)", "cachestat");
		return;
	}
	ok(of_a.cached == 0, "cachestat: nothing of a file that shares");
	ok(of_b.cached == (uint64_t)pages(file->size), "on a file that does not share: the pages");
}

static void try_inotify(void)
{
	int watch = inotify_init1(IN_NONBLOCK), a;
	char events[4096];

	if (watch < 0) {
		skip("no inotify (CONFIG_INOTIFY_USER)", "inotify");
		return;
	}
	inotify_add_watch(watch, WORK "/a/mib", IN_OPEN | IN_ACCESS);
	a = open_file(WORK "/a");
	ok(pread(a, events, 1, 0) == 1 && read(watch, events, sizeof(events)) > 0,
	   "inotify reports the user file");
	close(a);
	close(watch);
}

/* With all capabilities, in a user namespace that does not have the file's owner. */
static int sees_all_pages_as_container(void)
{
	int fd = open_at(WORK "/a", file->name, O_RDONLY);

	if (fd < 0 || unshare(CLONE_NEWUSER))
		return 97;
	return resident(fd) == pages(file->size);
}

/* As a user who is neither root nor the owner. */
static int as_somebody(int (*look)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(99);
		_exit(look());
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int sees_all_pages(void)
{
	int fd = open_at(WORK "/a", file->name, O_RDONLY);

	return fd < 0 ? 97 : resident(fd) == pages(file->size);
}

static void try_mincore(int a)
{
	posix_fadvise(a, 0, 0, POSIX_FADV_DONTNEED);
	ok(resident(a) == 0, "mincore tells root the truth");
	ok(as_somebody(sees_all_pages) == 1, "mincore tells others that every page is present");
	ok(as_somebody(sees_all_pages_as_container) == 1, "root of a user namespace sees the same");
}

/* madvise(MADV_PAGEOUT) asks for the same permission as mincore. */
static int pages_out(void)
{
	int fd = open_at(WORK "/a", file->name, O_RDONLY);
	void *map = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? 97 : madvise(map, file->size, MADV_PAGEOUT) ? 1 : 0;
}

static void try_pageout(int a)
{
	read_private_mapping(a, file);
	ok(as_somebody(pages_out) == 0, "madvise(MADV_PAGEOUT) by others fails silently");
	ok(resident(a) == pages(file->size), "and pages nothing out");
}

static void try_xattrs(void)
{
	char list[256];
	ssize_t n = listxattr(WORK "/a/mib", list, sizeof(list));

	ok(n == 0, "the fingerprint's usual name is hidden from programs");
	share("named", WORK "/p", "d");
	ok(getxattr(WORK "/p/mib", "user.digest", list, sizeof(list)) == 39 &&
		   !memcmp(list, "sha256:", 7),
	   "a fingerprint with a name of its own can be read");
	unmount(WORK "/p");
}

void topic_program(void)
{
	int a, b;

	file = tree_file("mib");
	share("inline", WORK "/a", "d");
	share("chunk-64k", WORK "/c", "d");
	if (erofs_mount(image_path("inline"), WORK "/b", NULL, ""))
		give_up("inline", -EINVAL);
	a = open_file(WORK "/a");
	b = open_file(WORK "/b");
	try_stat(a, b);
	try_link(a);
	try_ioctls(a, b);
	try_locks(a, b);
	try_seek();
	try_cachestat(a, b);
	try_inotify();
	try_mincore(a);
	try_pageout(a);
	try_xattrs();
	close(a);
	close(b);
	unmount(WORK "/a");
	unmount(WORK "/b");
	unmount(WORK "/c");
}
