// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Memory that the program cannot do without. */
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

/*
 * Threads may be running, under which no library must be cleaned up: so this is no exit().
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
