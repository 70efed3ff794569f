// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Names of values, and values of names. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

const char *const severity_words[] = {
	[ISHARE_ERROR] = "error",
	[ISHARE_WARNING] = "warning",
	[ISHARE_NOTE] = "note",
	NULL,
};

const char *const harm_words[] = {
	[ISHARE_HARM_MEMORY_SAFETY] = "memory-safety",
	[ISHARE_HARM_WRONG_DATA] = "wrong-data",
	[ISHARE_HARM_LOST_SHARING] = "lost-sharing",
	[ISHARE_HARM_POLICY] = "policy",
	NULL,
};

int word_index(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

const struct ishare_rule *rule_by_name(const char *name)
{
	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (strcmp(ishare_rules[i].name, name) == 0)
			return &ishare_rules[i];
	return NULL;
}

const struct ishare_advisory *advisory_by_name(const char *name)
{
	const struct ishare_advisory *advisory = ishare_advisories;

	while (advisory->name && strcmp(advisory->name, name) != 0)
		advisory++;
	return advisory->name ? advisory : NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many characters to insert, remove or change to turn a into b (Levenshtein). row: strlen(b) +
 * 1 numbers.
 */
static size_t edit_distance(const char *a, const char *b, size_t *row)
{
	size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t changed = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = least(changed, least(row[j], diagonal) + 1);
		}
	}
	return row[length];
}

/* Whether the name goes beyond its group. */
static bool is_cut_short(const char *name, const char *whole)
{
	const char *group_end = strchr(name, '.');

	return group_end && group_end[1] && strncmp(name, whole, strlen(name)) == 0;
}

const struct ishare_rule *rule_most_like(const char *name)
{
	const struct ishare_rule *best = NULL;
	size_t limit = strlen(name) / 3 + 2, best_distance = limit;

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		const char *candidate = ishare_rules[i].name;
		size_t *row = allocate(strlen(candidate) + 1, sizeof(*row));
		size_t distance = edit_distance(name, candidate, row);

		free(row);
		/* a name without its group, or cut short, is a near miss, too */
		if ((strchr(candidate, '.') && strcmp(strchr(candidate, '.') + 1, name) == 0) ||
		    is_cut_short(name, candidate))
			distance = 1;
		if (distance < best_distance) {
			best = &ishare_rules[i];
			best_distance = distance;
		}
	}
	return best;
}

/* The entry names `.` and `..`, which stand after a blank, end no sentence. */
static bool is_full_stop(const char *text, const char *period)
{
	if (period == text || period[-1] == ' ' || period[-1] == '.')
		return false;
	return !period[1] || (period[1] == ' ' && isupper((unsigned char)period[2]));
}

size_t first_sentence(const char *text)
{
	const char *end = strchr(text, '.');

	while (end && !is_full_stop(text, end))
		end = strchr(end + 1, '.');
	return end ? (size_t)(end - text) : strlen(text);
}

/* Returns what follows the number; NULL: there is none, or it is too large. */
static const char *read_digits(const char *word, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 10);
	return isdigit((unsigned char)*word) && !errno ? end : NULL;
}

bool read_number(const char *word, uint64_t *number)
{
	const char *rest = read_digits(word, number);

	return rest && !*rest;
}

bool read_bytes(const char *word, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *rest = read_digits(word, bytes), *unit;
	unsigned int bits = 0;

	if (!rest)
		return false;
	unit = *rest ? strchr(units, *rest) : NULL;
	if (unit) {
		bits = 10 * (unsigned int)(unit - units + 1);
		rest++;
	}
	if (*rest || *bytes > UINT64_MAX >> bits)
		return false;
	*bytes <<= bits;
	return true;
}

void put_count(FILE *out, const char *before, uint64_t count, const char *thing)
{
	fprintf(out, "%s%" PRIu64 " %s%s", before, count, thing, count == 1 ? "" : "s");
}

size_t grouped_width(uint64_t number)
{
	size_t digits = (size_t)snprintf(NULL, 0, "%" PRIu64, number);

	return digits + (digits - 1) / 3;
}

void put_grouped(FILE *out, uint64_t number, size_t width)
{
	char text[24];
	size_t digits = (size_t)snprintf(text, sizeof(text), "%" PRIu64, number);

	for (size_t i = grouped_width(number); i < width; i++)
		fputc(' ', out);
	for (size_t i = 0; i < digits; i++) {
		if (i && (digits - i) % 3 == 0)
			fputc(',', out);
		fputc(text[i], out);
	}
}
