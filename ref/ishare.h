/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * libishare: checks EROFS images against the specification of inode page-cache sharing.
 *
 * A caller opens images, checks each (a sink receives findings while the check runs), judges the
 * trust domain that the images form, and closes them. No function prints, exits or keeps global
 * state. An image may be used by one thread at a time. Numbers in structures are in host byte
 * order; offsets and sizes are in bytes.
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
 * The library's texts (messages, paths) are printable UTF-8 on one line. Names in them are
 * escaped, so that the escaped form is unique and can be reversed: each byte of a character that is
 * invisible, a control, reorders the text around it or is not assigned (Unicode general categories
 * C, Zl and Zp; Default_Ignorable_Code_Point), and each byte that is not UTF-8, becomes \xNN, and a
 * backslash is doubled. In a path, a slash inside a name becomes \x2f.
 */

/* The largest number of bytes that one byte becomes. */
#define ISHARE_ESCAPED_MAX 4u

/*
 * Writes the escaped bytes and a NUL to text, which must have room for ISHARE_ESCAPED_MAX * size +
 * 1 bytes. Returns the length.
 */
size_t ishare_escape(char *text, const void *bytes, size_t size);

/* Returns the number of leading bytes that are printable UTF-8 and need no escape. */
size_t ishare_printable(const void *bytes, size_t size);

/*
 * The result of a function. For ISHARE_NOT_EROFS, ISHARE_IO_ERROR and ISHARE_INVALID,
 * ishare_image_error() returns a sentence.
 */
enum ishare_result {
	ISHARE_DONE = 0, /* success, with or without findings */
	ISHARE_CUT_SHORT, /* success, but a violation (reported) hides the rest of the image */
	ISHARE_NOT_EROFS, /* no superblock magic, or too short to hold one */
	ISHARE_IO_ERROR, /* open, read or allocation failed, or the file shrank while it was read */
	ISHARE_STOPPED, /* the sink stopped the call */
	ISHARE_INVALID, /* the arguments are not valid, and nothing was done */
};

/* The bytes that a finding concerns. */
struct ishare_place {
	const char *space; /* "image", or what holds the bytes: "metabox", "packed inode" */
	uint64_t offset; /* of the first byte, in that space */
	uint32_t size; /* number of bytes; 0: the place is a position, or the bytes are missing */
	uint64_t image_offset; /* of the first byte, in the image; UINT64_MAX: not there */
	const char *structure; /* the name of the structure in the specification, or NULL */
	const char *field; /* name of the field, or NULL for the whole structure */
	uint32_t field_offset; /* of the field in its structure */
	const uint8_t *row; /* the bytes around the place; NULL if none could be read */
	uint64_t row_offset; /* of the row's first byte in that space: a multiple of 16 */
	uint32_t row_size; /* at most 64 */
};

/* A violation of one rule at one place. Pointers are valid only while the sink's function runs. */
struct ishare_finding {
	const struct ishare_rule *rule;
	const char *image; /* path or name of the image, as it was opened: not escaped */
	const char *path; /* of the file inside the image, or NULL if it concerns no file */
	const char *message; /* what is wrong at this place */
	/*
	 * Findings of a rule in an image that have the same cause have the same number: their
	 * messages differ in values only.
	 */
	uint32_t cause;
	struct ishare_place place;
	const char *other_image; /* rules about two files: the second one, else NULL */
	const char *other_path;
};

/* Findings that were counted but not passed to the sink: see limit in struct ishare_options. */
struct ishare_omitted {
	const struct ishare_rule *rule;
	const char *image;
	uint64_t count;
	uint32_t cause; /* with the option examples: the cause of these findings; else 0 */
};

/* A part of an image that could not be examined. */
enum ishare_part {
	ISHARE_PART_PREFIX_TABLE, /* the table of long xattr name prefixes */
	ISHARE_PART_INODE,
	ISHARE_PART_DIRECTORY, /* the entries of one, or those after the first unreadable one */
	ISHARE_PART_XATTR_AREA, /* an inode's own: its shared ids and inline xattrs */
	ISHARE_PART_SHARED_XATTR, /* one that an inode refers to */
	ISHARE_PART_CHUNK_TABLE, /* of a chunk-based file */
	ISHARE_PART_DATA, /* of a file: where it is */
	ISHARE_PART_CONTENT, /* of a file whose fingerprint is a digest: to compute the digest */
	ISHARE_PART_OPAQUE_CONTENT, /* of one whose fingerprint is opaque: to compare contents */
	ISHARE_PART_LAST_BLOCK, /* of a file: the bytes after its end */
	ISHARE_PART_OPAQUE_FINGERPRINT, /* whether equal ones stand for equal content */
	ISHARE_PART_FINGERPRINT, /* whether it is the one that Linux sees */
	ISHARE_PART_DEPENDENT, /* whatever depends on a rule: for ISHARE_REASON_RULE */
	ISHARE_PART_COUNT
};

/* Why it could not be examined. */
enum ishare_reason {
	ISHARE_REASON_COMPRESSED, /* it is compressed, or in a part of the image that is */
	ISHARE_REASON_NO_DEVICE, /* it is on an extra device that was not added to the image */
	ISHARE_REASON_NOWHERE, /* after a violation, it is where nothing can be read */
	ISHARE_REASON_OVERLAP, /* it and what was examined before have more bytes than the image */
	ISHARE_REASON_BUDGET, /* reading it would exceed the budget: see struct ishare_budget */
	ISHARE_REASON_NO_DOMAIN, /* it is opaque, and contents are not compared (option opaque) */
	ISHARE_REASON_STALE_PAGE, /* Linux may take it from other bytes: a known bug */
	ISHARE_REASON_RULE, /* it depends on a rule that is violated, but was not selected */
	ISHARE_REASON_COUNT
};

/* Something that could not be checked. */
struct ishare_unexamined {
	const char *image;
	const char *path; /* the first file concerned, or NULL */
	enum ishare_part part;
	enum ishare_reason reason;
	const struct ishare_rule *rule; /* for ISHARE_REASON_RULE, else NULL */
	uint64_t count; /* how many parts share the reason; or violations of the rule */
	bool content; /* concerns only the contents of files, not the tree or xattrs */
};

enum ishare_answer { ISHARE_UNKNOWN = 0, ISHARE_NO, ISHARE_YES };

/*
 * Whether parts of an image conform: what functions answer that are proved to decide the
 * specification's predicates on the bytes as a whole. Sections "Conformance" of the chapters
 * "Superblock" and "Long xattr name prefixes": all rules of severity error, selected or not, but
 * not sb.root-inode, which is about an inode.
 */
struct ishare_conformance {
	const char *image;
	enum ishare_answer superblock; /* for the profile: ishare_superblock_judge() */
	/* ishare_prefixes_conform(); unknown if the table cannot be read, or was not reached */
	enum ishare_answer prefixes;
};

/*
 * Receives the findings of a check. Every function may be NULL; all run in the thread that called
 * ishare_check.
 */
struct ishare_sink {
	void *context;
	void (*finding)(void *context, const struct ishare_finding *finding);
	/*
	 * Called after the findings of an image, once for each rule with omitted findings; with
	 * the option examples, once for each cause of the rule.
	 */
	void (*omitted)(void *context, const struct ishare_omitted *omitted);
	void (*unexamined)(void *context, const struct ishare_unexamined *unexamined);
	/*
	 * Called now and then with the number of inodes; total comes from the superblock, but
	 * equals done when all have been checked.
	 */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	/*
	 * Called after each finding and each inode. If it returns true, the call ends: it returns
	 * ISHARE_STOPPED when all its threads have ended, and calls the sink no more.
	 */
	bool (*stop)(void *context);
	/*
	 * With digests: called several times a second with the bytes of contents of the image that
	 * have been hashed, and the number that is known so far to be hashed.
	 */
	void (*content)(void *context, uint64_t done, uint64_t total);
	/* Called once for each image whose superblock, or lack of one, could be read. */
	void (*conformance)(void *context, const struct ishare_conformance *conformance);
};

/*
 * Bounds the hashing that a small image can cause with holes and repeatedly used chunks. Several
 * checks may share one budget. Hashing up to 64 times the bytes of an image and its devices does
 * not use the budget. A budget belongs to the caller, and several threads may use it at once.
 * ishare_budget_new returns NULL when memory runs out.
 */
#define ISHARE_BUDGET_BYTES (16ull << 30) /* the default */
struct ishare_budget *ishare_budget_new(uint64_t bytes);
void ishare_budget_free(struct ishare_budget *budget);

/*
 * With digests: what to do about opaque fingerprints, which are not digests. Only a comparison of
 * all files that share can show whether equal ones stand for equal content (rule
 * fingerprint.same-content).
 */
enum ishare_opaque {
	ISHARE_OPAQUE_UNEXAMINED = 0, /* not all images that share are in the domain */
	ISHARE_OPAQUE_COMPARED, /* all of them are: ishare_domain_judge compares contents */
	ISHARE_OPAQUE_TRUSTED, /* equal fingerprints are assumed to stand for equal content */
};

struct ishare_options {
	struct ishare_profile profile; /* see ishare_profile_by_name */
	const bool *rules; /* ISHARE_RULE_COUNT switches, false: do not report; NULL: all */
	/*
	 * If an image has extra devices and none were added: true assumes that the image contains
	 * them, as Linux does without device= options; false leaves their data unexamined. Section
	 * "Which device has a byte" of the chapter "Devices".
	 */
	bool flat;
	bool digests; /* judge fingerprint.digest, .same-content and .padding-zero: read files */
	unsigned int threads; /* for digests; 0: one for each processor */
	struct ishare_budget *budget; /* for digests; NULL: ISHARE_BUDGET_BYTES for each check */
	enum ishare_opaque opaque; /* for digests */
	/*
	 * The sink receives at most this many findings of each rule in an image, at most about
	 * limit * ISHARE_FINDING_BYTES bytes of text for each image, and at most
	 * ISHARE_FINDINGS_BYTES for each summary. It always receives the first finding of each rule
	 * in an image. All findings are counted. 0: no limit.
	 */
	uint64_t limit;
	/*
	 * The sink receives at most this many findings that have the same rule and cause in an
	 * image. It then always receives the first one of each cause, too, whatever limit says. 0:
	 * causes are not told apart.
	 */
	uint64_t examples;
};

/*
 * Returns NULL if ishare_check() and ishare_domain_judge() accept the options, or a sentence that
 * says why not: the profile's page_bits are none of 12 to 16 (options that are all zero name no
 * profile), or opaque is no value of its enumeration.
 */
const char *ishare_options_error(const struct ishare_options *options);

/* The size of a printed finding with short names; and of all findings that are passed on. */
#define ISHARE_FINDING_BYTES 512u
#define ISHARE_FINDINGS_BYTES (64ull << 20)

/* Totals. The caller zeroes the structure; each check adds to it. */
struct ishare_summary {
	uint64_t inodes;
	uint64_t regular_files;
	uint64_t regular_bytes; /* sum of their i_size */
	uint64_t compressed_files; /* regular ones: where their data is was not judged */
	uint64_t fingerprinted_files;
	uint64_t fingerprinted_bytes;
	uint64_t digested_files; /* whose digest was compared with the fingerprint */
	uint64_t hashed_files; /* with opaque fingerprints: to be compared with each other */
	uint64_t findings[3]; /* by enum ishare_severity */
	uint64_t findings_by_rule[ISHARE_RULE_COUNT];
	uint64_t omitted; /* of these: not passed to the sink */
	uint64_t reported_bytes; /* the approximate printed size of the others */
	uint64_t extra_work; /* bytes of metadata of one kind beyond what the images hold */
	uint64_t unexamined; /* reasons, not files */
	/*
	 * Files that share no pages with others of the same fingerprint because these are
	 * compressed and they are not, or the other way round: the fewer of both. Rule
	 * share.data-path-match.
	 */
	uint64_t apart_files;
	uint64_t images_without_fingerprints; /* their superblock does not say ISHARE_XATTRS */
	bool fingerprints_unknown; /* the name of some image's fingerprints could not be read */
};

/*
 * Looks up a profile: "linux-6.12", "linux-7.3", optionally with "/4k", "/16k" or "/64k" for the
 * page size (4k if none is named). Returns false if there is no such profile. Section: "Profiles"
 * of the introduction.
 */
bool ishare_profile_by_name(const char *name, struct ishare_profile *profile);

/* The profiles' names in order, ended by NULL; the last one is the default. */
extern const char *const ishare_profile_names[];

#define ISHARE_BECAUSE_SIZE 64u

/*
 * Whether the kernel of the profile with that name, with its page size, is known to mistreat the
 * image as an advisory says, although it conforms. ishare_check() must have returned ISHARE_DONE
 * for the image. because: if so, what it is about the image, such as "4096-byte blocks". Section
 * "Profiles" of the introduction.
 */
bool ishare_advisory_concerns(const struct ishare_advisory *advisory,
			      const struct ishare_image *image, const char *profile,
			      char because[ISHARE_BECAUSE_SIZE]);

/*
 * Opens a regular file or a block device as an image. Always stores an image, which the caller must
 * close with ishare_image_close; except that when memory runs out, *image is NULL and the result
 * ISHARE_IO_ERROR. ISHARE_IO_ERROR also means that the file cannot be opened, or is neither a
 * regular file nor a block device (the call does not wait for a FIFO).
 */
enum ishare_result ishare_image_open(const char *path, struct ishare_image **image);

/*
 * Opens size bytes in memory as an image with that name in findings. The bytes are not copied: the
 * caller must keep them unchanged until the image is closed. ISHARE_IO_ERROR: memory ran out.
 */
enum ishare_result ishare_image_open_memory(const char *name, const void *bytes, size_t size,
					    struct ishare_image **image);

/*
 * Opens the file that a descriptor refers to, as an image with that name in findings. The
 * descriptor belongs to the image from then on, and is closed with it, or if the call fails. Same
 * errors as ishare_image_open().
 */
enum ishare_result ishare_image_open_fd(const char *name, int fd, struct ishare_image **image);

/*
 * The image begins at this byte of what was opened, and goes on to its end; to be called before
 * anything is read. All other offsets count from there. ISHARE_IO_ERROR: it has fewer bytes.
 */
enum ishare_result ishare_image_begin_at(struct ishare_image *image, uint64_t offset);

/*
 * Adds the image's next extra device (device 1 first), with the same errors. Closing the image
 * closes the device; bytes in memory remain the caller's.
 */
enum ishare_result ishare_image_add_device(struct ishare_image *image, const char *path);
enum ishare_result ishare_image_add_memory(struct ishare_image *image, const void *bytes,
					   size_t size);

/*
 * Returns a sentence about the last error, or "". Valid until the next call on the image.
 */
const char *ishare_image_error(const struct ishare_image *image);

/*
 * The path (or name) as given, the size in bytes, and the number of bytes that are stored, which
 * excludes the holes of a file.
 */
const char *ishare_image_path(const struct ishare_image *image);
uint64_t ishare_image_size(const struct ishare_image *image);
uint64_t ishare_image_held(const struct ishare_image *image);

/*
 * Reads size bytes at offset of the image itself (not of its devices) into buffer.
 * ISHARE_IO_ERROR: the image does not have all of them.
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
 * Checks every rule on the whole image and adds its fingerprints to the domain. Afterwards
 * ishare_domain_judge checks the rules about pairs of files (fingerprint.same-size,
 * fingerprint.same-content).
 * ISHARE_CUT_SHORT: the block size or the root directory is wrong. ISHARE_NOT_EROFS: nothing was
 * checked. ISHARE_IO_ERROR: the check is incomplete; also if devices were added, but not as many as
 * the image has. ISHARE_STOPPED: the sink stopped the check. ISHARE_INVALID: see
 * ishare_options_error(); also if contents are to be compared (ISHARE_OPAQUE_COMPARED), but domain
 * is NULL.
 */
enum ishare_result ishare_check(struct ishare_image *image, const struct ishare_options *options,
				const struct ishare_sink *sink, struct ishare_domain *domain,
				struct ishare_summary *summary);

/*
 * Checks the rules about pairs of files on everything that was added to the domain. Chapter
 * "Fingerprint". ISHARE_IO_ERROR: ishare_image_error() of one of the domain's images has the error.
 * ISHARE_INVALID: ishare_options_error() has it.
 */
enum ishare_result ishare_domain_judge(struct ishare_domain *domain,
				       const struct ishare_options *options,
				       const struct ishare_sink *sink,
				       struct ishare_summary *summary);

#endif
