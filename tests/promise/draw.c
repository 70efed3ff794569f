// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Draws a set: mostly honest images, and one that is nearly so. */
#include <string.h>

#include "core.h"
#include "mutate.h"
#include "set.h"

#define ATTEMPTS 12u

/* ---- What goes wrong, if anything ---- */

/* One in three sets has a trap, and some have an image that the mutator changed. */
static enum trap draw_trap(struct random *random)
{
	static const enum trap common[] = {
		TRAP_FLAT_CROSSES, TRAP_CHUNK_CROSSES,	 TRAP_CHUNKS_CROSS,   TRAP_CHUNKS_MERGE,
		TRAP_CHUNKS_MERGE, TRAP_CHUNKS_RELATIVE, TRAP_DECOY,	      TRAP_METADATA,
		TRAP_METADATA,	   TRAP_PACKED_CROSSES,	 TRAP_METABOX_CROSSES
	};
	static const enum trap rare[] = {
		TRAP_NUL_NAME, TRAP_EMPTY_NAME, TRAP_TWO_FINGERPRINTS, TRAP_TWO_FINGERPRINTS,
		TRAP_PADDING,  TRAP_PADDING,	TRAP_PADDING,	       TRAP_BEHIND_FILL,
		TRAP_LIE,      TRAP_OPAQUE_LIE, TRAP_RANGES_OVERLAP
	};
	uint64_t kind = below(random, 100);

	if (kind < 26)
		return common[below(random, sizeof(common) / sizeof(*common))];
	if (kind < 37)
		return rare[below(random, sizeof(rare) / sizeof(*rare))];
	return kind < 49 ? TRAP_MUTANT : TRAP_NONE;
}

static bool needs_devices(enum trap trap)
{
	return (trap >= TRAP_FLAT_CROSSES && trap <= TRAP_METABOX_CROSSES) ||
	       trap == TRAP_RANGES_OVERLAP;
}

static void draw_mode(struct set *set, struct image *image)
{
	image->device_count = 0;
	if (needs_devices(image->trap) || chance(&set->random, 50))
		image->device_count = (unsigned int)between(
			&set->random, image->trap == TRAP_RANGES_OVERLAP ? 2 : 1, MAX_DEVICES);
	image->mode = GIVEN;
	if (image->trap == TRAP_DECOY)
		image->mode = NOT_GIVEN;
	else if (image->device_count &&
		 (!needs_devices(image->trap) || image->trap == TRAP_CHUNKS_MERGE) &&
		 chance(&set->random, 30))
		image->mode = set->flat ? FLAT : NOT_GIVEN;
	image->mount_devices =
		image->mode == GIVEN || (image->mode == NOT_GIVEN && chance(&set->random, 60));
}

/* ---- Files ---- */

unsigned int other_content(struct set *set, unsigned int content)
{
	unsigned int start = (unsigned int)below(&set->random, set->content_count);

	for (unsigned int i = 0; i < set->content_count; i++) {
		unsigned int other = (start + i) % set->content_count;

		if (other != content && set->contents[other].size == set->contents[content].size)
			return other;
	}
	return (content + 1) % set->content_count;
}

static void draw_file(struct set *set, struct image *image, struct file *file)
{
	struct random *random = &set->random;

	memset(file, 0, sizeof(*file));
	file->content = (unsigned int)below(random, set->content_count);
	file->claimed = file->content;
	file->extended = chance(random, 40);
	file->nlink_1 = !file->extended && chance(random, 50);
	file->link = !file->nlink_1 && chance(random, 15);
	file->fingerprint = chance(random, 94) || image->trap != TRAP_NONE;
	file->opaque = set->opaque && chance(random, 40);
	file->trap = chance(random, 60) ? image->trap : TRAP_NONE;
	file->padding_noise = file->trap == TRAP_PADDING;
	if (file->trap == TRAP_OPAQUE_LIE)
		file->opaque = true;
	if (file->trap == TRAP_LIE || file->trap == TRAP_OPAQUE_LIE) {
		file->claimed = other_content(set, file->content);
		image->trapped = true;
	}
}

static bool draw_files(struct set *set, struct image *image)
{
	unsigned int count = (unsigned int)between(&set->random, 2, 5);

	image->file_count = 0;
	for (unsigned int i = 0; i < count; i++) {
		struct file *file = &image->files[image->file_count];

		draw_file(set, image, file);
		if (place_file(set, image, file))
			image->file_count++;
	}
	return image->file_count != 0;
}

/* ---- A device where metadata is ---- */

/*
 * The byte of the device that stands for a byte of the image; NULL if the range does not cover it.
 */
static uint8_t *behind_range(struct image *image, uint32_t offset)
{
	struct device *device = &image->devices[1];
	uint64_t start = device->start << image->bits;

	if (offset < start || offset - start >= (uint64_t)device->room << image->bits)
		return NULL;
	return device->bytes + (offset - start);
}

/* Another fingerprint, another place of the data, or another tail. */
static bool change_metadata(struct set *set, struct image *image, const struct file *file)
{
	uint8_t *value = behind_range(image, file->value_at);
	uint8_t *u = behind_range(
		image, file->inode_at + (file->extended ? ISHARE_INODE_EXTENDED_I_U_OFFSET
							: ISHARE_INODE_COMPACT_I_U_OFFSET));
	uint8_t *tail = behind_range(image, file->tail_at);
	const struct content *other = &set->contents[other_content(set, file->content)];

	switch (below(&set->random, 3)) {
	case 0:
		if (!value || file->opaque)
			return false;
		memcpy(value, other->value, other->value_size);
		return true;
	case 1:
		if (!u || file->layout == ISHARE_INODE_CHUNK_BASED)
			return false;
		*u ^= 1;
		return true;
	default:
		if (!tail || !file->tail_size)
			return false;
		*tail ^= 1;
		return true;
	}
}

/* A copy of the metadata, but for something. */
static void copy_metadata(struct set *set, struct image *image)
{
	struct device *device = &image->devices[1];
	uint64_t blocks = image->reserve - device->start;

	if (blocks > device->room)
		blocks = device->room;
	memcpy(device->bytes, image->devices[0].bytes + (device->start << image->bits),
	       blocks << image->bits);
	for (unsigned int i = 0; !image->trapped && i < 20; i++)
		image->trapped = change_metadata(
			set, image, &image->files[below(&set->random, image->file_count)]);
}

/* ---- Images ---- */

static void mutate(struct set *set, struct image *image)
{
	uint64_t state = any(&set->random) | 1;

	image->size = mutate_image(image->devices[0].bytes, image->size, MAX_ROOM, &state);
	image->mutated = image->trapped = true;
	has(set, HAS_MUTATED);
}

/* An image before this one whose device 1 this one can have, too. */
static int find_common(struct set *set, unsigned int number)
{
	const struct image *image = &set->images[number];

	if (image->mode != GIVEN || !image->device_count || image->trap != TRAP_NONE ||
	    !chance(&set->random, 20))
		return -1;
	for (unsigned int i = 0; i < number; i++) {
		const struct image *other = &set->images[i];

		if (other->twin < 0 && other->mode == GIVEN && other->device_count &&
		    other->common_device < 0 && other->bits == image->bits &&
		    other->trap == TRAP_NONE)
			return (int)i;
	}
	return -1;
}

static bool try_image(struct set *set, unsigned int number, enum trap trap)
{
	struct image *image = &set->images[number];
	struct device *common = NULL;

	image->trap = trap;
	image->trapped = image->mutated = image->wide = image->high = false;
	image->twin = -1;
	image->checksum = chance(&set->random, 70);
	image->metabox =
		trap == TRAP_METABOX_CROSSES ||
		(trap != TRAP_METADATA && trap != TRAP_PACKED_CROSSES && chance(&set->random, 6));
	image->directory_blocks = chance(&set->random, 20);
	draw_mode(set, image);
	image->common_device = find_common(set, number);
	if (image->common_device >= 0)
		common = &set->images[image->common_device].devices[1];
	draw_devices(set, image, common);
	draw_names(set, image);
	if (!draw_files(set, image) || !write_metadata(set, image))
		return false;
	if (common) {
		memcpy(common->bytes, image->devices[1].bytes, sizeof(common->bytes));
		memcpy(common->used, image->devices[1].used, sizeof(common->used));
		has(set, HAS_DEVICE_COMMON);
	}
	return true;
}

/* Without the end of its last block, if that belongs to nothing, and is not counted. */
static void cut_last_page(struct set *set, struct image *image)
{
	uint32_t last = image->devices[0].room - 1;

	if (image->devices[0].used[last] || image->primary_blocks > last)
		return;
	image->size -= (size_t)between(&set->random, 1, 1u << (image->bits - 9)) * 512;
	has(set, HAS_PART_OF_PAGE);
}

static void finish_image(struct set *set, struct image *image)
{
	if (image->trap == TRAP_METADATA)
		copy_metadata(set, image);
	if (chance(&set->random, 4))
		cut_last_page(set, image);
	if (image->trap == TRAP_MUTANT)
		mutate(set, image);
	if (image->trap == TRAP_DECOY)
		image->trapped = true;
	if (image->bits < 12)
		has(set, HAS_SMALL_BLOCKS);
	has(set, image->on_block ? HAS_ON_BLOCK : HAS_ON_FILE);
}

/*
 * With what it would have, had it been drawn once: features of attempts that failed do not count.
 */
static void draw_image(struct set *set, unsigned int number, enum trap trap)
{
	struct image *image = &set->images[number];
	uint64_t before = set->features;

	image->bits = 12;
	if (chance(&set->random, trap == TRAP_METADATA && !image->on_block ? 40 : 12))
		image->bits = (unsigned int)between(&set->random, 9, 11);
	if (image->bits < 12 && image->on_block && chance(&set->random, 85))
		image->on_block = false;
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		if (try_image(set, number, trap)) {
			finish_image(set, image);
			return;
		}
		set->features = before;
	}
	image->trap = TRAP_COUNT;
}

static void repeat_image(struct set *set, unsigned int number)
{
	struct image *image = &set->images[number];
	bool on_block = image->on_block;
	int twin = (int)below(&set->random, number);

	if (set->images[twin].twin >= 0)
		twin = set->images[twin].twin;
	*image = set->images[twin];
	image->twin = twin;
	image->on_block = on_block;
	has(set, HAS_SAME_IMAGE_TWICE);
	has(set, on_block ? HAS_ON_BLOCK : HAS_ON_FILE);
}

/* ---- Sets ---- */

/* All from files, all from block devices, or both. */
static void draw_backings(struct set *set)
{
	uint64_t kind = below(&set->random, 100);

	for (unsigned int i = 0; i < set->image_count; i++)
		set->images[i].on_block = kind < 40   ? false
					  : kind < 70 ? true
						      : chance(&set->random, 50);
}

void draw_set(struct set *set, uint64_t seed, uint64_t number)
{
	unsigned int trapped;

	set->random.state = seed ^ number * 0xd1342543de82ef95ull;
	set->number = number;
	set->features = 0;
	set->flat = chance(&set->random, 35);
	set->trap = draw_trap(&set->random);
	set->flat &= set->trap != TRAP_DECOY;
	set->opaque = set->trap == TRAP_OPAQUE_LIE || chance(&set->random, 12);
	set->image_count = (unsigned int)between(&set->random, 2, MAX_IMAGES);
	draw_contents(set);
	draw_backings(set);
	trapped = (unsigned int)below(&set->random, set->image_count);
	for (unsigned int i = 0; i < set->image_count; i++) {
		if (i && i != trapped && chance(&set->random, 8))
			repeat_image(set, i);
		else
			draw_image(set, i, i == trapped ? set->trap : TRAP_NONE);
	}
}
