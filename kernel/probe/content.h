/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the images hold: a function of a seed and the offset, the same on the host,
 * where images are made, and in the guest, where what is read is compared. It compresses well, so
 * that a compressing mkfs.erofs compresses it, and no two 64-byte lines are alike.
 */
#ifndef PROBE_CONTENT_H
#define PROBE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A seed with this bit: every other 64 KiB are zeros, which images may store as holes. */
#define SPARSE 0x80000000u

/* The @size bytes from @offset. */
void content_fill(uint32_t seed, uint64_t offset, uint8_t *out, size_t size);

/* The first of @size bytes that differs from the content at @offset, or @size. */
size_t content_differs(uint32_t seed, uint64_t offset, const uint8_t *data, size_t size);

bool content_is(uint32_t seed, uint64_t offset, const uint8_t *data, size_t size);

#endif
