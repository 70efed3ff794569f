/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the parts of a dump share: dump_volume.c, dump_inodes.c and dump_miss.c. */
#ifndef DUMPER_H
#define DUMPER_H

#include "dump.h"

/* The state of a dump. */
struct dumper {
	struct dump *dump;
	struct volume *volume;
	struct reader reader;
	struct work work;
	struct walk walk;
	uint8_t *area; /* for the xattr area of one inode */
	bool ended; /* nothing more can be read (which was said) or written */
	/* The things that are not shown, by the rule that is broken, or else by the reason. */
	uint64_t missed_by_rule[ISHARE_RULE_COUNT], missed_by_reason[ISHARE_REASON_COUNT];
};

/*
 * dump_miss.c: reports that a thing is not shown, such as "the inode", and why; path: of the file
 * concerned, or NULL.
 */

/* It breaks a rule, or depends on one; is: what the thing is, as in "is corrupt". */
void miss_broken(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
		 const char *thing, const char *is);

/* A rule says that it is in the image, and it is not. */
void miss_outside(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
		  const char *thing);

/* It was to be read; reports nothing if it was (READ_OK). */
void miss_unread(struct dumper *dumper, enum read_result result, const char *path,
		 const char *thing);

/* Takes work for this many bytes; false: not enough is left, and the thing is not shown. */
bool affords(struct dumper *dumper, uint64_t bytes, const char *path, const char *thing);

/* Says why nothing more can be shown. */
void fail(struct dumper *dumper, const char *why);

/* Counts those that were too many to be reported one by one. */
void miss_unnamed(struct dumper *dumper);

/* Counts those that --limit has left out. */
void miss_left_out(struct dump *dump);

/* dump_inodes.c: shows an inode with its xattrs; false: what the inode has cannot be read. */
bool show_inode(struct dumper *dumper, uint64_t nid, const char *path, struct file *file);

#endif
