// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Reads the table of long xattr name prefixes. Chapter "Long xattr name prefixes". */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

/*
 * The largest record, and one whose length field lies: its whole claimed size must be seen to tell
 * which rule it breaks.
 */
#define RECORD_ROOM 260u
#define LYING_RECORD_ROOM 65540u

const struct space *prefix_space(const struct volume *volume)
{
	switch (ishare_prefix_space(&volume->sb)) {
	case ISHARE_PREFIX_IN_METABOX:
		return &volume->metabox;
	case ISHARE_PREFIX_IN_PACKED:
		return &volume->packed;
	default:
		return &volume->image;
	}
}

struct ishare_name prefix_name(const struct prefix_table *prefixes, uint32_t index)
{
	const struct ishare_prefix *p = &prefixes->items[index];

	return (struct ishare_name){ p->stored.base_index,
				     { prefixes->bytes + p->infix, p->infix_size } };
}

/* Makes a private copy of the table. */
static enum read_result copy_table(struct reader *reader, struct volume *volume,
				   const struct space *space)
{
	uint64_t start = ishare_prefix_start(&volume->sb);
	uint64_t room = volume->sb.xattr_prefix_count * RECORD_ROOM + LYING_RECORD_ROOM;
	struct prefix_table *table = &volume->prefixes;
	struct ishare_view view;
	enum read_result result;
	size_t size = (size_t)(space->size - start < room ? space->size - start : room);

	result = space_view(reader, space, start, size, &view);
	if (result != READ_OK)
		return result;
	table->bytes = malloc(size + 1); /* never malloc(0), which may be NULL */
	table->items = calloc(volume->sb.xattr_prefix_count, sizeof(*table->items));
	if (!table->bytes || !table->items)
		return read_failed(reader, "out of memory");
	memcpy(table->bytes, view.data, size);
	table->size = size;
	return READ_OK;
}

static enum read_result decode_table(struct reader *reader, struct prefix_table *table,
				     uint32_t count)
{
	struct ishare_view view = { table->bytes, table->size };
	struct ishare_prefix p;
	enum ishare_status status;

	for (status = ishare_prefix_first(&view, count, &p); status == ISHARE_OK;
	     status = ishare_prefix_next(&view, count, &p))
		table->items[table->count++] = p;
	if (status != ISHARE_MALFORMED)
		return READ_OK;
	return rule_broken(reader, READ_CORRUPT,
			   prefix_record_bounds(&view, p.pos) ? ISHARE_RULE_PREFIX_LENGTH
							      : ISHARE_RULE_PREFIX_RECORD_BOUNDS);
}

enum read_result read_prefixes(struct reader *reader, struct volume *volume)
{
	const struct space *space = prefix_space(volume);
	uint32_t count = volume->sb.xattr_prefix_count;
	enum read_result result;

	if (!count)
		return READ_OK;
	if (space->state != READ_OK)
		return rule_broken(reader, space->state, space->rule);
	if (!prefix_location(&volume->sb, space->size))
		return rule_broken(reader, READ_OUTSIDE, ISHARE_RULE_PREFIX_LOCATION);
	result = copy_table(reader, volume, space);
	return result == READ_OK ? decode_table(reader, &volume->prefixes, count) : result;
}
