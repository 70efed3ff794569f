/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison of EROFS with its specification: what its parts know of each
 * other, and of the images.
 */
#ifndef __EROFS_TEST_DIFFERENTIAL_H
#define __EROFS_TEST_DIFFERENTIAL_H

#include "erofs_test.h"
#include "oracle.h"
#include "vectors.h"

#define VALUE_MAX SZ_64K
#define DIFFERENTIAL_DOMAIN "differential"

/* A key that has a shared inode, and what else must be equal */
struct key {
	u8 *value;
	int size;
	u64 i_size;
	bool compressed;
	struct inode *shared;
};

/* An image, mounted, with all inodes that the oracle knows */
struct mounted {
	const char *name;
	u8 *image;
	struct vfsmount *mnt;
	struct oracle oracle;
	struct inode *inodes[ORACLE_INODES];
	struct key keys[ORACLE_INODES];
	unsigned int nr_keys;
	struct differential *d;
};

/* What the specification leaves open */
enum { OPEN_CONFIG, OPEN_TABLE, OPEN_INODE, OPEN_ENTRIES, OPEN_COUNT };

/* What a kernel is known for: the oracle's quirks, and that it does not survive an image */
enum { KNOWN_DEADLY = ORACLE_QUIRKS, KNOWN_COUNT };

/* The state of the suite */
struct differential {
	struct kunit *test; /* the one that runs */
	unsigned long taints;
	u8 *got, *expected; /* a value, or a list of names */
	struct {
		unsigned int images, refused, inodes, refused_inodes, lookups, lists;
		unsigned int fingerprints, shared, not_shared, fields, kinds, changes;
		unsigned int disagreements;
		unsigned int open[OPEN_COUNT], known[KNOWN_COUNT];
	} count;
	bool bases_mounted;
	/* The base images, all of them all the time, and behind them the one under test */
	struct mounted mounted[];
};

/* Whoever compares says what a disagreement is. */
__printf(2, 3) void disagree(struct mounted *m, const char *fmt, ...);

/*
 * differential_verdict.c. judge_image() fills in the oracle; with a mount it knows
 * compressed metadata, too, as the kernel decompresses that. n: the number of an inode
 */
void judge_image(struct mounted *m, const u8 *image, size_t size);
void compare_verdict(struct mounted *m, int err);
void compare_prefixes(struct mounted *m);
void compare_inode(struct mounted *m, u32 n);

/*
 * differential_fingerprint.c: in the domain DIFFERENTIAL_DOMAIN. Return: the size
 * of the fingerprint, which is in d->expected, ORACLE_UNSPECIFIED, or an error
 */
int compare_fingerprint(struct mounted *m, u32 n);

/* differential_xattr.c */
void compare_xattrs(struct mounted *m, u32 n);

#endif
