// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose bytes a reader gets when fingerprints lie, and when the serving image fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static const struct file *one, *two;

static void drop_through(const char *directory, const char *name)
{
	int fd = open_at(directory, name, O_RDONLY);

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

/* The seed that a page's content is of, 0 if of neither file. */
static uint32_t whose(uint64_t page, const uint8_t *data, size_t size)
{
	if (content_is(one->seed, page * PAGE, data, size))
		return one->seed;
	return content_is(two->seed, page * PAGE, data, size) ? two->seed : 0;
}

/* Counts the pages of each of the two, by read. */
static void count_pages(const char *directory, unsigned int *ones, unsigned int *twos)
{
	int fd = open_at(directory, one->name, O_RDONLY);
	uint8_t data[PAGE];
	uint64_t page = 0;
	ssize_t n;

	*ones = *twos = 0;
	for (; (n = pread(fd, data, sizeof(data), (off_t)(page * PAGE))) > 0; page++) {
		uint32_t seed = whose(page, data, (size_t)n);

		*ones += seed == one->seed;
		*twos += seed == two->seed;
	}
	close(fd);
}

static void expect_pages(const char *directory, bool of_one, bool of_two, const char *when)
{
	unsigned int ones, twos;
	long all = pages(one->size);

	count_pages(directory, &ones, &twos);
	ok(ones + twos == (unsigned long)all, "%s, %s: every page is that of a file with this key",
	   directory, when);
	ok((ones > 0) == of_one && (twos > 0) == of_two, "%s, %s: pages of %s", directory, when,
	   of_one && of_two ? "both"
	   : of_one	    ? "the first"
			    : "the second");
	if ((ones > 0) != of_one || (twos > 0) != of_two)
		diag("%u of the first, %u of the second", ones, twos);
}

/* read and mmap see the same pages. */
static bool views_agree(const char *directory)
{
	int fd = open_at(directory, one->name, O_RDONLY);
	uint8_t *map = mmap(NULL, one->size, PROT_READ, MAP_SHARED, fd, 0), data[PAGE];
	bool agree = map != MAP_FAILED;
	ssize_t n;

	for (uint64_t at = 0; agree && (n = pread(fd, data, sizeof(data), (off_t)at)) > 0;
	     at += PAGE)
		agree = !memcmp(map + at, data, (size_t)n);
	munmap(map, one->size);
	close(fd);
	return agree;
}

static void drop_some(const char *directory)
{
	int fd = open_at(directory, one->name, O_RDONLY);

	posix_fadvise(fd, (off_t)(4 * PAGE), (off_t)(8 * PAGE), POSIX_FADV_DONTNEED);
	close(fd);
}

void topic_content(void)
{
	struct stat st;

	one = forged_file("forged-1", "lie");
	two = forged_file("forged-2", "lie");
	share("forged-1", WORK "/a", "d");
	expect_pages(WORK "/a", true, false, "alone");
	share("forged-2", WORK "/b", "d");
	expect_pages(WORK "/b", true, false, "as the first had been read");
	drop_through(WORK "/b", one->name);
	expect_pages(WORK "/a", false, true, "as the second, read in last, serves");
	expect_pages(WORK "/b", false, true, "as the second, read in last, serves");
	unmount(WORK "/b");
	expect_pages(WORK "/a", false, true, "the second unmounted, its pages still there");
	drop_some(WORK "/a");
	expect_pages(WORK "/a", true, true, "some pages filled anew");
	ok(views_agree(WORK "/a"), "read and mmap give the same mixture");
	ok(!stat(WORK "/a/lie", &st) && (uint64_t)st.st_size == one->size,
	   "size and attributes are its own");
	drop_caches();
	expect_pages(WORK "/a", true, false, "all pages filled anew");
	unmount(WORK "/a");
}

static int read_error(const char *directory, const char *name)
{
	int fd = open_at(directory, name, O_RDONLY);
	char data[PAGE];
	int error = pread(fd, data, sizeof(data), 0) < 0 ? -errno : 0;

	close(fd);
	return error;
}

/* As a child, since the signal ends it. */
static int signal_of_touching(const char *directory, const char *name)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		int fd = open_at(directory, name, O_RDONLY);
		const volatile uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

		_exit(map[0] == 0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Mounted at a: an intact image; at b: one with the same key that cannot give its data. */
static void try_broken(const struct file *file, const char *what)
{
	int error;

	ok_content(WORK "/a", file, "the broken image has not been read in");
	resident_at(WORK "/b", file->name);
	ok_content(WORK "/a", file, "a broken image was read in, but the pages are there");
	drop_through(WORK "/a", file->name);
	error = read_error(WORK "/a", file->name);
	ok(error < 0, "%s: a read of the intact image's file fails with the serving image's error",
	   what);
	diag("%s", strerror(-error));
	ok_resident(false, WORK "/a", file, "what could not be read is not up to date");
	ok(signal_of_touching(WORK "/a", file->name) == SIGBUS, "%s: through a mapping: SIGBUS",
	   what);
	ok(read_error(WORK "/a", file->name) < 0, "%s: the next read asks again, and fails again",
	   what);
	unmount(WORK "/b");
	ok_content(WORK "/a", file, "the broken image was unmounted");
	unmount(WORK "/a");
}

void topic_io_error(void)
{
	const char *source, *device;
	char options[128];

	share("lz4", WORK "/a", "d");
	share("broken", WORK "/b", "d");
	try_broken(tree_file("mib"), "data that cannot be decompressed");

	source = source_or_skip(ON_UBD, "blob");
	device = source ? source_or_skip(ON_UBD, "short.blob") : NULL;
	if (!device)
		return;
	share_on(ON_UBD, "inline", WORK "/a", "d");
	snprintf(options, sizeof(options), "inode_share,device=%s", device);
	if (erofs_mount(source, WORK "/b", "d", options))
		give_up(source, -EINVAL);
	try_broken(tree_file("mib"), "a device that ends too early");
}
