// SPDX-License-Identifier: GPL-2.0-or-later
/* Reproducers of kernel/findings/: each in a guest of its own, which it may take down. */
#include <errno.h>
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
#include "mounts.h"
#include "readers.h"
#include "tap.h"

/* Fills free memory with a pattern, so that memory nobody has cleared can be told from zeros. */
static void dirty_memory(void)
{
	const size_t size = 24 << 20;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return;
	memset(memory, 0xaa, size);
	munmap(memory, size);
}

/* An image whose blocks are smaller than pages, alone on a block device. */
static void try_small_blocks(enum backing backing, const char *image, bool known_to_fail)
{
	const char *source = source_or_skip(backing, image);

	if (!source)
		return;
	if (known_to_fail) {
		dirty_memory();
		todo("block-size");
		at_risk("reading a page of several extents");
	}
	if (erofs_mount(source, WORK "/a", "d", "inode_share"))
		give_up(image, -EINVAL);
	for (const struct file *file = tree; file->name; file++) {
		const char *wrong = read_at(&readers[0], WORK "/a", file);

		todo(known_to_fail && wrong ? "block-size" : NULL);
		ok(!wrong, "%s on %s: %s has its content", image, backing_names[backing],
		   file->name);
		if (wrong)
			diag("%s", wrong);
	}
	todo(NULL);
	unmount(WORK "/a");
	release_loops();
}

/* Sharers whose blocks are of different sizes; @first is read in before the other. */
static void try_mixed_blocks(const char *first, const char *second)
{
	const struct file *file = tree_file("6500");
	const char *wrong, *a = source_or_skip(ON_UBD, first),
			   *b = a ? source_or_skip(ON_UBD, second) : NULL;

	if (!b)
		return;
	dirty_memory();
	todo("block-size");
	at_risk("reading a page of several extents");
	if (erofs_mount(a, WORK "/a", "d", "inode_share") ||
	    erofs_mount(b, WORK "/b", "d", "inode_share"))
		give_up(first, -EINVAL);
	resident_at(WORK "/a", file->name);
	wrong = read_at(&readers[0], WORK "/b", file);
	if (!wrong)
		wrong = read_at(&readers[0], WORK "/a", file);
	ok(!wrong, "%s and %s on ubd: %s has its content", first, second, file->name);
	if (wrong)
		diag("%s", wrong);
	todo(NULL);
	unmount(WORK "/a");
	unmount(WORK "/b");
}

/* Compressed files keep account of a page's parts in their own way. */
static void try_compressed_small_blocks(void)
{
	const struct file *file = tree_file("mib");
	const char *source = source_or_skip(ON_UBD, "b512-lz4"), *wrong;

	if (!source)
		return;
	dirty_memory();
	if (erofs_mount(source, WORK "/a", "d", "inode_share"))
		give_up(source, -EINVAL);
	wrong = read_at(&readers[0], WORK "/a", file);
	ok(!wrong, "b512-lz4 on ubd: %s has its content", file->name);
	if (wrong)
		diag("%s", wrong);
	unmount(WORK "/a");
}

void topic_finding_block_size(void)
{
	try_small_blocks(ON_FILE, "b512", false);
	try_small_blocks(ON_FILE, "b512-chunk", false);
	try_compressed_small_blocks();
	try_small_blocks(ON_UBD, "b512", true);
	try_small_blocks(ON_UBD, "b512-chunk", true);
	try_small_blocks(ON_UBD, "b1024", true);
	try_small_blocks(ON_UBD, "b2048", true);
	try_small_blocks(ON_LOOP, "b512", true);
	try_mixed_blocks("inline", "b512");
	try_mixed_blocks("b512", "inline");
	try_mixed_blocks("b2048", "b512");
}

#define READERS 3

/* Drops and reads again, for ever, what another image will be asked to serve. */
static void read_on(const struct file *file, unsigned int round)
{
	int fd = open_at(WORK "/a", file->name, O_RDONLY);
	char page[4096];

	for (;; round++) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		for (uint64_t at = 0; at < file->size; at += 64 * sizeof(page))
			if (pread(fd, page, sizeof(page),
				  (off_t)((at * 37 + round * 4096) % file->size)) < 0)
				_exit(1);
	}
}

static unsigned long mount_and_unmount(const char *source, const char *name, double seconds)
{
	struct timespec start, now;
	unsigned long cycles = 0;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), WORK "/b/%s", name);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (erofs_mount(source, WORK "/b", "d", "inode_share") || stat(path, &st))
			return 0;
		sched_yield();
		if (cycles++ % 3 == 0)
			usleep(200);
		if (umount2(WORK "/b", 0))
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	return cycles;
}

/* Two images with the same file: one is read, the other comes and goes. */
static void unmount_server(enum backing backing, const char *image, const char *other,
			   const struct file *file)
{
	const char *source = source_or_skip(backing, other);
	unsigned long cycles;
	pid_t readers_of_a[READERS];

	if (!source)
		return;
	share_on(backing, image, WORK "/a", "d");
	todo("unmount");
	at_risk("an image is unmounted while it serves a reader of another");
	fflush(stdout);
	for (int i = 0; i < READERS; i++)
		if (!(readers_of_a[i] = fork()))
			read_on(file, (unsigned int)i);
	cycles = mount_and_unmount(source, file->name, 10);
	for (int i = 0; i < READERS; i++) {
		kill(readers_of_a[i], SIGKILL);
		waitpid(readers_of_a[i], NULL, 0);
	}
	ok(cycles > 0, "an image is unmounted while it serves a reader of another");
	todo(NULL);
	ok(cycles > 20, "the image was mounted and unmounted often enough");
	diag("%lu cycles", cycles);
	unmount(WORK "/a");
}

void topic_finding_unmount(void)
{
	unmount_server(ON_UBD, "race-1", "race-2", &race);
}

void topic_finding_unmount_file(void)
{
	unmount_server(ON_FILE, "race-1", "race-2", &race);
}

void topic_finding_unmount_compressed(void)
{
	unmount_server(ON_FILE, "lz4", "lz4-big", tree_file("mib"));
}

/* Sharing without a domain: the next inode with a fingerprint finds a null pointer. */
void topic_finding_remount(void)
{
	struct stat st;
	int error = erofs_mount(image_path("inline"), WORK "/a", NULL, "");

	if (error)
		give_up("mount", error);
	todo("remount-unchecked");
	erofs_remount(WORK "/a", NULL, "inode_share");
	ok(!mount_shows(WORK "/a", "inode_share"),
	   "a remount without a domain does not turn sharing on");
	at_risk("the next inode is read in");
	ok(!stat(WORK "/a/5000", &st), "the next inode is read in");
	todo(NULL);
}

/* The domain that the remount itself names is ignored, so the same. */
void topic_finding_remount_domain(void)
{
	struct stat st;

	if (erofs_mount(image_path("inline"), WORK "/a", NULL, ""))
		give_up("mount", -EINVAL);
	todo("remount-unchecked");
	erofs_remount(WORK "/a", "d", "inode_share");
	ok(!mount_shows(WORK "/a", "inode_share"),
	   "a remount that names a domain does not turn it on");
	at_risk("the next inode is read in");
	ok(!stat(WORK "/a/5000", &st), "the next inode is read in");
	todo(NULL);
}

/* An image without the feature, but with prefixes: number 0 is taken for the fingerprint's name. */
void topic_finding_remount_feature(void)
{
	const struct file *file = forged_file("forged-1", "byte");
	int error = erofs_mount(image_path("prefixes"), WORK "/a", "d", "");

	if (error)
		give_up("mount", error);
	share("forged-2", WORK "/b", "d");
	todo("remount-unchecked");
	at_risk("a remount with inode_share of an image without the feature");
	erofs_remount(WORK "/a", NULL, "inode_share");
	ok(!mount_shows(WORK "/a", "inode_share"),
	   "a remount without the feature does not turn sharing on");
	ok(shares(WORK "/b", WORK "/a", file) == 0, "and it does not share");
	todo(NULL);
	ok_content(WORK "/a", file, "after the remount");
	unmount(WORK "/b");
	unmount(WORK "/a");
}
