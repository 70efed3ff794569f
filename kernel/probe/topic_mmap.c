// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings: whose pages, under which name, and who may write. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static uint8_t *map_file(const char *directory, const struct file *file, int protection, int flags)
{
	int fd = open_at(directory, file->name, O_RDONLY);
	uint8_t *map = mmap(NULL, file->size, protection, flags, fd, 0);

	close(fd);
	return map;
}

/* The number of the physical page, or 0 if the kernel hides it. */
static uint64_t frame(const uint8_t *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;
	volatile uint8_t touch = *at;

	(void)touch;
	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)at / PAGE * 8)) != 8)
		entry = 0;
	if (fd >= 0)
		close(fd);
	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

static void try_frames(void)
{
	const struct file *file = tree_file("mib");
	uint8_t *a = map_file(WORK "/a", file, PROT_READ, MAP_PRIVATE);
	uint8_t *b = map_file(WORK "/b", file, PROT_READ, MAP_SHARED);
	uint8_t *p = map_file(WORK "/p", file, PROT_READ, MAP_SHARED);
	unsigned long same = 0, others = 0, all = file->size / PAGE;

	if (!frame(a)) {
		skip("no /proc/self/pagemap (CONFIG_PROC_PAGE_MONITOR)", "equal physical pages");
	} else {
		for (unsigned long i = 0; i < all; i++) {
			same += frame(a + i * PAGE) == frame(b + i * PAGE);
			others += frame(a + i * PAGE) == frame(p + i * PAGE);
		}
		ok(same == all, "mappings of two sharers have the same physical pages");
		ok(!others, "a mapping of another domain has no page of them");
	}
	munmap(a, file->size);
	munmap(b, file->size);
	munmap(p, file->size);
}

/* The line of /proc/self/maps on an address, without its first field. */
static const char *maps_line(const void *address)
{
	static char line[512];
	char start[32];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;

	snprintf(start, sizeof(start), "%08lx-", (unsigned long)address);
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = !strncmp(line, start, strlen(start));
	if (maps)
		fclose(maps);
	return found ? strchr(line, ' ') + 1 : "";
}

static void try_names(void)
{
	const struct file *file = tree_file("5000");
	uint8_t *map = map_file(WORK "/b", file, PROT_READ, MAP_PRIVATE);
	const char *line = maps_line(map);
	unsigned int major_number = 0, minor_number = 0;
	unsigned long inode = 0;
	char path[256] = "", link[128], target[256] = "";
	struct stat st;

	stat(WORK "/b/5000", &st);
	sscanf(line, "%*s %*s %x:%x %lu %255s", &major_number, &minor_number, &inode, path);
	ok(!strcmp(path, WORK "/b/5000"), "/proc/self/maps shows the path of the user file");
	ok(inode == st.st_ino && major_number == major(st.st_dev) &&
		   minor_number == minor(st.st_dev),
	   "/proc/self/maps shows device and inode of the user file");
	snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", (unsigned long)map,
		 (unsigned long)map + 2 * PAGE);
	ok(readlink(link, target, sizeof(target) - 1) > 0 && !strcmp(target, WORK "/b/5000"),
	   "/proc/self/map_files shows the path of the user file");
	munmap(map, file->size);
}

static void try_private_write(void)
{
	const struct file *file = tree_file("4097");
	uint8_t *a = map_file(WORK "/a", file, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	memset(a, 0xee, file->size);
	ok_content(WORK "/a", file, "after a write to a private mapping");
	ok_content(WORK "/b", file, "after a write to a private mapping of a sharer");
	ok(a[0] == 0xee && a[4096] == 0xee, "the private mapping has what was written");
	munmap(a, file->size);
}

static void try_protections(void)
{
	const struct file *file = tree_file("5000");
	int fd = open_at(WORK "/a", file->name, O_RDWR);
	uint8_t *map;

	ok(fd < 0 && errno == EROFS, "open for writing: EROFS");
	map = map_file(WORK "/a", file, PROT_READ | PROT_WRITE, MAP_SHARED);
	ok(map == MAP_FAILED && errno == EACCES, "a shared writable mapping: EACCES");
	map = map_file(WORK "/a", file, PROT_READ, MAP_SHARED);
	ok(mprotect(map, PAGE, PROT_READ | PROT_WRITE) && errno == EACCES,
	   "making a shared mapping writable: EACCES");
	ok(!mprotect(map, PAGE, PROT_READ | PROT_EXEC), "making a mapping executable works");
	ok(content_is(file->seed, 0, map, file->size), "the mapping has its content");
	munmap(map, file->size);
}

static sigjmp_buf after_signal;

static void on_signal(int number)
{
	siglongjmp(after_signal, number);
}

/* The signal that reading a byte raises, 0 for none. */
static int touch(const volatile uint8_t *at)
{
	struct sigaction action = { .sa_handler = on_signal }, bus, fault;
	int number;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &fault);
	number = sigsetjmp(after_signal, 1);
	if (!number)
		(void)*at;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	return number;
}

static void try_end(void)
{
	const struct file *file = tree_file("4097");
	int fd = open_at(WORK "/a", file->name, O_RDONLY);
	uint8_t *map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	char byte;

	ok(!touch(map + 2 * PAGE - 1) && !map[2 * PAGE - 1],
	   "behind the end the last page is zero");
	ok(touch(map + 2 * PAGE) == SIGBUS, "a page behind the end of the file: SIGBUS");
	ok(pread(fd, &byte, 1, (off_t)file->size) == 0, "a read at the end gives nothing");
	ok(pread(fd, &byte, 1, 1l << 40) == 0, "a read far behind the end gives nothing");
	ok(!readahead(fd, 0, 1 << 20) && !readahead(fd, 1 << 20, 1 << 20),
	   "readahead behind the end works");
	ok(resident(fd) == pages(file->size), "and brings in nothing more");
	munmap(map, 4 * PAGE);
	close(fd);
	fd = open_at(WORK "/a", "empty", O_RDONLY);
	ok(read(fd, &byte, 1) == 0, "an empty file has nothing to read");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ok(touch(map) == SIGBUS, "a mapping of an empty file: SIGBUS");
	munmap(map, PAGE);
	close(fd);
}

void topic_mmap(void)
{
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	share("other", WORK "/p", "e");
	try_frames();
	try_names();
	try_private_write();
	try_protections();
	try_end();
	unmount(WORK "/a");
	unmount(WORK "/b");
	unmount(WORK "/p");
}
