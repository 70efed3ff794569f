// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several processes mount, open, read, map and unmount at once; then everything is released.
 *
 * Pages are filled in domains of which each process has its own. In the one that all have in common
 * they are in memory all the time: filling them while a sharer is unmounted is
 * kernel/findings/unmount.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define PROCESSES 8
#define OPENS 24 /* of each mount in a cycle */
#define RUNS 5

/* Of each process in a run, with two mounts each; CYCLES in the environment. */
static unsigned int cycles_of_process;

static const char *const images[] = { "inline", "other", "flat", "chunk", "lz4", "fragments" };

#define IMAGES (sizeof(images) / sizeof(*images))

static const struct reader mapping = { "shared mapping", read_shared_mapping };

/* Opens, reads, maps and closes files of both. */
static bool read_and_map(const char *a, const char *b, unsigned int round)
{
	for (unsigned int i = 0; i < OPENS; i++) {
		const struct file *file = &tree[1 + (round + i) % 10];

		if (read_at(&readers[(round + i) % 3], a, file) || read_at(&mapping, b, file))
			return false;
	}
	return true;
}

/* Mounts two images and unmounts them; the process's two mount points are its own. */
static bool cycle(const char *domain, const char *a, const char *b, unsigned int round)
{
	const struct file *file = &tree[1 + round % 12];
	bool right;

	if (erofs_mount(image_path(images[round % IMAGES]), a, domain, "inode_share") ||
	    erofs_mount(image_path(images[(round / 3 + 1) % IMAGES]), b, domain, "inode_share"))
		return false;
	right = read_and_map(a, b, round);
	if (round % 4 == 0) {
		int fd = open_at(a, file->name, O_RDONLY);

		right = right && !umount2(a, MNT_DETACH) && !read_plainly(fd, file);
		close(fd);
	} else {
		right = right && !umount2(a, 0);
	}
	return !umount2(b, 0) && right;
}

/* Writes to the pipe how many cycles went well. */
static void run_process(int number, int report)
{
	char own[16], a[64], b[64];
	unsigned int cycles = 0;

	snprintf(own, sizeof(own), "own-%d", number);
	snprintf(a, sizeof(a), WORK "/a%d", number);
	snprintf(b, sizeof(b), WORK "/b%d", number);
	while (cycles < cycles_of_process &&
	       cycle(cycles % 2 ? "common" : own, a, b, cycles * PROCESSES + (unsigned int)number))
		cycles++;
	if (write(report, &cycles, sizeof(cycles)) != sizeof(cycles))
		_exit(1);
	_exit(0);
}

/* The partners of all that is mounted in the common domain, and mappings of their files. */
static const char *const common_at[] = { WORK "/a", WORK "/b" };
static void *common_maps[2][16];

static void *map_locked(const char *directory, const struct file *file)
{
	int fd = open_at(directory, file->name, O_RDONLY);
	void *map =
		mmap(NULL, file->size, PROT_READ, MAP_SHARED | MAP_POPULATE | MAP_LOCKED, fd, 0);

	close(fd);
	if (map == MAP_FAILED)
		give_up(file->name, -errno);
	return map;
}

/* Keeps all pages of the common domain in memory, by mappings that cannot be dropped. */
static void hold_common(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		share(i ? "lz4" : "inline", common_at[i], "common");
		for (unsigned int f = 0; tree[f].name; f++)
			if (tree[f].size)
				common_maps[i][f] = map_locked(common_at[i], &tree[f]);
	}
}

static void release_common(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int f = 0; tree[f].name; f++)
			if (tree[f].size)
				munmap(common_maps[i][f], tree[f].size);
		unmount(common_at[i]);
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

/* The sum of what a file of /proc says behind each @key. */
static long sum(const char *path, const char *key)
{
	char *text = slurp(path), *at = text;
	long all = 0;

	while (at && (at = strstr(at, key)))
		all += atol(at += strlen(key));
	free(text);
	return all;
}

/*
 * Kibibytes in use. Free pages that a processor keeps at hand are not in MemFree, and there are
 * megabytes of them. With KASAN, slab caches keep freed objects for a while, more in one run than
 * in another; so they are left out where their objects can be counted.
 */
static long used_memory(bool with_slab)
{
	long unused =
		sum("/proc/meminfo", "MemFree:") + sum("/proc/zoneinfo", " count:") * PAGE / 1024;

	return -unused - (with_slab ? 0 : sum("/proc/meminfo", "Slab:"));
}

/* Asks a slab cache to give back what is free; how many objects are in use, -1: not known here. */
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

/*
 * What there is when everything that can be dropped is dropped; inodes are freed after a grace
 * period.
 */
static struct left count_all(void)
{
	struct left left;

	for (int i = 0; i < 2; i++) {
		drop_caches();
		usleep(200000);
	}
	left.mounts = count_mounts();
	left.objects = slab_objects();
	left.memory = used_memory(left.objects < 0);
	left.inodes = count_inodes();
	return left;
}

/* The cycles of all processes that went well. */
static unsigned int run_race(void)
{
	unsigned int total = 0, cycles;
	int ends[2];

	if (pipe(ends))
		give_up("pipe", -errno);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t child = fork();

		if (child < 0)
			diag("fork: %s", strerror(errno));
		if (!child)
			run_process(i, ends[1]);
	}
	/* Without this end, the pipe ends when all processes have. */
	close(ends[1]);
	while (read(ends[0], &cycles, sizeof(cycles)) == sizeof(cycles))
		total += cycles;
	close(ends[0]);
	while (wait(NULL) > 0)
		continue;
	return total;
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

static struct left race_beside_common(unsigned int *cycles)
{
	hold_common();
	*cycles = run_race();
	release_common();
	return count_all();
}

/*
 * What the first run leaves was kept for use, and equal runs do not add to it. What the kernel
 * keeps varies. But what is lost with each mount is lost in every run, as much in one as in
 * another: so the least growth shows it, and one run without growth shows that there is no such
 * loss.
 */
static void expect_no_loss(const struct left left[RUNS], long mounts)
{
	const struct left *last = &left[RUNS - 1];
	long least = LONG_MAX;

	ok(last->inodes <= left[1].inodes, "no inode is lost");
	diag("%ld after the second run, %ld after the last", left[1].inodes, last->inodes);
	if (last->objects < 0)
		skip("no /sys/kernel/slab (CONFIG_SLUB_DEBUG) in the plain guest",
		     "objects of the inode cache");
	else
		ok(last->objects <= left[1].objects, "no object of the inode cache is lost");
	diag("%ld after the second run, %ld after the last", left[1].objects, last->objects);
	for (const struct left *run = &left[2]; run <= last; run++) {
		long more = run->memory - run[-1].memory;

		least = more < least ? more : least;
		diag("%ld KiB more after another run", more);
	}
	ok(least * 1024 / PAGE < mounts / 2, "no page of memory is lost for every other mount");
}

void topic_races(void)
{
	const char *given = getenv("CYCLES");
	unsigned int cycles[RUNS], all;
	struct left left[RUNS];

	cycles_of_process = given ? (unsigned int)atoi(given) : 6;
	all = PROCESSES * cycles_of_process;
	make_places();
	for (unsigned int run = 0; run < RUNS; run++) {
		left[run] = race_beside_common(&cycles[run]);
		ok(all && cycles[run] == all,
		   "run %u: %u mounts and unmounts, %u times open, read or map, close, by %d processes: always right",
		   run + 1, 2 * all, 2 * all * OPENS, PROCESSES);
		if (cycles[run] != all)
			diag("%u of %u cycles", cycles[run], all);
		ok(!left[run].mounts, "run %u: no mount is left", run + 1);
	}
	expect_no_loss(left, 2 * all);
}
