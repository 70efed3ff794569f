/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The specification's images: base images, made by mkfs.erofs, and edits of
 * them. vectors_data.c, which holds them, is generated.
 */
#ifndef __EROFS_TEST_VECTORS_H
#define __EROFS_TEST_VECTORS_H

#include <linux/types.h>
#include "core/rules.h"

struct vector_base {
	const char *name;
	const u8 *data;
	u32 size;
};

/* Bytes of vector_bytes take the place of those at an offset of the image. */
struct vector_edit {
	u32 at, size, bytes;
};

enum vector_kind { VECTOR_HOLDS, VECTOR_FAILS, VECTOR_EITHER };

/* One image of the specification: a rule holds for it, or fails, and no other */
struct vector {
	const char *name;
	enum ishare_rule_id rule;
	enum vector_kind kind;
	u32 base;
	u32 size; /* bytes of the image */
	u32 first, count; /* of vector_edits */
};

/* One change of one field of one structure */
struct sweep_change {
	const char *where, *verb;
	u32 base;
	u32 size;
	u32 first, count;
};

/* All changes of one field, those of one base image together */
struct sweep_field {
	const char *name;
	u32 first, count; /* of sweep_changes */
};

extern const struct vector_base vector_bases[];
extern const unsigned int vector_base_count;
extern const struct vector_edit vector_edits[];
extern const u8 vector_bytes[];
extern const struct vector vectors[];
extern const unsigned int vector_count;
extern const struct sweep_change sweep_changes[];
extern const struct sweep_field sweep_fields[];
extern const unsigned int sweep_field_count;
extern const unsigned int sweep_kind_count; /* pairs of a field and a verb */

#endif
