// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What an image calls its fingerprints, the table of prefixes with which that name can be cut, and
 * the xattrs of a file: its fingerprint, and others that could be taken for one.
 */
#include <string.h>

#include "bytes.h"
#include "set.h"
#include "xxh32.h"

#define FILTER_SEED 0x25bbe08fu

static bool same_name(const struct name *a, const struct name *b)
{
	return a->base == b->base && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* The infix is the name's beginning. */
static bool begins(const struct name *infix, const struct name *name)
{
	return infix->base == name->base && infix->size <= name->size &&
	       !memcmp(infix->bytes, name->bytes, infix->size);
}

/* ---- The prefix table ---- */

const struct name other_fingerprint_name = { 1, 5, "other" };

static const struct name *fingerprint_name(const struct image *image)
{
	return &image->prefixes[image->fingerprint_prefix];
}

static void draw_letters(struct random *random, struct name *name, unsigned int size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz.._-0123456789";

	name->size = (uint8_t)size;
	for (unsigned int i = 0; i < size; i++)
		name->bytes[i] = (uint8_t)letters[below(random, sizeof(letters) - 1)];
}

static void draw_fingerprint_name(struct set *set, struct image *image)
{
	static const struct name usual = { 0, 20, "erofs.fingerprint.v1" };
	static const uint8_t bases[] = { 0, 0, 0, 0, 1, 1, 1, 4, 4, 6 };
	struct name *name = &image->prefixes[image->fingerprint_prefix];

	*name = usual;
	if (chance(&set->random, 50))
		draw_letters(&set->random, name, (unsigned int)between(&set->random, 1, 40));
	name->base = bases[below(&set->random, sizeof(bases))];
	has(set, name->base == 0   ? HAS_NAME_HIDDEN
		 : name->base == 1 ? HAS_NAME_USER
		 : name->base == 4 ? HAS_NAME_TRUSTED
				   : HAS_NAME_SECURITY);
	if (image->trap == TRAP_NUL_NAME) {
		name->bytes[below(&set->random, name->size)] = 0;
		image->trapped = true;
	}
	if (image->trap == TRAP_EMPTY_NAME) {
		name->size = 0;
		image->trapped = true;
	}
}

/* Its beginning, itself, itself and more, or something else; with a NUL now and then. */
static void draw_other_prefix(struct set *set, const struct image *image, struct name *prefix)
{
	struct random *random = &set->random;

	*prefix = *fingerprint_name(image);
	switch (below(random, 8)) {
	case 0:
		break;
	case 1:
		prefix->bytes[prefix->size++] = 'x';
		break;
	case 2:
		draw_letters(random, prefix, (unsigned int)between(random, 0, 20));
		prefix->base = (uint8_t)(chance(random, 50) ? 1 : 4);
		break;
	case 3:
		prefix->base = (uint8_t)(prefix->base == 1 ? 4 : 1);
		break;
	case 4:
		if (prefix->size) {
			prefix->bytes[below(random, prefix->size)] = 0;
			has(set, HAS_PREFIX_NUL);
		}
		break;
	default:
		prefix->size = (uint8_t)below(random, prefix->size + 1u);
	}
}

void draw_names(struct set *set, struct image *image)
{
	image->prefix_count =
		(unsigned int)(chance(&set->random, 40) ? 1 : between(&set->random, 2, 6));
	image->fingerprint_prefix = (unsigned int)below(&set->random, image->prefix_count);
	draw_fingerprint_name(set, image);
	for (unsigned int i = 0; i < image->prefix_count; i++)
		if (i != image->fingerprint_prefix)
			draw_other_prefix(set, image, &image->prefixes[i]);
	if (image->prefix_count > 1)
		has(set, HAS_PREFIXES_SEVERAL);
	image->filter = chance(&set->random, 60);
	if (image->filter)
		has(set, HAS_NAME_FILTER);
	image->packed_prefixes = image->trap == TRAP_PACKED_CROSSES || chance(&set->random, 6);
	if (image->packed_prefixes)
		has(set, HAS_PREFIXES_PACKED);
}

uint32_t filter_bit(const struct name *name)
{
	struct ishare_view view = { name->bytes, name->size };

	return 1u << (ishare_xxh32(&view, FILTER_SEED + name->base) & 31);
}

/* ---- The xattrs of a file ---- */

/* Cuts the name in one of the ways that the table allows; false if there is none. */
static bool cut(struct set *set, const struct image *image, struct xattr *xattr)
{
	unsigned int ways = 0;

	if (xattr->name.base) {
		ways = 1;
		xattr->index = xattr->name.base;
		xattr->infix = 0;
	}
	for (unsigned int i = 0; i < image->prefix_count; i++) {
		if (!begins(&image->prefixes[i], &xattr->name) || below(&set->random, ++ways))
			continue;
		xattr->index = (uint8_t)(0x80 | i);
		xattr->infix = image->prefixes[i].size;
	}
	return ways != 0;
}

static void tell_cut(struct set *set, const struct image *image, const struct xattr *xattr)
{
	if (xattr->index < 0x80)
		has(set, HAS_NAME_WHOLE);
	else if (xattr->infix < xattr->name.size ||
		 image->fingerprint_prefix != (xattr->index & 0x7fu))
		has(set, HAS_NAME_CUT);
	has(set, xattr->shared ? HAS_FINGERPRINT_SHARED : HAS_FINGERPRINT_INLINE);
}

static void set_value(struct xattr *xattr, const struct content *content, bool opaque)
{
	xattr->value_size = opaque ? content->opaque_size : content->value_size;
	memcpy(xattr->value, opaque ? content->opaque : content->value, xattr->value_size);
}

static void draw_fingerprint(struct set *set, const struct image *image, const struct file *file,
			     struct xattr *xattr)
{
	*xattr = (struct xattr){ .name = *fingerprint_name(image), .is_fingerprint = true };
	xattr->shared = chance(&set->random, 35);
	set_value(xattr, &set->contents[file->claimed], file->opaque);
	cut(set, image, xattr);
	tell_cut(set, image, xattr);
	if (file->opaque)
		has(set, HAS_FINGERPRINT_OPAQUE);
}

/* A name like the fingerprint's. */
static void draw_similar_name(struct set *set, const struct image *image, struct name *name)
{
	*name = *fingerprint_name(image);
	switch (below(&set->random, 4)) {
	case 0:
		name->bytes[name->size++] = 'x';
		break;
	case 1:
		name->size = (uint8_t)below(&set->random, name->size + 1u);
		break;
	case 2:
		name->base = (uint8_t)(name->base == 1 ? 4 : 1);
		break;
	default:
		*name = image->prefixes[below(&set->random, image->prefix_count)];
	}
}

static bool is_new(const struct xattr *xattrs, unsigned int count, const struct name *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (same_name(&xattrs[i].name, name))
			return false;
	return true;
}

/* What another reader could take for the fingerprint: that of another content. */
static bool draw_other(struct set *set, struct image *image, const struct xattr *xattrs,
		       unsigned int count, struct xattr *xattr)
{
	*xattr = (struct xattr){ .shared = chance(&set->random, 35) };
	draw_similar_name(set, image, &xattr->name);
	if (same_name(&xattr->name, fingerprint_name(image)) ||
	    !is_new(xattrs, count, &xattr->name) || !cut(set, image, xattr))
		return false;
	if (!xattr->name.size && xattr->index < 0x80)
		return false;
	set_value(xattr, &set->contents[below(&set->random, set->content_count)], false);
	has(set, HAS_OTHER_XATTRS);
	return true;
}

/* What Linux looks up when the name has a NUL, or is empty. */
static bool draw_shorter(struct set *set, struct image *image, struct xattr *xattr)
{
	const uint8_t *nul =
		memchr(fingerprint_name(image)->bytes, 0, fingerprint_name(image)->size);

	*xattr = (struct xattr){ .name = *fingerprint_name(image) };
	xattr->name.size = nul ? (uint8_t)(nul - fingerprint_name(image)->bytes) : 0;
	set_value(xattr, &set->contents[below(&set->random, set->content_count)], false);
	return cut(set, image, xattr);
}

/* What Linux looks up if it takes the prefixes from elsewhere. */
static bool draw_other_fingerprint(struct set *set, const struct file *file, struct xattr *xattr)
{
	*xattr = (struct xattr){ .name = other_fingerprint_name,
				 .index = other_fingerprint_name.base };
	for (unsigned int i = 0; i < set->content_count; i++)
		if (i != file->content &&
		    set->contents[i].size == set->contents[file->content].size)
			set_value(xattr, &set->contents[i], false);
	return xattr->value_size != 0;
}

/* One more fingerprint in the inode, of another content. */
static bool draw_second(struct set *set, struct image *image, struct xattr *xattr)
{
	*xattr = (struct xattr){ .name = *fingerprint_name(image),
				 .shared = chance(&set->random, 50) };
	set_value(xattr, &set->contents[below(&set->random, set->content_count)], false);
	has(set, HAS_FINGERPRINTS_SEVERAL);
	image->trapped = true;
	return cut(set, image, xattr);
}

static void swap(struct xattr *a, struct xattr *b)
{
	struct xattr c = *a;

	*a = *b;
	*b = c;
}

unsigned int draw_xattrs(struct set *set, struct image *image, struct file *file,
			 struct xattr *xattrs)
{
	unsigned int count = 0, others = (unsigned int)below(&set->random, 4);

	if (file->fingerprint)
		draw_fingerprint(set, image, file, &xattrs[count++]);
	if (file->trap == TRAP_NUL_NAME || file->trap == TRAP_EMPTY_NAME)
		count += draw_shorter(set, image, &xattrs[count]);
	if (file->trap == TRAP_TWO_FINGERPRINTS)
		count += draw_second(set, image, &xattrs[count]);
	while (others--)
		count += draw_other(set, image, xattrs, count, &xattrs[count]);
	if (image->trap == TRAP_PACKED_CROSSES && is_new(xattrs, count, &other_fingerprint_name) &&
	    draw_other_fingerprint(set, file, &xattrs[count]))
		count++;
	for (unsigned int i = 1; i < count; i++)
		swap(&xattrs[i], &xattrs[below(&set->random, i + 1)]);
	return count;
}
