// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The kernel's complaints. A warning ends the guest at the end of the input, unless it is known by
 * the place that it comes from. The panic repeats the warning, because others may follow it. The
 * kernel prints them on a console, which is implemented here.
 */
#include <linux/console.h>
#include <linux/init.h>
#include "fuzz.h"

static const char *const known[] = {
	/* Finding inode-beyond-loff: a block device is read at 2^63 and above */
	"fs/iomap/iter.c:39 at iomap_iter",
};

char fuzz_complaint[256];

static bool is_known(const char *line, size_t size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strnstr(line, known[i], size))
			return true;
	return false;
}

static void note(const char *complaint, size_t size)
{
	size = min(size, sizeof(fuzz_complaint) - 1);
	memcpy(fuzz_complaint, complaint, size);
	*strchrnul(fuzz_complaint, '\n') = '\0';
}

static void watch(struct console *console, const char *line, unsigned int size)
{
	static const char *const complaints[] = { "WARNING: ", "UBSAN: ", "BUG: " };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(complaints); i++) {
		const char *at = strnstr(line, complaints[i], size);

		if (at && !*fuzz_complaint && !is_known(line, size))
			note(at, line + size - at);
	}
}

static struct console console = {
	.name = "fuzz",
	.write = watch,
	.flags = CON_ENABLED,
	.index = -1,
};

int __init fuzz_known_init(void)
{
	register_console(&console);
	return 0;
}
