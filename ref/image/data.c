// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Where the data of an inode is: chapter "Inodes", sections on the data layouts. Flat, inline and
 * chunk-based; compressed data is not decoded.
 */
#include <string.h>

#include "image/image.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Fills *run, whose size is set, with what begins skip bytes behind the start of a block. Block
 * numbers have at most 48 bits, and so has what a flat image adds to them.
 */
static enum read_result locate(const struct volume *volume, uint32_t device_id,
			       uint64_t start_block, uint64_t skip, struct run *run)
{
	uint64_t block_size = ishare_block_size(&volume->sb), rest = skip % block_size;

	if (device_id > volume->map.count)
		return volume->map.lost ? READ_NO_DEVICE : READ_OUTSIDE;
	run->kind = RUN_DEVICE;
	run->blocks = (struct ishare_run){ .device_id = device_id,
					   .start = start_block + skip / block_size,
					   .blocks = (rest + run->size - 1) / block_size + 1 };
	find_device(volume, &run->blocks);
	if (run->blocks.address > (UINT64_MAX - rest) >> volume->sb.blkszbits)
		return READ_OUTSIDE;
	run->offset = (run->blocks.address << volume->sb.blkszbits) + rest;
	return READ_OK;
}

/*
 * Whether a device that was not given cannot have the blocks, because its slot says how many it
 * has; 0 blocks: it does not say.
 */
static bool is_beyond_slot(const struct device_map *map, const struct ishare_run *blocks)
{
	uint64_t held = map->extents[blocks->device - 1].blocks;

	return held && (blocks->address > held || blocks->blocks > held - blocks->address);
}

/* Whether size bytes of the run can be read, ignoring the rest of the last block. */
enum read_result run_read_result(const struct volume *volume, const struct run *run, uint64_t size)
{
	if (run->blocks.device >= volume->device_count)
		return is_beyond_slot(&volume->map, &run->blocks) ? READ_OUTSIDE : READ_NO_DEVICE;
	if (inode_data_bounds(run->offset, size, volume->devices[run->blocks.device].size))
		return READ_OK;
	return volume->map.lost ? READ_NO_DEVICE : READ_OUTSIDE;
}

static enum read_result map_flat(const struct volume *volume, const struct file *file, uint64_t pos,
				 struct run *run)
{
	uint64_t block_size = ishare_block_size(&volume->sb);
	uint64_t tail = file->inode.size;

	if (file->inode.data_layout == ISHARE_INODE_FLAT_INLINE)
		tail = (file->inode.size - 1) / block_size * block_size;
	if (pos >= tail) {
		run->kind = RUN_SPACE;
		run->offset = file->offset + file->inode.isize + file->inode.xattr_isize +
			      pos % block_size;
		run->size = file->inode.size - pos;
		return ishare_fits(file->space->size, run->offset, run->size) ? READ_OK
									      : READ_OUTSIDE;
	}
	run->size = tail - pos;
	if (file->inode.start_block == ISHARE_NULL_BLOCK) {
		run->kind = RUN_HOLE;
		return READ_OK;
	}
	return locate(volume, 0, file->inode.start_block, pos, run);
}

/* The metabox's and packed inode's own inode is in the image: the recursion is one level deep. */
static enum read_result copy_from_space(struct reader *reader, const struct space *space,
					uint64_t offset, void *buffer, size_t size)
{
	if (space->id != SPACE_IMAGE)
		return file_read(reader, &space->file, offset, buffer, size);
	return reader_copy(reader, 0, offset, buffer, size);
}

uint64_t chunk_table(const struct file *file)
{
	uint64_t end = file->offset + file->inode.isize + file->inode.xattr_isize;
	uint32_t unit = ishare_chunk_record_size(&file->inode);

	return (end + unit - 1) / unit * unit;
}

static uint32_t chunk_bits(const struct volume *volume, const struct file *file)
{
	return volume->sb.blkszbits + (file->inode.u & ISHARE_CHUNK_FORMAT_BLKBITS_MASK);
}

uint64_t chunk_record(const struct volume *volume, const struct file *file, uint64_t pos)
{
	return chunk_table(file) +
	       (pos >> chunk_bits(volume, file)) * ishare_chunk_record_size(&file->inode);
}

/* Reads the number of a chunk in the array behind the inode's xattrs. */
static enum read_result read_chunk(struct reader *reader, const struct file *file, uint64_t number,
				   struct ishare_chunk *chunk)
{
	uint32_t unit = ishare_chunk_record_size(&file->inode);
	uint64_t array = chunk_table(file);
	uint8_t entry[ISHARE_CHUNK_INDEX_SIZE];
	struct ishare_view record = { entry, unit };
	enum read_result result;

	if (number > file->space->size ||
	    !ishare_fits(file->space->size, array + number * unit, unit))
		return READ_OUTSIDE;
	result = copy_from_space(reader, file->space, array + number * unit, entry, unit);
	if (result != READ_OK)
		return result == READ_CORRUPT ? READ_OUTSIDE : result; /* the space's data is */
	ishare_chunk_decode(&reader->volume->sb, &file->inode, &record, chunk);
	return READ_OK;
}

static enum read_result map_chunk(struct reader *reader, const struct file *file, uint64_t pos,
				  struct run *run)
{
	uint32_t bits = chunk_bits(reader->volume, file);
	uint64_t chunk_size = 1ull << bits;
	uint64_t skip = pos & (chunk_size - 1);
	struct ishare_chunk chunk;
	enum read_result result = read_chunk(reader, file, pos >> bits, &chunk);

	if (result != READ_OK)
		return result;
	run->size = min_u64(chunk_size - skip, file->inode.size - pos);
	run->kind = RUN_HOLE;
	if (chunk.hole)
		return READ_OK;
	if (!inode_chunk_range(&file->inode, chunk.start,
			       chunk_size >> reader->volume->sb.blkszbits))
		return rule_broken(reader, READ_CORRUPT, ISHARE_RULE_INODE_CHUNK_RANGE);
	return locate(reader->volume, chunk.device_id, chunk.start, skip, run);
}

static enum read_result map_layout(struct reader *reader, const struct file *file, uint64_t pos,
				   struct run *run)
{
	switch (file->inode.data_layout) {
	case ISHARE_INODE_FLAT_PLAIN:
	case ISHARE_INODE_FLAT_INLINE:
		return map_flat(reader->volume, file, pos, run);
	case ISHARE_INODE_CHUNK_BASED:
		return map_chunk(reader, file, pos, run);
	default:
		return READ_UNSUPPORTED;
	}
}

enum read_result map_run(struct reader *reader, const struct file *file, uint64_t pos,
			 struct run *run)
{
	enum read_result result = map_layout(reader, file, pos, run);

	if (result == READ_OUTSIDE)
		reader->rule = ISHARE_RULE_INODE_DATA_BOUNDS;
	return result;
}

static enum read_result copy_run(struct reader *reader, const struct file *file,
				 const struct run *run, uint8_t *buffer)
{
	enum read_result result;

	if (run->kind == RUN_HOLE) {
		memset(buffer, 0, run->size);
		return READ_OK;
	}
	if (run->kind == RUN_SPACE)
		return copy_from_space(reader, file->space, run->offset, buffer, run->size);
	result = run_read_result(reader->volume, run, run->size);
	if (result != READ_OK)
		return rule_broken(reader, result, ISHARE_RULE_INODE_DATA_BOUNDS);
	return reader_copy(reader, run->blocks.device, run->offset, buffer, run->size);
}

enum read_result file_read(struct reader *reader, const struct file *file, uint64_t pos,
			   void *buffer, size_t size)
{
	uint8_t *out = buffer;

	while (size) {
		struct run run;
		enum read_result result = map_run(reader, file, pos, &run);

		if (result != READ_OK)
			return result;
		run.size = min_u64(run.size, size);
		result = copy_run(reader, file, &run, out);
		if (result != READ_OK)
			return result;
		out += run.size;
		pos += run.size;
		size -= run.size;
	}
	return READ_OK;
}

uint64_t chunk_table_size(const struct volume *volume, const struct file *file)
{
	uint32_t bits = chunk_bits(volume, file);
	uint64_t chunks = file->inode.size ? ((file->inode.size - 1) >> bits) + 1 : 0;

	return chunks * ishare_chunk_record_size(&file->inode);
}

uint32_t file_padding_size(const struct volume *volume, const struct file *file)
{
	uint64_t block_size = ishare_block_size(&volume->sb);

	if (file->inode.data_layout != ISHARE_INODE_FLAT_PLAIN &&
	    file->inode.data_layout != ISHARE_INODE_CHUNK_BASED)
		return 0;
	return (uint32_t)((block_size - file->inode.size % block_size) % block_size);
}

/* The last byte of data determines where the block is. No device need hold the whole of it. */
enum read_result file_padding(struct reader *reader, const struct file *file, uint8_t *buffer,
			      struct padding *padding)
{
	uint64_t left, size = file_padding_size(reader->volume, file);
	struct run run;
	enum read_result result;

	padding->bytes = (struct ishare_view){ buffer, 0 };
	if (!size)
		return READ_OK;
	result = map_run(reader, file, file->inode.size - 1, &run);
	if (result == READ_OK && run.kind == RUN_DEVICE)
		result = run_read_result(reader->volume, &run, 1);
	if (result != READ_OK || run.kind != RUN_DEVICE)
		return result;
	padding->device = run.blocks.device;
	padding->offset = run.offset + 1;
	left = reader->volume->devices[padding->device].size - padding->offset;
	padding->bytes.size = (size_t)min_u64(size, left);
	return reader_copy(reader, padding->device, padding->offset, buffer, padding->bytes.size);
}
