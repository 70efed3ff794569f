// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Names and values from images as text: printable UTF-8 that can be converted back to the bytes. */
#include <string.h>

#include "image/image.h"
#include "image/unprintable.h"

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

/* Not iswprint(): the same image gives the same text under every locale and C library. */
static bool is_unprintable(uint32_t c)
{
	size_t low = 0, high = sizeof(unprintable_edges) / sizeof(unprintable_edges[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unprintable_edges[middle] <= c)
			low = middle + 1;
		else
			high = middle;
	}
	return low % 2; /* edges up to c */
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
	if (c < least[more] || c > 0x10ffff || is_unprintable(c))
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

/* separator: a printable character that is escaped as well; NUL, which always is: no other. */
static size_t escape_bytes(char *text, const void *bytes, size_t size, uint8_t separator)
{
	const uint8_t *s = bytes;
	char *to = text;

	while (size) {
		size_t length = *s == separator ? 0 : printable_character(s, size);

		if (!length) {
			to = put_byte(to, *s);
			length = 1;
		} else {
			if (*s == '\\')
				*to++ = '\\';
			memcpy(to, s, length);
			to += length;
		}
		s += length;
		size -= length;
	}
	*to = '\0';
	return (size_t)(to - text);
}

size_t ishare_escape(char *text, const void *bytes, size_t size)
{
	return escape_bytes(text, bytes, size, '\0');
}

size_t escape_component(char *text, const void *bytes, size_t size)
{
	return escape_bytes(text, bytes, size, '/');
}

size_t ishare_printable(const void *bytes, size_t size)
{
	const uint8_t *s = bytes;
	size_t done = 0, length;

	while (done < size && (length = printable_character(s + done, size - done)))
		done += length;
	return done;
}
