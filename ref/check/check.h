/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* Judges: what they find, and what they could not examine, becomes a report. */
#ifndef ISHARE_CHECK_H
#define ISHARE_CHECK_H

#include "image/image.h"

/* check.c and the files that judge one kind of structure each */

/* What may escape examination, and why: a row of words each in unexamined.c. */
enum unexamined_thing {
	THE_PREFIX_TABLE,
	AN_INODE,
	A_DIRECTORY,
	AN_XATTR_AREA,
	A_SHARED_XATTR,
	A_CHUNK_TABLE,
	DATA,
	A_CONTENT,
	AN_OPAQUE_CONTENT,
	THE_LAST_BLOCK,
	AN_OPAQUE_FINGERPRINT,
	A_FINGERPRINT,
	UNEXAMINED_THINGS
};

enum unexamined_reason {
	IS_COMPRESSED,
	IS_ON_NO_DEVICE,
	IS_NOWHERE,
	OVERLAPS,
	REPEATS,
	NEEDS_DOMAIN,
	IS_TAKEN_FROM_ELSEWHERE,
	UNEXAMINED_REASONS
};

struct unexamined {
	char path[SHORT_PATH_SHOWN]; /* the first file concerned, "" for none */
	uint64_t count;
};

struct digest_pool;

struct check {
	struct ishare_image *image;
	const struct ishare_options *options;
	const struct ishare_sink *sink;
	struct ishare_summary *summary;
	struct ishare_domain *domain;
	struct digest_pool *digests; /* NULL unless digests were asked for */
	struct ishare_budget *own_budget; /* if the caller gave none */
	struct reader reader;
	struct reader rows; /* for the bytes shown: leaves the views of reader alone */
	struct seen seen;
	struct unexamined unexamined[UNEXAMINED_THINGS][UNEXAMINED_REASONS];
	bool failed; /* image->error says why, or the sink wants no more; the check ends at once */
	bool stopped; /* the latter */
	bool cut_short; /* ISHARE_CUT_SHORT */
	/* sb.root-inode cannot be judged: the root is wrong as other inodes are. */
	bool root_lost;

	/* of the image that findings are about */
	uint64_t found[ISHARE_RULE_COUNT];
	uint64_t omitted[ISHARE_RULE_COUNT]; /* of these: kept from the sink */
	uint64_t told_bytes; /* of those that were not: about what they take when printed */
	uint64_t hidden[ISHARE_RULE_COUNT]; /* findings of rules that were not asked for */

	/* the file that findings are about */
	uint32_t directory; /* index in the tree, or NO_DIRECTORY */
	const uint8_t *name;
	size_t name_size;
	uint64_t position; /* of its entry in the directory: see find_entry */
	const char *fixed_path; /* instead, for inodes that no directory names */

	uint8_t *block; /* one directory block */
	uint8_t *area; /* the xattr area of one inode */
	uint64_t budget; /* see spend() */
	uint64_t inodes; /* of this image, for its progress */
	uint64_t seed; /* for hashes of names */
	struct name_record *names; /* of the xattrs of one inode */
	size_t names_room;
};

/* finding.c */

/*
 * size bytes at offset of a space, with the structure they belong to (ISHARE_STRUCT_COUNT: none) at
 * base.
 */
struct place {
	const struct space *space;
	uint64_t offset;
	uint32_t size;
	uint32_t structure;
	uint64_t base;
};

struct place place_bytes(const struct space *space, uint64_t offset, uint32_t size);
struct place place_struct(const struct space *space, uint32_t structure, uint64_t base);
struct place place_field(const struct space *space, uint32_t structure, uint64_t base,
			 uint32_t field_offset);
struct place place_superblock(const struct ishare_image *image, uint32_t field_offset);

/*
 * A name in a message is written by ishare_escape: no %s may bring bytes of the image as they are.
 */
void report(struct check *check, enum ishare_rule_id rule, struct place place, const char *format,
	    ...) __attribute__((format(printf, 4, 5)));
void report_pair(struct check *check, enum ishare_rule_id rule, struct place place,
		 const char *other_image, const char *other_path, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/*
 * Whether the sink receives the next finding of a rule: words that take time are not made up for
 * nobody.
 */
bool is_shown(const struct check *check, enum ishare_rule_id rule);

/* Ends the findings of an image: tells how many were left out, and begins to count anew. */
void tell_omitted(struct check *check);

/* unexamined.c */

void not_examined(struct check *check, enum unexamined_thing thing, enum unexamined_reason reason);
/* The same for what a failed read was about; a read error ends the check. */
void not_readable(struct check *check, enum unexamined_thing thing, enum read_result result);
void tell_unexamined(struct check *check);
/* Counts and tells what the caller has words for; the image need not be set. */
void tell_reason(struct check *check, struct ishare_unexamined event);
/* Whether a rule of the scope was asked for. */
bool asked_for(const struct check *check, enum ishare_scope scope);
bool is_unexamined(const struct check *check, enum unexamined_thing thing);

/* selection.c: tells which broken rules that were not asked for those that were depend on */
void tell_hidden(struct check *check);

/* Writes the path of the current file; false if findings are about none now. */
bool current_path(const struct check *check, char *buffer, size_t size);

/* Asks the sink, which has just received something, whether the check is to end. */
void check_stop(struct check *check);

/* Takes over the error of a failed read. */
void check_failed(struct check *check, const struct reader *reader);
void check_no_memory(struct check *check);

/*
 * Bounds the work that a hostile image can ask for: the xattr areas, chunk arrays and directories
 * of an image do not overlap, so together they have no more bytes than it. False: it would be more
 * (counted as not examined).
 */
bool spend(struct check *check, enum unexamined_thing thing, uint64_t bytes);

/* superblock.c, prefixes.c, inode.c, xattrs.c, walk.c */

/* False: judging the rest makes no sense; *result says whether the image is one of EROFS at all. */
bool check_superblock(struct check *check, enum ishare_result *result);
void check_devices(struct check *check);
/* Judges dev.metadata for size bytes at offset of a space. */
void check_metadata(struct check *check, const struct space *space, uint64_t offset, uint64_t size);
void check_special_inodes(struct check *check);
void check_prefixes(struct check *check);

/*
 * Reads and judges the inode that nid names, its xattrs included. False: it cannot be used
 * (reported, or counted as not examined, or check->failed).
 */
bool check_inode(struct check *check, uint64_t nid, struct file *file);

void check_xattrs(struct check *check, const struct file *file);

void check_tree(struct check *check);

#endif
