/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs share that try to do what they must not be able to do. */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

struct attempt {
	const char *name;
	bool (*succeeds)(void);
};

static inline bool can_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static inline bool reads_shadow(void)
{
	return can_open("/etc/shadow", O_RDONLY);
}

static inline bool lists_host(void)
{
	return can_open("/usr", O_RDONLY | O_DIRECTORY);
}

static inline void make_attempts(const struct attempt *attempts, size_t count, bool *done)
{
	for (size_t i = 0; i < count; i++)
		done[i] = attempts[i].succeeds();
}

static inline void print_attempts(const struct attempt *attempts, size_t count, const bool *done)
{
	printf("tried:");
	for (size_t i = 0; i < count; i++)
		printf(" %s", attempts[i].name);
	printf("\nsucceeded:");
	for (size_t i = 0; i < count; i++)
		if (done[i])
			printf(" %s", attempts[i].name);
	printf("\n");
}

#endif
