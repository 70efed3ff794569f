/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* Writes the report of `erofs-ishare check` in one of several formats, each a file report_*.c. */
#ifndef WRITER_H
#define WRITER_H

#include "cmd.h"

/* The end of a run. */
struct outcome {
	struct ishare_summary summary; /* of all images */
	size_t images; /* that were judged */
	size_t images_cut_short; /* of these: a broken rule hides the rest */
	size_t images_not_judged; /* not, or not to the end */
	size_t domains_not_judged; /* because memory ran out or bytes were unreadable */
	const char **unshared; /* those without fingerprints, by name */
	size_t unshared_count;
	bool digests; /* contents were read and compared with their fingerprints */
	bool domain; /* images were compared with each other */
	json_t *conformance; /* an array of objects, one for each image; or NULL */
	double seconds;
	int status; /* exit status */
};

struct writer;

/* The events of a run, in order; all may be NULL. */
struct report_format {
	const char *name;
	void (*begin)(struct writer *writer);
	void (*finding)(struct writer *writer, const struct ishare_finding *finding);
	void (*omitted)(struct writer *writer, const struct ishare_omitted *omitted);
	void (*unexamined)(struct writer *writer, const struct ishare_unexamined *unexamined);
	/* A kernel is known to mistreat the image, though it may conform. */
	void (*advice)(struct writer *writer, const struct advice *advice);
	/* Which parts of an image conform; called only if that is to be shown. */
	void (*conformance)(struct writer *writer, const struct ishare_conformance *conformance);
	/* The image (or trust domain) could not be judged. */
	void (*failure)(struct writer *writer, const char *image, const char *reason);
	/*
	 * The image has been checked, except for rules about several files; cut_short: only in
	 * part, because a violation hides the rest.
	 */
	void (*image_end)(struct writer *writer, const char *image, bool cut_short);
	/*
	 * The rules about several files have been checked on the image, or on the images of one
	 * domain.
	 */
	void (*domain_end)(struct writer *writer, const char *name);
	/* Frees what begin allocated. */
	void (*end)(struct writer *writer, const struct outcome *outcome);
};

struct writer {
	const struct report_format *format;
	FILE *out;
	const bool *rules; /* ISHARE_RULE_COUNT switches: the selected rules */
	bool strict; /* warnings fail, too */
	bool verbose; /* show what conforms */
	bool all; /* in text: write findings as they come, not in groups with examples */
	const char *profile; /* name of the profile */
	void *state; /* the format's own */
};

extern const struct report_format report_text, report_json, report_sarif, report_tap, report_github,
	report_quiet;

/* writer.c: what formats have in common */

/* Whether breaking the rule makes an image fail. */
bool rule_fails(const struct writer *writer, const struct ishare_rule *rule);

/* The image of a finding's other file, which may be that of the first. */
const char *other_image(const struct ishare_finding *finding);

/* Writes the summary, each line headed by prefix. */
void put_summary(FILE *out, const char *prefix, const struct outcome *outcome);

/*
 * Writes how many findings each rule has, if there are several rules, or findings that are not
 * shown.
 */
void put_table(FILE *out, const struct ishare_summary *summary);

/* Returns the summary as an object. */
json_t *json_summary(const struct outcome *outcome);

/* groups.c: findings of an image by rule and cause, in a list; NULL: there are none */

struct group {
	const struct ishare_rule *rule;
	uint32_t cause; /* as in struct ishare_finding */
	struct text examples; /* findings, as they will be shown */
	uint64_t more; /* that are not shown */
	struct group *next;
};

/* Returns the group of a rule and cause; if there is none, a new one, the last of the list. */
struct group *find_group(struct group **groups, const struct ishare_rule *rule, uint32_t cause);

/* Writes the groups, and how many more findings each has; then there are none. */
void put_groups(FILE *out, struct group **groups);

#endif
