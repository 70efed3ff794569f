// SPDX-License-Identifier: GPL-2.0-or-later
#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"

const struct file tree[] = {
	{ "empty", 1, 0 },
	{ "one", 2, 1 },
	{ "511", 3, 511 },
	{ "512", 4, 512 },
	{ "513", 5, 513 },
	{ "4095", 6, 4095 },
	{ "4096", 7, 4096 },
	{ "4097", 8, 4097 },
	{ "5000", 9, 5000 },
	{ "6500", 13, 6500 },
	{ "twin", 9, 5000 }, /* a second inode with the content of 5000 */
	{ "mib", 10, (1 << 20) + 123 },
	{ "sparse", SPARSE | 11, (256 << 10) + 77 },
	{ NULL, 0, 0 },
};

const struct file huge = { "huge", 12, (28 << 20) + 5 };
const struct file race = { "race", 14, 8 << 20 };

#define FORGED(image, name, seed, size, value)                        \
	{                                                             \
		{ name, seed, size }, image, value, sizeof(value) - 1 \
	}
#define X8(c) c c c c c c c c
#define X64(c) X8(X8(c))
#define X512(c) X8(X64(c))

const struct forged forged[] = {
	/* One fingerprint and size, two contents. */
	FORGED("forged-1", "lie", 100, 70000, "lie"),
	FORGED("forged-2", "lie", 101, 70000, "lie"),
	/* One fingerprint, two sizes. */
	FORGED("forged-1", "size", 102, 8192, "size"),
	FORGED("forged-2", "size", 102, 8193, "size"),
	/* One content, two fingerprints, or one without. */
	FORGED("forged-1", "value", 103, 9000, "value-1"),
	FORGED("forged-2", "value", 103, 9000, "value-2"),
	FORGED("forged-1", "missing", 104, 9000, "missing"),
	FORGED("forged-2", "missing", 104, 9000, ""),
	/* Values that are alike but for case, a byte more, a NUL more. */
	FORGED("forged-1", "case", 105, 9000, "Fold"),
	FORGED("forged-2", "case", 105, 9000, "fold"),
	FORGED("forged-1", "longer", 106, 9000, "longer"),
	FORGED("forged-2", "longer", 106, 9000, "longer+"),
	FORGED("forged-1", "nul", 107, 9000, "nul"),
	FORGED("forged-2", "nul", 107, 9000, "nul\0"),
	/* Equal values of unusual form. */
	FORGED("forged-1", "byte", 108, 9000, "B"),
	FORGED("forged-2", "byte", 108, 9000, "B"),
	FORGED("forged-1", "binary", 109, 9000, "\0\377\0"),
	FORGED("forged-2", "binary", 109, 9000, "\0\377\0"),
	FORGED("forged-1", "plain", 115, 9000, "plain"),
	FORGED("forged-2", "plain", 115, 9000, "plain"),
	FORGED("forged-1", "long", 110, 9000, X512("v") X512("v") X512("v")),
	FORGED("forged-2", "long", 110, 9000, X512("v") X512("v") X512("v")),
	/* Meet only if nothing separates domain (c, bc; c, cy) and value in the key. */
	FORGED("forged-1", "value-first", 111, 9000, "ab"),
	FORGED("forged-2", "value-first", 111, 9000, "a"),
	FORGED("forged-1", "domain-first", 112, 9000, "yb"),
	FORGED("forged-2", "domain-first", 112, 9000, "b"),
	/* A value of a block, and one longer by a byte. */
	FORGED("forged-512-1", "block", 113, 9000, X512("b")),
	FORGED("forged-512-2", "block", 113, 9000, X512("b")),
	FORGED("forged-512-1", "more", 114, 9000, X512("m") "m"),
	FORGED("forged-512-2", "more", 114, 9000, X512("m") "m"),
	{ { NULL, 0, 0 }, NULL, NULL, 0 },
};

static const struct file *unknown(const char *image, const char *name)
{
	fprintf(stderr, "probe: no file %s in %s\n", name, image);
	abort();
}

const struct file *tree_file(const char *name)
{
	if (!strcmp(name, huge.name))
		return &huge;
	for (const struct file *file = tree; file->name; file++)
		if (!strcmp(file->name, name))
			return file;
	return unknown("the tree", name);
}

const struct file *forged_file(const char *image, const char *name)
{
	for (const struct forged *f = forged; f->image; f++)
		if (!strcmp(f->image, image) && !strcmp(f->file.name, name))
			return &f->file;
	return unknown(image, name);
}
