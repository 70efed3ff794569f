/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Extended attributes of inodes: spec/50-xattrs.md.
 *
 * A view named area is either the xattr area of an inode (xattr_isize bytes behind the inode: header, shared ids, inline
 * entries) or a window into the shared xattrs that starts at an entry and ends where the space does, or wherever the
 * caller likes beyond the largest entry (ISHARE_XATTR_ENTRY_MAX bytes). Rule functions return true when the rule holds.
 */
#ifndef ISHARE_XATTR_H
#define ISHARE_XATTR_H

#include "types.h"
#include "layout.h"

/* Decodes the header of an inode's xattr area. Returns ISHARE_OK, or ISHARE_SHORT if @area has fewer than 12 bytes. */
enum ishare_status ishare_ibody_decode(const struct ishare_view *area,
				       struct ishare_ibody_header *h);

/* Shared id number @i of an inode's xattr area. Requires xattr.shared-count to hold, and @i below h_shared_count. */
uint32_t ishare_shared_id(const struct ishare_view *area, uint32_t i);

/*
 * Where the shared xattr @id starts: a byte offset into the image, or into the metabox if feature_compat says
 * SHARED_EA_IN_METABOX. Requires sb.block-size to hold; cannot overflow.
 */
uint64_t ishare_shared_offset(const struct ishare_superblock *sb, uint32_t id);

/*
 * The entry at byte @start of @area: for inline entries, 12 + 4 * h_shared_count; for a shared entry, 0.
 * Returns ISHARE_OK; ISHARE_END when @start is the end of the area; or ISHARE_MALFORMED when xattr.entry-bounds does not
 * hold there, or @start is beyond the end. e->pos is @start in each case, the rest is set with ISHARE_OK only.
 */
enum ishare_status ishare_entry_first(const struct ishare_view *area, size_t start,
				      struct ishare_entry *e);

/*
 * The entry after @e, which ishare_entry_first() or ishare_entry_next() returned ISHARE_OK for on the same area; returns
 * as above. Fill is walked too, four bytes at a time: see ishare_entry_is_fill().
 */
enum ishare_status ishare_entry_next(const struct ishare_view *area, struct ishare_entry *e);

/* Is @e no xattr, but fill? Then one xattr_entry_fill() at e->pos judges all the rest of the area. */
bool ishare_entry_is_fill(const struct ishare_entry *e);

/* Do @a and @b name the same xattr, however they are encoded? */
bool ishare_name_equal(const struct ishare_name *a, const struct ishare_name *b);

/* The bit of h_name_filter, 0 to 31, that stands for @name. base_index is at most 255. */
uint32_t ishare_filter_bit(const struct ishare_name *name);

/* xattr.shared-count: h_shared_count ids fit in an xattr area of @xattr_isize bytes. */
bool xattr_shared_count(const struct ishare_ibody_header *h, uint32_t xattr_isize);

/* xattr.shared-id: the entry header that @id names is inside the space of shared xattrs. Requires sb.block-size. */
bool xattr_shared_id(const struct ishare_superblock *sb, uint32_t id, uint64_t space_size);

/* xattr.entry-bounds: header, name and value of the entry at byte @pos, rounded up to 4 bytes, are inside @area. */
bool xattr_entry_bounds(const struct ishare_view *area, size_t pos);

/* xattr.entry-fill: if the entry at byte @pos is fill, then so is all the rest of @area. Looks at each byte once. */
bool xattr_entry_fill(const struct ishare_view *area, size_t pos);

/* xattr.name-index: an entry without long prefix is in one of the six namespaces (or is fill). */
bool xattr_name_index(const struct ishare_entry *e);

/* xattr.prefix-index: an entry with a long prefix names one of the @prefix_count that there are. */
bool xattr_prefix_index(const struct ishare_entry *e, uint32_t prefix_count);

/* xattr.duplicate: two entries of one inode have different names. */
bool xattr_duplicate(const struct ishare_name *a, const struct ishare_name *b);

/* xattr.name-filter: the filter of an inode that has the xattr @name does not hide it. */
bool xattr_name_filter(const struct ishare_superblock *sb, const struct ishare_ibody_header *h,
		       const struct ishare_name *name);

/* xattr.reserved-zero: h_reserved2 of an inode's xattr area is zero (as far as @area is long enough to have it). */
bool xattr_reserved_zero(const struct ishare_view *area);

#endif
