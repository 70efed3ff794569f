// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Reads the table of long xattr name prefixes and holds its rules against it: chapter "Long xattr
 * name prefixes".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

/*
 * The largest record, and one whose length field lies: its whole claimed size must be seen to tell
 * which rule it breaks.
 */
#define RECORD_ROOM 260u
#define LYING_RECORD_ROOM 65540u

static const struct space *table_space(const struct ishare_image *image)
{
	switch (ishare_prefix_space(&image->sb)) {
	case ISHARE_PREFIX_IN_METABOX:
		return &image->metabox;
	case ISHARE_PREFIX_IN_PACKED:
		return &image->packed;
	default:
		return &image->space;
	}
}

static struct place record_place(const struct check *check, size_t pos)
{
	return place_struct(table_space(check->image), ISHARE_STRUCT_PREFIX_RECORD,
			    ishare_prefix_start(&check->image->sb) + pos);
}

/* Makes a private copy of the table; view->size 0: there is none to judge. */
static bool copy_table(struct check *check, const struct space *space, struct ishare_view *table)
{
	struct ishare_image *image = check->image;
	uint64_t start = ishare_prefix_start(&image->sb);
	uint64_t room = image->sb.xattr_prefix_count * RECORD_ROOM + LYING_RECORD_ROOM;
	enum read_result result;

	table->size = (size_t)(space->size - start < room ? space->size - start : room);
	result = space_view(&check->reader, space, start, table->size, table);
	if (result != READ_OK) {
		not_readable(check, THE_PREFIX_TABLE, result);
		return false;
	}
	image->prefixes.bytes = malloc(table->size + 1); /* never malloc(0), which may be NULL */
	image->prefixes.items =
		calloc(image->sb.xattr_prefix_count, sizeof(*image->prefixes.items));
	if (!image->prefixes.bytes || !image->prefixes.items) {
		check_no_memory(check);
		return false;
	}
	memcpy(image->prefixes.bytes, table->data, table->size);
	image->prefixes.size = table->size;
	table->data = image->prefixes.bytes;
	return true;
}

static void report_malformed(struct check *check, const struct ishare_view *table,
			     const struct ishare_prefix *p)
{
	if (!prefix_record_bounds(table, p->pos))
		report(check, ISHARE_RULE_PREFIX_RECORD_BOUNDS, record_place(check, p->pos),
		       "prefix %" PRIu32 " of %" PRIu32
		       " ends beyond the space that holds the table",
		       p->index, check->image->sb.xattr_prefix_count);
	if (!prefix_length(table, p->pos))
		report(check, ISHARE_RULE_PREFIX_LENGTH, record_place(check, p->pos),
		       "the length of prefix %" PRIu32 " is not 1 to 256", p->index);
}

static void check_record(struct check *check, const struct ishare_view *table,
			 const struct ishare_prefix *p)
{
	if (!prefix_base_index(p))
		report(check, ISHARE_RULE_PREFIX_BASE_INDEX,
		       place_field(table_space(check->image), ISHARE_STRUCT_PREFIX_RECORD,
				   ishare_prefix_start(&check->image->sb) + p->pos,
				   ISHARE_PREFIX_RECORD_BASE_INDEX_OFFSET),
		       "base_index of prefix %" PRIu32 " is %" PRIu32 ", which names no namespace",
		       p->index, p->base_index);
	if (!prefix_padding_zero(table, p))
		report(check, ISHARE_RULE_PREFIX_PADDING_ZERO,
		       place_bytes(table_space(check->image),
				   ishare_prefix_start(&check->image->sb) + p->infix +
					   p->infix_size,
				   (uint32_t)(p->next - p->infix - p->infix_size)),
		       "the padding after prefix %" PRIu32 " is not zero", p->index);
}

static struct ishare_name prefix_name(const struct prefix_table *prefixes, uint32_t i)
{
	const struct ishare_prefix *p = &prefixes->items[i];

	return (struct ishare_name){ p->base_index, { prefixes->bytes + p->infix, p->infix_size } };
}

/* Reports each record at most once; there are at most 255. */
static void check_duplicates(struct check *check)
{
	const struct prefix_table *prefixes = &check->image->prefixes;

	for (uint32_t i = 1; i < prefixes->count; i++) {
		struct ishare_name name = prefix_name(prefixes, i);

		for (uint32_t j = 0; j < i; j++) {
			struct ishare_name earlier = prefix_name(prefixes, j);

			if (prefix_duplicate(&earlier, &name))
				continue;
			report(check, ISHARE_RULE_PREFIX_DUPLICATE,
			       record_place(check, prefixes->items[i].pos),
			       "prefix %" PRIu32 " is the same as prefix %" PRIu32, i, j);
			break;
		}
	}
}

static void check_fingerprint_prefix(struct check *check)
{
	const struct ishare_image *image = check->image;
	const struct prefix_table *prefixes = &image->prefixes;
	uint32_t id = image->sb.ishare_xattr_prefix_id;
	const struct ishare_prefix *p;
	struct ishare_name name;

	if (!ishare_has_compat(&image->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	    id >= prefixes->count)
		return;
	p = &prefixes->items[id];
	name = prefix_name(prefixes, id);
	if (!prefix_ishare_infix_nul(&name.bytes))
		report(check, ISHARE_RULE_PREFIX_ISHARE_INFIX_NUL, record_place(check, p->pos),
		       "the infix of the fingerprint's prefix, number %" PRIu32 ", has a NUL byte",
		       id);
	if (!prefix_ishare_name_length(p))
		report(check, ISHARE_RULE_PREFIX_ISHARE_NAME_LENGTH, record_place(check, p->pos),
		       "the name that the fingerprint's prefix, number %" PRIu32
		       ", spells is not 1 to 255 bytes long",
		       id);
}

static void walk_table(struct check *check, const struct ishare_view *table)
{
	struct prefix_table *prefixes = &check->image->prefixes;
	uint32_t count = check->image->sb.xattr_prefix_count;
	struct ishare_prefix p;
	enum ishare_status status;

	for (status = ishare_prefix_first(table, count, &p); status == ISHARE_OK;
	     status = ishare_prefix_next(table, count, &p)) {
		check_record(check, table, &p);
		prefixes->items[prefixes->count++] = p;
	}
	if (status == ISHARE_MALFORMED)
		report_malformed(check, table, &p);
}

static void check_table_metadata(struct check *check, const struct space *space)
{
	const struct prefix_table *prefixes = &check->image->prefixes;

	if (prefixes->count)
		check_metadata(check, space, ishare_prefix_start(&check->image->sb),
			       prefixes->items[prefixes->count - 1].next);
}

/* Whether the prefix is there that spells the fingerprint's name. */
static void note_unknown(struct check *check)
{
	const struct ishare_superblock *sb = &check->image->sb;

	if (ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) &&
	    sb->ishare_xattr_prefix_id >= check->image->prefixes.count)
		check->summary->fingerprints_unknown = true;
}

static void read_prefixes(struct check *check)
{
	struct ishare_image *image = check->image;
	const struct space *space = table_space(image);
	struct ishare_view table;

	if (!image->sb.xattr_prefix_count)
		return;
	if (!space->readable) {
		not_readable(check, THE_PREFIX_TABLE, space->encoded ? READ_ENCODED : READ_OUTSIDE);
		return;
	}
	if (!prefix_location(&image->sb, space->size)) {
		report(check, ISHARE_RULE_PREFIX_LOCATION,
		       place_superblock(image, ISHARE_SUPERBLOCK_XATTR_PREFIX_START_OFFSET),
		       "the prefix table would start at byte %" PRIu64
		       " of the %s, which has %" PRIu64,
		       ishare_prefix_start(&image->sb), space->name, space->size);
		return;
	}
	if (!copy_table(check, space, &table))
		return;
	walk_table(check, &table);
	check_table_metadata(check, space);
	check_duplicates(check);
	check_fingerprint_prefix(check);
}

void check_prefixes(struct check *check)
{
	read_prefixes(check);
	note_unknown(check);
}

uint32_t ishare_image_prefix_count(const struct ishare_image *image)
{
	return image->prefixes.count;
}

void ishare_image_prefix(const struct ishare_image *image, uint32_t index, struct ishare_name *name,
			 const char **space, uint64_t *offset)
{
	*name = prefix_name(&image->prefixes, index);
	*space = table_space(image)->name;
	*offset = ishare_prefix_start(&image->sb) + image->prefixes.items[index].pos;
}
