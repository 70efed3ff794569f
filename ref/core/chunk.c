// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "chunk.h"

uint32_t ishare_chunk_record_size(const struct ishare_inode *inode)
{
	return (inode->u & ISHARE_CHUNK_FORMAT_INDEXES) != 0 ? ISHARE_CHUNK_INDEX_SIZE
							     : ISHARE_BLOCK_MAP_SIZE;
}

/*@ requires range: n <= 0xffff;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == low_bits(n); */
static uint32_t low_bits(uint32_t n)
{
	uint32_t mask = 0;

	/*@ loop invariant ones: mask == 0 || mask == 1 || mask == 3 || mask == 7 || mask == 15 ||
	      mask == 31 || mask == 63 || mask == 127 || mask == 255 || mask == 511 ||
	      mask == 1023 || mask == 2047 || mask == 4095 || mask == 8191 || mask == 16383 ||
	      mask == 32767 || mask == 65535;
	    loop invariant least: mask == 0 || mask / 2 < n;
	    loop assigns mask;
	    loop variant n - mask; */
	while (mask < n)
		mask = 2u * mask + 1u;
	return mask;
}

/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == chunk_hole(inode); */
static uint64_t hole(const struct ishare_inode *inode)
{
	if ((inode->u & ISHARE_CHUNK_FORMAT_INDEXES) != 0 &&
	    (inode->u & ISHARE_CHUNK_FORMAT_48BIT) != 0)
		return 0xffffffffffffu;
	return 0xffffffffu;
}

/* With CHUNK_FORMAT_INDEXES. */
/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    requires devices: sb->extra_devices <= 0xffff;
    requires indexes: (inode->u & ISHARE_CHUNK_FORMAT_INDEXES) != 0;
    requires view: view_ok(v) && ISHARE_CHUNK_INDEX_SIZE <= v->size;
    requires writable: \valid(chunk);
    requires apart: \separated(chunk, sb, inode, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns chunk->device_id, chunk->start;
    ensures device_id: chunk->device_id == chunk_device_id(sb, inode, v->data);
    ensures start: chunk->start == chunk_start(inode, v->data); */
static void decode_index(const struct ishare_superblock *sb, const struct ishare_inode *inode,
			 const struct ishare_view *v, struct ishare_chunk *chunk)
{
	struct ishare_chunk_index stored;

	ishare_chunk_index_decode(v, &stored);
	chunk->device_id = stored.device_id & low_bits(ishare_device_count(sb));
	chunk->start = stored.startblk_lo;
	if ((inode->u & ISHARE_CHUNK_FORMAT_48BIT) != 0)
		chunk->start += 4294967296u * (uint64_t)stored.startblk_hi;
}

enum ishare_status ishare_chunk_decode(const struct ishare_superblock *sb,
				       const struct ishare_inode *inode,
				       const struct ishare_view *v, struct ishare_chunk *chunk)
{
	if (v->size < ishare_chunk_record_size(inode))
		return ISHARE_SHORT;
	if ((inode->u & ISHARE_CHUNK_FORMAT_INDEXES) != 0) {
		decode_index(sb, inode, v, chunk);
	} else {
		chunk->device_id = 0;
		chunk->start = ishare_le32(v->data);
	}
	chunk->hole = chunk->start == hole(inode);
	return ISHARE_OK;
}
