/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the images. make-images asks this program for them, so they are listed once. */
#ifndef PROBE_FILES_H
#define PROBE_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file {
	const char *name;
	uint32_t seed;
	uint64_t size;
};

/* In every image but the forged ones and the huge ones; ends with a NULL name. */
extern const struct file tree[];

/* In the images huge-1, huge-2 and huge-lz4. */
extern const struct file huge;

/* In the images race-1 and race-2: many chunks, so that reading it means reading metadata. */
extern const struct file race;

const struct file *tree_file(const char *name);

/* A file whose fingerprint is not a digest but what this table says. */
struct forged {
	struct file file;
	const char *image;
	const char *fingerprint;
	size_t fingerprint_size; /* 0: none */
};

extern const struct forged forged[];

const struct file *forged_file(const char *image, const char *name);

#endif
