/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Sets of images, drawn at random: what a set is, and the parts of the program that draws them. A
 * set is judged as one domain, and mounted in a guest if the verdict is that it conforms.
 */
#ifndef PROMISE_SET_H
#define PROMISE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096u
#define MAX_CONTENT (28 * PAGE)
#define MAX_CONTENTS 6u
#define MAX_IMAGES 5u
#define MAX_FILES 8u
#define MAX_DEVICES 3u
#define MAX_ROOM (64 * PAGE)
#define MAX_BLOCKS (MAX_ROOM / 512)
#define MAX_CHUNKS (MAX_CONTENT / 512)
#define MAX_PREFIXES 8u
#define MAX_NAME 64u
#define MAX_VALUE 64u
#define MAX_XATTRS 8u

/* ---- Chance ---- */

struct random {
	uint64_t state;
};

uint64_t any(struct random *random);
/* A number less than limit, which is not 0. */
uint64_t below(struct random *random, uint64_t limit);
uint64_t between(struct random *random, uint64_t low, uint64_t high);
bool chance(struct random *random, unsigned int percent);
void noise(struct random *random, uint8_t *bytes, size_t size);

/* ---- What a set has, for the table of features ---- */

#define FEATURES(X)                                                       \
	X(DEVICES_UNIFIED, "devices with unified addresses")              \
	X(DEVICES_BY_ID, "devices without unified addresses")             \
	X(DEVICES_FLAT, "devices that the image holds itself")            \
	X(DEVICES_NOT_GIVEN, "devices that were not given")               \
	X(RANGE_OVERLAPS, "a range over bytes of the primary device")     \
	X(RANGE_ADJACENT, "adjacent ranges")                              \
	X(RANGE_HIGH, "a range at the end of the address space")          \
	X(DEVICE_COMMON, "a device of two images")                        \
	X(FLAT_RUN, "flat runs")                                          \
	X(FLAT_ON_DEVICE, "flat runs on devices")                         \
	X(FLAT_HOLE, "flat holes")                                        \
	X(INLINE_TAIL, "inline tails")                                    \
	X(BLOCK_MAP, "4-byte block maps")                                 \
	X(CHUNK_INDEXES, "8-byte chunk indexes")                          \
	X(CHUNK_DEVICE_ID, "chunks with device ids")                      \
	X(CHUNK_48BIT, "48-bit chunks")                                   \
	X(CHUNK_HOLE, "holes among chunks")                               \
	X(CHUNK_ONE_BLOCK, "chunks of a block")                           \
	X(CHUNK_SOME_BLOCKS, "chunks of some blocks")                     \
	X(CHUNK_LARGE, "chunks larger than the file")                     \
	X(LARGE_FILE, "files of more than 16 pages")                      \
	X(PART_OF_PAGE, "a last page that is there in part")              \
	X(SMALL_BLOCKS, "blocks smaller than pages")                      \
	X(EXTENDED_INODE, "extended inodes")                              \
	X(HARD_LINK, "hard links")                                        \
	X(DIRECTORY_BLOCKS, "directories in blocks")                      \
	X(FINGERPRINT_INLINE, "inline fingerprints")                      \
	X(FINGERPRINT_SHARED, "shared fingerprints")                      \
	X(FINGERPRINT_OPAQUE, "opaque fingerprints")                      \
	X(NAME_HIDDEN, "hidden names")                                    \
	X(NAME_USER, "user. names")                                       \
	X(NAME_TRUSTED, "trusted. names")                                 \
	X(NAME_SECURITY, "security. names")                               \
	X(NAME_WHOLE, "names without a long prefix")                      \
	X(NAME_CUT, "names cut between prefix and suffix")                \
	X(PREFIXES_SEVERAL, "several prefixes")                           \
	X(PREFIX_NUL, "a NUL in a prefix")                                \
	X(PREFIXES_PACKED, "prefixes in the packed inode or the metabox") \
	X(METABOX, "inodes in the metabox")                               \
	X(NAME_FILTER, "name filters")                                    \
	X(OTHER_XATTRS, "other xattrs with fingerprints")                 \
	X(SAME_IMAGE_TWICE, "an image twice")                             \
	X(MUTATED, "images that the mutator changed")                     \
	X(ON_FILE, "mounts from files")                                   \
	X(ON_BLOCK, "mounts from block devices")                          \
	X(FINGERPRINTS_SEVERAL, "several fingerprints in an inode")       \
	X(BEHIND_END, "bytes behind the end of a file")

#define FEATURE(name, words) HAS_##name,
enum feature { FEATURES(FEATURE) FEATURE_COUNT };
#undef FEATURE

/*
 * In what an image differs from an honest one, where it does. Each is a way to have a reader take
 * other bytes than those that were judged.
 */
#define TRAPS(X)                                                             \
	X(NONE, "none")                                                      \
	X(FLAT_CROSSES, "a flat run crosses the border of a range")          \
	X(CHUNK_CROSSES, "a chunk crosses the border of a range")            \
	X(CHUNKS_CROSS, "adjacent chunks on both sides of a border")         \
	X(CHUNKS_MERGE, "chunks that only look adjacent on a file")          \
	X(CHUNKS_RELATIVE, "chunks at adjacent places of different devices") \
	X(DECOY, "a decoy where a device that is not given belongs")         \
	X(METADATA, "a device where metadata is")                            \
	X(PACKED_CROSSES, "the packed inode crosses the border of a range")  \
	X(METABOX_CROSSES, "the metabox crosses the border of a range")      \
	X(NUL_NAME, "the fingerprint's name has a NUL")                      \
	X(EMPTY_NAME, "the fingerprint's name is empty")                     \
	X(TWO_FINGERPRINTS, "two fingerprints in an inode")                  \
	X(BEHIND_FILL, "a fingerprint behind fill")                          \
	X(PADDING, "bytes behind the end of a file")                         \
	X(LIE, "the fingerprint of another content")                         \
	X(OPAQUE_LIE, "an opaque fingerprint of two contents")               \
	X(RANGES_OVERLAP, "two devices at one place")                        \
	X(MUTANT, "changed by the mutator")

#define TRAP(name, words) TRAP_##name,
enum trap { TRAPS(TRAP) TRAP_COUNT };
#undef TRAP

extern const char *const feature_words[FEATURE_COUNT];
extern const char *const trap_words[TRAP_COUNT];

/* ---- A set ---- */

struct content {
	uint32_t size;
	uint8_t bytes[MAX_CONTENT]; /* zeros behind size */
	uint8_t value[MAX_VALUE]; /* of the fingerprint */
	uint8_t opaque[MAX_VALUE];
	uint32_t value_size, opaque_size;
};

struct chunk {
	bool hole;
	uint32_t id;
	uint64_t block;
};

struct file {
	unsigned int content, claimed; /* its bytes; those that its fingerprint says it has */
	bool fingerprint, opaque, extended, nlink_1, link, padding_noise;
	enum trap trap;
	unsigned int layout;
	uint64_t start; /* of flat layouts; all ones: a hole */
	unsigned int chunk_bits;
	bool indexes, chunk_48bit;
	struct chunk chunks[MAX_CHUNKS];
	unsigned int chunk_count;
	/* Where things came to lie in the image. */
	uint32_t inode_at, value_at, tail_at, tail_size, table_at;
};

/* Device 0 is the image itself. */
struct device {
	uint64_t start, blocks; /* as the device table says */
	uint32_t room; /* blocks that there are */
	uint8_t bytes[MAX_ROOM];
	bool used[MAX_BLOCKS];
};

struct name {
	uint8_t base;
	uint8_t size;
	uint8_t bytes[MAX_NAME];
};

struct xattr {
	struct name name;
	uint8_t value[MAX_VALUE];
	uint32_t value_size;
	bool shared, is_fingerprint;
	uint8_t index; /* how the name is cut: e_name_index, and how many bytes its prefix has */
	uint8_t infix;
	uint32_t shared_id;
};

/* How an image's extra devices are judged and mounted. */
enum mode {
	GIVEN, /* judged with them, mounted with them */
	FLAT, /* judged as one that holds them itself, mounted without them */
	NOT_GIVEN, /* judged without a word of them, mounted with or without them */
};

struct image {
	unsigned int bits; /* log2 of the block size */
	enum mode mode;
	enum trap trap;
	bool trapped; /* the trap could be laid */
	struct device devices[1 + MAX_DEVICES];
	unsigned int device_count; /* extra ones */
	uint64_t primary_blocks; /* as the superblock says */
	uint32_t reserve; /* blocks for metadata, at the image's beginning */
	bool wide; /* 48BIT */
	bool high; /* a range is at the end of the address space */
	bool together; /* runs are put behind their first block, while this is set */
	struct file files[MAX_FILES];
	unsigned int file_count;
	struct name prefixes[MAX_PREFIXES];
	unsigned int prefix_count, fingerprint_prefix;
	bool metabox; /* all inodes and shared xattrs are in it */
	bool filter, packed_prefixes, checksum, directory_blocks;
	size_t size; /* of the image in bytes; the mutator may change it */
	bool mutated, on_block, mount_devices;
	int twin; /* of an image before it in the set, or -1 */
	int common_device; /* image of the set whose device 1 is this one's as well, or -1 */
};

struct set {
	uint64_t number;
	struct random random;
	struct content contents[MAX_CONTENTS];
	unsigned int content_count;
	struct image images[MAX_IMAGES];
	unsigned int image_count;
	uint32_t most_pages; /* of a content */
	bool flat; /* images are judged without --device, as if they held their devices */
	bool opaque; /* some fingerprints are no digests */
	enum trap trap;
	uint64_t features;
};

static inline void has(struct set *set, enum feature feature)
{
	set->features |= 1ull << feature;
}

/* ---- contents.c ---- */

void draw_contents(struct set *set);

/* ---- devices.c ---- */

/* Draws them all, but for device 1 if that is one of another image, too. */
void draw_devices(struct set *set, struct image *image, const struct device *common);

/* Where Linux reads one block by itself: false if that is nowhere. */
bool resolve(const struct image *image, uint32_t id, uint64_t block, uint32_t *device,
	     uint64_t *at);

/* A row of blocks that a run may lie in without a doubt. */
struct region {
	uint32_t id;
	uint64_t block, blocks;
};

#define MAX_REGIONS 16u

unsigned int find_regions(const struct image *image, bool by_id, struct region *regions);

/*
 * Writes bytes, of which the last block may be padded, where single blocks of the run are read.
 * False, and nothing written, if other bytes are there already.
 */
bool place(struct image *image, uint32_t id, uint64_t block, const uint8_t *bytes, size_t size);
bool can_place(struct image *image, uint32_t id, uint64_t block, const uint8_t *bytes, size_t size);

/* ---- layout.c ---- */

/* False if there is no place for it. */
bool place_file(struct set *set, struct image *image, struct file *file);

/* Places bytes that are to be read in one run of device 0's address space. */
bool place_run(struct set *set, struct image *image, const uint8_t *bytes, size_t size,
	       uint64_t *start);

/*
 * The same with a border of a range inside. The bytes are where single blocks are read, or where a
 * reader looks who decides by the first; the others are in the other place, as far as there is
 * room.
 */
bool place_across(struct set *set, struct image *image, const uint8_t *bytes, const uint8_t *others,
		  size_t size, uint64_t *start);

/* ---- names.c ---- */

void draw_names(struct set *set, struct image *image);

/* The xattrs of a file; returns how many. */
unsigned int draw_xattrs(struct set *set, struct image *image, struct file *file,
			 struct xattr *xattrs);
uint32_t filter_bit(const struct name *name);

/* That of an image whose packed inode can be read in two ways, if it is read in the other. */
extern const struct name other_fingerprint_name;

/* ---- image.c ---- */

/* Puts metadata into the image; false if there is no room for it. */
bool write_metadata(struct set *set, struct image *image);

/* ---- draw.c ---- */

/* Of the same size, if there is one. */
unsigned int other_content(struct set *set, unsigned int content);

/* As of a seed and a number. */
void draw_set(struct set *set, uint64_t seed, uint64_t number);

#endif
