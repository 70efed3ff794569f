// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of a guest: has another process fill memory with a word, and end. Then it
 * mounts an image, reads a file of it, and prints how many of the file's bytes belong to that word.
 *
 * Environment:
 *
 *	IMAGE	what to mount: a file, or /dev/ubda
 *	FILE	a file's path in there
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A mount point can only be made on a filesystem that can be written to. */
#define SCRATCH "/mnt"
#define WHERE SCRATCH "/image"

#define WORD "a secret of another process's... " /* no file has this */
#define MEMORY (128u << 20)
#define SOME (16u << 20)

static void __attribute__((noreturn)) end(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	exit(1);
}

static void fill_memory(void)
{
	pid_t child = fork();
	size_t at;
	char *memory;

	if (child) {
		waitpid(child, NULL, 0);
		return;
	}
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	for (at = 0; at + strlen(WORD) <= MEMORY; at += strlen(WORD))
		memcpy(memory + at, WORD, strlen(WORD));
	_exit(0);
}

/* The pages that were freed last are tables, and are the first to be used again. */
static void use_some(void)
{
	char *memory = mmap(NULL, SOME, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		memset(memory, 1, SOME);
}

static int is_word(const char *data, size_t size, size_t at)
{
	return at + strlen(WORD) <= size && !memcmp(data + at, WORD, strlen(WORD));
}

static void read_file(const char *path)
{
	static char data[65536];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof(data)), at;
	int stale = 0, zeros = 0;

	if (size < 0) {
		printf("read: %s\n", strerrorname_np(errno));
		return;
	}
	for (at = 0; at < size; at++) {
		zeros += !data[at];
		if (is_word(data, size, at))
			stale += strlen(WORD);
	}
	printf("read: %zd bytes, of which %d are zero, and another process had written %d\n", size,
	       zeros, stale);
}

int main(void)
{
	const char *image = getenv("IMAGE"), *file = getenv("FILE");
	int mounted;

	/* What follows would be as final on the host. */
	if (getpid() != 1) {
		fputs("leak: I am the first process of a guest, or nothing\n", stderr);
		return 2;
	}
	if (!image || !file || mount("none", SCRATCH, "tmpfs", 0, "") || mkdir(WHERE, 0755))
		end();
	mounted = mount(image, WHERE, "erofs", MS_RDONLY, "");
	printf("mount: %s\n", mounted ? strerrorname_np(errno) : "success");
	if (!mounted && !chdir(WHERE)) {
		fill_memory();
		use_some();
		read_file(file);
	}
	end();
}
