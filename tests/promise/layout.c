// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Where the bytes of files lie. Bytes are always put where single blocks of a file are read: an
 * honest layout is one in which a reader cannot decide in another way, a trap is one in which it
 * can.
 */
#include <string.h>

#include "core.h"
#include "set.h"

#define TRIES 24u
#define NULL_32BIT 0xffffffffull
#define NULL_48BIT 0xffffffffffffull

static uint64_t blocks_of(const struct image *image, size_t size)
{
	return (size + (1u << image->bits) - 1) >> image->bits;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	while (size--)
		if (*bytes++)
			return false;
	return true;
}

/* ---- Runs ---- */

/* A place in any region that is long enough; false if none is. */
static bool pick_place(struct set *set, const struct image *image, bool by_id, uint64_t blocks,
		       struct chunk *chunk)
{
	struct region regions[MAX_REGIONS];
	unsigned int count = find_regions(image, by_id, regions);
	const struct region *region;

	if (!count)
		return false;
	region = &regions[below(&set->random, count)];
	if (region->blocks < blocks)
		return false;
	*chunk = (struct chunk){ false, region->id,
				 region->block + below(&set->random, region->blocks - blocks + 1) };
	return true;
}

/* All ones would be a hole, but for files with a tail. */
bool place_run(struct set *set, struct image *image, const uint8_t *bytes, size_t size,
	       uint64_t *start)
{
	struct chunk chunk;

	for (unsigned int i = 0; i < TRIES; i++) {
		if (!pick_place(set, image, false, blocks_of(image, size), &chunk) ||
		    chunk.block == NULL_48BIT || !place(image, 0, chunk.block, bytes, size))
			continue;
		*start = chunk.block;
		return true;
	}
	return false;
}

/* A block at which a range begins or ends. */
static uint64_t pick_border(struct set *set, const struct image *image)
{
	const struct device *device;

	if (!image->device_count)
		return 0;
	device = &image->devices[between(&set->random, 1, image->device_count)];
	if (!device->start)
		return 0;
	return device->start + (chance(&set->random, 35) ? device->blocks : 0);
}

static bool place_in(struct image *image, bool together, uint64_t start, const uint8_t *bytes,
		     size_t size)
{
	bool placed;

	image->together = together;
	placed = place(image, 0, start, bytes, size);
	image->together = false;
	return placed;
}

bool place_across(struct set *set, struct image *image, const uint8_t *bytes, const uint8_t *others,
		  size_t size, uint64_t *start)
{
	uint64_t blocks = blocks_of(image, size);

	for (unsigned int i = 0; blocks > 1 && i < 2 * TRIES; i++) {
		uint64_t border = pick_border(set, image);
		uint64_t before = between(&set->random, 1, blocks - 1);
		bool together = chance(&set->random, 50);

		if (border < before || !place_in(image, together, border - before, bytes, size))
			continue;
		*start = border - before;
		if (others)
			place_in(image, !together, *start, others, size);
		return true;
	}
	return false;
}

/* ---- Flat files ---- */

/*
 * 32 ones are a hole for some builders, but not for Linux; where a device is there, they are a
 * block.
 */
static bool place_at_ones(struct image *image, const struct file *file, const uint8_t *bytes,
			  size_t size, uint64_t *start)
{
	*start = NULL_32BIT;
	return (file->layout == ISHARE_INODE_FLAT_INLINE || file->extended) &&
	       place(image, 0, NULL_32BIT, bytes, size);
}

static bool place_flat_bytes(struct set *set, struct image *image, struct file *file,
			     const uint8_t *bytes, size_t size)
{
	if (file->trap == TRAP_FLAT_CROSSES &&
	    place_across(set, image, bytes, NULL, size, &file->start)) {
		image->trapped = true;
		return true;
	}
	if (image->device_count && place_at_ones(image, file, bytes, size, &file->start))
		return true;
	return place_run(set, image, bytes, size, &file->start);
}

/* Compact inodes have 48 bits for a block only if they have no link count. */
static void widen(struct file *file)
{
	if (file->start >= NULL_32BIT && file->start != ~0ull && !file->extended)
		file->nlink_1 =
			file->layout != ISHARE_INODE_FLAT_INLINE || file->start > NULL_32BIT;
}

static bool place_flat(struct set *set, struct image *image, struct file *file,
		       const uint8_t *bytes)
{
	uint32_t size = set->contents[file->content].size, block = 1u << image->bits;
	size_t whole = size;
	bool on_device;

	if (file->layout == ISHARE_INODE_FLAT_INLINE)
		whole = (size - 1) / block * block;
	if (file->layout == ISHARE_INODE_FLAT_PLAIN &&
	    all_zero(bytes, blocks_of(image, size) * block) && chance(&set->random, 60)) {
		file->start = ~0ull;
		has(set, HAS_FLAT_HOLE);
		return true;
	}
	file->start = chance(&set->random, 50) ? NULL_32BIT : below(&set->random, 100);
	if (whole && !place_flat_bytes(set, image, file, bytes, whole))
		return false;
	widen(file);
	on_device = image->mode != NOT_GIVEN && whole && file->start >= image->devices[0].room;
	if (whole)
		has(set, on_device ? HAS_FLAT_ON_DEVICE : HAS_FLAT_RUN);
	return true;
}

/* A tail must fit into a block together with whatever comes before it there. */
static bool can_be_inline(const struct image *image, uint32_t size)
{
	uint32_t block = 1u << image->bits;

	return (size - 1) % block + 1 <= block - 64;
}

/* ---- Chunks ---- */

struct chunking {
	struct set *set;
	struct image *image;
	struct file *file;
	const uint8_t *bytes;
	uint64_t blocks, step; /* of the file, of a chunk */
};

/* Blocks of the chunk that the file has. */
static uint64_t chunk_blocks(const struct chunking *c, unsigned int number)
{
	uint64_t left = c->blocks - number * c->step;

	return left < c->step ? left : c->step;
}

static const uint8_t *chunk_bytes(const struct chunking *c, unsigned int number)
{
	return c->bytes + ((number * c->step) << c->image->bits);
}

static bool fits_table(const struct file *file, const struct chunk *chunk)
{
	if (file->indexes && file->chunk_48bit)
		return chunk->block < NULL_48BIT;
	return chunk->block < NULL_32BIT && (!chunk->id || file->indexes);
}

static bool can_be(const struct chunking *c, unsigned int number, const struct chunk *chunk)
{
	return fits_table(c->file, chunk) &&
	       can_place(c->image, chunk->id, chunk->block, chunk_bytes(c, number),
			 chunk_blocks(c, number) << c->image->bits);
}

static bool put_chunk(struct chunking *c, unsigned int number, const struct chunk *chunk)
{
	if (!can_be(c, number, chunk))
		return false;
	c->file->chunks[number] = *chunk;
	return place(c->image, chunk->id, chunk->block, chunk_bytes(c, number),
		     chunk_blocks(c, number) << c->image->bits);
}

/* Behind the one before, in the same region. */
static bool put_behind(struct chunking *c, unsigned int number)
{
	struct region regions[MAX_REGIONS];
	unsigned int count = find_regions(c->image, c->file->indexes, regions);
	struct chunk next;

	if (!number || c->file->chunks[number - 1].hole)
		return false;
	next = c->file->chunks[number - 1];
	next.block += c->step;
	for (unsigned int i = 0; i < count; i++)
		if (next.id == regions[i].id && next.block >= regions[i].block &&
		    next.block + chunk_blocks(c, number) <= regions[i].block + regions[i].blocks &&
		    next.block - c->step >= regions[i].block)
			return put_chunk(c, number, &next);
	return false;
}

static bool put_anywhere(struct chunking *c, unsigned int number)
{
	struct chunk chunk;

	if (chance(&c->set->random, 50) && put_behind(c, number))
		return true;
	for (unsigned int i = 0; i < TRIES; i++)
		if (pick_place(c->set, c->image, c->file->indexes, chunk_blocks(c, number),
			       &chunk) &&
		    put_chunk(c, number, &chunk))
			return true;
	return false;
}

/* ---- Chunks as traps ---- */

/*
 * What a reader from a file takes for the place behind a chunk: its place on the device, and its
 * id.
 */
static bool seems_behind(const struct chunking *c, const struct chunk *chunk, struct chunk *next)
{
	uint32_t device;
	uint64_t at;

	if (!resolve(c->image, chunk->id, chunk->block, &device, &at))
		return false;
	*next = (struct chunk){ false, chunk->id, at + c->step };
	return next->block != chunk->block + c->step;
}

/* The same place on another device. */
static bool behind_elsewhere(const struct chunking *c, const struct chunk *chunk,
			     struct chunk *next)
{
	uint32_t device, other;
	uint64_t at;

	if (!resolve(c->image, chunk->id, chunk->block, &device, &at) || !c->image->device_count)
		return false;
	other = (uint32_t)between(&c->set->random, 0, c->image->device_count);
	*next = (struct chunk){ false, other, at + c->step };
	if (other && (!c->file->indexes || chance(&c->set->random, 50))) {
		next->id = 0;
		next->block += c->image->devices[other].start;
	}
	return other != device;
}

static bool is_pair(enum trap trap)
{
	return trap == TRAP_CHUNKS_CROSS || trap == TRAP_CHUNKS_MERGE ||
	       trap == TRAP_CHUNKS_RELATIVE;
}

static bool first_of_pair(const struct chunking *c, unsigned int number, struct chunk *chunk,
			  struct chunk *next)
{
	uint64_t border;

	switch (c->file->trap) {
	case TRAP_CHUNKS_CROSS:
		border = pick_border(c->set, c->image);
		*chunk = (struct chunk){ false, 0, border - c->step };
		*next = (struct chunk){ false, 0, border };
		return border >= c->step;
	case TRAP_CHUNKS_MERGE:
		return pick_place(c->set, c->image, c->file->indexes, chunk_blocks(c, number),
				  chunk) &&
		       seems_behind(c, chunk, next);
	default:
		return pick_place(c->set, c->image, c->file->indexes, chunk_blocks(c, number),
				  chunk) &&
		       behind_elsewhere(c, chunk, next);
	}
}

/* Two chunks, with holes between them now and then, that a reader may take for one. */
static bool put_pair(struct chunking *c, unsigned int number, unsigned int second)
{
	struct chunk chunk, next;

	for (unsigned int i = 0; i < 4 * TRIES; i++)
		if (first_of_pair(c, number, &chunk, &next) && can_be(c, number, &chunk) &&
		    can_be(c, second, &next) && put_chunk(c, number, &chunk))
			return put_chunk(c, second, &next);
	return false;
}

static bool put_across(struct chunking *c, unsigned int number)
{
	uint64_t blocks = chunk_blocks(c, number);

	for (unsigned int i = 0; blocks > 1 && i < TRIES; i++) {
		uint64_t border = pick_border(c->set, c->image);
		struct chunk chunk = { false, 0, border - between(&c->set->random, 1, blocks - 1) };
		bool put;

		c->image->together = chance(&c->set->random, 50);
		put = border >= blocks && put_chunk(c, number, &chunk);
		c->image->together = false;
		if (put)
			return true;
	}
	return false;
}

static unsigned int next_with_data(const struct chunking *c, unsigned int number)
{
	while (++number < c->file->chunk_count && c->file->chunks[number].hole)
		continue;
	return number;
}

/* Lays the trap at this chunk, if it can be; returns how many chunks were put. */
static unsigned int try_trap(struct chunking *c, unsigned int number)
{
	unsigned int second = next_with_data(c, number);

	if (c->image->trapped && !chance(&c->set->random, 30))
		return 0;
	switch (c->file->trap) {
	case TRAP_CHUNK_CROSSES:
		c->image->trapped |= put_across(c, number);
		return c->image->trapped;
	default:
		if (!is_pair(c->file->trap) || second >= c->file->chunk_count ||
		    !put_pair(c, number, second))
			return 0;
		c->image->trapped = true;
		return second - number + 1;
	}
}

/* ---- Chunk-based files ---- */

static void draw_chunk_format(struct chunking *c)
{
	struct random *random = &c->set->random;
	static const unsigned int sizes[] = { 0, 0, 0, 1, 1, 2, 3, 4 };

	c->file->chunk_bits = sizes[below(random, sizeof(sizes) / sizeof(*sizes))];
	if (chance(random, 5) && c->file->trap == TRAP_NONE)
		c->file->chunk_bits = (unsigned int)between(random, 5, 31);
	if (c->file->trap == TRAP_CHUNK_CROSSES && !c->file->chunk_bits)
		c->file->chunk_bits = 1;
	if (is_pair(c->file->trap) && chance(random, 80))
		c->file->chunk_bits = (unsigned int)below(random, 2);
	c->file->indexes = chance(random, c->image->device_count ? 75 : 50);
	c->file->chunk_48bit = chance(random, c->image->wide ? 80 : 25);
	c->step = 1ull << c->file->chunk_bits;
	c->file->chunk_count = (unsigned int)((c->blocks + c->step - 1) / c->step);
}

static void find_holes(struct chunking *c)
{
	for (unsigned int i = 0; i < c->file->chunk_count; i++)
		c->file->chunks[i] =
			(struct chunk){ .hole = all_zero(chunk_bytes(c, i),
							 chunk_blocks(c, i) << c->image->bits) &&
						chance(&c->set->random, 75) };
}

static void tell_chunks(const struct chunking *c)
{
	struct set *set = c->set;

	has(set, c->file->indexes ? HAS_CHUNK_INDEXES : HAS_BLOCK_MAP);
	if (c->file->indexes && c->file->chunk_48bit)
		has(set, HAS_CHUNK_48BIT);
	has(set, c->step == 1	       ? HAS_CHUNK_ONE_BLOCK
		 : c->step > c->blocks ? HAS_CHUNK_LARGE
				       : HAS_CHUNK_SOME_BLOCKS);
	for (unsigned int i = 0; i < c->file->chunk_count; i++) {
		if (c->file->chunks[i].hole)
			has(set, HAS_CHUNK_HOLE);
		else if (c->file->chunks[i].id)
			has(set, HAS_CHUNK_DEVICE_ID);
	}
}

static bool place_chunks(struct set *set, struct image *image, struct file *file,
			 const uint8_t *bytes)
{
	struct chunking c = {
		set, image, file, bytes, blocks_of(image, set->contents[file->content].size), 0
	};
	unsigned int put;

	draw_chunk_format(&c);
	find_holes(&c);
	for (unsigned int i = 0; i < file->chunk_count; i += put) {
		put = 1;
		if (file->chunks[i].hole)
			continue;
		put = try_trap(&c, i);
		if (put)
			continue;
		put = 1;
		if (!put_anywhere(&c, i))
			return false;
	}
	tell_chunks(&c);
	return true;
}

/* ---- Files ---- */

static unsigned int draw_layout(struct set *set, const struct image *image, const struct file *file)
{
	uint32_t size = set->contents[file->content].size;
	uint64_t kind = below(&set->random, 10);

	switch (file->trap) {
	case TRAP_CHUNK_CROSSES:
	case TRAP_CHUNKS_CROSS:
	case TRAP_CHUNKS_MERGE:
	case TRAP_CHUNKS_RELATIVE:
		return ISHARE_INODE_CHUNK_BASED;
	case TRAP_FLAT_CROSSES:
		kind = below(&set->random, 5);
		break;
	default:
		break;
	}
	if (kind < 3 && can_be_inline(image, size))
		return ISHARE_INODE_FLAT_INLINE;
	return kind < 6 ? ISHARE_INODE_FLAT_PLAIN : ISHARE_INODE_CHUNK_BASED;
}

bool place_file(struct set *set, struct image *image, struct file *file)
{
	const struct content *content = &set->contents[file->content];
	static uint8_t bytes[MAX_CONTENT];
	size_t end = blocks_of(image, content->size) << image->bits;

	memcpy(bytes, content->bytes, sizeof(bytes));
	if (file->padding_noise)
		noise(&set->random, bytes + content->size, end - content->size);
	for (unsigned int i = 0; i < 4; i++) {
		file->layout = draw_layout(set, image, file);
		if (!(file->layout == ISHARE_INODE_CHUNK_BASED
			      ? place_chunks(set, image, file, bytes)
			      : place_flat(set, image, file, bytes)))
			continue;
		file->padding_noise &=
			end > content->size && file->layout != ISHARE_INODE_FLAT_INLINE;
		image->trapped |= file->padding_noise;
		return true;
	}
	return false;
}
