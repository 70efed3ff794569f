/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * What the files of libishare share with each other. Units as in ishare.h: bytes, host byte order.
 */
#ifndef ISHARE_INTERNAL_H
#define ISHARE_INTERNAL_H

#include <pthread.h>

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

/* check.c and the files that judge one kind of structure each */

/* What may escape examination, and why: a row of words each in unexamined.c. */
enum unexamined_thing {
	THE_PREFIX_TABLE,
	AN_INODE,
	A_DIRECTORY,
	AN_XATTR_AREA,
	A_SHARED_XATTR,
	A_CHUNK_TABLE,
	DATA,
	A_CONTENT,
	AN_OPAQUE_CONTENT,
	THE_LAST_BLOCK,
	AN_OPAQUE_FINGERPRINT,
	A_FINGERPRINT,
	UNEXAMINED_THINGS
};

enum unexamined_reason {
	IS_COMPRESSED,
	IS_ON_NO_DEVICE,
	IS_NOWHERE,
	OVERLAPS,
	REPEATS,
	NEEDS_DOMAIN,
	IS_TAKEN_FROM_ELSEWHERE,
	UNEXAMINED_REASONS
};

struct unexamined {
	char path[SHORT_PATH_SHOWN]; /* the first file concerned, "" for none */
	uint64_t count;
};

struct digest_pool;

struct check {
	struct ishare_image *image;
	const struct ishare_options *options;
	const struct ishare_sink *sink;
	struct ishare_summary *summary;
	struct ishare_domain *domain;
	struct digest_pool *digests; /* NULL unless digests were asked for */
	struct ishare_budget *own_budget; /* if the caller gave none */
	struct reader reader;
	struct reader rows; /* for the bytes shown: leaves the views of reader alone */
	struct seen seen;
	struct unexamined unexamined[UNEXAMINED_THINGS][UNEXAMINED_REASONS];
	bool failed; /* image->error says why, or the sink wants no more; the check ends at once */
	bool stopped; /* the latter */
	bool cut_short; /* ISHARE_CUT_SHORT */
	bool root_lost; /* sb.root-inode cannot be judged: what is wrong with inodes is wrong with it */

	/* of the image that findings are about */
	uint64_t found[ISHARE_RULE_COUNT];
	uint64_t omitted[ISHARE_RULE_COUNT]; /* of these: kept from the sink */
	uint64_t told_bytes; /* of those that were not: about what they take when printed */
	uint64_t hidden[ISHARE_RULE_COUNT]; /* findings of rules that were not asked for */

	/* the file that findings are about */
	uint32_t directory; /* index in the tree, or NO_DIRECTORY */
	const uint8_t *name;
	size_t name_size;
	uint64_t position; /* of its entry in the directory: see find_entry */
	const char *fixed_path; /* instead, for inodes that no directory names */

	uint8_t *block; /* one directory block */
	uint8_t *area; /* the xattr area of one inode */
	uint64_t budget; /* see spend() */
	uint64_t inodes; /* of this image, for its progress */
	uint64_t seed; /* for hashes of names */
	struct name_record *names; /* of the xattrs of one inode */
	size_t names_room;
};

/* finding.c */

/*
 * size bytes at offset of a space, with the structure they belong to (ISHARE_STRUCT_COUNT: none) at
 * base.
 */
struct place {
	const struct space *space;
	uint64_t offset;
	uint32_t size;
	uint32_t structure;
	uint64_t base;
};

struct place place_bytes(const struct space *space, uint64_t offset, uint32_t size);
struct place place_struct(const struct space *space, uint32_t structure, uint64_t base);
struct place place_field(const struct space *space, uint32_t structure, uint64_t base,
			 uint32_t field_offset);
struct place place_superblock(const struct ishare_image *image, uint32_t field_offset);

/* A name in a message is written by ishare_escape: no %s may bring bytes of the image as they are. */
void report(struct check *check, enum ishare_rule_id rule, struct place place, const char *format,
	    ...) __attribute__((format(printf, 4, 5)));
void report_pair(struct check *check, enum ishare_rule_id rule, struct place place,
		 const char *other_image, const char *other_path, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Whether the sink receives the next finding of a rule: words that take time are not made up for nobody. */
bool is_shown(const struct check *check, enum ishare_rule_id rule);

/* Ends the findings of an image: tells how many were left out, and begins to count anew. */
void tell_omitted(struct check *check);

/* unexamined.c */

void not_examined(struct check *check, enum unexamined_thing thing, enum unexamined_reason reason);
/* The same for what a failed read was about; a read error ends the check. */
void not_readable(struct check *check, enum unexamined_thing thing, enum read_result result);
void tell_unexamined(struct check *check);
/* Counts and tells what the caller has words for; the image need not be set. */
void tell_reason(struct check *check, struct ishare_unexamined event);
/* Whether a rule was asked for whose name begins like one of the groups, which blanks separate. */
bool asked_for(const struct check *check, const char *groups);
bool is_unexamined(const struct check *check, enum unexamined_thing thing);

/* selection.c: tells which broken rules that were not asked for those that were depend on */
void tell_hidden(struct check *check);

/* Writes the path of the current file; false if findings are about none now. */
bool current_path(const struct check *check, char *buffer, size_t size);

/* Asks the sink, which has just received something, whether the check is to end. */
void check_stop(struct check *check);

/* Takes over the error of a failed read. */
void check_failed(struct check *check, const struct reader *reader);
void check_no_memory(struct check *check);

/*
 * Bounds the work that a hostile image can ask for: the xattr areas, chunk arrays and directories
 * of an image do not overlap, so together they have no more bytes than it. False: it would be more
 * (counted as not examined).
 */
bool spend(struct check *check, enum unexamined_thing thing, uint64_t bytes);

/* superblock.c, prefixes.c, inode.c, xattrs.c, walk.c */

/* False: judging the rest makes no sense; *result says whether the image is one of EROFS at all. */
bool check_superblock(struct check *check, enum ishare_result *result);
void check_devices(struct check *check);
/* Judges dev.metadata for size bytes at offset of a space. */
void check_metadata(struct check *check, const struct space *space, uint64_t offset, uint64_t size);
void check_special_inodes(struct check *check);
void check_prefixes(struct check *check);

/*
 * Reads and judges the inode that nid names, its xattrs included. False: it cannot be used
 * (reported, or counted as not examined, or check->failed).
 */
bool check_inode(struct check *check, uint64_t nid, struct file *file);

/* Whether the place that a nid names is in the image, or in the metabox. */
bool has_inode(const struct ishare_image *image, uint64_t nid);

/* Reads an inode without judging it. */
bool read_inode(struct reader *reader, const struct ishare_image *image, uint64_t nid,
		struct file *file);

void check_xattrs(struct check *check, const struct file *file);

/* Bytes of the largest xattr area: i_xattr_icount has 16 bits. */
#define XATTR_AREA_MAX (12u + 4u * 65534u)

/*
 * Finds the first fingerprint of an inode without judging anything. buffer holds XATTR_AREA_MAX
 * bytes. Returns false if it has none or it cannot be read.
 */
bool find_fingerprint(struct reader *reader, const struct ishare_image *image,
		      const struct file *file, uint8_t *buffer, struct ishare_view *fingerprint);

void check_tree(struct check *check);

/*
 * Finds the entry at a position of a directory again: tells its nid and writes its path. A position
 * is the offset of a directory block and the number of an entry in it, added.
 */
bool find_entry(struct reader *reader, const struct ishare_image *image, uint32_t directory,
		uint64_t position, uint64_t *nid, char *path, size_t size);

#define NO_POSITION UINT64_MAX /* the directory itself */

/* domain.c */

/* Names a file of a domain. */
struct domain_key {
	uint32_t bucket;
	size_t index;
};

bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct ishare_view *fingerprint, uint64_t file_size, uint32_t directory,
		uint64_t position, struct domain_key *key);

/*
 * What is known of a file's content: its fingerprint is its digest; the digest is another (false: no
 * memory); or nothing, as at first.
 */
void domain_set_digest(struct ishare_domain *domain, struct domain_key key);
bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest);
void domain_set_unknown(struct ishare_domain *domain, struct domain_key key);

/* budget.c */

/* The SHA-256 of so many zeros. Whoever holds the lock and finds it not done computes it. */
struct zeros {
	pthread_mutex_t lock;
	uint64_t size;
	bool done;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
};

/* Takes so many bytes; false: there are not as many left. */
bool budget_take(struct ishare_budget *budget, uint64_t bytes);
/* The same for zeros, which are paid for once; *zeros may be NULL. */
bool budget_take_zeros(struct ishare_budget *budget, uint64_t size, struct zeros **zeros);

/* digest.c */

/* Starts threads that read file contents. Returns NULL if it cannot; the image's error says why. */
struct digest_pool *digest_start(struct ishare_image *image, struct ishare_budget *budget,
				 unsigned int threads);
/*
 * Queues one regular file with its fingerprint; waits while the queue is full. place: of the
 * fingerprint. key: unless check->domain is NULL.
 */
void digest_add(struct digest_pool *pool, struct check *check, const struct file *file,
		const struct ishare_view *fingerprint, struct place place, struct domain_key key);
/* Waits for all and reports what does not match, in the order of digest_add. Frees the pool. */
void digest_finish(struct digest_pool *pool, struct check *check);

#endif
