// SPDX-License-Identifier: GPL-2.0-or-later
/* Advice, and other ways to get rid of pages: through one image, for all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static void load(const struct file *file)
{
	const char *wrong = read_at(&readers[0], WORK "/a", file);

	ok(!wrong, "%s/%s is read", WORK "/a", file->name);
	ok_resident(true, WORK "/b", file, "the other has its pages");
}

static void try_dontneed(void)
{
	const struct file *file = tree_file("mib");
	int fd;

	load(file);
	fd = open_at(WORK "/b", file->name, O_RDONLY);
	ok_errno(-posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0,
		 "posix_fadvise(DONTNEED) on the other");
	ok_resident(false, WORK "/a", file, "dropped through the other");
	ok_resident(false, WORK "/b", file, "dropped through itself");
	close(fd);
	ok_content(WORK "/b", file, "read again through the other");
	ok_content(WORK "/a", file, "read again through the other");
}

static void try_range(void)
{
	const struct file *file = tree_file("mib");
	int fd;

	load(file);
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	posix_fadvise(fd, 256 << 10, 256 << 10, POSIX_FADV_DONTNEED);
	ok(resident_at(WORK "/b", file->name) < pages(file->size),
	   "DONTNEED on a range drops pages");
	ok(resident_at(WORK "/b", file->name) >= pages(file->size - (256 << 10)),
	   "and none outside of the range");
	close(fd);
	ok_content(WORK "/b", file, "after a range was dropped");
}

/* Dropping takes no more than the right to read. */
static void try_unprivileged(void)
{
	const struct file *file = tree_file("5000");
	int status = -1;
	pid_t child;

	load(file);
	fflush(stdout);
	child = fork();
	if (!child) {
		int fd = -1;

		if (!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000))
			fd = open_at(WORK "/b", file->name, O_RDONLY);
		_exit(fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	}
	waitpid(child, &status, 0);
	ok(!status, "somebody who is not root advises");
	ok_resident(false, WORK "/a", file, "dropped by somebody who is not root");
}

static void try_mapped(void)
{
	const struct file *file = tree_file("5000");
	int fd;
	uint8_t *map;

	load(file);
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	map = mmap(NULL, file->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	ok(content_is(file->seed, 0, map, file->size), "the mapping has its content");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ok_resident(true, WORK "/b", file, "mapped pages are not dropped");
	ok(content_is(file->seed, 0, map, file->size), "the mapping still has its content");
	munmap(map, file->size);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ok_resident(false, WORK "/b", file, "they are when nobody maps them");
	close(fd);
}

/* Pages that reading the first byte brings in. */
static long read_one_byte(int fd)
{
	char byte;

	if (pread(fd, &byte, 1, 0) != 1)
		return -1;
	return resident(fd);
}

static void try_readahead_state(void)
{
	const struct file *file = tree_file("mib");
	int random = open_at(WORK "/a", file->name, O_RDONLY);
	int normal = open_at(WORK "/a", file->name, O_RDONLY);
	long n;

	posix_fadvise(normal, 0, 0, POSIX_FADV_DONTNEED);
	ok_errno(-posix_fadvise(random, 0, 0, POSIX_FADV_RANDOM), 0, "posix_fadvise(RANDOM)");
	n = read_one_byte(random);
	ok(n == 1, "a file advised RANDOM reads no page too many");
	posix_fadvise(normal, 0, 0, POSIX_FADV_DONTNEED);
	n = read_one_byte(normal);
	ok(n > 1, "another open file of the same inode still reads ahead");
	posix_fadvise(random, 0, 0, POSIX_FADV_NORMAL);
	posix_fadvise(random, 0, 0, POSIX_FADV_DONTNEED);
	n = read_one_byte(random);
	ok(n > 1, "so does the first when its advice is taken back");
	close(random);
	close(normal);
}

static void try_other_advice(void)
{
	const struct file *file = tree_file("5000");
	int fd = open_at(WORK "/a", file->name, O_RDONLY);

	ok_errno(-posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0, "posix_fadvise(SEQUENTIAL)");
	ok_errno(-posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE), 0, "posix_fadvise(NOREUSE)");
	ok(posix_fadvise(fd, 0, 0, 99), "unknown advice is refused");
	close(fd);
	ok_content(WORK "/a", file, "after all advice");
}

static void try_drop_caches(void)
{
	const struct file *file = tree_file("mib");
	int a, b;

	load(file);
	a = open_at(WORK "/a", file->name, O_RDONLY);
	b = open_at(WORK "/b", file->name, O_RDONLY);
	drop_caches();
	ok(resident(a) == 0 && resident(b) == 0, "drop_caches drops shared pages of open files");
	ok_content(WORK "/b", file, "after drop_caches");
	close(a);
	close(b);
	drop_caches();
	ok_resident(false, WORK "/a", file, "drop_caches");
	ok_content(WORK "/a", file, "after drop_caches with nobody having it open");
}

void topic_fadvise(void)
{
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	try_dontneed();
	try_range();
	try_unprivileged();
	try_mapped();
	try_readahead_state();
	try_other_advice();
	try_drop_caches();
	unmount(WORK "/a");
	unmount(WORK "/b");
}

/* Takes @size bytes of memory, all at once, in a child. */
static void press(size_t size)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		_exit(mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1,
			   0) == MAP_FAILED);
	}
	waitpid(child, NULL, 0);
}

/* More than there is without giving up page cache, less than makes the kernel kill. */
static size_t size_to_press(void)
{
	char *text = slurp("/proc/meminfo"), *line = text ? strstr(text, "MemAvailable:") : NULL;
	size_t available = line ? strtoul(line + strlen("MemAvailable:"), NULL, 10) << 10 : 0;

	free(text);
	return available / 4 * 3;
}

/*
 * A mebibyte of every four, and the end: page faults are dear in a guest that is short of memory.
 */
static bool samples_right(const char *directory)
{
	const size_t piece = 1 << 20;
	int fd = open_at(directory, huge.name, O_RDONLY);
	bool right = true;

	for (uint64_t at = 0; right && at < huge.size; at += 4 * piece) {
		size_t n = huge.size - at < piece ? huge.size - at : piece;
		uint8_t *map = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, (off_t)at);

		right = map != MAP_FAILED && content_is(huge.seed, at, map, n);
		munmap(map, n);
	}
	close(fd);
	return right;
}

static void try_pressure(const char *image, const char *other)
{
	long left;

	share(image, WORK "/a", "d");
	share(other, WORK "/b", "d");
	ok(shares(WORK "/a", WORK "/b", &huge) != FAILED, "%s: the huge file has its content",
	   image);
	press(size_to_press());
	left = resident_at(WORK "/b", huge.name);
	ok(left >= 0 && left < pages(huge.size), "%s: pages were reclaimed", image);
	diag("%ld of %ld pages are left", left, pages(huge.size));
	ok(!read_at(&readers[0], WORK "/b", &huge), "%s: read again through the other", image);
	press(size_to_press());
	ok(samples_right(WORK "/a"), "%s: mapped, after pages were reclaimed", image);
	unmount(WORK "/a");
	unmount(WORK "/b");
}

/* A file larger than a quarter of the memory, and not enough memory for all. */
void topic_pressure(void)
{
	struct sysinfo info;

	sysinfo(&info);
	ok(info.totalram * info.mem_unit / 4 < huge.size,
	   "the file is larger than a quarter of the memory");
	try_pressure("huge-1", "huge-2");
	try_pressure("huge-lz4", "huge-lz4");
}
