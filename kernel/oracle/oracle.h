/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The specification's verdict on an image, from the verified core, and the comparison of EROFS with
 * it: which rules the structures break that a mount reads, which inodes there are, and what looking
 * for xattrs and fingerprints must find.
 *
 * An image here ends with a whole page, as a block device's does: what the
 * kernel is given is what the core judges.
 */
#ifndef __EROFS_ORACLE_H
#define __EROFS_ORACLE_H

#include <linux/bitmap.h>
#include <linux/mount.h>
#include "internal.h"
#include "xattr.h"
#include "core/core.h"
#include "core/rules.h"

/* ---- What the specification says ---- */

#define ORACLE_INODES 64

/* An address space: the image, or the data of an inode */
struct oracle_space {
	struct ishare_view view;
	u8 *copy; /* to be freed, if it is not the image */
	bool there;
	bool unspecified; /* it is, but its bytes are not known */
	bool zeros_behind; /* what is behind the end reads as zeros */
};

/* An error of its own: the specification does not say */
#define ORACLE_UNSPECIFIED (-EREMOTEIO)

/* Where a kernel is known to differ from the specification, at shared xattrs */
enum oracle_quirk {
	ORACLE_AS_SPECIFIED,
	/* Without the metabox that is said to hold them, none being asked for fails, too. */
	ORACLE_EMPTY_SHARED,
	/* The page with the last inline entry is taken for the one in the other space. */
	ORACLE_STALE_PAGE,
	ORACLE_QUIRKS
};

struct oracle_inode {
	u64 nid;
	struct ishare_inode inode;
	const struct oracle_space *space;
	u64 offset; /* in the space */
	bool decoded;
	bool unspecified; /* what the specification leaves open */
	/* Rules that are met when it is read in, and must or may make that fail */
	DECLARE_BITMAP(broken, ISHARE_RULE_COUNT);
	DECLARE_BITMAP(doubtful, ISHARE_RULE_COUNT);
};

struct oracle {
	struct oracle_space image, packed, metabox;
	struct ishare_superblock sb;
	struct ishare_superblock_ext ext;
	struct ishare_view table; /* of prefixes */
	u32 prefixes; /* sound ones, before the first that is not */
	bool prefixes_known; /* all are */
	bool config_open; /* the verdict depends on what is not specified: */
	bool table_open; /* compression configurations, and where the table is */
	bool deadly; /* finding internal-inode-special: reading data, the kernel calls address 0 */
	DECLARE_BITMAP(broken, ISHARE_RULE_COUNT); /* met when it is mounted */
	u32 nr_inodes; /* in the order in which they are met */
	u32 nr_mounted; /* those that the mount reads, the first */
	bool inodes_complete;
	/* Set by the caller: see oracle_judge() */
	u8 *(*fetch)(void *context, bool metabox, u64 *size);
	void *context;
	struct oracle_inode inodes[ORACLE_INODES];
	enum oracle_quirk quirk; /* what looks at xattrs give is what such a kernel gives */
	/* The shared xattr that was looked at last, zeros behind its image's end */
	u8 shared[ISHARE_XATTR_ENTRY_MAX];
	u32 shared_used;
};

/* An xattr of an inode, as a walk gives them one by one */
struct oracle_xattr {
	struct ishare_name name; /* infix and suffix, in bytes */
	bool named; /* false: there is no such prefix */
	bool name_there; /* all of the name can be read */
	struct ishare_view value; /* until the next look at the oracle's image */
	bool value_there;
	u8 bytes[2 * 255];
};

struct oracle_walk {
	struct oracle *oracle;
	const struct oracle_inode *inode;
	u8 *area; /* xattr_isize bytes, zeros where nothing is */
	u64 there; /* bytes of it that can be read */
	struct ishare_ibody_header header;
	struct ishare_entry entry;
	u32 next_shared;
	u64 stale_page; /* index of the page that the kernel may mistake; else U64_MAX */
	enum { WALK_FIRST, WALK_INLINE, WALK_SHARED } stage;
};

/*
 * Fills in all but fetch and context. image: whole pages; it must remain until
 * oracle_free(). Data of the packed inode and of the metabox that is not flat
 * comes from fetch(), whole pages in memory for kvfree(): how it is decoded is not what is
 * compared here. Where fetch() has none either, NULL, things remain open.
 */
void oracle_judge(struct oracle *o, const u8 *image, size_t size,
		  const struct ishare_profile *profile);
void oracle_free(struct oracle *o);
bool oracle_prefix(struct oracle *o, u32 index, struct ishare_prefix *p);

/* 0, or the error that every look at the inode's xattrs ends with */
int oracle_walk_start(struct oracle_walk *w, struct oracle *o, const struct oracle_inode *inode);
/* 1: an entry, 0: no more, else an error */
int oracle_walk_next(struct oracle_walk *w, struct oracle_xattr *x);
void oracle_walk_end(struct oracle_walk *w);

/*
 * Looks a name up. Return: the value's size, or an error. buffer: for the value,
 * ISHARE_XATTR_ENTRY_MAX bytes.
 */
int oracle_lookup(struct oracle *o, const struct oracle_inode *inode,
		  const struct ishare_name *name, u8 *buffer);

/* The name of fingerprints as it is looked up: up to a NUL, if there is one */
bool oracle_fingerprint_name(struct oracle *o, struct ishare_name *name);

/* ---- The comparison with what the kernel says ---- */

/* What a kernel answers where a rule is broken, 0 behind the last error */
struct rule_consequence {
	const char *name;
	int must[4]; /* the mount fails with one of these */
	int may[4]; /* the mount may fail with one of these */
	int access[4]; /* looking at what breaks the rule may fail with these */
};

/* Generated: see prepare */
extern const struct rule_consequence rule_consequences[ISHARE_RULE_COUNT];

#define VALUE_MAX SZ_64K
#define DIFFERENTIAL_DOMAIN "differential"

/* What the specification leaves open */
enum { OPEN_CONFIG, OPEN_TABLE, OPEN_INODE, OPEN_COUNT };

/* What all comparisons of a run share */
struct comparison {
	u8 *got, *expected; /* a value, or a list of names */
	struct {
		unsigned int inodes, refused_inodes, lookups, lists, fingerprints;
		unsigned int open[OPEN_COUNT];
		unsigned int quirks[ORACLE_QUIRKS];
	} count;
};

/* An image, mounted, with all inodes that the oracle knows */
struct mounted {
	const char *name;
	u8 *image;
	struct vfsmount *mnt;
	struct oracle oracle;
	struct inode *inodes[ORACLE_INODES];
	struct comparison *comparison;
};

/* The caller decides what a disagreement does. */
__printf(2, 3) void disagree(struct mounted *m, const char *fmt, ...);

/*
 * verdict.c. judge_image() fills in the oracle; with a mount it knows
 * compressed metadata, too, as the kernel decompresses that. n: the number of an inode
 */
void judge_image(struct mounted *m, const u8 *image, size_t size);
void compare_verdict(struct mounted *m, int err);
void compare_prefixes(struct mounted *m);
void compare_inode(struct mounted *m, u32 n);

/*
 * fingerprint.c: in the domain DIFFERENTIAL_DOMAIN. Return: the size of the
 * fingerprint, which is in expected, ORACLE_UNSPECIFIED, or an error
 */
int compare_fingerprint(struct mounted *m, u32 n);

/* xattr.c */
void compare_xattrs(struct mounted *m, u32 n);

#endif
