// SPDX-License-Identifier: GPL-2.0-or-later
/* Layouts, block sizes and backings: all of one data path share, others do not. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "all_topics.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static const char *const layouts[] = {
	"inline", "other",   "flat",  "chunk",	      "chunk-indexes", "chunk-64k",
	"blob",	  "blob-2",  "48bit", "metabox",      "lz4",	       "lz4-big",
	"lzma",	  "deflate", "zstd",  "ztailpacking", "fragments",     "all-fragments",
	"dedupe", "b512",    "b1024", "b2048",	      "b512-chunk",    "b512-lz4",
};

#define LAYOUTS (sizeof(layouts) / sizeof(*layouts))

/* mkfs.erofs leaves files uncompressed that would not get smaller. The kernel says which. */
static bool is_compressed(const char *directory, const char *name)
{
	struct statx st;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st))
		return false;
	return st.stx_attributes & STATX_ATTR_COMPRESSED;
}

/* Images whose name begins so have an extra device. */
static const char *options_for(const char *image, enum backing backing)
{
	static char options[512];
	const char *device;
	char blob[64];

	if (strncmp(image, "blob", 4))
		return "inode_share";
	snprintf(blob, sizeof(blob), "%s.blob", image);
	device = image_source(backing, blob);
	snprintf(options, sizeof(options), "inode_share,device=%s", device ? device : "none");
	return options;
}

static bool mount_layout(const char *image, enum backing backing, const char *at)
{
	const char *source = image_source(backing, image);
	int error = source ? erofs_mount(source, at, "d", options_for(image, backing)) : -1;

	if (error)
		ok(false, "mount %s on %s", image, backing_names[backing]);
	return !error;
}

struct tally {
	unsigned int files, right, shared, apart;
};

/* One file of the images at a and b; counts whether it did what its data paths say. */
static void try_file(const struct file *file, bool same_backing, struct tally *tally)
{
	bool a = is_compressed(WORK "/a", file->name), b = is_compressed(WORK "/b", file->name);
	bool alike = a == b && (a || same_backing);
	enum sharing wanted = alike && file->size ? SHARED : APART;
	enum sharing got = shares(WORK "/a", WORK "/b", file);
	const char *wrong = read_at(&readers[0], WORK "/b", file);

	tally->files++;
	if (file->size)
		*(got == SHARED ? &tally->shared : &tally->apart) += 1;
	tally->right += !wrong && got == wanted;
	if (wrong || got != wanted)
		diag("%s (%s, %s): %s, %s", file->name, a ? "compressed" : "plain",
		     b ? "compressed" : "plain", got == FAILED ? "fails" : sharing_names[got],
		     wrong ? wrong : "content right");
}

static void try_images(const char *a, enum backing on_a, const char *b, enum backing on_b)
{
	struct tally tally = { 0 };

	if (!mount_layout(a, on_a, WORK "/a"))
		return;
	if (mount_layout(b, on_b, WORK "/b")) {
		for (const struct file *file = tree; file->name; file++)
			try_file(file, (on_a == ON_FILE) == (on_b == ON_FILE), &tally);
		ok(tally.right == tally.files,
		   "%s (%s) and %s (%s): %u files shared, %u not, as their data "
		   "paths want it",
		   a, backing_names[on_a], b, backing_names[on_b], tally.shared, tally.apart);
		unmount(WORK "/b");
	}
	unmount(WORK "/a");
}

/* Each with an uncompressed and a compressed one, and with the next of the list. */
void topic_layouts(void)
{
	for (unsigned int i = 0; i < LAYOUTS; i++) {
		if (strcmp(layouts[i], "inline"))
			try_images("inline", ON_FILE, layouts[i], ON_FILE);
		if (strcmp(layouts[i], "lz4"))
			try_images(layouts[i], ON_FILE, "lz4", ON_FILE);
		if (i + 1 < LAYOUTS)
			try_images(layouts[i], ON_FILE, layouts[i + 1], ON_FILE);
	}
}

/* Every backing with every other, for two images. */
static void try_backings(const char *image, const char *other)
{
	for (enum backing a = ON_FILE; a < BACKINGS; a++)
		for (enum backing b = ON_FILE; b < BACKINGS; b++) {
			try_images(image, a, other, b);
			release_loops();
		}
}

/* On a block device, with another there that has the same data path. */
static void try_on_device(enum backing backing, const char *image)
{
	static const char *const plain[] = { "inline", "other",		"flat",
					     "chunk",  "chunk-indexes", "chunk-64k",
					     "blob",   "blob-2",	"48bit" };
	const char *partner = "lz4";

	for (unsigned int i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (!strcmp(image, plain[i]))
			partner = strcmp(image, "inline") ? "inline" : "flat";
	try_images(image, backing, strcmp(image, partner) ? partner : "lz4-big", backing);
	release_loops();
}

static bool has_small_blocks(const char *image)
{
	return image[0] == 'b' && image[1] != 'l';
}

/* With blocks of a page; smaller ones are for the finding. A guest has 16 disks at most. */
void topic_backings(void)
{
	static const char *const on_disk[] = { "chunk-64k", "48bit",	    "metabox",	 "lzma",
					       "zstd",	    "ztailpacking", "fragments", "dedupe" };

	try_backings("inline", "other");
	try_backings("flat", "chunk");
	try_backings("blob", "inline");
	try_backings("lz4", "lz4-big");
	try_backings("lz4", "inline");
	for (unsigned int i = 0; i < sizeof(on_disk) / sizeof(*on_disk); i++)
		try_on_device(ON_UBD, on_disk[i]);
	for (unsigned int i = 0; i < LAYOUTS; i++)
		if (!has_small_blocks(layouts[i]))
			try_on_device(ON_LOOP, layouts[i]);
}
