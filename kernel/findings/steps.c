// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of a guest: does the steps that STEPS names, with ";" between them, and prints
 * one line for each. Content is shown as runs of equal bytes: 4096*11 is 4096 bytes of 0x11.
 *
 *	loop N FILE			makes /dev/loopN of it
 *	mount NAME SOURCE OPTIONS	an image, below /mnt; OPTIONS may be -
 *	unmount NAME
 *	stat NAME/FILE			reads the inode in
 *	read NAME/FILE			the whole file in one request
 *	page NAME/FILE OFFSET		a page and no more: no readahead
 *	map NAME/FILE			all pages that the file has, through mmap
 *	handle NAME NID			the file that a handle with this nid opens
 *	drop				clean pages, dentries and inodes
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PAGE 4096
#define FILEID_INO64_GEN 0x81

static const char *result(int failed)
{
	return failed ? strerrorname_np(errno) : "success";
}

static void show(const unsigned char *bytes, size_t size)
{
	for (size_t from = 0, to = 0; from < size; from = to) {
		while (to < size && bytes[to] == bytes[from])
			to++;
		printf(" %zu*%02x", to - from, bytes[from]);
	}
}

static void read_from(int fd, off_t offset, size_t size)
{
	unsigned char *bytes = malloc(size);
	ssize_t got = bytes ? pread(fd, bytes, size, offset) : -1;

	if (got < 0)
		printf(" %s", result(1));
	else
		show(bytes, (size_t)got);
	free(bytes);
}

static void map(int fd, size_t size)
{
	size_t room = (size + PAGE - 1) / PAGE * PAGE;
	unsigned char *bytes = mmap(NULL, room, PROT_READ, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED) {
		printf(" %s", result(1));
		return;
	}
	show(bytes, room);
	munmap(bytes, room);
}

static int open_handle(const char *name, const char *nid)
{
	struct {
		struct file_handle head;
		uint32_t words[3];
	} handle = { .head = { .handle_bytes = 12, .handle_type = FILEID_INO64_GEN } };
	uint64_t number = strtoull(nid, NULL, 0);
	int mount_fd = open(name, O_RDONLY), fd;

	handle.words[0] = (uint32_t)(number >> 32);
	handle.words[1] = (uint32_t)number;
	fd = open_by_handle_at(mount_fd, &handle.head, O_RDONLY);
	close(mount_fd);
	return fd;
}

static void look_at(int fd, const char *how, const char *offset)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		printf(" %s", result(1));
	} else if (!strcmp(how, "map")) {
		map(fd, (size_t)st.st_size);
	} else if (!strcmp(how, "page")) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
		read_from(fd, strtoll(offset, NULL, 0), PAGE);
	} else {
		read_from(fd, 0, (size_t)st.st_size);
	}
	if (fd >= 0)
		close(fd);
}

static void mount_image(const char *name, const char *source, const char *options)
{
	int failed = mkdir(name, 0755) && errno != EEXIST;

	if (!failed)
		failed = mount(source, name, "erofs", MS_RDONLY,
			       strcmp(options, "-") ? options : "");
	printf(" %s", result(failed));
}

static void make_loop(const char *number, const char *file)
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_READ_ONLY };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/loop%s", number);
	fd = open(path, O_RDONLY);
	config.fd = (uint32_t)open(file, O_RDONLY);
	printf(" %s", result(ioctl(fd, LOOP_CONFIGURE, &config)));
	close((int)config.fd);
	close(fd);
}

static void drop(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	printf(" %s", result(fd < 0 || write(fd, "3", 1) != 1));
	if (fd >= 0)
		close(fd);
}

static void step(const char *what, const char *name, const char *more, const char *most)
{
	struct stat st;

	printf("%s %s:", what, name);
	if (!strcmp(what, "loop"))
		make_loop(name, more);
	else if (!strcmp(what, "mount"))
		mount_image(name, more, most);
	else if (!strcmp(what, "unmount"))
		printf(" %s", result(umount(name)));
	else if (!strcmp(what, "stat"))
		printf(" %s", result(stat(name, &st)));
	else if (!strcmp(what, "drop"))
		drop();
	else if (!strcmp(what, "handle"))
		look_at(open_handle(name, more), "read", NULL);
	else
		look_at(open(name, O_RDONLY), what, more);
	putchar('\n');
}

int main(void)
{
	char *steps = getenv("STEPS"), *next;

	/* What follows would be as final on the host. */
	if (getpid() != 1) {
		fputs("steps: I am the first process of a guest, or nothing\n", stderr);
		return 2;
	}
	if (steps && !mount("none", "/proc", "proc", 0, "") &&
	    !mount("none", "/mnt", "tmpfs", 0, "") && !chdir("/mnt")) {
		while ((next = strsep(&steps, ";"))) {
			char what[16] = "", name[64] = "", more[512] = "", most[512] = "";

			if (sscanf(next, "%15s %63s %511s %511s", what, name, more, most) > 0)
				step(what, name, more, most);
		}
		puts("done");
	}
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	return 1;
}
