/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way to a file's bytes, and what is in the page cache of it. */
#ifndef PROBE_READERS_H
#define PROBE_READERS_H

#include <stdbool.h>
#include <stdint.h>

#include "files.h"
#include "tap.h"

/* Of the guests. */
#define PAGE 4096

/* A way to bring a whole file into the page cache; compares what it gets to see. */
struct reader {
	const char *name;
	/* NULL, or what went wrong. */
	const char *(*read)(int fd, const struct file *file);
};

extern const struct reader readers[]; /* ends with a NULL name */

const char *read_plainly(int fd, const struct file *file);
const char *read_private_mapping(int fd, const struct file *file);
const char *read_shared_mapping(int fd, const struct file *file);

/* Pages of the open file that are in memory and up to date, read without bringing any in. */
long resident(int fd);
long resident_at(const char *directory, const char *name);

long pages(uint64_t size);

int open_at(const char *directory, const char *name, int flags);

/* Opens, reads by @reader, closes; NULL or what went wrong. */
const char *read_at(const struct reader *reader, const char *directory, const struct file *file);

/* A point: @name below @directory holds what it should, whichever way it is read. */
bool ok_content(const char *directory, const struct file *file, const char *when);

/* A point: all pages, or no page, of the file are in memory. */
bool ok_resident(bool wanted, const char *directory, const struct file *file, const char *why);

/*
 * FAILED: a file could not be opened, or what was read was wrong. PARTLY: only some pages are
 * shared.
 */
enum sharing { FAILED = -1, APART, SHARED, PARTLY };

extern const char *const sharing_names[]; /* not for FAILED */

/* Reads the file at @a and observes whether @b has its pages. Both must not be in memory. */
enum sharing shares(const char *a, const char *b, const struct file *file);

/* A point: they share, or do not, as @wanted says. */
bool ok_shares(enum sharing wanted, const char *a, const char *b, const struct file *file,
	       const char *format, ...) PRINTF(5, 6);

/*
 * Where what was read last was wrong: the offset of the first wrong byte, -1 if it was not a byte.
 */
int64_t wrong_byte(void);

#endif
