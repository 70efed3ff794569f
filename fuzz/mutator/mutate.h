/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* Mutations of an image that know its structures. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "core.h"
#include "rules.h"

/* One structure, or one record of variable size, in an image. */
struct spot {
	uint32_t structure; /* enum ishare_struct_id; ISHARE_STRUCT_COUNT: bytes without fields */
	size_t offset; /* in the image */
	size_t size; /* of the whole record, all in the image */
};

#define MAX_SPOTS 384u

struct spots {
	struct spot items[MAX_SPOTS];
	uint32_t count;
	uint32_t block_size; /* as far as the superblock can be believed */
};

/* Finds the structures of an image as a reader would; there may be none. */
void find_spots(const uint8_t *image, size_t size, struct spots *spots);

/* The next random number; the state is not 0. */
uint64_t mutate_random(uint64_t *state);

/*
 * Changes the image in one to a few places, and its size to at most room bytes; returns the new
 * one. The superblock's checksum is corrected, except now and then.
 */
size_t mutate_image(uint8_t *image, size_t size, size_t room, uint64_t *random);

/* The same, where records may also come from another image. */
size_t splice_image(uint8_t *image, size_t size, size_t room, const uint8_t *other,
		    size_t other_size, uint64_t *random);

/* Makes the superblock's checksum right, if there is one. */
void mend_checksum(uint8_t *image, size_t size);

#endif
