// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Where the data of an inode is: chapter "Inodes", sections on the data layouts. Flat, inline and
 * chunk-based; compressed data is not decoded.
 */
#include <string.h>

#include "bytes.h"
#include "internal.h"

/*
 * Bytes that lie together: on a device, in the space that holds the inode, or nowhere (a hole reads
 * as zeros).
 */
struct run {
	enum { RUN_DEVICE, RUN_SPACE, RUN_HOLE } kind;
	uint32_t device;
	uint64_t offset;
	uint64_t size;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * A block number has at most 48 bits and a block 16, but what is added to their product may be
 * anything.
 */
static bool advance(struct run *run, uint64_t bytes)
{
	if (bytes > UINT64_MAX - run->offset)
		return false;
	run->offset += bytes;
	return true;
}

/* The last one that starts at the block or before it. There may be 65,535, and more chunks. */
static const struct indexed_extent *last_extent(const struct ishare_image *image, uint64_t block)
{
	uint32_t low = 0, high = image->sorted_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (image->sorted[middle].extent.start <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &image->sorted[low - 1] : NULL;
}

/*
 * A block address in the unified address space is one of the primary device, unless it falls into
 * the range of an extra device and that device was given; without extra devices the image is taken
 * to hold them all ("flat").
 */
static enum read_result locate(const struct ishare_image *image, struct run *run)
{
	uint64_t block = run->offset >> image->block_bits;
	const struct indexed_extent *e;

	if (image->device_count == 1)
		return READ_OK;
	e = last_extent(image, block);
	if (!e || !e->device || block - e->extent.start >= e->extent.blocks)
		return READ_OK;
	if (e->device >= image->device_count)
		return READ_NO_DEVICE;
	run->device = e->device;
	run->offset -= e->extent.start << image->block_bits;
	return READ_OK;
}

/* An explicit device id: 0 is the primary device, others are extra devices. */
static enum read_result locate_on(const struct ishare_image *image, uint32_t device_id,
				  struct run *run)
{
	if (!device_id)
		return locate(image, run);
	if (device_id > image->extent_count)
		return image->extents_lost ? READ_NO_DEVICE : READ_OUTSIDE;
	if (image->device_count > 1) {
		run->device = device_id;
		return device_id < image->device_count ? READ_OK : READ_NO_DEVICE;
	}
	return advance(run, image->extents[device_id - 1].start << image->block_bits)
		       ? READ_OK
		       : READ_OUTSIDE;
}

/* Without the extra devices, what is not in the image may well be on one of them. */
static enum read_result check_range(const struct ishare_image *image, const struct run *run)
{
	if (inode_data_bounds(run->offset, run->size, image->devices[run->device].size))
		return READ_OK;
	if (image->extents_lost || (image->extent_count && image->device_count == 1))
		return READ_NO_DEVICE;
	return READ_OUTSIDE;
}

static enum read_result map_flat(const struct ishare_image *image, const struct file *file,
				 uint64_t pos, struct run *run)
{
	uint64_t block_size = ishare_block_size(&image->sb);
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
	run->kind = RUN_DEVICE;
	run->device = 0;
	run->offset = file->inode.start_block << image->block_bits;
	return advance(run, pos) ? locate(image, run) : READ_OUTSIDE;
}

struct chunk {
	uint64_t start_block;
	uint32_t device_id;
	bool hole;
};

/* The extra devices' ids are kept in as many bits as their number needs. */
static uint32_t device_id_mask(uint32_t extra_devices)
{
	uint32_t mask = 0;

	while (mask < extra_devices)
		mask = mask * 2 + 1;
	return mask;
}

static void decode_chunk_index(const struct ishare_image *image, uint32_t format, const uint8_t *p,
			       struct chunk *chunk)
{
	uint64_t mask = format & ISHARE_CHUNK_FORMAT_48BIT ? 0xffffffffffffull : 0xffffffffull;
	uint64_t high = ishare_le16(p + ISHARE_CHUNK_INDEX_STARTBLK_HI_OFFSET);
	uint64_t low = ishare_le32(p + ISHARE_CHUNK_INDEX_STARTBLK_LO_OFFSET);

	chunk->start_block = (high << 32 | low) & mask;
	chunk->hole = chunk->start_block == mask;
	chunk->device_id = ishare_le16(p + ISHARE_CHUNK_INDEX_DEVICE_ID_OFFSET) &
			   device_id_mask(ishare_device_count(&image->sb));
}

static void decode_block_map_entry(const uint8_t *p, struct chunk *chunk)
{
	chunk->start_block = ishare_le32(p);
	chunk->hole = chunk->start_block == 0xffffffffu;
	chunk->device_id = 0;
}

/*
 * Not by space_view(): what is read here may be a part of what that one is putting together in the
 * reader's buffer.
 */
static enum read_result copy_from_space(struct reader *reader, const struct space *space,
					uint64_t offset, void *buffer, size_t size)
{
	if (!space->is_image)
		return file_read(reader, &space->file, offset, buffer, size);
	return reader_copy(reader, 0, offset, buffer, size) ? READ_OK : READ_FAILED;
}

/* Reads the number of a chunk in the array behind the inode's xattrs. */
static enum read_result read_chunk(struct reader *reader, const struct file *file, uint64_t number,
				   struct chunk *chunk)
{
	uint32_t unit = file->inode.u & ISHARE_CHUNK_FORMAT_INDEXES ? ISHARE_CHUNK_INDEX_SIZE : 4u;
	uint64_t array = file->offset + file->inode.isize + file->inode.xattr_isize;
	uint8_t entry[ISHARE_CHUNK_INDEX_SIZE];
	enum read_result result;

	array = (array + unit - 1) / unit * unit;
	if (number > file->space->size ||
	    !ishare_fits(file->space->size, array + number * unit, unit))
		return READ_OUTSIDE;
	result = copy_from_space(reader, file->space, array + number * unit, entry, unit);
	if (result != READ_OK)
		return result;
	if (unit == ISHARE_CHUNK_INDEX_SIZE)
		decode_chunk_index(reader->image, file->inode.u, entry, chunk);
	else
		decode_block_map_entry(entry, chunk);
	return READ_OK;
}

static enum read_result map_chunk(struct reader *reader, const struct file *file, uint64_t pos,
				  struct run *run)
{
	uint32_t chunk_bits =
		reader->image->block_bits + (file->inode.u & ISHARE_CHUNK_FORMAT_BLKBITS_MASK);
	uint64_t chunk_size = 1ull << chunk_bits;
	uint64_t skip = pos & (chunk_size - 1);
	struct chunk chunk;
	enum read_result result = read_chunk(reader, file, pos >> chunk_bits, &chunk);

	if (result != READ_OK)
		return result;
	run->kind = chunk.hole ? RUN_HOLE : RUN_DEVICE;
	run->size = min_u64(chunk_size - skip, file->inode.size - pos);
	run->device = 0;
	run->offset = chunk.start_block << reader->image->block_bits;
	if (!advance(run, skip))
		return READ_OUTSIDE;
	return chunk.hole ? READ_OK : locate_on(reader->image, chunk.device_id, run);
}

static enum read_result map_run(struct reader *reader, const struct file *file, uint64_t pos,
				struct run *run)
{
	switch (file->inode.data_layout) {
	case ISHARE_INODE_FLAT_PLAIN:
	case ISHARE_INODE_FLAT_INLINE:
		return map_flat(reader->image, file, pos, run);
	case ISHARE_INODE_CHUNK_BASED:
		return map_chunk(reader, file, pos, run);
	default:
		return READ_ENCODED;
	}
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
	result = check_range(reader->image, run);
	if (result != READ_OK)
		return result;
	return reader_copy(reader, run->device, run->offset, buffer, run->size) ? READ_OK
										: READ_FAILED;
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

/*
 * The metabox's and packed inode's own inode is in the image, so that the recursion is one level
 * deep.
 */
enum read_result space_view(struct reader *reader, const struct space *space, uint64_t offset,
			    size_t size, struct ishare_view *view)
{
	uint8_t *copy;
	enum read_result result;

	if (space->is_image)
		return reader_view(reader, 0, offset, size, view) ? READ_OK : READ_FAILED;
	copy = reader_buffer(reader, size);
	if (!copy)
		return READ_FAILED;
	result = file_read(reader, &space->file, offset, copy, size);
	view->data = copy;
	view->size = size;
	return result;
}

enum read_result file_data_bounds(struct reader *reader, const struct file *file, uint64_t *pos)
{
	struct run run;

	for (*pos = 0; *pos < file->inode.size; *pos += run.size) {
		enum read_result result = map_run(reader, file, *pos, &run);

		if (result == READ_OK && run.kind == RUN_DEVICE)
			result = check_range(reader->image, &run);
		if (result != READ_OK)
			return result;
	}
	return READ_OK;
}
