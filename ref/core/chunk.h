/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The table of a chunk-based file. Specification: "Chunks" in the inodes chapter. */
#ifndef ISHARE_CHUNK_H
#define ISHARE_CHUNK_H

#include "inode.h"

/* Bytes of a record of the table: 8, or 4 in a block map. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == chunk_record_size(inode); */
uint32_t ishare_chunk_record_size(const struct ishare_inode *inode);

/*
 * inode: a chunk-based one; v: from a record of its table. ISHARE_SHORT if the view ends before the
 * record does; *chunk is then unspecified.
 */
/*@ requires readable: \valid_read(sb) && \valid_read(inode);
    requires devices: sb->extra_devices <= 0xffff;
    requires view: view_ok(v);
    requires writable: \valid(chunk);
    requires apart: \separated(chunk, sb, inode, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns *chunk;
    ensures whole: v->size >= chunk_record_size(inode) ==> \result == ISHARE_OK;
    ensures short: v->size < chunk_record_size(inode) ==> \result == ISHARE_SHORT;
    ensures device_id: \result == ISHARE_OK ==>
      chunk->device_id == chunk_device_id(sb, inode, v->data);
    ensures start: \result == ISHARE_OK ==> chunk->start == chunk_start(inode, v->data);
    ensures hole: \result == ISHARE_OK ==>
      (chunk->hole != 0 <==> chunk->start == chunk_hole(inode)); */
enum ishare_status ishare_chunk_decode(const struct ishare_superblock *sb,
				       const struct ishare_inode *inode,
				       const struct ishare_view *v, struct ishare_chunk *chunk);

#endif
