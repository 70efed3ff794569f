// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Specification: directories chapter. */
#include "directory.h"

/* The record of entry index. */
/*@ requires view: view_ok(block);
    requires writable: \valid(record);
    requires apart_from_view: \separated(record, block);
    requires apart: \separated(record, block->data + (0 .. block->size - 1));
    requires entry: ISHARE_DIRENT_RECORD_SIZE * (index + 1) <= block->size;
    terminates \true;
    exits \false;
    assigns *record;
    ensures decoded: dirent_record_at(block->data + ISHARE_DIRENT_RECORD_SIZE * index, record); */
static void record_decode(const struct ishare_view *block, uint32_t index,
			  struct ishare_dirent_record *record)
{
	size_t pos = (size_t)ISHARE_DIRENT_RECORD_SIZE * index;
	struct ishare_view rest;

	rest.data = block->data + pos;
	rest.size = block->size - pos;
	ishare_dirent_record_decode(&rest, record);
}

/*@ requires view: view_ok(block);
    requires entry: ISHARE_DIRENT_RECORD_SIZE * (index + 1) <= block->size;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == dirent_nameoff(block->data, index);
    ensures range: 0 <= \result <= 0xffff; */
static uint32_t nameoff(const struct ishare_view *block, uint32_t index)
{
	struct ishare_dirent_record record;

	record_decode(block, index, &record);
	return record.nameoff;
}

/* How many entries the block has, as its first one says. */
/*@ requires view: view_ok(block);
    requires first: ISHARE_DIRENT_RECORD_SIZE <= block->size;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == dirent_count(block->data); */
static uint32_t dirent_count(const struct ishare_view *block)
{
	return nameoff(block, 0) / ISHARE_DIRENT_RECORD_SIZE;
}

/*@ requires view: view_ok(block);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dirents_sane(block); */
static bool dirents_sane(const struct ishare_view *block)
{
	uint32_t first;

	if (block->size < ISHARE_DIRENT_RECORD_SIZE)
		return false;
	first = nameoff(block, 0);
	return first != 0 && first % ISHARE_DIRENT_RECORD_SIZE == 0 && first < block->size;
}

/*
 * Where the bytes without NUL from start end; or anywhere beyond the longest name, if they go on
 * that far.
 */
/*@ requires view: view_ok(block);
    requires start: start <= block->size;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures range: start <= \result <= block->size && \result <= start + ISHARE_DIRENT_NAME_MAX + 1;
    ensures no_nul: \forall integer k; start <= k < \result ==> block->data[k] != 0;
    ensures end: \result <= start + ISHARE_DIRENT_NAME_MAX && \result < block->size ==>
      block->data[\result] == 0; */
static size_t last_name_end(const struct ishare_view *block, size_t start)
{
	size_t end = start;

	/*@ loop invariant range: start <= end <= block->size &&
	        end <= start + ISHARE_DIRENT_NAME_MAX + 1;
	    loop invariant no_nul: \forall integer k; start <= k < end ==> block->data[k] != 0;
	    loop assigns end;
	    loop variant block->size - end; */
	while (end < block->size && end - start <= ISHARE_DIRENT_NAME_MAX && block->data[end] != 0)
		end++;
	return end;
}

/*
 * Where the name of entry index ends; one byte beyond the block's end if dir.entry-bounds does not
 * hold for it.
 */
/*@ requires view: view_ok(block);
    requires sane: dirents_sane(block);
    requires there: index < dirent_count(block->data);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures sound: \result <= block->size ==>
      dirent_name(block, index, dirent_nameoff(block->data, index), \result);
    ensures complete: \result > block->size ==>
      \result == block->size + 1 &&
      \forall integer start, end; !dirent_name(block, index, start, end); */
static size_t name_end(const struct ishare_view *block, uint32_t index)
{
	uint32_t count = dirent_count(block);
	size_t start = nameoff(block, index);
	size_t end;

	if (start >= block->size)
		return block->size + 1u;
	if (index + 1u < count)
		end = nameoff(block, index + 1u);
	else
		end = last_name_end(block, start);
	if (end <= start || end - start > ISHARE_DIRENT_NAME_MAX || end > block->size)
		return block->size + 1u;
	return end;
}

bool dir_entry_bounds(const struct ishare_view *block, uint32_t index)
{
	if (!dirents_sane(block))
		return false;
	if (index >= dirent_count(block))
		return true;
	return name_end(block, index) <= block->size;
}

/*
 * Decodes entry index, which the block's first nameoff allows for. Each member has a clause of its
 * own, as a prover follows one member through the assignments, not all at once.
 */
/*@ requires view: view_ok(block);
    requires writable: \valid(d);
    requires apart: \separated(d, block, block->data + (0 .. block->size - 1));
    requires sane: dirents_sane(block);
    requires there: index < dirent_count(block->data);
    terminates \true;
    exits \false;
    assigns *d;
    ensures ok: \result == ISHARE_OK <==> dir_entry_bounds{Pre}(block, index);
    ensures malformed: \result == ISHARE_MALFORMED <==> !dir_entry_bounds{Pre}(block, index);
    ensures sane: dirents_sane(block);
    ensures index: d->index == index;
    ensures count: \result == ISHARE_OK ==>
      d->count == dirent_count(block->data) && d->index < d->count;
    ensures stored: \result == ISHARE_OK ==>
      dirent_record_at(block->data + ISHARE_DIRENT_RECORD_SIZE * d->index, &d->stored);
    ensures name: \result == ISHARE_OK ==>
      dirent_name(block, d->index, d->name, d->name + d->name_size); */
static enum ishare_status dirent_decode(const struct ishare_view *block, uint32_t index,
					struct ishare_dirent *d)
{
	size_t start = nameoff(block, index);
	size_t end = name_end(block, index);
	uint32_t count = dirent_count(block);

	d->index = index;
	if (end > block->size)
		return ISHARE_MALFORMED;
	d->count = count;
	d->name = start;
	d->name_size = end - start;
	record_decode(block, index, &d->stored);
	return ISHARE_OK;
}

enum ishare_status ishare_dirent_first(const struct ishare_view *block, struct ishare_dirent *d)
{
	if (block->size == 0)
		return ISHARE_END;
	if (!dirents_sane(block)) {
		d->index = 0;
		return ISHARE_MALFORMED;
	}
	return dirent_decode(block, 0, d);
}

enum ishare_status ishare_dirent_next(const struct ishare_view *block, struct ishare_dirent *d)
{
	if (d->count - d->index == 1)
		return ISHARE_END;
	return dirent_decode(block, d->index + 1u, d);
}

/*@ requires view: view_ok(block);
    requires name: view_ok(name);
    requires sane: dirents_sane(block);
    requires there: index < dirent_count(block->data);
    requires bounds: dir_entry_bounds(block, index);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> dirent_named(block, index, name); */
static bool dirent_named(const struct ishare_view *block, uint32_t index,
			 const struct ishare_view *name)
{
	size_t start = nameoff(block, index);
	size_t end = name_end(block, index);

	/*@ assert bounds: dirent_name(block, index, start, end); */
	return end - start == name->size &&
	       ishare_same_bytes(block->data + start, name->data, name->size);
}

/* Index of the first entry that has the name or is out of bounds; or how many entries there are. */
/*@ requires view: view_ok(block);
    requires name: view_ok(name);
    requires sane: dirents_sane(block);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures range: 0 <= \result <= dirent_count(block->data);
    ensures search: dirent_search(block, name, \result);
    ensures stop: \result < dirent_count(block->data) ==>
      !dir_entry_bounds(block, \result) || dirent_named(block, \result, name);
    ensures last: \result < dirent_count(block->data) ==>
      \forall integer k; dirent_search(block, name, k) ==> k <= \result;
    ensures sound: \result == dirent_count(block->data) ==>
      \forall integer k; 0 <= k ==> dir_entry_bounds(block, k); */
static uint32_t dirent_search(const struct ishare_view *block, const struct ishare_view *name)
{
	uint32_t count = dirent_count(block);
	uint32_t i = 0;

	/*@ loop invariant range: 0 <= i <= count;
	    loop invariant search: dirent_search(block, name, i);
	    loop assigns i;
	    loop variant count - i; */
	while (i < count && dir_entry_bounds(block, i) && !dirent_named(block, i, name))
		i++;
	return i;
}

enum ishare_status ishare_dirent_find(const struct ishare_view *block,
				      const struct ishare_view *name, struct ishare_dirent *d)
{
	uint32_t index;

	if (block->size == 0)
		return ISHARE_END;
	if (!dirents_sane(block)) {
		/*@ assert first: dirent_search(block, name, 0) && !dir_entry_bounds(block, 0); */
		d->index = 0;
		return ISHARE_MALFORMED;
	}
	index = dirent_search(block, name);
	if (index == dirent_count(block))
		return ISHARE_END;
	return dirent_decode(block, index, d);
}

bool dir_name(const struct ishare_view *name)
{
	/*@ loop invariant range: 0 <= i <= name->size;
	    loop invariant legal: \forall integer k;
	      0 <= k < i ==> name->data[k] != '/' && name->data[k] != 0;
	    loop assigns i;
	    loop variant name->size - i; */
	for (size_t i = 0; i < name->size; i++)
		if (name->data[i] == '/' || name->data[i] == 0)
			return false;
	return true;
}

bool dir_name_order(const struct ishare_view *previous, const struct ishare_view *name)
{
	size_t i = 0;

	/*@ loop invariant range: 0 <= i <= previous->size && i <= name->size;
	    loop invariant same: same_bytes(previous->data, name->data, i);
	    loop assigns i;
	    loop variant name->size - i; */
	while (i < previous->size && i < name->size && previous->data[i] == name->data[i])
		i++;
	if (i == name->size)
		return false;
	return i == previous->size || previous->data[i] < name->data[i];
}

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == file_type_of(mode); */
static uint32_t file_type_of(uint32_t mode)
{
	switch (mode & ISHARE_S_IFMT) {
	case ISHARE_S_IFREG:
		return ISHARE_FT_REG_FILE;
	case ISHARE_S_IFDIR:
		return ISHARE_FT_DIR;
	case ISHARE_S_IFCHR:
		return ISHARE_FT_CHRDEV;
	case ISHARE_S_IFBLK:
		return ISHARE_FT_BLKDEV;
	case ISHARE_S_IFIFO:
		return ISHARE_FT_FIFO;
	case ISHARE_S_IFSOCK:
		return ISHARE_FT_SOCK;
	case ISHARE_S_IFLNK:
		return ISHARE_FT_SYMLINK;
	default:
		return ISHARE_FT_UNKNOWN;
	}
}

bool dir_type(uint32_t file_type, const struct ishare_inode *target)
{
	return file_type == ISHARE_FT_UNKNOWN || file_type == file_type_of(target->mode);
}

bool dir_name_end(uint32_t behind)
{
	return behind == 0;
}

bool dir_type_unknown(uint32_t file_type)
{
	return file_type != ISHARE_FT_UNKNOWN;
}

bool dir_reserved_zero(const struct ishare_dirent_record *d)
{
	return d->reserved == 0;
}

bool dir_dot(uint64_t dot_nid, uint64_t nid)
{
	return dot_nid == nid;
}

bool dir_dot_present(const struct ishare_inode *directory, uint32_t dots)
{
	return dots != 0 || (directory->format & ISHARE_I_DOT_OMITTED) != 0;
}

bool dir_cycle(uint32_t parents, uint32_t dotdots, uint64_t dotdot_nid, uint64_t parent_nid)
{
	return parents == 1 && dotdots != 0 && dotdot_nid == parent_nid;
}
