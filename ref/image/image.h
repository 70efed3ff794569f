/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The image layer: from the bytes of an image and its devices to structures. Nothing here judges;
 * what cannot be read is told apart by enum read_result. Units are those of ishare.h: bytes, host
 * byte order.
 */
#ifndef ISHARE_IMAGE_H
#define ISHARE_IMAGE_H

#include "image/files.h"
#include "image/volume.h"
#include "image/walk.h"

/* The library's handle: the open files, and the directories of the last walk. */
struct ishare_image {
	struct volume volume;
	struct tree tree;
	uint64_t largest_indexed; /* i_size of files that are chunk-based or compressed */
	char error[256]; /* see ishare_image_error() */
};

/* Resets everything known about the image; flat: as in struct ishare_options. */
void image_begin(struct ishare_image *image, bool flat);

/* Records an error sentence and returns result. */
enum ishare_result image_error(struct ishare_image *image, enum ishare_result result,
			       const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
