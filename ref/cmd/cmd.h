/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What the subcommands of erofs-ishare share. */
#ifndef CMD_H
#define CMD_H

#include <argp.h>
#include <stdio.h>

#include <jansson.h>

#include "ishare.h"

/* Exit statuses, the same for every command and format; the greater one wins. */
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

/* Says on stderr what went wrong; the program's name and a newline are added. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Whether what was written to stdout could not be: nobody needs the rest, and the program will
 * fail.
 */
bool is_unwritten(void);

/* For atexit(): ends the program with STATUS_TROUBLE if not all could be written to stdout. */
void close_stdout(void);

/* arguments.c: command lines */

/* --help, --usage and --version: children of every command's argp. */
extern const struct argp_child common_options[];

/* argp_parse() that ends the program with STATUS_TROUBLE if it fails. */
void parse_arguments(const struct argp *argp, int argc, char **argv, unsigned int flags,
		     void *input);

/* Says what is wrong with the command line and ends the program with STATUS_TROUBLE. */
void usage_error(const struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/*
 * Writes the help of the command with that full name. A help_filter is asked once, for what stands
 * at the end.
 */
void put_help(const struct argp *argp, const char *name);

/* memory.c */

/* Returns what calloc(count, size) does, or ends the program with STATUS_TROUBLE. */
void *allocate(size_t count, size_t size);

/*
 * Ends the program with STATUS_TROUBLE if a library had no memory for what it should have made;
 * else returns it.
 */
void *allocated(void *made);

/* text.c: a text that is written before it is needed */

struct text {
	FILE *out;
	char *bytes;
	size_t size;
};

/* What is written to text->out becomes what text_end returns and the caller frees. */
void text_begin(struct text *text);
char *text_end(struct text *text);

/* images.c */

/*
 * Opens an image with its extra devices; ends the program if memory runs out. The caller closes it
 * in any case.
 */
enum ishare_result open_image(const char *path, char **devices, size_t device_count,
			      struct ishare_image **image);

/* The reader that images are judged for unless the user names one. */
const char *default_profile(void);

/* Returns what was not examined as one line, which the caller frees. */
char *unexamined_words(const struct ishare_unexamined *unexamined);

/* words.c: names of values, and values of names */

extern const char
	*const severity_words[]; /* by enum ishare_severity; the names that SARIF uses, too */
extern const char *const harm_words[]; /* by enum ishare_harm */

/* Returns the index of word among words, which NULL ends, or -1. */
int word_index(const char *const *words, const char *word);

/* Returns the rule with this name, or NULL. */
const struct ishare_rule *rule_by_name(const char *name);

/* Returns the rule whose name is most like this one, or NULL if none is like it. */
const struct ishare_rule *rule_most_like(const char *name);

/* Length of the first sentence of a text, without its full stop. */
size_t first_sentence(const char *text);

/* Reads a decimal number; false: the word is none, or too large. */
bool read_number(const char *word, uint64_t *number);

/* Writes "1 thing" or "2 things" after the text before it. */
void put_count(FILE *out, const char *before, uint64_t count, const char *thing);

/* wrap.c */

/* The width of the terminal that stdout is; SIZE_MAX if it is none. */
size_t output_columns(void);

/*
 * Writes text and a newline to stdout, broken at blanks to keep within the columns. The cursor is
 * at indent, where further lines begin, too.
 */
void put_wrapped(const char *text, size_t length, size_t indent, size_t columns);

/* The same for each line of a text, by its own indent. */
void put_lines(const char *text, size_t columns);

/* escape.c: making bytes from images and command lines fit to print */

/* Returns what ishare_escape makes of the bytes; the caller frees it. */
char *escape(const void *bytes, size_t size);
char *escape_string(const char *string);

/*
 * Returns a text of the library, which is escaped already; a byte that is not printable in spite of
 * that does not get out either. The caller frees it.
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

/* json.c: JSON written while its parts become known */

/* A document on its way out; zero it, set out. */
struct json_stream {
	FILE *out;
	bool more; /* the array or object that is open has an item already */
};

/* Opens an array ('[') or object ('{'); key names it if an object holds it, else NULL. */
void json_open(struct json_stream *stream, const char *key, char bracket);

/* Writes one item and frees it. */
void json_item(struct json_stream *stream, const char *key, json_t *item);

/* Closes what is open with ']' or '}'. */
void json_close(struct json_stream *stream, char bracket);

/*
 * Give an object a member, or an array an item, and take over the value; without memory for either
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

struct progress {
	const char *image; /* what is being worked on */
	bool terminal; /* whether stderr is one */
	bool shown;
	double start, last; /* seconds */
};

void progress_start(struct progress *progress);
void progress_update(struct progress *progress, uint64_t done, uint64_t total);
void progress_clear(struct progress *progress);

/* Seconds since some fixed moment. */
double seconds(void);

#endif
