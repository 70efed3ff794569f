// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Standard output and error. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("erofs-ishare: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* A report that could not be written must not look like one that was: the status says so. */
void close_stdout(void)
{
	bool failed = ferror(stdout);

	if (failed)
		fputc('\n', stdout); /* once more, to hear why */
	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return;
	if (errno != EPIPE) /* else: whoever closed the pipe has read enough, and knows */
		complain("cannot write to standard output: %s",
			 errno ? strerror(errno) : "output was lost");
	_exit(STATUS_TROUBLE);
}

bool is_unwritten(void)
{
	return ferror(stdout); /* close_stdout says why */
}
