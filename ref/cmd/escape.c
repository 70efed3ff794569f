// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Making bytes from images and command lines fit to print: no control characters, valid UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const char digits[] = "0123456789abcdef";

/* Bytes that should follow a first byte of UTF-8; more than there can be if it is none. */
static size_t following_bytes(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	if (first >= 0xf0 && first < 0xf5)
		return 3;
	return SIZE_MAX;
}

/* Control characters, line separators, and what reorders the text around it. */
static bool is_unfit(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Length of the printable character at s, of which size > 0 bytes are there; 0 if there is none. */
static size_t printable_character(const uint8_t *s, size_t size)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	size_t more = following_bytes(s[0]);
	uint32_t c;

	if (more >= size)
		return 0;
	c = more ? s[0] & (0x3fu >> more) : s[0];
	for (size_t i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || is_unfit(c))
		return 0;
	return more + 1;
}

static char *put_byte(char *to, uint8_t byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = digits[byte >> 4];
	*to++ = digits[byte & 15];
	return to;
}

static char *escape_bytes(const uint8_t *s, size_t size, bool double_backslash)
{
	char *text = allocate(4 * size + 1, 1), *to = text;

	while (size) {
		size_t length = printable_character(s, size);

		if (length == 0) {
			to = put_byte(to, *s);
			length = 1;
		} else {
			if (*s == '\\' && double_backslash)
				*to++ = '\\';
			memcpy(to, s, length);
			to += length;
		}
		s += length;
		size -= length;
	}
	return text;
}

char *escape(const void *bytes, size_t size)
{
	return escape_bytes(bytes, size, true);
}

char *escape_string(const char *string)
{
	return escape(string, strlen(string));
}

char *escape_text(const char *text)
{
	return escape_bytes((const uint8_t *)text, strlen(text), false);
}

bool is_printable(const void *bytes, size_t size)
{
	const uint8_t *s = bytes;

	while (size) {
		size_t length = printable_character(s, size);

		if (length == 0)
			return false;
		s += length;
		size -= length;
	}
	return true;
}

char *hex_digits(const void *bytes, size_t size)
{
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
