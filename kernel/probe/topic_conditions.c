// SPDX-License-Identifier: GPL-2.0-or-later
/* Who shares with whom: domain, key, size, feature. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "all_topics.h"
#include "klog.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

struct side {
	const char *image;
	const char *domain;
	const char *options;
};

struct pair {
	struct side a, b;
	const char *file;
	bool shared;
	const char *why;
};

#define LONG_DOMAIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define D255 LONG_DOMAIN "-" LONG_DOMAIN "-" LONG_DOMAIN "-" LONG_DOMAIN
#define SHARE "inode_share"

/* clang-format off: one line a case, where one is enough. */

/* Digests as fingerprints. */
static const struct pair pairs[] = {
	{ { "inline", "d", SHARE }, { "other", "d", SHARE }, "5000", true, "equal domains" },
	{ { "inline", "d", SHARE }, { "other", "e", SHARE }, "5000", false, "different domains" },
	{ { "inline", "d", SHARE },
	  { "other", "D", SHARE },
	  "5000",
	  false,
	  "domains differ in case" },
	{ { "inline", "d", SHARE },
	  { "other", "d ", SHARE },
	  "5000",
	  false,
	  "one has a space more" },
	{ { "inline", "d", SHARE },
	  { "other", "d/", SHARE },
	  "5000",
	  false,
	  "one has a slash more" },
	{ { "inline", "d", SHARE },
	  { "other", "dd", SHARE },
	  "5000",
	  false,
	  "one begins the other" },
	{ { "inline", "a,b=\"\n\\\377", SHARE },
	  { "other", "a,b=\"\n\\\377", SHARE },
	  "5000",
	  true,
	  "equal domains of odd bytes" },
	{ { "inline", D255, SHARE },
	  { "other", D255, SHARE },
	  "5000",
	  true,
	  "equal domains of 255 bytes" },
	{ { "inline", D255, SHARE },
	  { "other", LONG_DOMAIN, SHARE },
	  "5000",
	  false,
	  "a domain of 255 bytes and its start" },
	{ { "inline", "d", SHARE },
	  { "other", "d", "" },
	  "5000",
	  false,
	  "one was mounted without inode_share" },
	{ { "inline", "d", SHARE }, { "other", NULL, "" }, "5000", false, "one has no options" },
	{ { "inline", "d", SHARE },
	  { "featureless", "d", SHARE },
	  "5000",
	  false,
	  "one lacks ISHARE_XATTRS" },
	{ { "inline", "d", SHARE },
	  { "named", "d", SHARE },
	  "5000",
	  true,
	  "equal values, xattrs of different names" },
	{ { "inline", "d", SHARE },
	  { "other", "d", SHARE ",nouser_xattr,noacl" },
	  "5000",
	  true,
	  "one hides xattrs from programs" },
	{ { "inline", "d", SHARE },
	  { "named", "d", SHARE ",nouser_xattr" },
	  "5000",
	  true,
	  "one hides the fingerprint from programs" },
};

/* Fingerprints of our own, see files.c. */
static const struct pair forged_pairs[] = {
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "byte",
	  true,
	  "values of one byte" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "binary",
	  true,
	  "values with NULs" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "long",
	  true,
	  "values of 1536 bytes" },
	{ { "forged-1", "d", SHARE }, { "forged-2", "d", SHARE }, "value", false, "values differ" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "missing",
	  false,
	  "one has none" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "case",
	  false,
	  "values differ in case" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "longer",
	  false,
	  "one value begins the other" },
	{ { "forged-1", "d", SHARE },
	  { "forged-2", "d", SHARE },
	  "nul",
	  false,
	  "one value has a NUL more" },
	{ { "forged-1", "d", SHARE }, { "forged-2", "d", SHARE }, "size", false, "sizes differ" },
	{ { "forged-1", "c", SHARE },
	  { "forged-2", "bc", SHARE },
	  "value-first",
	  false,
	  "value and domain meet if joined in this order" },
	{ { "forged-1", "c", SHARE },
	  { "forged-2", "cy", SHARE },
	  "domain-first",
	  false,
	  "domain and value meet if joined in this order" },
	{ { "forged-512-1", "d", SHARE },
	  { "forged-512-2", "d", SHARE },
	  "block",
	  true,
	  "values of a block" },
	{ { "forged-512-1", "d", SHARE },
	  { "forged-512-2", "d", SHARE },
	  "more",
	  false,
	  "values longer than a block" },
};

/* clang-format on */

static void must_mount(const struct side *side, const char *at)
{
	int error = erofs_mount(image_path(side->image), at, side->domain, side->options);

	if (error)
		give_up(side->image, error);
}

static const struct file *file_of(const struct side *side, const struct pair *pair)
{
	return strncmp(side->image, "forged", 6) ? tree_file(pair->file)
						 : forged_file(side->image, pair->file);
}

/* @b_first: the inode at b is in memory before the one at a. */
static void try_pair(const struct pair *pair, bool b_first)
{
	const struct file *a = file_of(&pair->a, pair), *b = file_of(&pair->b, pair);
	int held = -1;

	must_mount(&pair->a, WORK "/a");
	must_mount(&pair->b, WORK "/b");
	if (b_first)
		held = open_at(WORK "/b", b->name, O_RDONLY);
	ok_shares(pair->shared ? SHARED : APART, WORK "/a", WORK "/b", a, "%s: %s%s", pair->why,
		  pair->shared ? "shared" : "not shared",
		  b_first ? ", the other read in first" : "");
	ok_content(WORK "/b", b, pair->why);
	ok_content(WORK "/a", a, pair->why);
	if (held >= 0)
		close(held);
	unmount(WORK "/a");
	unmount(WORK "/b");
}

static void try_pairs(const struct pair *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		try_pair(&list[i], false);
		try_pair(&list[i], true);
	}
}

/* The log has a message about sizes that differ. */
static void try_warning(void)
{
	share("forged-1", WORK "/a", "d");
	share("forged-2", WORK "/b", "d");
	shares(WORK "/a", WORK "/b", forged_file("forged-1", "size"));
	ok(klog_has("i_size mismatch (8193 != 8192)"),
	   "a difference in size is logged, with both sizes");
	unmount(WORK "/a");
	unmount(WORK "/b");
}

/* Who is not like the first does not share as long as the first is there, and may afterwards. */
static void try_first_decides(void)
{
	const struct file *first = forged_file("forged-1", "size");
	const struct file *second = forged_file("forged-2", "size");

	share("forged-1", WORK "/a", "d");
	share("forged-2", WORK "/b", "d");
	ok_shares(APART, WORK "/a", WORK "/b", first, "the first to be read in gives the size");
	unmount(WORK "/a");
	drop_caches();
	share("forged-2", WORK "/a", "d");
	ok_shares(SHARED, WORK "/a", WORK "/b", second, "when it is gone, others share");
	unmount(WORK "/a");
	unmount(WORK "/b");
}

void topic_conditions(void)
{
	try_pairs(pairs, sizeof(pairs) / sizeof(*pairs));
	try_pairs(forged_pairs, sizeof(forged_pairs) / sizeof(*forged_pairs));
	try_warning();
	try_first_decides();
}
