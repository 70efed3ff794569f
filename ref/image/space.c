// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Views of spaces. Each space has a window of its own in a reader, so that a view of one survives
 * the reading of another: of the metabox, say, which is itself read from the image.
 */
#include <stdlib.h>

#include "image/image.h"

struct space file_space(const struct file *file, const char *name)
{
	return (struct space){
		.id = SPACE_FILE, .name = name, .size = file->inode.size, .file = *file
	};
}

bool is_known(const struct space *space)
{
	return space->state == READ_OK || space->state == READ_NOTHING;
}

/* An image that its caller holds in memory does not change: views point into it. */
static bool view_memory(const struct reader *reader, uint64_t offset, size_t size,
			struct ishare_view *view)
{
	const struct device *image = &reader->volume->devices[0];

	if (!image->bytes || !ishare_fits(image->size, offset, size))
		return false;
	view->data = image->bytes + offset;
	return true;
}

static uint8_t *open_window(struct reader *reader, struct window *window, size_t size)
{
	uint8_t *grown;

	if (window->bytes && window->room >= size)
		return window->bytes;
	grown = realloc(window->bytes, size ? size : 1);
	if (!grown) {
		read_failed(reader, "out of memory");
		return NULL;
	}
	window->bytes = grown;
	window->room = size;
	return grown;
}

enum read_result space_view(struct reader *reader, const struct space *space, uint64_t offset,
			    size_t size, struct ishare_view *view)
{
	enum read_result result;
	uint8_t *bytes;

	view->size = size;
	if (space->id == SPACE_IMAGE && view_memory(reader, offset, size, view))
		return READ_OK;
	bytes = open_window(reader, &reader->windows[space->id], size);
	if (!bytes)
		return READ_FAILED;
	view->data = bytes;
	if (space->id == SPACE_IMAGE)
		return reader_copy(reader, 0, offset, bytes, size);
	result = file_read(reader, &space->file, offset, bytes, size);
	return result == READ_OUTSIDE ? READ_CORRUPT : result;
}
