/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * A volume is an image with its devices and what is known about it as a whole. It is filled step by
 * step, so that a caller can judge the result of each step. Afterwards it does not change, and any
 * number of threads can read it, each through its own reader.
 */
#ifndef ISHARE_VOLUME_H
#define ISHARE_VOLUME_H

#include "ishare.h"

enum read_result {
	READ_OK = 0,
	READ_OUTSIDE, /* bytes that its space or device does not have: by rule reader->rule */
	READ_CORRUPT, /* the bytes are there, but break rule reader->rule */
	READ_NOTHING, /* there is no such space in the image, or no such entry any more */
	READ_UNSUPPORTED, /* the data is compressed, which this version cannot decode */
	READ_NO_DEVICE, /* it is on a device that was not given, or is not known */
	READ_FAILED, /* I/O error, or no memory: reader->error is a sentence on it */
};

/* The address spaces in which metadata is found, and the data of any other file. */
enum space_id { SPACE_IMAGE, SPACE_METABOX, SPACE_PACKED, SPACE_FILE, SPACES };

/* An inode, and where it was found. */
struct file {
	struct ishare_inode inode;
	uint64_t nid;
	uint64_t offset; /* of the inode in its space */
	const struct space *space; /* that holds the inode */
};

struct space {
	enum space_id id;
	const char *name; /* as in struct ishare_place */
	uint64_t size; /* 0 if that is not known */
	enum read_result state; /* READ_OK, or why it cannot be read; READ_NOTHING: there is none */
	enum ishare_rule_id rule; /* READ_CORRUPT: the rule that is broken */
	struct file file; /* whose data it is, unless it is the image */
};

struct device {
	int fd; /* -1: it is in memory */
	const uint8_t *bytes; /* there, else NULL */
	uint64_t start; /* of the image or device in the file */
	uint64_t size;
	uint64_t held; /* no more than size: a sparse file holds less */
};

struct indexed_extent {
	struct ishare_extent extent;
	uint32_t device; /* 0: the primary device */
};

/* Which device has which blocks of the unified address space. */
struct device_map {
	struct ishare_extent *extents; /* of the extra devices, as their slots say */
	uint32_t count;
	struct indexed_extent *sorted; /* by start: those that have one, and the primary */
	uint32_t sorted_count;
	bool lost; /* the device table cannot be read */
	bool flat; /* the image has extra devices, and holds them itself */
};

struct prefix_table {
	uint8_t *bytes; /* private copy; the positions in items are offsets into it */
	size_t size; /* of bytes */
	struct ishare_prefix *items;
	uint32_t count; /* records before the first malformed one */
};

struct volume {
	char *path;
	struct device *devices; /* 0: the image itself */
	uint32_t device_count;
	struct ishare_superblock sb;
	struct ishare_superblock_ext ext; /* zero if the superblock has no extension slot */
	struct device_map map;
	struct space image, metabox, packed;
	struct prefix_table prefixes;
};

/* reader.c: one thread's way to the bytes. All its data are private copies. */

struct cache {
	struct cache_line *lines; /* the windows through which devices are read */
	size_t count;
};

struct window {
	uint8_t *bytes;
	size_t room;
};

struct reader {
	const struct volume *volume;
	struct cache cache;
	struct window windows[SPACES]; /* each space's own: what space_view() shows */
	enum ishare_rule_id rule; /* of the last READ_OUTSIDE or READ_CORRUPT */
	char error[200]; /* of the last READ_FAILED; "" until a read fails */
};

/* False: no memory. In any case, reader_release() frees what there is. */
bool reader_init(struct reader *reader, const struct volume *volume, size_t line_count);
void reader_release(struct reader *reader);

/* Record a sentence, or a rule, and return READ_FAILED, or result. */
enum read_result read_failed(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
enum read_result rule_broken(struct reader *reader, enum read_result result,
			     enum ishare_rule_id rule);

/* Copies bytes of a device, which the caller knows to hold them. READ_OK or READ_FAILED. */
enum read_result reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
			     size_t size);

/* space.c */

/* The data of a file as a space, for views and places; name: its name in findings. */
struct space file_space(const struct file *file, const char *name);

/*
 * Whether it is known what a space holds: it can be read, or there is none, and it holds nothing.
 */
bool is_known(const struct space *space);

/*
 * Points *view at size bytes at offset of a space, which must be within its size. The view lives
 * until the reader's next view of the same space (or, for SPACE_FILE, of any file): views of other
 * spaces, and reading files, leave it alone. READ_CORRUPT: what the space is the data of breaks a
 * rule. All other results but READ_OUTSIDE and READ_NOTHING.
 */
enum read_result space_view(struct reader *reader, const struct space *space, uint64_t offset,
			    size_t size, struct ishare_view *view);

/* volume.c, devices.c, prefixes.c: the steps by which a volume is filled, in this order */

/* Resets everything known about the image. flat: as in struct ishare_options. */
void volume_reset(struct volume *volume, bool flat);

/*
 * The image from the superblock on, as far as core judges it: see ishare_superblock_judge(); it may
 * be empty. READ_OK or READ_FAILED.
 */
enum read_result superblock_view(struct reader *reader, const struct volume *volume,
				 struct ishare_view *view);

/*
 * For those who do not judge. READ_OUTSIDE, READ_CORRUPT: not an EROFS image, by sb.size or
 * sb.magic. READ_FAILED.
 */
enum read_result read_superblock(struct reader *reader, struct volume *volume);

/*
 * Writes a sentence on that rule, and on what the input seems to be: see recognise().
 */
void not_erofs(enum ishare_rule_id rule, const char *recognised, char *sentence, size_t size);

/*
 * Reads the device table. READ_OUTSIDE: it is not in the image, so that what belongs to extra
 * devices cannot be found. READ_FAILED.
 */
enum read_result read_devices(struct reader *reader, struct volume *volume);

/* READ_FAILED: devices were given, but not as many as the image has. */
enum read_result match_devices(struct reader *reader);

/*
 * Makes the data of an inode, the metabox's or the packed one, a space; returns its state. A caller
 * looks first whether the superblock has such an inode: see has_packed_inode(), has_metabox().
 */
enum read_result open_space(struct reader *reader, struct space *space, uint64_t nid);
bool has_packed_inode(const struct volume *volume);
bool has_metabox(const struct volume *volume);

/*
 * READ_CORRUPT: by sb.metabox-slot or sb.metabox-self, it is not known which inode is the
 * metabox's.
 */
enum read_result find_metabox(struct reader *reader, struct volume *volume);

/*
 * Reads the table of long xattr name prefixes, as far as its records are well-formed; READ_CORRUPT
 * if not all are. READ_OUTSIDE: the table is not in its space. Other results: the state of the
 * space.
 */
enum read_result read_prefixes(struct reader *reader, struct volume *volume);
const struct space *prefix_space(const struct volume *volume);
struct ishare_name prefix_name(const struct prefix_table *prefixes, uint32_t index);

/* devices.c */

/* Where the slot of extra device i + 1 is in the image. */
uint64_t slot_offset(const struct volume *volume, uint32_t i);
enum read_result read_slot(struct reader *reader, uint32_t i, struct ishare_deviceslot *slot);

/* The bytes that the image and its devices hold. */
uint64_t held_bytes(const struct volume *volume);

/* partitions.c: EROFS images inside an input that is none itself */

#define INPUT_START (1u << 20) /* bytes that are searched */

/* The image's file, from where the image would begin. */
uint64_t input_size(const struct reader *reader);

/* False: the input does not have all of these bytes, or they could not be read. */
bool input_copy(struct reader *reader, uint64_t offset, void *buffer, size_t size);

#define IMAGES_FOUND 3u /* that are named */

struct images_found {
	uint64_t offsets[IMAGES_FOUND]; /* in the input */
	size_t count; /* may be greater than IMAGES_FOUND */
};

/*
 * Looks for superblocks in the input's partitions or, if there are none, in its first INPUT_START
 * bytes. Returns the name of its partition table, or NULL.
 */
const char *find_images(struct reader *reader, struct images_found *found);

/* formats.c: what the input is */

#define RECOGNISED_ROOM 192u

/*
 * Writes what the input seems to be, what to do with it, and where in it EROFS images begin, to be
 * appended to a sentence; or "". If a read fails, reader->error says so.
 */
void recognise(struct reader *reader, char text[RECOGNISED_ROOM]);

/* map.c: which device has a block */

/*
 * The last of map->sorted that starts at the block or before it, or NULL. There may be 65,535 of
 * them, and more blocks to look up.
 */
const struct indexed_extent *last_extent(const struct device_map *map, uint64_t block);

/* Fills in device and address of a run, by its device_id and start. */
void find_device(const struct volume *volume, struct ishare_run *run);

#endif
