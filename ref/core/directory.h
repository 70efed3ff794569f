/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Directory blocks and their entries. Specification: directories chapter.
 *
 * A view named block is one directory block: a block's bytes, or fewer in the last block, where
 * i_size ends it. A view named name is a name without terminator. True means that the rule holds.
 */
#ifndef ISHARE_DIRECTORY_H
#define ISHARE_DIRECTORY_H

#include "inode.h"

/*
 * The walk over a block: first, then next until it does not answer ISHARE_OK. ISHARE_END: there is
 * no (further) entry. ISHARE_MALFORMED: dir_entry_bounds() does not hold for entry d->index;
 * nothing else of *d is then of use.
 */
/*@ requires view: view_ok(block);
    requires writable: \valid(d);
    requires apart: \separated(d, block, block->data + (0 .. block->size - 1));
    terminates \true;
    exits \false;
    assigns *d;
    ensures end: \result == ISHARE_END <==> block->size == 0;
    ensures ok: \result == ISHARE_OK <==> block->size != 0 && dir_entry_bounds{Pre}(block, 0);
    ensures malformed: \result == ISHARE_MALFORMED <==>
      block->size != 0 && !dir_entry_bounds{Pre}(block, 0);
    ensures position: \result != ISHARE_END ==> d->index == 0;
    ensures entry: \result == ISHARE_OK ==> dirent_decoded(block, d); */
enum ishare_status ishare_dirent_first(const struct ishare_view *block, struct ishare_dirent *d);

/* d: the entry before, as the walk has left it. */
/*@ requires view: view_ok(block);
    requires writable: \valid(d);
    requires apart: \separated(d, block, block->data + (0 .. block->size - 1));
    requires walked: dirent_decoded(block, d);
    terminates \true;
    exits \false;
    assigns *d;
    ensures end: \result == ISHARE_END <==> \old(d->index) + 1 >= dirent_count(block->data);
    ensures ok: \result == ISHARE_OK <==>
      \old(d->index) + 1 < dirent_count(block->data) &&
      dir_entry_bounds{Pre}(block, \old(d->index) + 1);
    ensures malformed: \result == ISHARE_MALFORMED <==>
      \old(d->index) + 1 < dirent_count(block->data) &&
      !dir_entry_bounds{Pre}(block, \old(d->index) + 1);
    ensures position: \result != ISHARE_END ==> d->index == \old(d->index) + 1;
    ensures entry: \result == ISHARE_OK ==> dirent_decoded(block, d); */
enum ishare_status ishare_dirent_next(const struct ishare_view *block, struct ishare_dirent *d);

/*
 * Looks for a name among the entries of a block, in their order. ISHARE_OK: *d is the first that
 * has it. ISHARE_END: none has. ISHARE_MALFORMED: none has before d->index, for which
 * dir_entry_bounds() does not hold; nothing else of *d is then of use.
 */
/*@ requires view: view_ok(block);
    requires name: view_ok(name);
    requires writable: \valid(d);
    requires apart_from_block: \separated(d, block, block->data + (0 .. block->size - 1));
    requires apart_from_name: \separated(d, name, name->data + (0 .. name->size - 1));
    terminates \true;
    exits \false;
    assigns *d;
    ensures ok: \result == ISHARE_OK <==>
      \exists integer k; dirent_search{Pre}(block, name, k) && k < dirent_count(block->data) &&
        dir_entry_bounds{Pre}(block, k) && dirent_named{Pre}(block, k, name);
    ensures end: \result == ISHARE_END <==>
      block->size == 0 ||
      dirents_sane{Pre}(block) && dirent_search{Pre}(block, name, dirent_count(block->data));
    ensures malformed: \result == ISHARE_MALFORMED <==>
      block->size != 0 &&
      \exists integer k; dirent_search{Pre}(block, name, k) && !dir_entry_bounds{Pre}(block, k);
    ensures position: \result != ISHARE_END ==> dirent_search{Pre}(block, name, d->index);
    ensures entry: \result == ISHARE_OK ==> dirent_decoded(block, d);
    ensures found: \result == ISHARE_OK ==> dirent_named{Pre}(block, d->index, name);
    ensures stopped: \result == ISHARE_MALFORMED ==> !dir_entry_bounds{Pre}(block, d->index); */
enum ishare_status ishare_dirent_find(const struct ishare_view *block,
				      const struct ishare_view *name, struct ishare_dirent *d);

/*
 * index: of the entry. With an index for which there is no entry, the block as a whole is judged:
 * is there any?
 */
/*@ requires view: view_ok(block);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_entry_bounds(block, index); */
bool dir_entry_bounds(const struct ishare_view *block, uint32_t index);

/*@ requires view: view_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_name(name); */
bool dir_name(const struct ishare_view *name);

/*
 * behind: the byte behind the last name of a directory that ends with it, in the same block; 0 if
 * there is none.
 */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_name_end(behind); */
bool dir_name_end(uint32_t behind);

/* previous: the name before, which may be the last one of the block before. */
/*@ requires views: view_ok(previous) && view_ok(name);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_name_order(previous, name); */
bool dir_name_order(const struct ishare_view *previous, const struct ishare_view *name);

/* target: the inode that the entry names. */
/*@ requires readable: \valid_read(target);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_type(file_type, target); */
bool dir_type(uint32_t file_type, const struct ishare_inode *target);

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_type_unknown(file_type); */
bool dir_type_unknown(uint32_t file_type);

/*@ requires readable: \valid_read(d);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_reserved_zero(d); */
bool dir_reserved_zero(const struct ishare_dirent_record *d);

/* nid: the directory's own. */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_dot(dot_nid, nid); */
bool dir_dot(uint64_t dot_nid, uint64_t nid);

/* dots: how many entries `.` the directory has. */
/*@ requires readable: \valid_read(directory);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_dot_present(directory, dots); */
bool dir_dot_present(const struct ishare_inode *directory, uint32_t dots);

/*
 * parents: entries other than `.` and `..` that name the directory; parent_nid: the directory that
 * one of them is in. For the root: 1 and its own nid. dotdots: entries `..` of the directory.
 */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dir_cycle(parents, dotdots, dotdot_nid, parent_nid); */
bool dir_cycle(uint32_t parents, uint32_t dotdots, uint64_t dotdot_nid, uint64_t parent_nid);

#endif
