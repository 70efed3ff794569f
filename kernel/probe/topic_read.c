// SPDX-License-Identifier: GPL-2.0-or-later
/* Whatever way one reads: the pages are those of all sharers, and the bytes are right. */
#include <stdio.h>

#include "all_topics.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

/* Reads @file at a by @reader; whether all of it is in memory at b then. */
static bool brings_in(const struct reader *reader, const struct file *file)
{
	const char *wrong = read_at(reader, WORK "/a", file);
	long n;

	if (wrong) {
		diag("%s by %s: %s", file->name, reader->name, wrong);
		return false;
	}
	n = resident_at(WORK "/b", file->name);
	if (n != pages(file->size))
		diag("%s by %s: %ld of %ld pages", file->name, reader->name, n, pages(file->size));
	return n == pages(file->size);
}

static void try_reader(const struct reader *reader)
{
	unsigned int files = 0, shared = 0;

	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	for (const struct file *file = tree; file->name; file++) {
		files++;
		shared += brings_in(reader, file);
	}
	ok(shared == files, "%s of one image's files brings in the pages of the other's: %u files",
	   reader->name, files);
	for (const struct reader *other = readers; other->name; other++) {
		const char *wrong = NULL;
		const struct file *file;

		for (file = tree; file->name && !wrong; file++)
			wrong = read_at(other, WORK "/b", file);
		ok(!wrong, "after %s of one, %s of the other gives its content", reader->name,
		   other->name);
		if (wrong)
			diag("%s: %s", file[-1].name, wrong);
	}
	unmount(WORK "/a");
	unmount(WORK "/b");
}

static void try_one_image(void)
{
	const struct file *file = tree_file("5000"), *twin = tree_file("twin");

	share("inline", WORK "/a", "d");
	ok_resident(false, WORK "/a", twin, "nobody has read it yet");
	ok_content(WORK "/a", file, "alone");
	ok_resident(true, WORK "/a", twin, "two inodes of one image share");
	ok_content(WORK "/a", twin, "shared within the image");
	unmount(WORK "/a");
}

void topic_read(void)
{
	for (const struct reader *reader = readers; reader->name; reader++)
		try_reader(reader);
	try_one_image();
}
