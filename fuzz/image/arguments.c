// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * AFL++'s main() silently skips files that it cannot open, and directories, and truncates large
 * files: an input with a mistyped name would seem to be fixed.
 */
#include <err.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1 << 20) /* AFL++'s */

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void need_input(const char *path)
{
	struct stat status;

	if (stat(path, &status) || access(path, R_OK))
		err(2, "%s", path);
	if (!S_ISREG(status.st_mode))
		errx(2, "%s: not a file", path);
	if (status.st_size > INPUT_MAX)
		errx(2, "%s: larger than %d bytes", path, INPUT_MAX);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int i;

	for (i = 1; i < *argc; i++)
		need_input((*argv)[i]);
	return 0;
}
