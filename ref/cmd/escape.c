// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Printable forms of bytes from images and command lines, using the library's ishare_escape.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

char *escape(const void *bytes, size_t size)
{
	char *text = allocate(ISHARE_ESCAPED_MAX * size + 1, 1);

	ishare_escape(text, bytes, size);
	return text;
}

char *escape_string(const char *string)
{
	return escape(string, strlen(string));
}

char *escape_text(const char *text)
{
	size_t left = strlen(text);
	char *fit = allocate(ISHARE_ESCAPED_MAX * left + 1, 1), *to = fit;

	while (left) {
		size_t printable = ishare_printable(text, left);

		to = mempcpy(to, text, printable);
		text += printable;
		left -= printable;
		if (left) {
			to += ishare_escape(to, text++, 1);
			left--;
		}
	}
	return fit;
}

char *hex_digits(const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = allocate(2 * size + 1, 1);
	const uint8_t *s = bytes;

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[s[i] >> 4];
		text[2 * i + 1] = digits[s[i] & 15];
	}
	return text;
}

static void put_and_free(FILE *out, char *text)
{
	fputs(text, out);
	free(text);
}

void put_escaped(FILE *out, const void *bytes, size_t size)
{
	put_and_free(out, escape(bytes, size));
}

void put_string(FILE *out, const char *string)
{
	put_and_free(out, escape_string(string));
}

void put_text(FILE *out, const char *text)
{
	put_and_free(out, escape_text(text));
}
