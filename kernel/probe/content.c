// SPDX-License-Identifier: GPL-2.0-or-later
#include "content.h"

#include <string.h>

#define LINE 64

/* The finalizer of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static void fill_line(uint32_t seed, uint64_t number, uint8_t line[LINE])
{
	uint64_t word = mix(((uint64_t)seed << 32) + number + 1);

	if ((seed & SPARSE) && (number * LINE >> 16) % 2)
		word = 0;
	for (unsigned int i = 0; i < LINE; i++)
		line[i] = (uint8_t)(word >> i % 8 * 8);
}

void content_fill(uint32_t seed, uint64_t offset, uint8_t *out, size_t size)
{
	uint8_t line[LINE];

	while (size) {
		size_t start = offset % LINE, n = LINE - start < size ? LINE - start : size;

		fill_line(seed, offset / LINE, line);
		memcpy(out, line + start, n);
		out += n;
		offset += n;
		size -= n;
	}
}

size_t content_differs(uint32_t seed, uint64_t offset, const uint8_t *data, size_t size)
{
	uint8_t line[LINE];

	for (size_t done = 0, n; done < size; done += n) {
		size_t start = (offset + done) % LINE;

		n = LINE - start < size - done ? LINE - start : size - done;
		fill_line(seed, (offset + done) / LINE, line);
		if (!memcmp(data + done, line + start, n))
			continue;
		while (data[done] == line[start])
			done++, start++;
		return done;
	}
	return size;
}

bool content_is(uint32_t seed, uint64_t offset, const uint8_t *data, size_t size)
{
	return content_differs(seed, offset, data, size) == size;
}
