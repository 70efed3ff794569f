/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * libishare: judges EROFS images by the rules of the specification of inode page-cache sharing.
 *
 * Life of a caller: open images, check each (findings arrive through a sink while the check runs),
 * judge the trust domain that they form, close. No function prints, exits or keeps global state;
 * each image belongs to one thread at a time. Numbers in structures are in host byte order; offsets
 * and sizes are bytes.
 */
#ifndef ISHARE_H
#define ISHARE_H

#include "core.h"
#include "rules.h"

#define ISHARE_VERSION "0.2"

struct ishare_image;
struct ishare_domain;
struct ishare_budget;

/*
 * The library's texts (messages, paths, reasons) are printable UTF-8 on one line. Names in them are
 * escaped: each byte of a character that is invisible, a control, reorders the text around it or is
 * not assigned (Unicode general categories C, Zl and Zp; Default_Ignorable_Code_Point), and each
 * byte that is not UTF-8, becomes \xNN, and a backslash two, so that no two names look the same and
 * each can be had again. In a path, a slash inside a name becomes \x2f.
 */

/* Bytes that one byte can become. */
#define ISHARE_ESCAPED_MAX 4u

/*
 * Writes bytes in this form and a NUL to text, which has room for ISHARE_ESCAPED_MAX * size + 1
 * bytes. Returns the length.
 */
size_t ishare_escape(char *text, const void *bytes, size_t size);

/* How many bytes at the beginning are printable UTF-8 as they are. */
size_t ishare_printable(const void *bytes, size_t size);

/*
 * How a function ended; ishare_image_error() has a sentence on ISHARE_NOT_EROFS and
 * ISHARE_IO_ERROR.
 */
enum ishare_result {
	ISHARE_DONE = 0, /* what was asked was done; findings are no failure */
	ISHARE_CUT_SHORT, /* done, but a broken rule (reported) hides the rest of the image */
	ISHARE_NOT_EROFS, /* no superblock magic, or too short to hold one */
	ISHARE_IO_ERROR, /* open, read or allocation failed, or the file shrank while it was read */
	ISHARE_STOPPED, /* the sink wanted no more */
};

/* The bytes that a finding is about. */
struct ishare_place {
	const char *space; /* "image", or what holds the bytes: "metabox", "packed inode" */
	uint64_t offset; /* of the first byte, in that space */
	uint32_t size; /* number of bytes; 0: the place is a position, or the bytes are missing */
	const char *structure; /* the specification's name for what the bytes belong to, or NULL */
	const char *field; /* name of the field, or NULL for the whole structure */
	uint32_t field_offset; /* of the field in its structure */
	const uint8_t *row; /* the bytes around the place; NULL if none could be read */
	uint64_t row_offset; /* of the row's first byte in that space: a multiple of 16 */
	uint32_t row_size; /* at most 64 */
};

/* One rule broken at one place. All pointers are valid only while the sink's function runs. */
struct ishare_finding {
	const struct ishare_rule *rule;
	const char *image; /* path or name of the image, as it was opened: not escaped */
	const char *path; /* of the file inside the image, or NULL if it is about no file */
	const char *message; /* what is wrong here */
	struct ishare_place place;
	const char *other_image; /* rules about two files: the second one, else NULL */
	const char *other_path;
};

/* Findings that were counted and kept from the sink: see limit in struct ishare_options. */
struct ishare_omitted {
	const struct ishare_rule *rule;
	const char *image;
	uint64_t count;
};

/* Something that the rules could not be held against. */
struct ishare_unexamined {
	const char *image;
	const char *path; /* the first file concerned, or NULL */
	const char *reason; /* for instance "the directory is compressed" */
	uint64_t count; /* how many files (or other things) share the reason */
	bool content; /* it is about what files contain, and neither about the tree nor xattrs */
};

/*
 * Receives what a check finds. Every function may be NULL; all run in the thread that called
 * ishare_check.
 */
struct ishare_sink {
	void *context;
	void (*finding)(void *context, const struct ishare_finding *finding);
	/* Follows the findings of an image, once for each rule of which some were left out. */
	void (*omitted)(void *context, const struct ishare_omitted *omitted);
	void (*unexamined)(void *context, const struct ishare_unexamined *unexamined);
	/* Counts inodes; total is the superblock's word. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	/*
	 * Asked after each finding and each inode: true ends the call, which returns
	 * ISHARE_STOPPED when all its threads have ended. The sink receives nothing more.
	 */
	bool (*stop)(void *context);
};

/*
 * Bounds the hashing that small images can ask for: holes, and chunks that are used again and
 * again. One budget may serve many checks, which share it; 64 times the bytes of each image and its
 * devices are hashed without it. It belongs to the caller, and more than one thread may use it.
 * ishare_budget_new returns NULL when memory runs out.
 */
#define ISHARE_BUDGET_BYTES (16ull << 30) /* for who has no opinion */
struct ishare_budget *ishare_budget_new(uint64_t bytes);
void ishare_budget_free(struct ishare_budget *budget);

/*
 * How to judge, with digests, fingerprints that are none: "opaque" ones. Only the contents of all
 * files that share can tell whether equal ones stand for equal content (rule
 * fingerprint.same-content).
 */
enum ishare_opaque {
	ISHARE_OPAQUE_UNEXAMINED = 0, /* not all images that share are in the domain */
	ISHARE_OPAQUE_COMPARED, /* they are: ishare_domain_judge compares */
	ISHARE_OPAQUE_TRUSTED, /* they do: nothing is compared */
};

struct ishare_options {
	struct ishare_profile profile; /* see ishare_profile_by_name */
	const bool *rules; /* ISHARE_RULE_COUNT switches, false: do not report; NULL: all */
	/*
	 * An image that has extra devices, and got none, holds them itself: as Linux mounts it
	 * without device= options. False: what belongs to its devices is not examined. Section
	 * "Which device has a byte" of the chapter "Devices".
	 */
	bool flat;
	bool digests; /* judge fingerprint.digest, .same-content and .padding-zero: read files */
	unsigned int threads; /* for digests; 0: one for each processor */
	struct ishare_budget *budget; /* for digests; NULL: ISHARE_BUDGET_BYTES for each check */
	enum ishare_opaque opaque; /* for digests */
	/*
	 * The sink receives at most so many findings of a rule in an image, and of an image no more
	 * than about limit * ISHARE_FINDING_BYTES bytes of text, but the first one of each rule in
	 * any case; and none after ISHARE_FINDINGS_BYTES with one summary. All are counted. 0: no
	 * limit.
	 */
	uint64_t limit;
};

/* What a finding whose names are not long takes when it is printed; and all that anybody reads. */
#define ISHARE_FINDING_BYTES 512u
#define ISHARE_FINDINGS_BYTES (64ull << 20)

/* What a check saw; a caller zeroes it, checks add to it. */
struct ishare_summary {
	uint64_t inodes;
	uint64_t regular_files;
	uint64_t regular_bytes; /* sum of their i_size */
	uint64_t fingerprinted_files;
	uint64_t fingerprinted_bytes;
	uint64_t digested_files; /* whose digest was compared with the fingerprint */
	uint64_t hashed_files; /* whose fingerprint is none: to be compared with each other */
	uint64_t findings[3]; /* by enum ishare_severity */
	uint64_t omitted; /* of these: kept from the sink */
	uint64_t told_bytes; /* about what the others take when printed */
	uint64_t extra_work; /* bytes of metadata examined beyond what the images hold */
	uint64_t unexamined; /* reasons, not files */
	uint64_t images_without_fingerprints; /* their superblock does not say ISHARE_XATTRS */
	bool fingerprints_unknown; /* of some image, what they are called could not be told */
};

/*
 * Looks up a profile: "linux-6.12", "linux-7.3", optionally with "/4k", "/16k" or "/64k" for the
 * page size (4k if none is named). Returns false if there is no such profile. Section: "Profiles"
 * of the introduction.
 */
bool ishare_profile_by_name(const char *name, struct ishare_profile *profile);

/* The profiles' names in order, ended by NULL; the last one is the default. */
extern const char *const ishare_profile_names[];

/*
 * Opens a regular file or a block device as an image. Always stores an image, which the caller
 * closes with ishare_image_close, except when memory runs out: then *image is NULL and the result
 * ISHARE_IO_ERROR. ISHARE_IO_ERROR: cannot be opened or is neither (a directory or a FIFO is
 * refused, not waited for).
 */
enum ishare_result ishare_image_open(const char *path, struct ishare_image **image);

/*
 * Opens size bytes in memory as an image, which findings call by that name. They are not copied:
 * the caller keeps them, unchanged, until the image is closed. ISHARE_IO_ERROR: memory runs out.
 */
enum ishare_result ishare_image_open_memory(const char *name, const void *bytes, size_t size,
					    struct ishare_image **image);

/*
 * Adds the image's next extra device (device 1 first). Same errors; the device belongs to the image
 * from then on, but not the bytes in memory.
 */
enum ishare_result ishare_image_add_device(struct ishare_image *image, const char *path);
enum ishare_result ishare_image_add_memory(struct ishare_image *image, const void *bytes,
					   size_t size);

/*
 * One sentence on what went wrong last; "" if nothing did. Valid until the next call on the image.
 */
const char *ishare_image_error(const struct ishare_image *image);

/*
 * The path (or name) as given, the size in bytes, and how much is there of it: not the holes of a
 * file.
 */
const char *ishare_image_path(const struct ishare_image *image);
uint64_t ishare_image_size(const struct ishare_image *image);
uint64_t ishare_image_held(const struct ishare_image *image);

/*
 * Reads size bytes at offset of the image itself (not of its devices) into buffer.
 * ISHARE_IO_ERROR: they are not all there.
 */
enum ishare_result ishare_image_read(struct ishare_image *image, uint64_t offset, void *buffer,
				     size_t size);

void ishare_image_close(struct ishare_image *image);

/*
 * A trust domain: the fingerprints of all files of the images checked with it. ishare_domain_new
 * returns NULL when memory runs out. Images must stay open until ishare_domain_judge has run.
 */
struct ishare_domain *ishare_domain_new(void);
void ishare_domain_free(struct ishare_domain *domain);

/*
 * Holds every rule against the whole image and adds its fingerprints to the domain. Rules about
 * pairs of files (fingerprint.same-size, fingerprint.same-content) are judged by
 * ishare_domain_judge afterwards.
 * ISHARE_CUT_SHORT: the block size or the root directory is not what it must be.
 * ISHARE_NOT_EROFS: nothing was judged. ISHARE_IO_ERROR: judged only as far as it got; also when
 * devices were added, but not as many as the image has. ISHARE_STOPPED: judged only as far as the
 * sink wanted.
 */
enum ishare_result ishare_check(struct ishare_image *image, const struct ishare_options *options,
				const struct ishare_sink *sink, struct ishare_domain *domain,
				struct ishare_summary *summary);

/*
 * Judges the rules about pairs of files over all that was added to the domain. Chapter
 * "Fingerprint". ISHARE_IO_ERROR: the error is that of one of the domain's images.
 */
enum ishare_result ishare_domain_judge(struct ishare_domain *domain,
				       const struct ishare_options *options,
				       const struct ishare_sink *sink,
				       struct ishare_summary *summary);

#endif
