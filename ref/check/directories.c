// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Walks the directory tree, and judges it by the rules of the chapter "Directories". */
#include <inttypes.h>
#include <string.h>

#include "check/judges.h"

/* The state while judging one directory. */
struct listing {
	uint32_t index; /* in the tree */
	uint64_t nid;
	const struct file *file;
	struct space data; /* the directory's data, for places */
	uint64_t dotdot;
	struct place dotdot_nid; /* where it was read */
	uint32_t dots, dotdots; /* entries `.` and `..` */
	uint64_t subdirectories;
	uint8_t previous[255];
	size_t previous_size; /* 0: this is the first entry */
};

static struct place dirent_field(const struct listing *listing, const struct dirent_walk *walk,
				 uint32_t field_offset)
{
	return place_field(&listing->data, ISHARE_STRUCT_DIRENT_RECORD,
			   walk->pos + (uint64_t)walk->dirent.index * ISHARE_DIRENT_RECORD_SIZE,
			   field_offset);
}

static void report_order(struct check *check, struct place place,
			 const struct ishare_view *previous)
{
	char shown[ENTRY_NAME_SHOWN] = "";

	if (is_shown(&check->report, ISHARE_RULE_DIR_NAME_ORDER))
		ishare_escape(shown, previous->data, previous->size);
	report(&check->report, ISHARE_RULE_DIR_NAME_ORDER, place,
	       "the name does not come after the one before it, %s", shown);
}

static void check_name(struct check *check, struct listing *listing, const struct dirent_walk *walk,
		       const struct ishare_view *name)
{
	struct ishare_view previous = { listing->previous, listing->previous_size };
	struct place place =
		place_bytes(&listing->data, walk->pos + walk->dirent.name, (uint32_t)name->size);

	if (!dir_name(name))
		report(&check->report, ISHARE_RULE_DIR_NAME, place,
		       "the name of an entry has a slash or a NUL byte");
	if (previous.size && !dir_name_order(&previous, name))
		report_order(check, place, &previous);
	memcpy(listing->previous, name->data, name->size);
	listing->previous_size = name->size;
}

static void check_type(struct check *check, const struct listing *listing,
		       const struct dirent_walk *walk, const struct file *target)
{
	uint32_t type = walk->dirent.stored.file_type;
	struct place place = dirent_field(listing, walk, ISHARE_DIRENT_RECORD_FILE_TYPE_OFFSET);

	if (!dir_type(type, &target->inode))
		report(&check->report, ISHARE_RULE_DIR_TYPE, place,
		       "file_type is %" PRIu32 ", but i_mode of the inode is 0%06" PRIo32, type,
		       target->inode.mode);
	if (!dir_type_unknown(type))
		report(&check->report, ISHARE_RULE_DIR_TYPE_UNKNOWN, place,
		       "file_type is 0: readers have to look at the inode to learn its type");
}

static void add_directory(struct check *check, const struct listing *listing,
			  const struct ishare_view *name, uint64_t nid)
{
	if (tree_add(check->walk.tree, nid, listing->index, name->data, name->size) == NO_DIRECTORY)
		report_no_memory(&check->report);
}

/* One more name of an inode that is no directory. */
static void check_hard_link(struct check *check, const struct dirent_walk *walk,
			    const struct ishare_view *name, const struct file *target)
{
	struct subject *subject = &check->report.subject;
	uint64_t links = links_again(&check->links, walk->dirent.stored.nid);

	if (!links) {
		report_no_memory(&check->report);
		return;
	}
	subject->name = name->data;
	subject->name_size = name->size;
	check_links(check, target, links);
	subject->name_size = 0;
}

/* An inode that an earlier entry has named: a hard link, unless it is a directory. */
static void check_again(struct check *check, struct listing *listing,
			const struct dirent_walk *walk, const struct ishare_view *name)
{
	struct file target;

	if (read_inode(&check->reader, walk->dirent.stored.nid, &target) != READ_OK)
		return; /* which the earlier entry reported */
	check_type(check, listing, walk, &target);
	if (!ishare_inode_is_directory(&target.inode)) {
		check_hard_link(check, walk, name, &target);
		return;
	}
	listing->subdirectories++;
	if (!dir_cycle(2, 1, listing->nid, listing->nid))
		report(&check->report, ISHARE_RULE_DIR_CYCLE,
		       dirent_field(listing, walk, ISHARE_DIRENT_RECORD_NID_OFFSET),
		       "nid 0x%" PRIx64 " is a directory that another entry names already",
		       walk->dirent.stored.nid);
}

static void check_first(struct check *check, struct listing *listing,
			const struct dirent_walk *walk, const struct ishare_view *name)
{
	struct subject *subject = &check->report.subject;
	struct file target;

	subject->name = name->data;
	subject->name_size = name->size;
	subject->met.position = walk->pos + walk->dirent.index;
	if (check_inode(check, walk->dirent.stored.nid, &target) == JUDGED) {
		check_type(check, listing, walk, &target);
		if (ishare_inode_is_directory(&target.inode)) {
			add_directory(check, listing, name, walk->dirent.stored.nid);
			listing->subdirectories++;
		} else {
			check_links(check, &target, 1);
		}
	}
	subject->name_size = 0;
}

static void check_child(struct check *check, struct listing *listing,
			const struct dirent_walk *walk, const struct ishare_view *name)
{
	switch (walk_meet(&check->walk, walk->dirent.stored.nid)) {
	case SEEN_NO_MEMORY:
		report_no_memory(&check->report);
		break;
	case SEEN_BEFORE:
		check_again(check, listing, walk, name);
		break;
	case SEEN_NEW:
		check_first(check, listing, walk, name);
		break;
	}
}

/* Whether the name ends with the directory; not one that a NUL ends, or the next name. */
static bool ends_directory(const struct dirent_walk *walk)
{
	return walk->pos + walk->dirent.name + walk->dirent.name_size ==
	       walk->directory->inode.size;
}

/* Reads what is behind the directory into the buffer of its last block, which has room for it. */
static void check_name_end(struct check *check, const struct listing *listing,
			   const struct dirent_walk *walk)
{
	uint8_t *buffer = walk->buffer + walk->block.size;
	struct padding padding;
	struct place place;

	if (file_padding(&check->reader, listing->file, buffer, &padding) == READ_FAILED)
		report_failure(&check->report, check->reader.error);
	if (!padding.bytes.size || dir_name_end(padding.bytes.data[0]))
		return;
	place = place_bytes(&check->volume->image, padding.offset, 1);
	if (padding.device)
		place = inode_place(listing->file);
	report(&check->report, ISHARE_RULE_DIR_NAME_END, place,
	       "the last name does not end with the directory: the byte behind it is 0x%02x",
	       padding.bytes.data[0]);
}

static void check_dirent(struct check *check, struct listing *listing,
			 const struct dirent_walk *walk)
{
	struct ishare_view name = dirent_name(walk);

	check_name(check, listing, walk, &name);
	if (ends_directory(walk))
		check_name_end(check, listing, walk);
	if (!dir_reserved_zero(&walk->dirent.stored))
		report(&check->report, ISHARE_RULE_DIR_RESERVED_ZERO,
		       dirent_field(listing, walk, ISHARE_DIRENT_RECORD_RESERVED_OFFSET),
		       "the reserved byte of an entry is %" PRIu32 ", not 0",
		       walk->dirent.stored.reserved);
	if (is_dot(&name)) {
		listing->dots++;
		if (!dir_dot(walk->dirent.stored.nid, listing->nid))
			report(&check->report, ISHARE_RULE_DIR_DOT,
			       dirent_field(listing, walk, ISHARE_DIRENT_RECORD_NID_OFFSET),
			       "`.` names nid 0x%" PRIx64 ", not the directory's own, 0x%" PRIx64,
			       walk->dirent.stored.nid, listing->nid);
	} else if (is_dotdot(&name)) {
		listing->dotdots++;
		listing->dotdot = walk->dirent.stored.nid;
		listing->dotdot_nid = dirent_field(listing, walk, ISHARE_DIRENT_RECORD_NID_OFFSET);
	} else {
		check_child(check, listing, walk, &name);
	}
}

/* What can only be judged after all entries. */
static void check_dots(struct check *check, const struct listing *listing)
{
	const struct tree *tree = check->walk.tree;
	uint64_t parent = tree->directories[tree->directories[listing->index].parent].nid;
	struct place place = place_bytes(&listing->data, 0, 0);

	if (!dir_dot_present(&listing->file->inode, listing->dots))
		report(&check->report, ISHARE_RULE_DIR_DOT_PRESENT, place,
		       "the directory has no entry `.`");
	if (dir_cycle(1, listing->dotdots, listing->dotdot, parent))
		return;
	if (listing->dotdots)
		report(&check->report, ISHARE_RULE_DIR_CYCLE, listing->dotdot_nid,
		       "`..` names nid 0x%" PRIx64
		       ", but the directory that holds this one is 0x%" PRIx64,
		       listing->dotdot, parent);
	else
		report(&check->report, ISHARE_RULE_DIR_CYCLE, place,
		       "the directory has no entry `..`");
}

static uint32_t nameoff_of(const struct dirent_walk *walk, uint32_t index)
{
	struct ishare_dirent_record record = { 0 };
	size_t pos = (size_t)index * ISHARE_DIRENT_RECORD_SIZE;
	struct ishare_view rest = { walk->block.data + pos, walk->block.size - pos };

	ishare_dirent_record_decode(&rest, &record);
	return record.nameoff;
}

static struct place nameoff_place(const struct listing *listing, const struct dirent_walk *walk,
				  uint32_t index)
{
	return place_field(&listing->data, ISHARE_STRUCT_DIRENT_RECORD,
			   walk->pos + (uint64_t)index * ISHARE_DIRENT_RECORD_SIZE,
			   ISHARE_DIRENT_RECORD_NAMEOFF_OFFSET);
}

/* The first nameoff, which says how many entries there are, makes no sense. */
static void report_first_nameoff(struct check *check, const struct listing *listing,
				 const struct dirent_walk *walk)
{
	if (walk->block.size < ISHARE_DIRENT_RECORD_SIZE)
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       place_bytes(&listing->data, walk->pos, (uint32_t)walk->block.size),
		       "the directory block at byte %" PRIu64
		       " has %zu bytes, too few for an entry",
		       walk->pos, walk->block.size);
	else
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       nameoff_place(listing, walk, 0),
		       "nameoff of entry 0 is %" PRIu32
		       ", not a multiple of 12 from 12 to the block's %zu bytes",
		       nameoff_of(walk, 0), walk->block.size);
}

/*
 * A name ends where the next one begins, the last one at a NUL or with the block. index: of the
 * entry without a name, whose nameoff is start.
 */
static void report_name_end(struct check *check, const struct listing *listing,
			    const struct dirent_walk *walk, uint32_t index, uint32_t start)
{
	uint32_t next = index + 1, count = nameoff_of(walk, 0) / ISHARE_DIRENT_RECORD_SIZE;

	if (next == count)
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       place_bytes(&listing->data, walk->pos + start, 1),
		       "the name of the last entry, %" PRIu32 ", is empty or longer than 255 bytes",
		       index);
	else if (nameoff_of(walk, next) > walk->block.size)
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       nameoff_place(listing, walk, next),
		       "nameoff of entry %" PRIu32 " is %" PRIu32 ", beyond the block's %zu bytes",
		       next, nameoff_of(walk, next), walk->block.size);
	else
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       nameoff_place(listing, walk, next),
		       "nameoff of entry %" PRIu32 " is %" PRIu32
		       ", not 1 to 255 bytes behind that of entry %" PRIu32 ", %" PRIu32,
		       next, nameoff_of(walk, next), index, start);
}

/* Core has decided that an entry is malformed; this says which of its fields is at fault. */
static void report_malformed(struct check *check, const struct listing *listing,
			     const struct dirent_walk *walk)
{
	const struct ishare_view *block = &walk->block;
	uint32_t index = walk->dirent.index, first, start;

	first = block->size < ISHARE_DIRENT_RECORD_SIZE ? 0 : nameoff_of(walk, 0);
	if (!first || first % ISHARE_DIRENT_RECORD_SIZE || first >= block->size) {
		report_first_nameoff(check, listing, walk);
		return;
	}
	start = nameoff_of(walk, index);
	if (start < block->size)
		report_name_end(check, listing, walk, index, start);
	else
		report(&check->report, ISHARE_RULE_DIR_ENTRY_BOUNDS,
		       nameoff_place(listing, walk, index),
		       "nameoff of entry %" PRIu32 " is %" PRIu32 ", beyond the block's %zu bytes",
		       index, start, block->size);
}

/* Entries after a malformed one cannot be found: the rest of the directory is left out. */
static enum verdict check_dirents(struct check *check, struct listing *listing)
{
	struct dirent_walk walk;
	enum dirent_status status = DIRENT_OK;

	start_dirents(&walk, &check->reader, listing->file, check->walk.block);
	while (verdict_so_far(check) == JUDGED && (status = next_dirent(&walk)) == DIRENT_OK)
		check_dirent(check, listing, &walk);
	if (verdict_so_far(check) == ENDED || status == DIRENT_END)
		return verdict_so_far(check);
	if (status == DIRENT_MALFORMED)
		report_malformed(check, listing, &walk);
	else if (walk.result != READ_OUTSIDE && walk.result != READ_CORRUPT) /* else: reported */
		not_readable(&check->report, ISHARE_PART_DIRECTORY, walk.result,
			     check->reader.error);
	return unusable(check);
}

static void check_directory(struct check *check, uint32_t index)
{
	struct file file;
	struct listing listing = { .index = index,
				   .nid = check->walk.tree->directories[index].nid,
				   .file = &file };

	check->report.subject.met.directory = index;
	if (read_inode(&check->reader, listing.nid, &file) != READ_OK ||
	    !afford(check, ISHARE_PART_DIRECTORY, file.inode.size))
		return;
	listing.data = file_space(&file, "directory data");
	if (check_dirents(check, &listing) != JUDGED)
		return;
	check_dots(check, &listing);
	check_links(check, &file, 2 + listing.subdirectories);
}

/* The walk begins at the root directory. */
static bool add_root(struct check *check, uint64_t nid)
{
	return tree_add(check->walk.tree, nid, 0, NULL, 0) != NO_DIRECTORY &&
	       walk_meet(&check->walk, nid) != SEEN_NO_MEMORY;
}

static enum verdict check_root(struct check *check)
{
	uint64_t nid = ishare_root_nid(&check->volume->sb);
	enum verdict verdict;
	struct file root;

	if (!add_root(check, nid)) {
		report_no_memory(&check->report);
		return ENDED;
	}
	check->report.subject.met = (struct met){ 0, NO_POSITION };
	verdict = check_inode(check, nid, &root);
	if (verdict != JUDGED) {
		check->report.root_lost = true;
		return verdict;
	}
	if (sb_root_inode(&root.inode))
		return JUDGED;
	report(&check->report, ISHARE_RULE_SB_ROOT_INODE,
	       place_superblock(check->volume, ISHARE_SUPERBLOCK_ROOTNID_2B_OFFSET),
	       "the root inode, nid 0x%" PRIx64 ", has i_mode 0%06" PRIo32 ": not a directory", nid,
	       root.inode.mode);
	return unusable(check);
}

static void walk_directories(struct check *check)
{
	enum walk_status status = WALK_OK;
	uint32_t index;

	while (verdict_so_far(check) == JUDGED &&
	       (status = walk_next(&check->walk, &index)) == WALK_OK)
		check_directory(check, index);
	if (status == WALK_NO_MEMORY)
		report_no_memory(&check->report);
}

enum ishare_result check_tree(struct check *check)
{
	enum ishare_result result = ISHARE_DONE;

	if (check_root(check) == JUDGED)
		walk_directories(check);
	else if (!is_unexamined(&check->report, ISHARE_PART_INODE))
		result = ISHARE_CUT_SHORT;
	check->report.subject.met.directory = NO_DIRECTORY;
	return result;
}
