/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Bytes to structures: devices, spaces, inodes, directories, xattrs, the data of files. Nothing
 * here judges. Units as in ishare.h: bytes, host byte order.
 */
#ifndef ISHARE_IMAGE_H
#define ISHARE_IMAGE_H

#include "ishare.h"

/* reader.c: bytes of the image and its devices, through a small cache of private copies */

struct device {
	int fd; /* -1: it is in memory */
	const uint8_t *bytes; /* there, else NULL */
	uint64_t size;
	uint64_t held; /* no more than size: a sparse file holds less */
};

struct cache_line; /* one window of the cache */

/* One thread's way to the bytes. Everything that it hands out is a private copy. */
struct reader {
	struct ishare_image *image;
	struct cache_line *lines;
	size_t line_count;
	uint8_t *scratch; /* for reads that cross lines */
	size_t scratch_size;
	uint8_t *buffer; /* for spaces that are the data of an inode */
	size_t buffer_size;
	char error[200]; /* "" until a read fails */
};

bool reader_init(struct reader *reader, struct ishare_image *image, size_t line_count);
void reader_release(struct reader *reader);

/*
 * Points *view at size bytes at offset of a device, which the caller knows to hold them. The view
 * is valid until the reader's next call. False: the read failed or came short, reader->error says
 * how.
 */
bool reader_view(struct reader *reader, uint32_t device, uint64_t offset, size_t size,
		 struct ishare_view *view);

/*
 * A private buffer for what a space's view is put together in; NULL: no memory. Valid until the
 * next call of this.
 */
uint8_t *reader_buffer(struct reader *reader, size_t size);

/* The same into the caller's buffer; large reads bypass the cache. */
bool reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
		 size_t size);

/* file.c: where the bytes of an inode's data are */

struct space;

enum read_result {
	READ_OK = 0,
	READ_ENCODED, /* the data is compressed */
	READ_OUTSIDE, /* the inode names bytes that its device does not have */
	READ_NO_DEVICE, /* it names a device that was not given */
	READ_FAILED, /* I/O error: reader->error */
};

/* An inode whose data can be read. */
struct file {
	struct ishare_inode inode;
	uint64_t nid;
	uint64_t offset; /* of the inode in its space */
	const struct space *space; /* that holds the inode */
	/* as far as check_inode() has looked */
	enum read_result bounds; /* whether the data can be read */
	uint64_t holes; /* bytes of it */
};

/* An address space of metadata: the image itself, or the data of the metabox or packed inode. */
struct space {
	const char *name; /* as in struct ishare_place */
	uint64_t size;
	bool readable;
	bool encoded; /* compressed: this version cannot decode it */
	bool lost; /* there is one, but broken rules (reported) hide where */
	bool is_image;
	struct file file; /* whose data it is, unless is_image */
};

/* Copies size bytes at pos of the file's data; the caller keeps within inode.size. */
enum read_result file_read(struct reader *reader, const struct file *file, uint64_t pos,
			   void *buffer, size_t size);

/*
 * Points *view at size bytes at offset of a space; offset + size must not exceed its size. Valid
 * until the reader's next call.
 */
enum read_result space_view(struct reader *reader, const struct space *space, uint64_t offset,
			    size_t size, struct ishare_view *view);

/* The first place where a file's data breaks a rule about where it may be. */
struct data_fault {
	enum ishare_rule_id rule; /* ISHARE_RULE_COUNT: nowhere */
	uint64_t pos; /* in the file */
	uint64_t holes; /* bytes of holes before it */
};

/*
 * Judges where the data of a file is, without reading it: inode.chunk-range, inode.data-bounds,
 * -device, -merge.
 * READ_OUTSIDE: it breaks the rule that *fault names; READ_NO_DEVICE: it breaks none as far as it
 * can be judged without devices that were not given.
 */
enum read_result file_judge_data(struct reader *reader, const struct file *file,
				 struct data_fault *fault);

/* A chunk-based file's table of chunks: where it is in the inode's space, and its bytes. */
uint64_t chunk_table(const struct file *file);
uint64_t chunk_table_size(const struct ishare_image *image, const struct file *file);

/*
 * Bytes between the end of the file and the end of its last block. 0: there are none, or the layout
 * has no block of the file's own there.
 */
uint32_t file_padding_size(const struct ishare_image *image, const struct file *file);

/* Those of them that are on a device, and so not in a hole. */
struct padding {
	struct ishare_view bytes; /* valid until the reader's next call */
	uint64_t offset;
	uint32_t device;
};

enum read_result file_padding(struct reader *reader, const struct file *file,
			      struct padding *padding);

/* escape.c: see ishare_escape in ishare.h */

/* Room for the name of a directory entry, escaped. */
#define ENTRY_NAME_SHOWN (ISHARE_ESCAPED_MAX * 255u + 1)

/* The same for one component of a path: a slash in it is escaped, too. */
size_t escape_component(char *text, const void *bytes, size_t size);

/* tree.c: the directories met on a walk, so that any inode's path can be told */

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

/* hash.c */

/* A number that no image can know. */
uint64_t hash_seed(void);
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);

/* seen.c: a set of nids */

struct seen_word {
	uint64_t key; /* nid / 64 */
	uint64_t bits; /* 0: the slot is free */
};

struct seen {
	struct seen_word *words;
	size_t used, room; /* room: a power of two, or 0 */
	uint64_t seed;
};

enum seen_result { SEEN_NEW, SEEN_BEFORE, SEEN_NO_MEMORY };
enum seen_result seen_add(struct seen *seen, uint64_t nid);
void seen_release(struct seen *seen);

/* The image and what a check has learnt of it. */

struct indexed_extent {
	struct ishare_extent extent;
	uint32_t device; /* 0: the primary device */
};

struct prefix_table {
	uint8_t *bytes; /* private copy; the positions in items are offsets into it */
	size_t size; /* of bytes */
	struct ishare_prefix *items;
	uint32_t count; /* records before the first malformed one */
};

struct ishare_image {
	char *path;
	char error[256];
	struct device *devices; /* 0: the image itself */
	uint32_t device_count;

	struct ishare_superblock sb;
	struct ishare_superblock_ext ext; /* zero if the superblock has no extension slot */
	uint32_t block_bits;
	struct ishare_extent *extents; /* of the extra devices, as their slots say */
	uint32_t extent_count;
	struct indexed_extent *sorted; /* by start: those that have one, and the primary */
	uint32_t sorted_count;
	bool extents_lost; /* the device table cannot be read (reported) */
	bool flat; /* has extra devices, and holds them itself */
	struct space space, metabox, packed;
	struct prefix_table prefixes;
	struct tree tree;
};

/*
 * The last of image->sorted that starts at the block or before it, or NULL. There may be 65,535 of
 * them, and more blocks to look up.
 */
const struct indexed_extent *last_extent(const struct ishare_image *image, uint64_t block);

/* Records an error sentence and returns result. */
enum ishare_result image_error(struct ishare_image *image, enum ishare_result result,
			       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* inode.c */

/* Where a nid points: false if no space of the image can hold it. */
bool locate_inode(const struct ishare_image *image, uint64_t nid, struct file *file);

/* Reads what locate_inode() found; *status: how its decoding ended. */
enum read_result load_inode(struct reader *reader, struct file *file, enum ishare_status *status);

/* Whether the place that a nid names is in the image, or in the metabox. */
bool has_inode(const struct ishare_image *image, uint64_t nid);

/* Reads an inode without judging it. */
bool read_inode(struct reader *reader, const struct ishare_image *image, uint64_t nid,
		struct file *file);

/* xattrs.c: a walk over the xattrs of an inode, inline before shared as every reader does */

/* Bytes of the largest xattr area: i_xattr_icount has 16 bits. */
#define XATTR_AREA_MAX (12u + 4u * 65534u)

/*
 * Finds the first fingerprint of an inode without judging anything. buffer holds XATTR_AREA_MAX
 * bytes. Returns false if it has none or it cannot be read.
 */
bool find_fingerprint(struct reader *reader, const struct ishare_image *image,
		      const struct file *file, uint8_t *buffer, struct ishare_view *fingerprint);

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

/* directory.c */

/* Bytes of the largest directory block. */
#define BLOCK_ROOM 65536u

/* The entries of one directory, one after the other. */
struct dirent_walk {
	struct reader *reader;
	const struct file *directory;
	uint32_t block_size;
	uint64_t pos; /* of the block in the directory's data */
	bool in_block;
	uint8_t *buffer; /* the caller's, for one block */
	struct ishare_view block; /* in it */
	struct ishare_dirent dirent;
};

enum dirent_status {
	DIRENT_OK,
	DIRENT_END,
	DIRENT_MALFORMED, /* dir.entry-bounds does not hold for entry dirent.index */
	DIRENT_UNREADABLE, /* result says why */
};

void start_dirents(struct dirent_walk *walk, struct reader *reader, const struct file *directory,
		   uint8_t *buffer);
enum dirent_status next_dirent(struct dirent_walk *walk, enum read_result *result);
struct ishare_view dirent_name(const struct dirent_walk *walk);

/*
 * Finds the entry at a position of a directory again: tells its nid and writes its path. A position
 * is the offset of a directory block and the number of an entry in it, added.
 */
bool find_entry(struct reader *reader, const struct ishare_image *image, uint32_t directory,
		uint64_t position, uint64_t *nid, char *path, size_t size);

#define NO_POSITION UINT64_MAX /* the directory itself */

#endif
