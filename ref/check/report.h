/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * A report: from "this rule does not hold here" and "this could not be examined" to what a sink
 * receives. It knows its subject (an image, and a file in it), limits and counts, but nothing about
 * the judges.
 */
#ifndef ISHARE_REPORT_H
#define ISHARE_REPORT_H

#include "image/image.h"

/* The subject of findings. */
struct subject {
	struct met met; /* the file, or its directory; met.directory: NO_DIRECTORY for none */
	const uint8_t *name; /* in that directory */
	size_t name_size; /* 0: it is the directory itself */
	const char *path; /* instead, if not NULL: of an inode that no directory names */
};

/* How many causes of one rule are told apart; the last one stands for all others, too. */
#define CAUSES 4u

/* Findings of a rule whose messages differ in values only. */
struct cause {
	const char *format; /* of the messages; NULL: no findings yet */
	uint64_t found, omitted;
};

/* Findings in the current image, by rule. */
struct counts {
	struct cause causes[ISHARE_RULE_COUNT][CAUSES];
	uint64_t found[ISHARE_RULE_COUNT];
	uint64_t omitted[ISHARE_RULE_COUNT]; /* of these: not passed to the sink */
	uint64_t hidden[ISHARE_RULE_COUNT]; /* of rules that were not asked for */
	uint64_t reported_bytes; /* the approximate printed size of those passed to the sink */
};

struct unexamined {
	uint64_t count;
	char *path; /* the first file concerned, or NULL */
};

enum report_state {
	REPORT_OPEN,
	REPORT_STOPPED, /* the sink has stopped the check */
	REPORT_FAILED, /* the image's error says why */
};

struct report {
	const struct ishare_options *options;
	const struct ishare_sink *sink;
	struct ishare_summary *summary;
	struct ishare_image *image; /* that findings are about */
	struct reader rows; /* for the bytes shown: leaves the judges' views alone */
	struct subject subject;
	struct counts counts;
	struct unexamined unexamined[ISHARE_PART_COUNT][ISHARE_REASON_COUNT];
	enum report_state state; /* nothing more is to be judged unless it is open */
	bool root_lost; /* sb.root-inode cannot be judged: it depends on the rules for inodes */
};

/* report.c */

/* Begins a report, which is zero; report_image() names the first image. */
void report_start(struct report *report, const struct ishare_options *options,
		  const struct ishare_sink *sink, struct ishare_summary *summary);

/* Writes the path of the file that findings are about; false: they are about none now. */
bool subject_path(const struct report *report, char *buffer, size_t size);

/*
 * images.c: what follows is about another image. False: no memory; it is about none then.
 */
bool report_image(struct report *report, struct ishare_image *image);

/* Reports the omitted findings of the image, and resets their count. */
void report_end_image(struct report *report);
void report_release(struct report *report);

/*
 * Ends the report; the image's error has the reason: a reader's error, or that memory ran out.
 */
void report_failure(struct report *report, const char *why);
void report_no_memory(struct report *report);

/* Asks the sink, which has just received something, whether the report is to end. */
void report_stop(struct report *report);

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
struct place place_superblock(const struct volume *volume, uint32_t field_offset);

/*
 * A name in a message is written by ishare_escape: no %s may bring bytes of the image as they are.
 */
void report(struct report *report, enum ishare_rule_id rule, struct place place, const char *format,
	    ...) __attribute__((format(printf, 4, 5)));
void report_pair(struct report *report, enum ishare_rule_id rule, struct place place,
		 const char *other_image, const char *other_path, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* The ending of a noun after this number. */
static inline const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/*
 * Whether the sink receives the next finding of a rule, all of whose findings have one cause:
 * otherwise slow messages need not be made.
 */
bool is_shown(const struct report *report, enum ishare_rule_id rule);

/* unexamined.c */

void not_examined(struct report *report, enum ishare_part part, enum ishare_reason reason);

/* The same for what a read was about; one that failed, as error says, ends the report. */
void not_readable(struct report *report, enum ishare_part part, enum read_result result,
		  const char *error);
bool is_unexamined(const struct report *report, enum ishare_part part);

/* Passes everything that was not examined to the sink. */
void report_all_unexamined(struct report *report);

/* Passes one event to the sink, and counts it. */
void report_unexamined(struct report *report, struct ishare_unexamined event);

/* Whether a rule of a scope was asked for. */
bool asked_for(const struct report *report, enum ishare_scope scope);

#endif
