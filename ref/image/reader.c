// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Reads images and devices by pread into private memory: never a shared mapping, so that a file
 * that shrinks under the reader is a short read and not a SIGBUS, and no byte changes between check
 * and use.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"

/*
 * Metadata lies between file data: larger windows would mostly fetch unused bytes
 * (measured).
 */
#define LINE_SIZE 4096u

struct cache_line {
	uint8_t *bytes; /* allocated when the line is first used */
	uint64_t offset;
	size_t size; /* 0: empty */
	uint32_t device;
};

static bool is_in_memory(const struct volume *volume)
{
	for (uint32_t i = 0; i < volume->device_count; i++)
		if (!volume->devices[i].bytes)
			return false;
	return true;
}

bool reader_init(struct reader *reader, const struct volume *volume, size_t line_count)
{
	memset(reader, 0, sizeof(*reader));
	reader->volume = volume;
	reader->cache.count = is_in_memory(volume) ? 1 : line_count; /* nothing to cache */
	reader->cache.lines = calloc(reader->cache.count, sizeof(*reader->cache.lines));
	return reader->cache.lines;
}

void reader_release(struct reader *reader)
{
	for (size_t i = 0; reader->cache.lines && i < reader->cache.count; i++)
		free(reader->cache.lines[i].bytes);
	free(reader->cache.lines);
	for (size_t i = 0; i < SPACES; i++)
		free(reader->windows[i].bytes);
	memset(reader, 0, sizeof(*reader));
}

enum read_result read_failed(struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error, sizeof(reader->error), format, args);
	va_end(args);
	return READ_FAILED;
}

enum read_result rule_broken(struct reader *reader, enum read_result result,
			     enum ishare_rule_id rule)
{
	reader->rule = rule;
	return result;
}

static enum read_result read_exactly(struct reader *reader, uint32_t device, uint64_t offset,
				     uint8_t *buffer, size_t size)
{
	const struct device *from = &reader->volume->devices[device];
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(from->fd, buffer + done, size - done,
				  (off_t)(from->start + offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return read_failed(reader, "reading %zu byte%s at offset %" PRIu64 ": %s",
					   size, size == 1 ? "" : "s", offset,
					   n < 0 ? strerror(errno) : "the file has shrunk");
		done += (size_t)n;
	}
	return READ_OK;
}

/*
 * The cache is direct-mapped: metadata is mostly walked in order, so a more complex one gains
 * nothing.
 */
static const struct cache_line *load_line(struct reader *reader, uint32_t device, uint64_t offset)
{
	uint64_t size = reader->volume->devices[device].size;
	uint64_t start = offset / LINE_SIZE * LINE_SIZE;
	struct cache_line *line =
		&reader->cache.lines[(offset / LINE_SIZE + device) % reader->cache.count];

	if (line->size && line->offset == start && line->device == device)
		return line;
	if (!line->bytes)
		line->bytes = malloc(LINE_SIZE);
	if (!line->bytes) {
		read_failed(reader, "out of memory");
		return NULL;
	}
	line->size = 0;
	size = size - start < LINE_SIZE ? size - start : LINE_SIZE;
	if (read_exactly(reader, device, start, line->bytes, (size_t)size) != READ_OK)
		return NULL;
	line->size = (size_t)size;
	line->offset = start;
	line->device = device;
	return line;
}

static enum read_result copy_through_cache(struct reader *reader, uint32_t device, uint64_t offset,
					   uint8_t *buffer, size_t size)
{
	while (size) {
		const struct cache_line *line = load_line(reader, device, offset);
		size_t skip = (size_t)(offset % LINE_SIZE);
		size_t n;

		if (!line)
			return READ_FAILED;
		n = line->size - skip < size ? line->size - skip : size;
		memcpy(buffer, line->bytes + skip, n);
		buffer += n;
		offset += n;
		size -= n;
	}
	return READ_OK;
}

/*
 * A file that changes may give different sizes when read twice: so every range is checked here
 * again.
 */
enum read_result reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
			     size_t size)
{
	const struct device *d = &reader->volume->devices[device];

	if (!ishare_fits(d->size, offset, size))
		return read_failed(reader, "reading %zu byte%s at offset %" PRIu64 ": past the end",
				   size, size == 1 ? "" : "s", offset);
	if (d->bytes)
		memcpy(buffer, d->bytes + offset, size);
	else if (size >= LINE_SIZE)
		return read_exactly(reader, device, offset, buffer, size);
	else
		return copy_through_cache(reader, device, offset, buffer, size);
	return READ_OK;
}
