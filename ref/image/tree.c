// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The directories of an image, remembered by name and parent so that a path is built only when it
 * is needed.
 */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static bool make_room(struct tree *tree, size_t name_size)
{
	return array_make_room(&tree->directories, &tree->room, tree->count + 1,
			       sizeof(*tree->directories)) &&
	       array_make_room(&tree->names, &tree->names_room, tree->names_size + name_size, 1);
}

uint32_t tree_add(struct tree *tree, uint64_t nid, uint32_t parent, const uint8_t *name,
		  size_t name_size)
{
	struct directory *directory;

	if (tree->count >= NO_DIRECTORY || !make_room(tree, name_size))
		return NO_DIRECTORY;
	directory = &tree->directories[tree->count];
	directory->nid = nid;
	directory->parent = parent;
	directory->name = tree->names_size;
	directory->name_size = (uint32_t)name_size;
	if (name_size)
		memcpy(tree->names + tree->names_size, name, name_size);
	tree->names_size += name_size;
	return (uint32_t)tree->count++;
}

/* Puts "/name", escaped, before what stands at *start; false if it does not fit. */
static bool prepend(char *buffer, size_t *start, const void *name, size_t name_size)
{
	char shown[ENTRY_NAME_SHOWN];
	size_t size = escape_component(shown, name, name_size);

	if (*start < size + 1)
		return false;
	*start -= size;
	memcpy(buffer + *start, shown, size);
	buffer[--*start] = '/';
	return true;
}

void tree_path(const struct tree *tree, uint32_t directory, const uint8_t *name, size_t name_size,
	       char *buffer, size_t buffer_size)
{
	size_t start = buffer_size - 1;
	bool fits = true;

	buffer[start] = '\0';
	if (name_size)
		fits = prepend(buffer, &start, name, name_size);
	while (fits && tree->directories[directory].parent != directory) {
		const struct directory *d = &tree->directories[directory];

		fits = prepend(buffer, &start, tree->names + d->name, d->name_size);
		directory = d->parent;
	}
	if (start == buffer_size - 1)
		buffer[--start] = '/';
	if (!fits) {
		start = start < 3 ? 3 : start;
		start -= 3;
		memcpy(buffer + start, "...", 3);
	}
	memmove(buffer, buffer + start, buffer_size - start);
}

void tree_release(struct tree *tree)
{
	free(tree->directories);
	free(tree->names);
	memset(tree, 0, sizeof(*tree));
}
