/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What `erofs-ishare dump` shows, in one of two formats: dump_text.c and dump_json.c. */
#ifndef DUMP_H
#define DUMP_H

#include "cmd.h"

/* In a nid: it counts in the metabox, not in the image. Offsets do likewise. */
#define NID_IN_METABOX (UINT64_C(1) << 63)

enum { VALUE_SHOWN = 64 }; /* bytes of an xattr's value; what is longer is cut */

/* One on-disk structure outside inodes. */
struct dump_structure {
	const struct ishare_struct *layout;
	uint32_t index; /* from 1 on if it is one of a list; 0: it stands alone */
	uint64_t offset; /* in the image */
	const uint8_t *bytes; /* layout->size of them */
};

/* One record of the prefix table. */
struct dump_prefix {
	uint32_t index;
	const char *space; /* that holds the table: "image", "metabox", "packed inode" */
	uint64_t offset; /* in that space */
	struct ishare_name name; /* base_index and infix */
	bool fingerprint; /* the superblock says that it names fingerprints */
};

/* Functions take the stream that they write to; a format may keep what it needs in it. */
struct dump_format {
	const char *name;
	void (*begin)(struct json_stream *stream, const struct ishare_image *image);
	/* A list of things of one kind begins or ends; plural names it. */
	void (*list)(struct json_stream *stream, const char *plural);
	void (*list_end)(struct json_stream *stream);
	void (*structure)(struct json_stream *stream, const struct dump_structure *structure);
	void (*prefix)(struct json_stream *stream, const struct dump_prefix *prefix);
	void (*inode)(struct json_stream *stream, const struct ishare_inode_event *event);
	void (*xattr)(struct json_stream *stream, const struct ishare_xattr_event *event);
	/* The last inode and its xattrs are complete. */
	void (*inode_end)(struct json_stream *stream);
	/* complete: nothing that should be there is missing. */
	void (*end)(struct json_stream *stream, bool complete);
};

extern const struct dump_format dump_text, dump_json;

/* dump_words.c */

const char *layout_word(const struct ishare_inode *inode);
const char *file_type_word(const struct ishare_inode *inode);

/*
 * The name of the feature that a bit stands for in a field of the superblock, without what all
 * such names begin with; NULL: the field has no such feature.
 */
const char *feature_word(const struct ishare_field *field, uint32_t bit);

/* Whether the field is a number, not an array of bytes. */
bool field_is_number(const struct ishare_field *field);

/* Returns the number at the first byte of a field that is one. */
uint64_t field_number(const struct ishare_field *field, const uint8_t *bytes);

#endif
