/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The judges, one file for each chapter of the specification, and what they share. */
#ifndef ISHARE_JUDGES_H
#define ISHARE_JUDGES_H

#include "check/check.h"

/* Names of the xattrs of one inode: see xattrs.c. */
struct name_records {
	uint64_t seed; /* of hashes */
	struct name_record *items;
	size_t count, room;
};

/* The check of one image. */
struct check {
	struct volume *volume;
	struct report report;
	const struct listener *listener;
	struct reader reader;
	struct work work[ISHARE_PART_COUNT]; /* a kind that overlaps uses up no other's */
	struct walk walk;
	struct name_records names;
	struct links links; /* of inodes with several names */
	uint8_t *area; /* for the xattr area of one inode */
	uint64_t inodes; /* met so far, for its progress */
	struct ishare_conformance conformance;
};

/* How judging something ended. */
enum verdict {
	JUDGED, /* as far as it goes; findings do not matter here */
	UNUSABLE, /* reported, or counted as not examined: what depends on it is not judged */
	ENDED, /* the report has ended */
};

/* judges.c */

enum ishare_answer answer(bool yes);

/* JUDGED, or ENDED. */
enum verdict verdict_so_far(const struct check *check);

/* UNUSABLE, or ENDED. */
enum verdict unusable(const struct check *check);

/*
 * Takes the part's work for this many bytes; false: not enough is left, and the part is not
 * examined.
 */
bool afford(struct check *check, enum ishare_part part, uint64_t bytes);

struct place inode_place(const struct file *file);

/* superblock.c: ISHARE_NOT_EROFS, ISHARE_CUT_SHORT: judging the rest makes no sense. */
enum ishare_result check_superblock(struct check *check);

/* devices.c */
void check_devices(struct check *check);

/* Judges dev.table-place and dev.metadata for size bytes of metadata at offset of a space. */
void check_metadata(struct check *check, const struct space *space, uint64_t offset, uint64_t size);

/* prefixes.c */
void check_prefixes(struct check *check);

/* inodes.c */

/* Judges the metabox's inode and the packed one, and makes their data spaces. */
void check_special_inodes(struct check *check);

/* Reads and judges the inode that nid names, its xattrs included. Any verdict. */
enum verdict check_inode(struct check *check, uint64_t nid, struct file *file);

/* Judges inode.nlink, which says what links are. */
void check_links(struct check *check, const struct file *file, uint64_t links);

/* data.c: judges where the data of a file is, without reading it. */
void check_data_place(struct check *check, const struct file *file, struct data_place *data);

/* xattrs.c */
void check_xattrs(struct check *check, const struct file *file, const struct data_place *data);

/* fingerprint.c */

/* Judges a fingerprint, the inode's number-th; announces the first one to the listener. */
void check_fingerprint(struct check *check, const struct xattr_walk *walk, uint32_t number,
		       const struct data_place *data);

/* Judges how many an inode has. */
void check_fingerprint_count(struct check *check, const struct file *file, uint32_t count);

/* directories.c: ISHARE_CUT_SHORT: the root directory is not what it must be. */
enum ishare_result check_tree(struct check *check);

#endif
