/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * A walk over the xattrs of an inode, inline before shared as every reader does. It judges nothing.
 */
#ifndef ISHARE_XATTR_WALK_H
#define ISHARE_XATTR_WALK_H

#include "internal.h"

/* An infix and a stored name, 255 bytes each. */
#define NAME_ROOM 510u
#define NAME_SHOWN (ISHARE_ESCAPED_MAX * NAME_ROOM + 1) /* escaped */

/* The entries of one inode, one after the other. */
struct xattr_walk {
	struct reader *reader;
	const struct ishare_image *image;
	const struct file *file;
	struct ishare_view area; /* private copy of the inode's xattr area */
	struct ishare_ibody_header header;
	uint32_t next_shared;
	enum { WALK_INLINE_FIRST, WALK_INLINE, WALK_SHARED } stage;

	/* the current entry */
	bool shared;
	uint32_t shared_index;
	struct ishare_view holder; /* the area; or the shared entry, until the reader's next call */
	struct ishare_entry entry;
	const struct space *space; /* where holder's bytes are */
	uint64_t base; /* of holder in that space */
};

enum walk_status {
	WALK_ENTRY,
	WALK_END,
	WALK_BAD_ENTRY, /* xattr.entry-bounds fails at entry.pos; an inline area is then left */
	WALK_BAD_ID, /* xattr.shared-id does not hold for number shared_index */
	WALK_UNREADABLE, /* the shared xattrs are in the metabox, which cannot be read */
	WALK_FAILED, /* I/O error */
};

/*
 * Copies the inode's xattr area into buffer (XATTR_AREA_MAX bytes), where it survives the reader's
 * next calls.
 */
enum read_result copy_xattr_area(struct reader *reader, const struct file *file, uint8_t *buffer,
				 struct ishare_view *area);

/* area: from copy_xattr_area; xattr.shared-count must hold for it. */
void start_xattr_walk(struct xattr_walk *walk, struct reader *reader,
		      const struct ishare_image *image, const struct file *file,
		      const struct ishare_view *area);
enum walk_status next_xattr(struct xattr_walk *walk);

/* Whether the area has room for entries behind the shared ids. */
bool has_inline_xattrs(const struct xattr_walk *walk);

/*
 * Go back to an entry that the walk has met: by its position in the area, or by its number among
 * the shared ids.
 */
bool recall_inline_xattr(struct xattr_walk *walk, size_t pos);
bool recall_shared_xattr(struct xattr_walk *walk, uint32_t shared_index);

/* Of the current entry. */
uint64_t xattr_area_offset(const struct file *file);
struct ishare_view xattr_value(const struct xattr_walk *walk);

/*
 * Joins infix and stored name in buffer (NAME_ROOM bytes). False: the prefix is not in the table,
 * or not known.
 */
bool xattr_name(const struct xattr_walk *walk, uint8_t *buffer, struct ishare_name *name);

/* What the image's fingerprints are called. False: it has none, or their name cannot be told. */
bool fingerprint_name(const struct ishare_image *image, struct ishare_name *name);

/* Of the current entry. Fill is no xattr, whatever name four zero bytes spell. */
bool is_fill(const struct xattr_walk *walk);
bool is_fingerprint(const struct xattr_walk *walk);

#endif
