// SPDX-License-Identifier: GPL-2.0-or-later
/* What passes by the page cache: direct I/O. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static int open_error(const char *directory, const char *name, int flags)
{
	int fd = open_at(directory, name, flags);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static unsigned int direct_alignment(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, STATX_DIOALIGN, &st) ? 0 : st.stx_dio_offset_align;
}

/* Reads with O_DIRECT set afterwards; whether it came through the page cache. */
static void try_set_direct(const struct file *file, bool accepted, const char *where)
{
	int fd = open_at(WORK "/a", file->name, O_RDONLY);
	int error = fcntl(fd, F_SETFL, O_DIRECT) ? -errno : 0;
	uint8_t *buffer = aligned_alloc(4096, 4096);

	ok_errno(error, accepted ? 0 : -EINVAL,
		 "%s: fcntl(F_SETFL, O_DIRECT) on a file that shares", where);
	if (!error) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		ok(pread(fd, buffer, 4096, 0) == 4096 && content_is(file->seed, 0, buffer, 4096),
		   "%s: a read afterwards gives its content", where);
		ok(resident(fd) > 0, "%s: through the shared pages", where);
	}
	free(buffer);
	close(fd);
}

static void try_direct(enum backing backing, const char *image, const char *other, bool aligned)
{
	const struct file *file = tree_file("mib");
	const char *where = backing_names[backing], *source = source_or_skip(backing, image);
	const char *second = source ? source_or_skip(backing, other) : NULL;

	if (!source || !second)
		return;
	if (erofs_mount(source, WORK "/a", "d", "inode_share") ||
	    erofs_mount(second, WORK "/b", "d", ""))
		give_up(image, -EINVAL);
	ok_errno(open_error(WORK "/a", file->name, O_RDONLY | O_DIRECT), -EINVAL,
		 "%s: open(O_DIRECT) of %s's file that shares", where, image);
	ok_errno(open_error(WORK "/a", "empty", O_RDONLY | O_DIRECT), aligned ? 0 : -EINVAL,
		 "%s: open(O_DIRECT) of a file without a fingerprint", where);
	ok_errno(open_error(WORK "/b", file->name, O_RDONLY | O_DIRECT), aligned ? 0 : -EINVAL,
		 "%s: open(O_DIRECT) of %s's file that does not share", where, other);
	ok(!!direct_alignment(WORK "/a/mib") == aligned, "%s: statx(STATX_DIOALIGN) reports %s",
	   where, aligned ? "an alignment" : "none");
	try_set_direct(file, aligned, where);
	ok_content(WORK "/a", file, where);
	unmount(WORK "/a");
	unmount(WORK "/b");
	release_loops();
}

/* directio concerns the backing file, not who opens a file of the image. */
static void try_backing_file(void)
{
	const struct file *file = tree_file("5000");
	int error = erofs_mount(image_path("inline"), WORK "/a", "d", "inode_share,directio");

	ok_errno(error, 0, "mount with inode_share and directio");
	if (error)
		return;
	ok(mount_shows(WORK "/a", "directio"), "/proc/mounts shows directio");
	share("other", WORK "/b", "d");
	ok_content(WORK "/a", file,
		   "the serving image reads its backing file directly, if that can");
	ok_resident(true, WORK "/b", file, "one is mounted with directio");
	unmount(WORK "/b");
	unmount(WORK "/a");
}

void topic_direct_io(void)
{
	try_direct(ON_FILE, "inline", "other", false);
	try_direct(ON_UBD, "inline", "other", true);
	try_direct(ON_LOOP, "inline", "other", true);
	try_backing_file();
}
