// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several processes mount, open, read, map and unmount at once; then everything is released.
 *
 * Pages are filled in domains of which each process has its own. In the one that all have in common they
 * are in memory all the time: filling them while a sharer is unmounted is kernel/findings/unmount.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define PROCESSES 4
#define SECONDS 4

static const char *const images[] = { "inline", "other", "flat", "chunk", "lz4", "fragments" };

#define IMAGES (sizeof(images) / sizeof(*images))

static bool mapped_right(const char *directory, const struct file *file)
{
	int fd = open_at(directory, file->name, O_RDONLY);
	const uint8_t *map = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
	bool right;

	close(fd);
	right = map != MAP_FAILED && content_is(file->seed, 0, map, file->size);
	munmap((void *)map, file->size);
	return right;
}

/* One round in the domain; the process's two mount points are its own. */
static bool cycle(const char *domain, const char *a, const char *b, unsigned int round)
{
	const struct file *file = &tree[1 + round % 12];
	bool right;

	if (erofs_mount(image_path(images[round % IMAGES]), a, domain, "inode_share") ||
	    erofs_mount(image_path(images[(round / 3 + 1) % IMAGES]), b, domain, "inode_share"))
		return false;
	right = !read_at(&readers[round % 3], a, file) && mapped_right(b, file);
	if (round % 4 == 0) {
		int fd = open_at(a, file->name, O_RDONLY);

		umount2(a, MNT_DETACH);
		right = right && !read_plainly(fd, file);
		close(fd);
	} else {
		right = right && !umount2(a, 0);
	}
	return !umount2(b, 0) && right;
}

/* The rounds that went well are told by way of the pipe. */
static void run_process(int number, int report, const struct timespec *until)
{
	char own[16], a[64], b[64];
	struct timespec time;
	unsigned int rounds = 0;
	bool right = true;

	snprintf(own, sizeof(own), "own-%d", number);
	snprintf(a, sizeof(a), WORK "/a%d", number);
	snprintf(b, sizeof(b), WORK "/b%d", number);
	do {
		right = cycle(rounds % 2 ? "common" : own, a, b,
			      rounds * PROCESSES + (unsigned int)number);
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while (right && ++rounds && time.tv_sec < until->tv_sec);
	if (!right)
		rounds = 0;
	if (write(report, &rounds, sizeof(rounds)) != sizeof(rounds))
		_exit(1);
	_exit(0);
}

/* Keeps all pages of the common domain in memory, by mappings that cannot be dropped. */
static void hold_common(bool hold)
{
	static void *maps[2][16];
	static const char *const at[] = { WORK "/a", WORK "/b" };

	for (unsigned int i = 0; i < 2; i++) {
		if (hold)
			share(i ? "lz4" : "inline", at[i], "common");
		for (unsigned int f = 0; tree[f].name; f++) {
			if (!tree[f].size)
				continue;
			if (hold) {
				int fd = open_at(at[i], tree[f].name, O_RDONLY);

				maps[i][f] = mmap(NULL, tree[f].size, PROT_READ,
						  MAP_SHARED | MAP_POPULATE | MAP_LOCKED, fd, 0);
				close(fd);
			} else {
				munmap(maps[i][f], tree[f].size);
			}
		}
		if (!hold)
			unmount(at[i]);
	}
}

static unsigned int count_mounts(void)
{
	char *mounts = slurp("/proc/self/mounts"), *at = mounts;
	unsigned int n = 0;

	while (at && (at = strstr(at, " erofs "))) {
		n++;
		at++;
	}
	free(mounts);
	return n;
}

static long free_memory(void)
{
	char *text = slurp("/proc/meminfo"), *line = text ? strstr(text, "MemFree:") : NULL;
	long kibibytes = line ? atol(line + 8) : 0;

	free(text);
	return kibibytes;
}

/* Asks a slab cache to give back what is free, and tells how many objects are in use; -1: it does not tell. */
static long slab_objects(void)
{
	int fd = open("/sys/kernel/slab/erofs_inode/shrink", O_WRONLY);
	char *text;
	long n;

	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			diag("the slab cache does not shrink");
		close(fd);
	}
	text = slurp("/sys/kernel/slab/erofs_inode/objects");
	n = text ? atol(text) : -1;
	free(text);
	return n;
}

struct left {
	unsigned int mounts;
	long inodes, objects, memory;
};

/* What there is when everything that can be dropped is dropped; inodes are freed after a grace period. */
static struct left count_all(void)
{
	struct left left;

	for (int i = 0; i < 2; i++) {
		drop_caches();
		usleep(200000);
	}
	left.mounts = count_mounts();
	left.objects = slab_objects();
	left.memory = free_memory();
	left.inodes = count_inodes();
	return left;
}

static unsigned int run_race(int seconds)
{
	unsigned int total = 0, rounds;
	struct timespec until;
	int ends[2];
	bool right = !pipe(ends);

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++)
		if (!fork())
			run_process(i, ends[1], &until);
	for (int i = 0; i < PROCESSES; i++) {
		waitpid(-1, NULL, 0);
		right = right && read(ends[0], &rounds, sizeof(rounds)) == sizeof(rounds) && rounds;
		total += rounds;
	}
	close(ends[0]);
	close(ends[1]);
	return right ? total : 0;
}

static void make_places(void)
{
	char path[64];

	for (int i = 0; i < PROCESSES; i++) {
		snprintf(path, sizeof(path), WORK "/a%d", i);
		mkdir(path, 0755);
		snprintf(path, sizeof(path), WORK "/b%d", i);
		mkdir(path, 0755);
	}
}

static unsigned int race_beside_common(int seconds)
{
	unsigned int rounds;

	hold_common(true);
	rounds = run_race(seconds);
	hold_common(false);
	return rounds;
}

/* The first race, and the first count, warm up everything that stays allocated. */
void topic_races(void)
{
	struct left before, after;
	unsigned int rounds;

	make_places();
	race_beside_common(1);
	count_all();
	before = count_all();
	rounds = race_beside_common(SECONDS);
	after = count_all();
	ok(rounds > 0,
	   "processes that mount, read, map and unmount at once always get the right content");
	diag("%u rounds of %d processes in %d s", rounds, PROCESSES, SECONDS);
	ok(!after.mounts, "no mount is left");
	ok(after.inodes <= before.inodes, "no inode is left");
	diag("%ld inodes before, %ld after", before.inodes, after.inodes);
	if (before.objects < 0)
		skip("no /sys/kernel/slab (CONFIG_SLUB_DEBUG)",
		     "no object of the inode cache is left");
	else
		ok(after.objects <= before.objects, "no object of the inode cache is left");
	diag("%ld objects before, %ld after", before.objects, after.objects);
	ok(before.memory - after.memory < 8192, "the memory is free again");
	diag("%ld KiB free before, %ld KiB after", before.memory, after.memory);
}
