/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the parts of a dump share: dump_volume.c, dump_inodes.c and dump_miss.c. */
#ifndef DUMPER_H
#define DUMPER_H

#include "dump.h"

/* Why something is not shown: a rule, by its number, or BY_REASON + one of enum ishare_reason. */
enum { BY_REASON = ISHARE_RULE_COUNT, REASONS = BY_REASON + ISHARE_REASON_COUNT };

/* The state of a dump. */
struct dumper {
	struct dump *dump;
	struct volume *volume;
	struct reader reader;
	struct work work;
	struct walk walk;
	uint8_t *area; /* for the xattr area of one inode */
	bool ended; /* nothing more can be read (which was said) or written */
	uint64_t missed[REASONS];
};

/* dump_miss.c */

/* Reports what is not shown, and why; path: of the file concerned, or NULL. */
void miss_for(struct dumper *dumper, uint32_t reason, const char *path, const char *sentence);

/* The same for a broken rule; false: none is (ISHARE_RULE_COUNT). */
bool misses_by(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
	       const char *sentence);

/* The same for a thing that was to be read, unless it was (READ_OK). */
void miss(struct dumper *dumper, enum read_result result, const char *path, const char *thing);

/* Takes work for so many bytes; false: there is not so much left, and the thing is not shown. */
bool affords(struct dumper *dumper, uint64_t bytes, const char *path, const char *thing);

/* Says why nothing more can be shown. */
void fail(struct dumper *dumper, const char *why);

/* Say what was not named, as it was too much; and what --limit has left out. */
void miss_more(struct dumper *dumper);
void miss_left_out(struct dump *dump);

/* dump_inodes.c: shows an inode with its xattrs; false: what the inode has cannot be read. */
bool show_inode(struct dumper *dumper, uint64_t nid, const char *path, struct file *file);

#endif
