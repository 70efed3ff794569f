// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The entries of an inode, one after the other, and their names. Chapters "Inode xattrs" and
 * "Fingerprint".
 */
#include <string.h>

#include "image/image.h"

static const struct space *shared_space(const struct volume *volume)
{
	return ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_SHARED_EA_IN_METABOX)
		       ? &volume->metabox
		       : &volume->image;
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

/* Reads no more than the entry: its header says how much that is, unless the space ends before. */
static enum xattr_status load_shared(struct xattr_walk *walk)
{
	struct xattr *at = &walk->at;
	uint64_t left = at->space->size - at->base;

	walk->result =
		space_view(walk->reader, at->space, at->base, ISHARE_XATTR_ENTRY_SIZE, &at->holder);
	if (walk->result == READ_OK) {
		uint64_t size = ishare_entry_size(&at->holder);

		walk->result = space_view(walk->reader, at->space, at->base,
					  (size_t)(size < left ? size : left), &at->holder);
	}
	if (walk->result != READ_OK)
		return XATTR_UNREADABLE;
	return ishare_entry_first(&at->holder, 0, &at->entry) == ISHARE_OK ? XATTR_OK
									   : XATTR_BAD_ENTRY;
}

static enum xattr_status next_shared(struct xattr_walk *walk)
{
	const struct volume *volume = walk->reader->volume;
	const struct space *space = shared_space(volume);
	struct xattr *at = &walk->at;
	uint32_t id;

	if (walk->next_shared == walk->header.h_shared_count)
		return XATTR_END;
	at->shared = true;
	at->shared_index = walk->next_shared++;
	at->space = space;
	walk->result = space->state;
	if (!is_known(space)) {
		walk->reader->rule = space->rule;
		return XATTR_UNREADABLE;
	}
	id = ishare_shared_id(&walk->area, at->shared_index);
	if (!xattr_shared_id(&volume->sb, id, space->size))
		return XATTR_BAD_ID;
	at->base = ishare_shared_offset(&volume->sb, id);
	return load_shared(walk);
}

enum xattr_status next_xattr(struct xattr_walk *walk)
{
	struct xattr *at = &walk->at;
	enum ishare_status status;

	if (walk->stage == WALK_SHARED)
		return next_shared(walk);
	if (walk->stage == WALK_INLINE_FIRST)
		status = ishare_entry_first(&at->holder, inline_start(walk), &at->entry);
	else
		status = ishare_entry_next(&at->holder, &at->entry);
	walk->stage = status == ISHARE_OK ? WALK_INLINE : WALK_SHARED;
	if (status == ISHARE_OK)
		return XATTR_OK;
	return status == ISHARE_MALFORMED ? XATTR_BAD_ENTRY : next_shared(walk);
}

static void hold_area(struct xattr_walk *walk)
{
	walk->at.shared = false;
	walk->at.holder = walk->area;
	walk->at.space = walk->file->space;
	walk->at.base = xattr_area_offset(walk->file);
}

void start_xattr_walk(struct xattr_walk *walk, struct reader *reader, const struct file *file,
		      const struct ishare_view *area)
{
	memset(walk, 0, sizeof(*walk));
	walk->reader = reader;
	walk->file = file;
	walk->area = *area;
	hold_area(walk);
	ishare_ibody_header_decode(area, &walk->header);
}

const char *name_space(uint32_t base_index)
{
	static const char *const names[] = {
		"",
		"user.",
		"system.posix_acl_access",
		"system.posix_acl_default",
		"trusted.",
		"lustre.",
		"security.",
	};

	return base_index < sizeof(names) / sizeof(*names) ? names[base_index] : "?.";
}

bool xattr_name(const struct xattr_walk *walk, uint8_t *buffer, struct ishare_name *name)
{
	const struct prefix_table *prefixes = &walk->reader->volume->prefixes;
	const struct ishare_entry *e = &walk->at.entry;
	size_t infix_size = 0;

	name->base_index = e->stored.e_name_index;
	if (e->stored.e_name_index >= ISHARE_XATTR_LONG_PREFIX) {
		uint32_t i = e->stored.e_name_index - ISHARE_XATTR_LONG_PREFIX;

		if (i >= prefixes->count)
			return false;
		name->base_index = prefixes->items[i].stored.base_index;
		infix_size = prefixes->items[i].infix_size;
		memcpy(buffer, prefixes->bytes + prefixes->items[i].infix, infix_size);
	}
	memcpy(buffer + infix_size, walk->at.holder.data + e->name, e->stored.e_name_len);
	name->bytes.data = buffer;
	name->bytes.size = infix_size + e->stored.e_name_len;
	return true;
}

bool is_fill(const struct xattr_walk *walk)
{
	return !walk->at.shared && ishare_entry_is_fill(&walk->at.entry);
}

bool fingerprint_name(const struct volume *volume, struct ishare_name *name)
{
	uint32_t id = volume->sb.ishare_xattr_prefix_id;
	const struct ishare_prefix *p;

	if (!ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	    id >= volume->prefixes.count)
		return false;
	p = &volume->prefixes.items[id];
	name->base_index = p->stored.base_index;
	name->bytes.data = volume->prefixes.bytes + p->infix;
	name->bytes.size = p->infix_size;
	return true;
}

static struct ishare_prefixes known_prefixes(const struct volume *volume)
{
	const struct prefix_table *table = &volume->prefixes;

	return (struct ishare_prefixes){ { table->bytes, table->size },
					 table->items,
					 table->count };
}

/* Whether the current entry has the name. */
static bool is_named(const struct xattr_walk *walk, const struct ishare_name *name)
{
	struct ishare_prefixes prefixes = known_prefixes(walk->reader->volume);

	return ishare_entry_named(&walk->at.holder, &walk->at.entry, &prefixes, name);
}

bool is_fingerprint(const struct xattr_walk *walk)
{
	struct ishare_name name;

	return !is_fill(walk) && fingerprint_name(walk->reader->volume, &name) &&
	       is_named(walk, &name);
}

struct ishare_view xattr_value(const struct xattr_walk *walk)
{
	return (struct ishare_view){ walk->at.holder.data + walk->at.entry.value,
				     walk->at.entry.stored.e_value_size };
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
	hold_area(walk);
	return ishare_entry_first(&walk->at.holder, pos, &walk->at.entry) == ISHARE_OK;
}

bool recall_shared_xattr(struct xattr_walk *walk, uint32_t shared_index)
{
	walk->next_shared = shared_index;
	return next_shared(walk) == XATTR_OK;
}

static bool find_inline(struct xattr_walk *walk, const struct ishare_name *name)
{
	struct ishare_prefixes prefixes = known_prefixes(walk->reader->volume);

	return ishare_entry_find(&walk->area, inline_start(walk), &prefixes, name,
				 &walk->at.entry) == ISHARE_OK;
}

static bool find_shared(struct xattr_walk *walk, const struct ishare_name *name)
{
	enum xattr_status status;

	while ((status = next_shared(walk)) != XATTR_END && walk->result != READ_FAILED)
		if (status == XATTR_OK && is_named(walk, name))
			return true;
	return false;
}

enum read_result find_fingerprint(struct reader *reader, const struct file *file, uint8_t *buffer,
				  struct ishare_view *fingerprint)
{
	enum read_result result;
	struct ishare_name name;
	struct ishare_view area;
	struct xattr_walk walk;

	if (!file->inode.xattr_isize || !fingerprint_name(reader->volume, &name))
		return READ_NOTHING;
	result = copy_xattr_area(reader, file, buffer, &area);
	if (result != READ_OK)
		return result;
	start_xattr_walk(&walk, reader, file, &area);
	if (!xattr_shared_count(&walk.header, file->inode.xattr_isize) ||
	    (!find_inline(&walk, &name) && !find_shared(&walk, &name)))
		return walk.result == READ_FAILED ? READ_FAILED : READ_NOTHING;
	*fingerprint = xattr_value(&walk);
	memmove(buffer, fingerprint->data, fingerprint->size);
	fingerprint->data = buffer;
	return READ_OK;
}
