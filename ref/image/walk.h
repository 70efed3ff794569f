/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Walks through all directories of a volume, and what they need: paths, sets of nids, a budget.
 */
#ifndef ISHARE_WALK_H
#define ISHARE_WALK_H

#include "image/files.h"

/* escape.c: see ishare_escape() in ishare.h */

/* Room for the name of a directory entry, escaped. */
#define ENTRY_NAME_SHOWN (ISHARE_ESCAPED_MAX * 255u + 1)

/* The same for one component of a path: a slash in it is escaped, too. */
size_t escape_component(char *text, const void *bytes, size_t size);

/* hash.c */

/* A number that no image can predict. */
uint64_t hash_seed(void);
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);

/* array.c */

/*
 * Makes room for count items of size bytes: array is the address of a pointer to the first, *room
 * the number of items that fit. False: no memory; the array is unchanged.
 */
bool array_make_room(void *array, size_t *room, size_t count, size_t size);

/* tree.c: the directories met on a walk, so that any inode's path is known */

#define NO_DIRECTORY UINT32_MAX

struct directory {
	uint64_t nid;
	uint32_t parent; /* index of the directory that holds it; the root names itself */
	uint32_t name_size;
	size_t name; /* offset in the arena */
};

struct tree {
	struct directory *directories;
	size_t count, room;
	char *names;
	size_t names_size, names_room;
};

/* Returns the new directory's index, or NO_DIRECTORY when memory or indexes run out. */
uint32_t tree_add(struct tree *tree, uint64_t nid, uint32_t parent, const uint8_t *name,
		  size_t name_size);

/* Room for a path; also for one in a short list, which holds one name at least. */
#define PATH_SHOWN 4096u
#define SHORT_PATH_SHOWN (ENTRY_NAME_SHOWN + 4)

/*
 * Writes the path of name inside a directory into buffer, escaped and NUL-terminated. name_size 0:
 * of the directory itself. A path that does not fit loses names at its beginning, for which "..."
 * stands then.
 */
void tree_path(const struct tree *tree, uint32_t directory, const uint8_t *name, size_t name_size,
	       char *buffer, size_t buffer_size);
void tree_release(struct tree *tree);

/* seen.c: a set of nids */

struct seen {
	struct seen_word *words;
	size_t used, room; /* room: a power of two, or 0 */
	uint64_t seed;
};

enum seen_result { SEEN_NEW, SEEN_BEFORE, SEEN_NO_MEMORY };
enum seen_result seen_add(struct seen *seen, uint64_t nid);
void seen_release(struct seen *seen);

/* links.c: how many entries name an inode */

struct links {
	struct link *items;
	size_t used, room; /* room: a power of two, or 0 */
	uint64_t seed;
};

/*
 * Counts an entry that names nid, but not as the first one; returns how many there have been, the
 * first one included, or 0: no memory.
 */
uint64_t links_again(struct links *links, uint64_t nid);
void links_release(struct links *links);

/* walk.c: each directory once, without recursion */

struct walk {
	const struct volume *volume;
	struct tree *tree; /* the caller's: the directories that were met */
	struct seen seen; /* the inodes that were met */
	uint32_t *pending; /* directories that were met, but not visited: a stack */
	size_t count, room; /* of pending */
	size_t known; /* of the tree's directories, how many are or were pending */
	uint8_t *block; /* for start_dirents(), of one directory at a time */
};

/* False: no memory. In any case, walk_release() frees what there is. */
bool walk_init(struct walk *walk, const struct volume *volume, struct tree *tree);
void walk_release(struct walk *walk);

/*
 * Remembers that an entry names nid. A nid that names no inode of the image is new each time: there
 * can be any number of those.
 */
enum seen_result walk_meet(struct walk *walk, uint64_t nid);

enum walk_status { WALK_OK, WALK_END, WALK_NO_MEMORY };

/*
 * Goes to the next directory of the tree, *index. Those that were added since the last call come
 * first, in their order: that is how mkfs.erofs lays them out (measured: a seventh fewer reads than
 * level by level).
 */
enum walk_status walk_next(struct walk *walk, uint32_t *index);

/*
 * Where a walk has met an inode: an entry of a directory, as the offset of its block and its number
 * in that, added; or NO_POSITION, the directory itself.
 */
struct met {
	uint32_t directory; /* index in the tree */
	uint64_t position;
};

#define NO_POSITION UINT64_MAX

/*
 * Finds the inode again: reads its nid and writes its path. READ_FAILED; any other result but
 * READ_OK: the image has changed since.
 */
enum read_result find_again(struct reader *reader, const struct tree *tree, struct met met,
			    uint64_t *nid, char *path, size_t size);

/* work.c */

/*
 * Bounds the work that a hostile image can cause: the xattr areas, chunk arrays and directories of
 * an image do not overlap, so together they are at most as large as the image. The fixed allowance
 * for small images is granted only once to images that are examined together.
 */
struct work {
	uint64_t left; /* bytes */
	uint64_t free; /* of these: more than the image and its devices hold */
};

/* used: what work_extra() has returned for all images before. */
void work_start(struct work *work, const struct volume *volume, uint64_t used);

/* False: it would be more, and must not be done. */
bool spend(struct work *work, uint64_t bytes);

/*
 * Many inodes may rightly share a large xattr, and its value is only copied: a byte of it costs
 * that much less than one of the inode's own.
 */
#define SHARED_DISCOUNT 64u

/* How much of the allowance was used: the image's own size is used first. */
uint64_t work_extra(const struct work *work);

#endif
