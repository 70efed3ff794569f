// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Reads images and devices by pread into private memory: never a shared mapping, so that a file
 * that shrinks under the reader is a short read and not a SIGBUS, and no byte changes between check
 * and use. An image that its caller holds in memory does not change: views point into it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "image/image.h"

/*
 * Metadata lies between file data: larger windows would mostly fetch what nobody asked for
 * (measured).
 */
#define LINE_SIZE 4096u

struct cache_line {
	uint8_t *bytes; /* allocated when the line is first used */
	uint64_t offset;
	size_t size; /* 0: empty */
	uint32_t device;
};

static bool is_in_memory(const struct ishare_image *image)
{
	for (uint32_t i = 0; i < image->device_count; i++)
		if (!image->devices[i].bytes)
			return false;
	return true;
}

bool reader_init(struct reader *reader, struct ishare_image *image, size_t line_count)
{
	memset(reader, 0, sizeof(*reader));
	reader->image = image;
	reader->line_count = is_in_memory(image) ? 1 : line_count; /* nothing to cache */
	reader->lines = calloc(reader->line_count, sizeof(*reader->lines));
	return reader->lines;
}

void reader_release(struct reader *reader)
{
	for (size_t i = 0; reader->lines && i < reader->line_count; i++)
		free(reader->lines[i].bytes);
	free(reader->lines);
	free(reader->scratch);
	free(reader->buffer);
	memset(reader, 0, sizeof(*reader));
}

static bool read_exactly(struct reader *reader, uint32_t device, uint64_t offset, uint8_t *buffer,
			 size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(reader->image->devices[device].fd, buffer + done, size - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			snprintf(reader->error, sizeof(reader->error),
				 "reading %zu bytes at offset %" PRIu64 ": %s", size, offset,
				 n < 0 ? strerror(errno) : "the file has shrunk");
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/*
 * The cache is direct-mapped: metadata is mostly walked in order, so that a cleverer one gains
 * nothing.
 */
static const struct cache_line *load_line(struct reader *reader, uint32_t device, uint64_t offset)
{
	uint64_t size = reader->image->devices[device].size;
	uint64_t start = offset / LINE_SIZE * LINE_SIZE;
	struct cache_line *line =
		&reader->lines[(offset / LINE_SIZE + device) % reader->line_count];

	if (line->size && line->offset == start && line->device == device)
		return line;
	if (!line->bytes)
		line->bytes = malloc(LINE_SIZE);
	if (!line->bytes) {
		snprintf(reader->error, sizeof(reader->error), "out of memory");
		return NULL;
	}
	line->size = 0;
	if (!read_exactly(reader, device, start, line->bytes,
			  size - start < LINE_SIZE ? (size_t)(size - start) : LINE_SIZE))
		return NULL;
	line->size = size - start < LINE_SIZE ? (size_t)(size - start) : LINE_SIZE;
	line->offset = start;
	line->device = device;
	return line;
}

static bool copy_through_cache(struct reader *reader, uint32_t device, uint64_t offset,
			       uint8_t *buffer, size_t size)
{
	while (size) {
		const struct cache_line *line = load_line(reader, device, offset);
		size_t skip = (size_t)(offset % LINE_SIZE);
		size_t n;

		if (!line)
			return false;
		n = line->size - skip < size ? line->size - skip : size;
		memcpy(buffer, line->bytes + skip, n);
		buffer += n;
		offset += n;
		size -= n;
	}
	return true;
}

/*
 * Whoever reads twice may be told twice as much by a file that changes: so every range is checked
 * here again.
 */
static bool in_device(struct reader *reader, uint32_t device, uint64_t offset, size_t size)
{
	if (ishare_fits(reader->image->devices[device].size, offset, size))
		return true;
	snprintf(reader->error, sizeof(reader->error),
		 "%zu bytes at offset %" PRIu64 " reach past the end", size, offset);
	return false;
}

bool reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer, size_t size)
{
	const uint8_t *bytes = reader->image->devices[device].bytes;

	if (!in_device(reader, device, offset, size))
		return false;
	if (bytes) {
		memcpy(buffer, bytes + offset, size);
		return true;
	}
	if (size >= LINE_SIZE)
		return read_exactly(reader, device, offset, buffer, size);
	return copy_through_cache(reader, device, offset, buffer, size);
}

static uint8_t *grow(struct reader *reader, uint8_t **buffer, size_t *room, size_t size)
{
	uint8_t *grown;

	if (*room >= size && *buffer)
		return *buffer;
	grown = realloc(*buffer, size ? size : 1);
	if (!grown) {
		snprintf(reader->error, sizeof(reader->error), "out of memory");
		return NULL;
	}
	*buffer = grown;
	*room = size;
	return grown;
}

uint8_t *reader_buffer(struct reader *reader, size_t size)
{
	return grow(reader, &reader->buffer, &reader->buffer_size, size);
}

bool reader_view(struct reader *reader, uint32_t device, uint64_t offset, size_t size,
		 struct ishare_view *view)
{
	const uint8_t *bytes = reader->image->devices[device].bytes;

	view->size = size;
	if (!in_device(reader, device, offset, size))
		return false;
	if (bytes) {
		view->data = bytes + offset;
		return true;
	}
	if (offset / LINE_SIZE == (offset + size - 1) / LINE_SIZE && size) {
		const struct cache_line *line = load_line(reader, device, offset);

		if (!line)
			return false;
		view->data = line->bytes + offset % LINE_SIZE;
		return true;
	}
	view->data = grow(reader, &reader->scratch, &reader->scratch_size, size);
	return view->data && reader_copy(reader, device, offset, reader->scratch, size);
}
