// SPDX-License-Identifier: GPL-2.0-or-later
/* Overlays and idmapped mounts above images that share. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "all_topics.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define SHIFT 100000

static bool maps_show(const char *path)
{
	char *maps = slurp("/proc/self/maps");
	bool shown = maps && strstr(maps, path);

	free(maps);
	return shown;
}

static void try_overlay_files(void)
{
	bool all = true;

	for (const struct file *file = tree; file->name; file++) {
		enum sharing got = shares(WORK "/p", WORK "/b", file);

		all &= got == (file->size ? SHARED : APART);
		if (got == APART && file->size)
			diag("%s: not shared", file->name);
	}
	ok(all, "read through an overlay, all files' pages are there for the other image");
	ok_content(WORK "/p", tree_file("mib"), "through the overlay");
	ok_content(WORK "/b", tree_file("mib"), "beside the overlay");
}

static void try_overlay_mapping(void)
{
	const struct file *file = tree_file("5000");
	int fd = open_at(WORK "/p", file->name, O_RDONLY);
	void *map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);

	ok(maps_show(WORK "/p/5000"), "/proc/self/maps shows the path in the overlay");
	munmap(map, file->size);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ok_resident(false, WORK "/b", file, "dropped through the overlay");
	close(fd);
}

static void try_overlay(void)
{
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	mount_overlay();
	try_overlay_files();
	try_overlay_mapping();
	unmount(WORK "/p");
	unmount(WORK "/a");
	unmount(WORK "/b");
}

static bool write_map(pid_t process, const char *which)
{
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/proc/%d/%s", process, which);
	map = fopen(path, "w");
	if (!map)
		return false;
	fprintf(map, "0 %d 65536\n", SHIFT);
	return !fclose(map);
}

/* A user namespace that maps 0 to SHIFT; -1 if there are none. */
static int user_namespace(void)
{
	char path[64];
	int ends[2], fd = -1;
	char byte = 0;
	pid_t child;

	if (pipe(ends))
		return -1;
	fflush(stdout);
	child = fork();
	if (!child) {
		byte = unshare(CLONE_NEWUSER) != 0;
		if (write(ends[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	if (read(ends[0], &byte, 1) == 1 && !byte && write_map(child, "uid_map") &&
	    write_map(child, "gid_map")) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
		fd = open(path, O_RDONLY);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return fd;
}

static int idmap(const char *from, const char *to, int userns)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
					 .userns_fd = (uint64_t)userns };
	int tree_fd = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), error = 0;

	if (tree_fd < 0 ||
	    mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) ||
	    move_mount(tree_fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH))
		error = -errno;
	if (tree_fd >= 0)
		close(tree_fd);
	return error;
}

static void try_idmapped(void)
{
	int userns = user_namespace();
	const struct file *file = tree_file("mib");
	struct stat st;

	if (userns < 0) {
		skip("no user namespaces (CONFIG_USER_NS)",
		     "an idmapped mount of an image that shares");
		return;
	}
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	ok_errno(idmap(WORK "/a", WORK "/p", userns), 0,
		 "an idmapped mount of an image that shares");
	ok(!stat(WORK "/p/mib", &st) && st.st_uid == SHIFT, "it maps owners");
	ok_shares(SHARED, WORK "/p", WORK "/b", file, "read through it, the pages are shared");
	ok_content(WORK "/p", file, "through an idmapped mount");
	ok(!stat(WORK "/a/mib", &st) && st.st_uid == 0, "the mount below keeps its owners");
	unmount(WORK "/p");
	unmount(WORK "/a");
	unmount(WORK "/b");
	close(userns);
}

void topic_stacked(void)
{
	try_overlay();
	try_idmapped();
}
