/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The types that the verified core stands on, for user space, the kernel and Frama-C alike.
 * The structures decoded from the tables of the specification are in the generated layout.h;
 * here are those that the core itself defines.
 */
#ifndef ISHARE_TYPES_H
#define ISHARE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* PTRDIFF_MAX of the machine: no view is larger (a pointer difference must be representable). */
#if defined(__LP64__) || defined(_LP64)
#define ISHARE_VIEW_MAX 0x7fffffffffffffff
#else
#define ISHARE_VIEW_MAX 0x7fffffff
#endif

/*
 * An address space, or a window into one: size bytes at data. The core never reads outside it. The
 * bytes must not change while a function of the core runs: callers pass private copies.
 */
struct ishare_view {
	const uint8_t *data;
	size_t size;
};

enum ishare_status {
	ISHARE_OK = 0,
	ISHARE_END, /* an iterator has walked past its last record */
	ISHARE_SHORT, /* the view ends before the structure does */
	ISHARE_MALFORMED, /* the bytes break a rule that decoding relies on: one of the record's */
};

/* What depends on the reader: "Profiles" in the introduction of the specification. */
struct ishare_profile {
	uint32_t page_bits; /* log2 of the reader's page size, 12 to 16 */
	uint32_t unknown_compat; /* feature_compat bits that the reader does not know */
	uint32_t unknown_incompat; /* feature_incompat bits that the reader does not know */
};

/* Where the table of long xattr name prefixes lies: see prefix.location. */
enum ishare_prefix_space {
	ISHARE_PREFIX_IN_IMAGE = 0,
	ISHARE_PREFIX_IN_METABOX,
	ISHARE_PREFIX_IN_PACKED,
};

/* A run of blocks in the unified address space of all devices: see dev.overlap. */
struct ishare_extent {
	uint64_t start; /* first block */
	uint64_t blocks; /* number of blocks */
};

/*
 * A run of blocks of a file's data: as the inode names it, and where a reader finds it. See
 * inode.data-merge.
 */
struct ishare_run {
	uint32_t device_id; /* as a chunk's record has it; 0: start is a unified address */
	uint32_t apart; /* not 0: a hole lies between this run and the one before it in the file */
	uint64_t start; /* first block, as the inode names it */
	uint64_t blocks; /* number of blocks */
	uint32_t device; /* 0: the primary device, else an extra device's number */
	uint64_t address; /* first block, on that device */
};

/* One record of the prefix table; positions are byte offsets into the table's view. */
struct ishare_prefix {
	uint32_t index; /* 0 for the first record */
	uint32_t length; /* as stored: base_index and infix together */
	uint32_t base_index;
	uint32_t infix_size; /* bytes */
	size_t pos; /* of the record */
	size_t infix; /* of the infix */
	size_t next; /* where the next record would start; may lie past the view's end */
};

/*
 * What is known of the table of long xattr name prefixes: as many records as the walk over it has
 * found.
 */
struct ishare_prefixes {
	struct ishare_view table;
	const struct ishare_prefix *records; /* in their order, from index 0 */
	uint32_t count;
};

/* A compact or an extended inode, in one form. */
struct ishare_inode {
	uint32_t format; /* i_format as stored */
	uint32_t extended; /* 1: extended (64 bytes), 0: compact (32 bytes) */
	uint32_t data_layout; /* ISHARE_INODE_FLAT_PLAIN to _CHUNK_BASED, or 5 to 7: invalid */
	uint32_t xattr_icount; /* as stored */
	uint32_t mode; /* as stored: type and permission bits */
	uint32_t nb; /* i_nb as stored: nlink, or high bits of a block number */
	uint32_t u; /* i_u as stored: start block, block count, rdev or chunk format */
	uint32_t nlink;
	uint32_t isize; /* bytes of the inode itself: 32 or 64 */
	uint32_t xattr_isize; /* bytes of its xattr area: 0, or 12 + 4 * (xattr_icount - 1) */
	uint64_t size; /* i_size, bytes */
	uint64_t start_block; /* flat layouts: first block, or ISHARE_NULL_BLOCK for a hole */
};

/* One record of the table of a chunk-based file. */
struct ishare_chunk {
	uint32_t device_id; /* the bits that count; 0: start is a unified address */
	uint32_t hole; /* not 0: a hole, and start is of no use */
	uint64_t start; /* first block */
};

/* One dirent of a directory block; positions are byte offsets into the block's view. */
struct ishare_dirent {
	uint32_t index; /* 0 for the first entry of the block */
	uint32_t count; /* entries in the block */
	uint32_t file_type;
	uint64_t nid;
	size_t name; /* of the name */
	size_t name_size; /* bytes, 1 to 255 */
};

/* One xattr entry; positions are byte offsets into the view of the area that holds it. */
struct ishare_entry {
	uint32_t name_size; /* e_name_len: bytes of the stored part of the name */
	uint32_t name_index; /* e_name_index */
	uint32_t value_size; /* bytes */
	size_t pos; /* of the entry */
	size_t name; /* of the stored part of the name */
	size_t value; /* of the value */
	size_t next; /* where the next entry starts */
};

/*
 * The whole name of an xattr, below the namespace that base_index names: infix of the long prefix,
 * if any, and the part stored in the entry, joined.
 */
struct ishare_name {
	uint32_t base_index;
	struct ishare_view bytes; /* at most 510 bytes */
};

/*
 * A regular file's fingerprint, with what it stands for: see fingerprint.same-size and
 * fingerprint.same-content.
 */
struct ishare_keyed_file {
	struct ishare_view fingerprint;
	struct ishare_view digest; /* the 32 bytes of the SHA-256 of the content */
	uint64_t size; /* i_size, bytes */
};

#endif
