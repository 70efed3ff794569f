// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Functions for all commands that take images. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

bool is_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

static _Noreturn void fail_input(void)
{
	complain("cannot copy standard input: %s", strerror(errno));
	exit(STATUS_TROUBLE);
}

/* Whatever can be read at any offset needs no copy. */
static FILE *copy_input(void)
{
	FILE *copy = tmpfile();
	char buffer[65536];
	size_t n;

	if (!copy)
		fail_input();
	while ((n = fread(buffer, 1, sizeof(buffer), stdin)))
		if (fwrite(buffer, 1, n, copy) != n)
			fail_input();
	if (ferror(stdin) || fflush(copy) != 0)
		fail_input();
	return copy;
}

/* A descriptor of standard input, or of its bytes in a file without a name. */
static int open_input(void)
{
	FILE *copy;
	int fd;

	if (lseek(STDIN_FILENO, 0, SEEK_CUR) >= 0) {
		fd = dup(STDIN_FILENO);
	} else {
		copy = copy_input();
		fd = dup(fileno(copy));
		fclose(copy);
	}
	if (fd < 0)
		fail_input();
	return fd;
}

static enum ishare_result open_file(const char *path, struct ishare_image **image)
{
	if (is_input(path))
		return ishare_image_open_fd(path, open_input(), image);
	return ishare_image_open(path, image);
}

enum ishare_result open_image(const struct source *source, struct ishare_image **image)
{
	enum ishare_result result = open_file(source->path, image);

	allocated(*image);
	if (result == ISHARE_DONE)
		result = ishare_image_begin_at(*image, source->offset);
	for (size_t i = 0; i < source->device_count && result == ISHARE_DONE; i++)
		result = ishare_image_add_device(*image, source->devices[i]);
	return result;
}

const char *default_profile(void)
{
	size_t count = 0;

	while (ishare_profile_names[count])
		count++;
	return ishare_profile_names[count - 1];
}
