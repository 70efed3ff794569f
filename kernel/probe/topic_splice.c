// SPDX-License-Identifier: GPL-2.0-or-later
/* Data that was spliced keeps its content, whatever becomes of its origin. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define PIECE (32 << 10)

static bool pipe_holds(int end, const struct file *file)
{
	uint8_t data[4096];

	for (uint64_t at = 0; at < PIECE; at += sizeof(data))
		if (read(end, data, sizeof(data)) != sizeof(data) ||
		    !content_is(file->seed, at, data, sizeof(data)))
			return false;
	return true;
}

static void try_pipe_outlives(void)
{
	const struct file *file = tree_file("mib");
	int fd, ends[2];

	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	ok(!pipe(ends) && splice(fd, NULL, ends[1], NULL, PIECE, 0) == PIECE, "splice to a pipe");
	ok(resident_at(WORK "/b", file->name) >= PIECE / 4096, "its pages are the shared ones");
	close(fd);
	unmount(WORK "/a");
	unmount(WORK "/b");
	drop_caches();
	ok(pipe_holds(ends[0], file),
	   "pages in a pipe keep their content when all sharers are gone");
	close(ends[0]);
	close(ends[1]);
}

static void try_sendfile_to_pipe(void)
{
	const struct file *file = tree_file("mib");
	int fd, ends[2];
	off_t at = 0;

	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	ok(!pipe(ends) && sendfile(ends[1], fd, &at, PIECE) == PIECE, "sendfile to a pipe");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ok(pipe_holds(ends[0], file), "the pipe has the content after the pages were dropped");
	ok_content(WORK "/b", file, "after sendfile of the other");
	close(fd);
	close(ends[0]);
	close(ends[1]);
	unmount(WORK "/a");
	unmount(WORK "/b");
}

static void try_copy_file_range(void)
{
	const struct file *file = tree_file("5000");
	int in, out = open(WORK "/copied", O_RDWR | O_CREAT | O_TRUNC, 0600);

	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	in = open_at(WORK "/a", file->name, O_RDONLY);
	if (copy_file_range(in, NULL, out, NULL, file->size, 0) < 0)
		ok(errno == EXDEV,
		   "copy_file_range to another filesystem: EXDEV, as from any file");
	else
		ok(!lseek(out, 0, SEEK_SET) && !read_plainly(out, file),
		   "copy_file_range copies the content");
	close(in);
	close(out);
	unlink(WORK "/copied");
	unmount(WORK "/a");
	unmount(WORK "/b");
}

void topic_splice(void)
{
	try_pipe_outlives();
	try_sendfile_to_pipe();
	try_copy_file_range();
}
