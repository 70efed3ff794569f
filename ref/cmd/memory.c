// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Allocations that end the program if they fail. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

/*
 * Not exit(): threads may be running, and must not see libraries being cleaned up.
 */
static void *give_up(void)
{
	complain("out of memory");
	fflush(stdout);
	_exit(STATUS_TROUBLE);
}

void *allocated(void *made)
{
	return made ? made : give_up();
}

void *allocate(size_t count, size_t size)
{
	return allocated(calloc(count ? count : 1, size));
}
