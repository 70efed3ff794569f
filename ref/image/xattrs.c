// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The entries of an inode, one after the other, and their names. Chapters "Inode xattrs" and
 * "Fingerprint".
 */
#include <string.h>

#include "bytes.h"
#include "image/image.h"

static const struct space *shared_space(const struct ishare_image *image)
{
	return ishare_has_compat(&image->sb, ISHARE_FEATURE_COMPAT_SHARED_EA_IN_METABOX)
		       ? &image->metabox
		       : &image->space;
}

uint64_t xattr_area_offset(const struct file *file)
{
	return file->offset + file->inode.isize;
}

static size_t inline_start(const struct xattr_walk *walk)
{
	return ISHARE_IBODY_HEADER_SIZE + 4u * (size_t)walk->header.h_shared_count;
}

bool has_inline_xattrs(const struct xattr_walk *walk)
{
	return inline_start(walk) < walk->area.size;
}

/* Bytes that the header of an entry claims for it, the padding to a multiple of 4 included. */
static uint64_t claimed_size(const uint8_t *header)
{
	return (ISHARE_XATTR_ENTRY_SIZE + header[ISHARE_XATTR_ENTRY_E_NAME_LEN_OFFSET] +
		ishare_le16(header + ISHARE_XATTR_ENTRY_E_VALUE_SIZE_OFFSET) + 3u) /
	       4u * 4u;
}

/* Reads no more than the entry: its header says how much that is, unless the space ends before. */
static enum walk_status load_shared(struct xattr_walk *walk)
{
	struct ishare_entry *e = &walk->entry;
	uint64_t left = walk->space->size - walk->base;
	enum read_result result = space_view(walk->reader, walk->space, walk->base,
					     ISHARE_XATTR_ENTRY_SIZE, &walk->holder);

	if (result == READ_OK) {
		uint64_t size = claimed_size(walk->holder.data);

		result = space_view(walk->reader, walk->space, walk->base,
				    (size_t)(size < left ? size : left), &walk->holder);
	}
	if (result != READ_OK)
		return result == READ_FAILED ? WALK_FAILED : WALK_UNREADABLE;
	return ishare_entry_first(&walk->holder, 0, e) == ISHARE_OK ? WALK_ENTRY : WALK_BAD_ENTRY;
}

static enum walk_status next_shared(struct xattr_walk *walk)
{
	uint32_t id;

	if (walk->next_shared == walk->header.h_shared_count)
		return WALK_END;
	walk->shared = true;
	walk->shared_index = walk->next_shared++;
	walk->space = shared_space(walk->image);
	if (walk->space->encoded || walk->space->lost)
		return WALK_UNREADABLE;
	id = ishare_shared_id(&walk->area, walk->shared_index);
	if (!xattr_shared_id(&walk->image->sb, id, walk->space->size))
		return WALK_BAD_ID;
	walk->base = ishare_shared_offset(&walk->image->sb, id);
	return load_shared(walk);
}

enum walk_status next_xattr(struct xattr_walk *walk)
{
	enum ishare_status status;

	if (walk->stage == WALK_SHARED)
		return next_shared(walk);
	if (walk->stage == WALK_INLINE_FIRST)
		status = ishare_entry_first(&walk->holder, inline_start(walk), &walk->entry);
	else
		status = ishare_entry_next(&walk->holder, &walk->entry);
	walk->stage = status == ISHARE_OK ? WALK_INLINE : WALK_SHARED;
	if (status == ISHARE_OK)
		return WALK_ENTRY;
	return status == ISHARE_MALFORMED ? WALK_BAD_ENTRY : next_shared(walk);
}

void start_xattr_walk(struct xattr_walk *walk, struct reader *reader,
		      const struct ishare_image *image, const struct file *file,
		      const struct ishare_view *area)
{
	memset(walk, 0, sizeof(*walk));
	walk->reader = reader;
	walk->image = image;
	walk->file = file;
	walk->area = *area;
	walk->holder = *area;
	walk->space = file->space;
	walk->base = xattr_area_offset(file);
	ishare_ibody_decode(area, &walk->header);
}

bool xattr_name(const struct xattr_walk *walk, uint8_t *buffer, struct ishare_name *name)
{
	const struct prefix_table *prefixes = &walk->image->prefixes;
	const struct ishare_entry *e = &walk->entry;
	size_t infix_size = 0;

	name->base_index = e->name_index;
	if (e->name_index >= ISHARE_XATTR_LONG_PREFIX) {
		uint32_t i = e->name_index - ISHARE_XATTR_LONG_PREFIX;

		if (i >= prefixes->count)
			return false;
		name->base_index = prefixes->items[i].base_index;
		infix_size = prefixes->items[i].infix_size;
		memcpy(buffer, prefixes->bytes + prefixes->items[i].infix, infix_size);
	}
	memcpy(buffer + infix_size, walk->holder.data + e->name, e->name_size);
	name->bytes.data = buffer;
	name->bytes.size = infix_size + e->name_size;
	return true;
}

bool is_fill(const struct xattr_walk *walk)
{
	return !walk->shared && ishare_entry_is_fill(&walk->entry);
}

bool fingerprint_name(const struct ishare_image *image, struct ishare_name *name)
{
	uint32_t id = image->sb.ishare_xattr_prefix_id;
	const struct ishare_prefix *p;

	if (!ishare_has_compat(&image->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	    id >= image->prefixes.count)
		return false;
	p = &image->prefixes.items[id];
	name->base_index = p->base_index;
	name->bytes.data = image->prefixes.bytes + p->infix;
	name->bytes.size = p->infix_size;
	return true;
}

static struct ishare_prefixes known_prefixes(const struct ishare_image *image)
{
	const struct prefix_table *table = &image->prefixes;

	return (struct ishare_prefixes){ { table->bytes, table->size },
					 table->items,
					 table->count };
}

/* Whether the current entry has the name. */
static bool is_named(const struct xattr_walk *walk, const struct ishare_name *name)
{
	struct ishare_prefixes prefixes = known_prefixes(walk->image);

	return ishare_entry_named(&walk->holder, &walk->entry, &prefixes, name);
}

bool is_fingerprint(const struct xattr_walk *walk)
{
	struct ishare_name name;

	return !is_fill(walk) && fingerprint_name(walk->image, &name) && is_named(walk, &name);
}

struct ishare_view xattr_value(const struct xattr_walk *walk)
{
	return (struct ishare_view){ walk->holder.data + walk->entry.value,
				     walk->entry.value_size };
}

enum read_result copy_xattr_area(struct reader *reader, const struct file *file, uint8_t *buffer,
				 struct ishare_view *area)
{
	enum read_result result = space_view(reader, file->space, xattr_area_offset(file),
					     file->inode.xattr_isize, area);

	if (result != READ_OK)
		return result;
	memcpy(buffer, area->data, area->size);
	area->data = buffer;
	return READ_OK;
}

bool recall_inline_xattr(struct xattr_walk *walk, size_t pos)
{
	walk->shared = false;
	walk->holder = walk->area;
	walk->space = walk->file->space;
	walk->base = xattr_area_offset(walk->file);
	return ishare_entry_first(&walk->holder, pos, &walk->entry) == ISHARE_OK;
}

bool recall_shared_xattr(struct xattr_walk *walk, uint32_t shared_index)
{
	walk->next_shared = shared_index;
	return next_shared(walk) == WALK_ENTRY;
}

static bool find_inline(struct xattr_walk *walk, const struct ishare_name *name)
{
	struct ishare_prefixes prefixes = known_prefixes(walk->image);

	return ishare_entry_find(&walk->area, inline_start(walk), &prefixes, name, &walk->entry) ==
	       ISHARE_OK;
}

static bool find_shared(struct xattr_walk *walk, const struct ishare_name *name)
{
	enum walk_status status;

	while ((status = next_shared(walk)) != WALK_END && status != WALK_FAILED)
		if (status == WALK_ENTRY && is_named(walk, name))
			return true;
	return false;
}

bool find_fingerprint(struct reader *reader, const struct ishare_image *image,
		      const struct file *file, uint8_t *buffer, struct ishare_view *fingerprint)
{
	struct ishare_name name;
	struct ishare_view area;
	struct xattr_walk walk;

	if (!file->inode.xattr_isize || !fingerprint_name(image, &name) ||
	    copy_xattr_area(reader, file, buffer, &area) != READ_OK)
		return false;
	start_xattr_walk(&walk, reader, image, file, &area);
	if (!xattr_shared_count(&walk.header, file->inode.xattr_isize) ||
	    (!find_inline(&walk, &name) && !find_shared(&walk, &name)))
		return false;
	*fingerprint = xattr_value(&walk);
	memmove(buffer, fingerprint->data, fingerprint->size);
	fingerprint->data = buffer;
	return true;
}
