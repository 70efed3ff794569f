/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the subcommands of erofs-ishare share. */
#ifndef CMD_H
#define CMD_H

#include <argp.h>
#include <stdio.h>

#include <jansson.h>

#include "ishare.h"

/* Exit statuses of all commands and formats. If several apply, the greatest is used. */
enum {
	STATUS_CONFORMS = 0, /* or: done as asked */
	STATUS_VIOLATES = 1, /* an image breaks a rule */
	STATUS_TROUBLE =
		2, /* usage, I/O, not an EROFS image, or something that could not be examined */
};

/* Each runs one subcommand, argv[0] being "erofs-ishare COMMAND", and returns the exit status. */
int cmd_check(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_rules(int argc, char **argv);

/* output.c */

/* Prints an error to stderr, with the program's name before it and a newline after it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Whether a write to stdout has failed: the rest is not needed, and the program will fail.
 */
bool is_unwritten(void);

/* For atexit(): ends the program with STATUS_TROUBLE if not all could be written to stdout. */
void close_stdout(void);

/* arguments.c: command lines */

/* An image as the command line names it. */
struct source {
	const char *path; /* see is_input() */
	uint64_t offset; /* of the image in that file */
	char **devices; /* paths of its extra devices */
	size_t device_count;
};

/* --help, --usage and --version: children of every command's argp. */
extern const struct argp_child common_options[];

/* argp_parse() that ends the program with STATUS_TROUBLE if it fails. */
void parse_arguments(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input);

/* Reports an error in the command line and ends the program with STATUS_TROUBLE. */
void usage_error(const struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Stores the value of --offset, in bytes; a wrong one is a usage error. */
void set_offset(struct source *source, const char *value, const struct argp_state *state);

/*
 * Writes the help of the command with that full name. A help_filter is called once, for the text at
 * the end.
 */
void put_help(const struct argp *argp, const char *name);

/* memory.c */

/* Returns what calloc(count, size) does, or ends the program with STATUS_TROUBLE. */
void *allocate(size_t count, size_t size);

/*
 * Returns the result of a library function, or ends the program with STATUS_TROUBLE if the library
 * ran out of memory.
 */
void *allocated(void *made);

/* text.c: text written to memory */

struct text {
	FILE *out;
	char *bytes;
	size_t size;
};

/* text_end() returns what was written to text->out; the caller frees it. */
void text_begin(struct text *text);
char *text_end(struct text *text);

/* images.c */

/* Whether an image's path, "-", stands for standard input. */
bool is_input(const char *path);

/*
 * Opens an image with its extra devices; ends the program if memory runs out, or if standard input
 * cannot be read. The caller closes the image in any case.
 */
enum ishare_result open_image(const struct source *source, struct ishare_image **image);

/* The default profile. */
const char *default_profile(void);

/* advisories.c: what kernels are known to do to images that conform */

/* An advisory that concerns an image. */
struct advice {
	const struct ishare_advisory *advisory;
	const char *image;
	char *where; /* the profiles, as in "linux-7.3/16k and linux-7.3/64k" */
	char *text; /* one line: where, what is special about the image, and what happens */
};

/*
 * Calls take with each advisory that concerns an image that has been checked, on the kernel of the
 * profile; NULL: on those of any profile.
 */
void each_advice(const char *name, const struct ishare_image *image, const char *profile,
		 void (*take)(void *context, const struct advice *advice), void *context);

/* reasons.c: what the library could not examine, in words */

/* Each follows the name of the thing concerned, but for kind. */
struct reason_words {
	const char *checked; /* of check */
	const char *shown; /* of dump; NULL if dump has no such reason */
	const char *kind; /* the things are, in a count of those that dump does not show */
};

extern const struct reason_words reason_words[]; /* by enum ishare_reason */

/* Return what was not examined and why, and the same as one line with the files concerned. */
char *unexamined_reason(const struct ishare_unexamined *unexamined);
char *unexamined_words(const struct ishare_unexamined *unexamined);

/* words.c: names of values, and values of names */

extern const char
	*const severity_words[]; /* by enum ishare_severity; the names that SARIF uses, too */
extern const char *const harm_words[]; /* by enum ishare_harm */

/* Returns the index of word among words, which NULL ends, or -1. */
int word_index(const char *const *words, const char *word);

/* Returns the rule with this name, or NULL. */
const struct ishare_rule *rule_by_name(const char *name);

/* Returns the advisory with this name, or NULL. */
const struct ishare_advisory *advisory_by_name(const char *name);

/* Returns the rule whose name is most like this one, or NULL if none is like it. */
const struct ishare_rule *rule_most_like(const char *name);

/* Length of the first sentence of a text, without its full stop. */
size_t first_sentence(const char *text);

/* Reads a decimal number; false: the word is not a number, or too large. */
bool read_number(const char *word, uint64_t *number);

/* The same for a number of bytes, which may end in K, M, G or T. */
bool read_bytes(const char *word, uint64_t *bytes);

/* Writes a number as in 1,234,567, after blanks that make it at least so wide. */
void put_grouped(FILE *out, uint64_t number, size_t width);
size_t grouped_width(uint64_t number);

/* Writes "1 thing" or "2 things" after the text before it. */
void put_count(FILE *out, const char *before, uint64_t count, const char *thing);

/* wrap.c */

/* The width of a terminal. */
size_t terminal_columns(int fd);

/* That of the terminal on stdout; SIZE_MAX if stdout is not a terminal. */
size_t output_columns(void);

/*
 * Writes text and a newline to stdout, wrapped at blanks to fit the columns. The cursor is at
 * column indent, where further lines also begin.
 */
void put_wrapped(const char *text, size_t length, size_t indent, size_t columns);

/*
 * The same for each line of a text, by its own indent; a line with two columns, two blanks or more
 * apart, goes on in its second one.
 */
void put_lines(const char *text, size_t columns);

/*
 * Writes a text whose paragraphs are wrapped to a width; on fewer columns, they are wrapped anew.
 * Lists and code in it are indented.
 */
void put_rewrapped(const char *text, size_t width, size_t columns);

/* escape.c: printable forms of bytes from images and command lines */

/* Returns what ishare_escape makes of the bytes; the caller frees it. */
char *escape(const void *bytes, size_t size);
char *escape_string(const char *string);

/*
 * Returns a copy of a text from the library, which is escaped already; escapes any byte that is not
 * printable all the same. The caller frees it.
 */
char *escape_text(const char *text);

/* Returns the bytes as lower-case hexadecimal digits; the caller frees it. */
char *hex_digits(const void *bytes, size_t size);

/* Writes bytes (escape), a string (escape_string) or a text (escape_text) to a stream. */
void put_escaped(FILE *out, const void *bytes, size_t size);
void put_string(FILE *out, const char *string);
void put_text(FILE *out, const char *text);

/* hexdump.c */

/*
 * Writes the rows of bytes around a finding's place, with carets under those at fault and the
 * field's name.
 */
void hexdump_place(FILE *out, const struct ishare_place *place, const char *caret_on,
		   const char *caret_off);

/* json.c: JSON written piece by piece */

/* A document in progress: zero it, then set out. */
struct json_stream {
	FILE *out;
	bool more; /* the open array or object has an item */
};

/* Opens an array ('[') or object ('{'); key names it if an object holds it, else NULL. */
void json_open(struct json_stream *stream, const char *key, char bracket);

/* Writes one item and frees it. */
void json_item(struct json_stream *stream, const char *key, json_t *item);

/* Closes the open array or object with ']' or '}'. */
void json_close(struct json_stream *stream, char bracket);

/*
 * Add a member to an object, or an item to an array, and take over the value. If memory runs out,
 * the program ends.
 */
void json_set(json_t *object, const char *key, json_t *value);
void json_append(json_t *array, json_t *value);

/* Ends the document with a newline. */
void json_end(struct json_stream *stream);

/*
 * An integer; as jansson's are signed, one that exceeds them becomes a string such as
 * "0x8000000000000024".
 */
json_t *json_unsigned(uint64_t value);

/* A string made printable as the functions of escape.c do; json_escaped of NULL is null. */
json_t *json_escaped(const char *string);
json_t *json_text(const char *text);
json_t *json_bytes(const void *bytes, size_t size);
json_t *json_hex(const void *bytes, size_t size);

/* progress.c: a bar on stderr */

struct amount {
	uint64_t done, total; /* any numbers: an image can claim anything */
};

struct progress {
	const char *image; /* what is being worked on */
	struct amount inodes; /* of it */
	struct amount content; /* bytes that are hashed; total: those known so far */
	bool terminal; /* whether stderr is one, and a bar is wanted */
	bool shown;
	double start, last; /* seconds */
};

/* wanted: false: there will be no bar. */
void progress_start(struct progress *progress, bool wanted);
void progress_image(struct progress *progress, const char *image);
void progress_inodes(struct progress *progress, struct amount inodes);
void progress_content(struct progress *progress, struct amount content);
void progress_clear(struct progress *progress);

/* Seconds since some fixed moment. */
double seconds(void);

#endif
