/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Directory blocks and their entries: spec/45-directories.md.
 *
 * A view named block is one directory block: block-size bytes, or fewer in the last block, where i_size ends it.
 * A view named name is a name without terminator. Rule functions return true when the rule holds.
 */
#ifndef ISHARE_DIRECTORY_H
#define ISHARE_DIRECTORY_H

#include "types.h"
#include "layout.h"

/*
 * The first entry of @block. Returns ISHARE_OK, ISHARE_END for a block of no bytes, or ISHARE_MALFORMED when
 * dir.entry-bounds does not hold; then d->index alone is set, to the entry for which it does not.
 */
enum ishare_status ishare_dirent_first(const struct ishare_view *block, struct ishare_dirent *d);

/*
 * The entry after @d, which ishare_dirent_first() or ishare_dirent_next() returned ISHARE_OK for on the same block.
 * Returns ISHARE_OK, ISHARE_END after the last (and leaves *@d alone), or ISHARE_MALFORMED as above. At most
 * d->count - 1 calls return ISHARE_OK.
 */
enum ishare_status ishare_dirent_next(const struct ishare_view *block, struct ishare_dirent *d);

/*
 * dir.entry-bounds, for entry @index: the first nameoff gives a sane number of entries and, if @index is below it, that
 * entry's name has 1 to 255 bytes inside the block.
 */
bool dir_entry_bounds(const struct ishare_view *block, uint32_t index);

/* dir.name: @name has no slash and no NUL. */
bool dir_name(const struct ishare_view *name);

/* dir.name-order: @previous comes strictly before @name, as unsigned bytes; also from one block to the next. */
bool dir_name_order(const struct ishare_view *previous, const struct ishare_view *name);

/* dir.type: @file_type, from the entry, says what the inode that it names is. */
bool dir_type(uint32_t file_type, const struct ishare_inode *target);

/* dir.dot: @dot_nid, from the entry `.`, is @nid, the directory's own. */
bool dir_dot(uint64_t dot_nid, uint64_t nid);

/*
 * dir.cycle, for a directory that @parents entries other than `.` and `..` name, whose `..` is @dotdot_nid and which is
 * in directory @parent_nid. For the root: one parent by definition, itself.
 */
bool dir_cycle(uint32_t parents, uint64_t dotdot_nid, uint64_t parent_nid);

#endif
