/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The contents of a volume: inodes, file data, directory entries, and xattrs. */
#ifndef ISHARE_FILES_H
#define ISHARE_FILES_H

#include "image/volume.h"

/* inode.c */

/* Whether the place that a nid names is in the image, or in the metabox. */
bool has_inode(const struct volume *volume, uint64_t nid);

/* Reads and decodes an inode, valid or not. READ_OUTSIDE: by inode.bounds, file->space does not
 * have it; or the state of that space. file->space and file->offset are set in any case.
 */
enum read_result read_inode(struct reader *reader, uint64_t nid, struct file *file);

/*
 * The first rule that is broken among those on which the meaning of an inode's other fields
 * depends, or of those on which that of its data does; ISHARE_RULE_COUNT: none is.
 */
enum ishare_rule_id broken_form_rule(const struct ishare_inode *inode);
enum ishare_rule_id broken_data_rule(const struct ishare_inode *inode);

/* data.c: where the bytes of an inode's data are */

/* Bytes that lie together: on a device, in the space that holds the inode, or nowhere (zeros). */
struct run {
	enum { RUN_DEVICE, RUN_SPACE, RUN_HOLE } kind;
	struct ishare_run blocks; /* RUN_DEVICE: the blocks that hold them */
	uint64_t offset; /* on the device, or in the space */
	uint64_t size;
};

/*
 * Finds the data from pos on; pos must be less than inode.size. All results but READ_FAILED.
 */
enum read_result map_run(struct reader *reader, const struct file *file, uint64_t pos,
			 struct run *run);

/*
 * The result that reading size bytes of a run on a device would have: READ_OK (unless it fails),
 * READ_OUTSIDE or READ_NO_DEVICE.
 */
enum read_result run_read_result(const struct volume *volume, const struct run *run, uint64_t size);

/* Copies size bytes at pos of the file's data, which must end within inode.size. */
enum read_result file_read(struct reader *reader, const struct file *file, uint64_t pos,
			   void *buffer, size_t size);

/* A chunk-based file's table of chunks: where it is in the inode's space, and its bytes. */
uint64_t chunk_table(const struct file *file);
/* Byte offset, in the same space, of the record of the chunk that holds a byte of the file. */
uint64_t chunk_record(const struct volume *volume, const struct file *file, uint64_t pos);

/* Bytes of the whole table. */
uint64_t chunk_table_size(const struct volume *volume, const struct file *file);

/*
 * Bytes between the end of the file and the end of its last block. 0: there are none, or the layout
 * has no block of the file's own there.
 */
uint32_t file_padding_size(const struct volume *volume, const struct file *file);

/* Those of them that are on a device, and so not in a hole. */
struct padding {
	struct ishare_view bytes; /* in the caller's buffer */
	uint64_t offset;
	uint32_t device;
};

/* Copies them into buffer, which holds file_padding_size() bytes. Results as for file_read(). */
enum read_result file_padding(struct reader *reader, const struct file *file, uint8_t *buffer,
			      struct padding *padding);

/* directory.c: the entries of one directory, one after the other */

/* Bytes of the largest directory block. */
#define BLOCK_ROOM 65536u

enum dirent_status {
	DIRENT_OK,
	DIRENT_END,
	DIRENT_MALFORMED, /* dir.entry-bounds does not hold for entry dirent.index */
	DIRENT_UNREADABLE, /* result says why */
};

struct dirent_walk {
	struct reader *reader;
	const struct file *directory;
	uint32_t block_size;
	uint64_t pos; /* of the block in the directory's data */
	bool in_block;
	uint8_t *buffer; /* the caller's, for one block */
	struct ishare_view block; /* in it */
	struct ishare_dirent dirent;
	enum read_result result; /* of the last block, as for file_read() */
};

/* buffer: of BLOCK_ROOM bytes. */
void start_dirents(struct dirent_walk *walk, struct reader *reader, const struct file *directory,
		   uint8_t *buffer);
enum dirent_status next_dirent(struct dirent_walk *walk);

/* Of the current entry; the view lives until the next block. */
struct ishare_view dirent_name(const struct dirent_walk *walk);

/* Whether a name is `.`, or `..`. */
bool is_dot(const struct ishare_view *name);
bool is_dotdot(const struct ishare_view *name);

/* xattrs.c: the entries of one inode, inline before shared as every reader does */

/* Bytes of the largest xattr area: i_xattr_icount has 16 bits. */
#define XATTR_AREA_MAX (12u + 4u * 65534u)

/* An infix and a stored name, 255 bytes each. */
#define NAME_ROOM 510u
#define NAME_SHOWN (ISHARE_ESCAPED_MAX * NAME_ROOM + 1) /* escaped */

enum xattr_status {
	XATTR_OK,
	XATTR_END,
	XATTR_BAD_ENTRY, /* xattr.entry-bounds fails at entry.pos; an inline area is then left */
	XATTR_BAD_ID, /* xattr.shared-id does not hold for number shared_index */
	XATTR_UNREADABLE, /* a shared xattr: result says why */
};

struct xattr_walk {
	struct reader *reader;
	const struct file *file;
	struct ishare_view area; /* private copy of the inode's xattr area */
	struct ishare_ibody_header header;
	uint32_t next_shared;
	enum { WALK_INLINE_FIRST, WALK_INLINE, WALK_SHARED } stage;
	struct xattr {
		bool shared;
		uint32_t shared_index;
		struct ishare_view holder; /* the area; or a view of the shared entry */
		struct ishare_entry entry;
		const struct space *space; /* where holder's bytes are */
		uint64_t base; /* of holder in that space */
	} at; /* the current one */
	enum read_result result; /* of the last shared one, as for space_view() */
};

uint64_t xattr_area_offset(const struct file *file);

/*
 * Copies the inode's xattr area into buffer (XATTR_AREA_MAX bytes), where the reader's views leave
 * it alone; inode.xattr-bounds must hold. Results as for space_view().
 */
enum read_result copy_xattr_area(struct reader *reader, const struct file *file, uint8_t *buffer,
				 struct ishare_view *area);

/* area: from copy_xattr_area(); xattr.shared-count must hold for it. */
void start_xattr_walk(struct xattr_walk *walk, struct reader *reader, const struct file *file,
		      const struct ishare_view *area);
enum xattr_status next_xattr(struct xattr_walk *walk);

/* Whether the area has room for entries behind the shared ids. */
bool has_inline_xattrs(const struct xattr_walk *walk);

/*
 * Go back to an entry that the walk has met: by its position in the area, or by its number among
 * the shared ids. False: it is not there any more.
 */
bool recall_inline_xattr(struct xattr_walk *walk, size_t pos);
bool recall_shared_xattr(struct xattr_walk *walk, uint32_t shared_index);

/* Of the current entry; lives as long as its holder. */
struct ishare_view xattr_value(const struct xattr_walk *walk);

/*
 * Joins infix and stored name in buffer (NAME_ROOM bytes). False: the prefix is not in the table,
 * or not known.
 */
bool xattr_name(const struct xattr_walk *walk, uint8_t *buffer, struct ishare_name *name);

/* "user.", "trusted.", ...; "" for a hidden name. */
const char *name_space(uint32_t base_index);

/* The name of the image's fingerprints. False: it has none, or the name cannot be read. */
bool fingerprint_name(const struct volume *volume, struct ishare_name *name);

/* Of the current entry. Fill is no xattr, whatever name four zero bytes spell. */
bool is_fill(const struct xattr_walk *walk);
bool is_fingerprint(const struct xattr_walk *walk);

/*
 * Finds the first fingerprint of an inode. buffer holds XATTR_AREA_MAX bytes, the fingerprint is in
 * it. READ_NOTHING: the inode has none.
 */
enum read_result find_fingerprint(struct reader *reader, const struct file *file, uint8_t *buffer,
				  struct ishare_view *fingerprint);

#endif
