/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
#ifndef FUZZ_SHARE_MEMORY_H
#define FUZZ_SHARE_MEMORY_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Memory for this process and those that it starts, which find its path in the environment. If the
 * variable is already set, it names the memory. The memory has no other name, so it is freed with
 * the last process, even if afl-fuzz kills that. Return: size bytes, zeros when they are new; NULL:
 * errno says why there are none
 */
static inline void *fuzz_share(const char *variable, size_t size)
{
	const char *path = getenv(variable);
	int fd = path ? open(path, O_RDWR) : memfd_create("kernel-fuzz", 0);
	char own[32];
	void *memory;

	if (fd < 0 || ftruncate(fd, size))
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	return memory == MAP_FAILED || setenv(variable, own, 1) ? NULL : memory;
}

#endif
