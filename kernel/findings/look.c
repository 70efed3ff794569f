// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of a guest: mounts an image, does one thing with a file in it, and prints how
 * that ends. A second process does it, which is killed if it does not end by itself.
 *
 * Environment:
 *
 *	IMAGE	what to mount: a file, or /dev/ubda
 *	FILE	a file's path in there; or several, with a colon between: it is done with one after
 *		the other
 *	DO	open, hole (lseek with SEEK_HOLE), extents (FS_IOC_FIEMAP, which counts them), read
 *		(the last byte), unmount (reads, and unmounts the image then), or mounts (leaves
 *		FILE alone: mounts the image again and again, unmounts it if that succeeds, and
 *		prints by how much reclaimable slab memory grew)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A mount point can only be made on a filesystem that can be written to. */
#define SCRATCH "/mnt"
#define WHERE SCRATCH "/image"

/* Tenths of a second before the process is killed, and as many after that */
#define PATIENCE 20

/* Those that fill caches, and KASAN's quarantine, and those that are looked at */
#define FIRST_MOUNTS 1000
#define MOUNTS 4000

static void __attribute__((noreturn)) end(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	exit(1);
}

static const char *result(long value)
{
	return value < 0 ? strerrorname_np(errno) : "success";
}

static long count_extents(int fd)
{
	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET };

	return ioctl(fd, FS_IOC_FIEMAP, &map);
}

static long read_last(int fd)
{
	struct stat st;
	char byte;

	return fstat(fd, &st) ? -1 : pread(fd, &byte, 1, st.st_size - 1);
}

static long act(const char *file, const char *what)
{
	int fd = open(file, O_RDONLY);

	if (fd < 0 || !strcmp(what, "open"))
		return fd;
	if (!strcmp(what, "hole"))
		return lseek(fd, 0, SEEK_HOLE);
	if (!strcmp(what, "extents"))
		return count_extents(fd);
	return read_last(fd);
}

/* Whether the process ends in time. */
static int ends(pid_t child, int *status)
{
	for (int tenth = 0; tenth < PATIENCE; tenth++) {
		if (waitpid(child, status, WNOHANG) == child)
			return 1;
		usleep(100000);
	}
	return 0;
}

static int try(const char *file, const char *what)
{
	pid_t child = fork();
	int status;

	if (!child) {
		printf("%s: %s\n", what, result(act(file, what)));
		fflush(stdout);
		_exit(0);
	}
	if (ends(child, &status))
		return 1;
	kill(child, SIGKILL);
	printf("%s: %s\n", what,
	       ends(child, &status) ? "had to be killed" : "goes on although it is killed");
	return 0;
}

static void try_each(char *files, const char *what)
{
	int unmount = !strcmp(what, "unmount");

	if (unmount)
		what = "read";
	for (char *file = strtok(files, ":"); file; file = strtok(NULL, ":"))
		if (!try(file, what))
			return;
	if (!unmount)
		return;
	/* So that what was said is seen if there is no return. */
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	printf("unmount: %s\n", result(chdir("/") ? -1 : umount(WHERE)));
}

/* In KiB */
static long reclaimable(void)
{
	FILE *info = fopen("/proc/meminfo", "r");
	char line[128];
	long found;

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "SReclaimable: %ld kB", &found) == 1)
			return fclose(info) ? -1 : found;
	puts("no SReclaimable in /proc/meminfo");
	end();
}

static void mount_often(const char *image)
{
	const char *outcome = "";
	long mounted, before = 0;

	if (mount("none", "/proc", "proc", 0, ""))
		return;
	for (int i = 0; i < FIRST_MOUNTS + MOUNTS; i++) {
		if (i == FIRST_MOUNTS)
			before = reclaimable();
		mounted = mount(image, WHERE, "erofs", MS_RDONLY, "");
		outcome = result(mounted);
		if (!mounted && umount(WHERE))
			return;
	}
	/* RCU frees some of it a little later. */
	sleep(1);
	printf("mounts: %s, %ld bytes more each\n", outcome,
	       (reclaimable() - before) * 1024 / MOUNTS);
}

int main(void)
{
	const char *image = getenv("IMAGE"), *what = getenv("DO");
	char *files = getenv("FILE");
	long mounted;

	/* What follows would be as final on the host. */
	if (getpid() != 1) {
		fputs("look: I am the first process of a guest, or nothing\n", stderr);
		return 2;
	}
	if (!image || !files || !what || mount("none", SCRATCH, "tmpfs", 0, "") ||
	    mkdir(WHERE, 0755))
		end();
	if (!strcmp(what, "mounts")) {
		mount_often(image);
		end();
	}
	mounted = mount(image, WHERE, "erofs", MS_RDONLY, "");
	printf("mount: %s\n", result(mounted));
	if (!mounted && !chdir(WHERE))
		try_each(files, what);
	end();
}
