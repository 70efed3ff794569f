/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What `erofs-ishare dump` shows, in one of two formats: dump_text.c and dump_json.c. */
#ifndef DUMP_H
#define DUMP_H

#include "cmd.h"
#include "image/image.h"

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

/* One inode. */
struct dump_inode {
	const char *path;
	uint64_t nid;
	uint64_t offset; /* of the inode in its space */
	const struct ishare_inode *inode;
};

/* One xattr entry of the inode that was shown last. */
struct dump_xattr {
	bool shared; /* from the shared xattr area */
	uint64_t offset; /* of the entry in its space */
	const struct ishare_entry *entry;
	const char *name_space; /* "user.", "trusted.", ...; "" for a hidden name */
	const struct ishare_name *name; /* NULL if its prefix cannot be resolved */
	struct ishare_view value;
	bool fingerprint; /* it bears the name of the image's fingerprint */
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
	void (*inode)(struct json_stream *stream, const struct dump_inode *inode);
	void (*xattr)(struct json_stream *stream, const struct dump_xattr *xattr);
	/* The last inode and its xattrs are complete. */
	void (*inode_end)(struct json_stream *stream);
	/* complete: nothing that should be there is missing. */
	void (*end)(struct json_stream *stream, bool complete);
};

extern const struct dump_format dump_text, dump_json;

/* How much of the inodes and xattrs is shown. */
struct dump_limit {
	bool given; /* the user has named one */
	uint64_t bytes; /* 0: none */
	uint64_t used; /* approximate, including omitted ones */
	uint64_t left_out; /* inodes and xattrs */
};

struct dump {
	struct source source;
	bool flat; /* as in struct ishare_options */
	const struct dump_format *format;
	struct json_stream stream;
	struct dump_limit limit;
	struct ishare_image *image;
	int status;
};

/* dump_miss.c: reports why something is missing from the dump. */
void dump_miss(struct dump *dump, const char *reason);

/* dump_volume.c: shows what the image has, from the superblock on. */
void dump_volume(struct dump *dump);

/* dump_words.c */

const char *layout_word(const struct ishare_inode *inode);
const char *file_type_word(const struct ishare_inode *inode);

/*
 * The name of the feature with this bit in a field of the superblock, without the common prefix of
 * such names; NULL: the field has no such feature.
 */
const char *feature_word(const struct ishare_field *field, uint32_t bit);

/* Whether the field is a number, not an array of bytes. */
bool field_is_number(const struct ishare_field *field);

/* Returns the number at the first byte of a field that is one. */
uint64_t field_number(const struct ishare_field *field, const uint8_t *bytes);

#endif
