// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Metadata: it lies in the blocks that are reserved for it at the image's beginning, with gaps of
 * noise.
 */
#include <string.h>

#include "core.h"
#include "mutate.h"
#include "set.h"

#define S_IFREG 0x8000u
#define S_IFDIR 0x4000u
#define NULL_32BIT 0xffffffffull
#define PACKED_MAX (6 * PAGE)

/* Where the next piece of metadata goes. */
struct writer {
	struct set *set;
	struct image *image;
	uint8_t *bytes;
	uint32_t at, end, block;
	uint32_t meta, shared; /* bytes at which inodes and shared xattrs are counted from */
	uint32_t prefixes, devices; /* the tables */
	uint64_t packed_nid, metabox_nid, root_nid;
	uint64_t space; /* ISHARE_NID_METABOX while what is written goes there */
	uint32_t incompat;
};

static uint32_t round_up(uint32_t value, uint32_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* Aligned, after a gap now and then; false if there is no room. */
static bool reserve(struct writer *w, uint32_t size, uint32_t unit, uint32_t *at)
{
	uint32_t start = w->at;

	if (chance(&w->set->random, 25))
		start += (uint32_t)below(&w->set->random, 100);
	if (chance(&w->set->random, 6))
		start = round_up(start, w->block);
	start = round_up(start, unit);
	if (start + size > w->end)
		start = round_up(w->at, unit);
	if (start + size > w->end)
		return false;
	*at = start;
	w->at = start + size;
	return true;
}

/* ---- Tables ---- */

static bool write_devices(struct writer *w)
{
	unsigned int count = w->image->device_count;

	if (!count)
		return true;
	if (!reserve(w, count * ISHARE_DEVICESLOT_SIZE, ISHARE_DEVICESLOT_SIZE, &w->devices))
		return false;
	w->incompat |= ISHARE_FEATURE_INCOMPAT_DEVICE_TABLE;
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *slot = w->bytes + w->devices + i * ISHARE_DEVICESLOT_SIZE;
		const struct device *device = &w->image->devices[i + 1];
		struct ishare_deviceslot stored = { .blocks_lo = (uint32_t)device->blocks,
						    .uniaddr_lo = (uint32_t)device->start };

		memset(slot, 0, ISHARE_DEVICESLOT_SIZE);
		slot[ISHARE_DEVICESLOT_TAG_OFFSET] = 't';
		if (w->image->wide) {
			stored.blocks_hi = (uint16_t)(device->blocks >> 32);
			stored.uniaddr_hi = (uint16_t)(device->start >> 32);
		}
		ishare_deviceslot_encode(&stored, slot);
	}
	return true;
}

static uint32_t prefix_bytes(const struct image *image, uint8_t *table)
{
	uint32_t at = 0;

	for (unsigned int i = 0; i < image->prefix_count; i++) {
		const struct name *prefix = &image->prefixes[i];
		struct ishare_prefix_record stored = { prefix->size + 1u, prefix->base };

		ishare_prefix_record_encode(&stored, table + at);
		at += ISHARE_PREFIX_RECORD_SIZE;
		memcpy(table + at, prefix->bytes, prefix->size);
		at += prefix->size;
		while (at % 4)
			table[at++] = 0;
	}
	return at;
}

static bool write_inode(struct writer *w, struct file *file, uint32_t mode, uint64_t size,
			const uint8_t *xattrs, uint32_t xattr_size, const uint8_t *behind,
			uint32_t behind_size, uint64_t *nid);

/*
 * The packed inode has noise before the table. As a trap it has another table where a reader may
 * look instead.
 */
static bool place_packed(struct writer *w, uint8_t *table, uint32_t *size, uint64_t *start)
{
	struct image *image = w->image;
	static uint8_t others[PACKED_MAX];
	struct name name = image->prefixes[image->fingerprint_prefix];
	uint32_t lead = (uint32_t)below(&w->set->random, 3 * PAGE / 4) * 4;

	w->prefixes = lead;
	noise(&w->set->random, table, lead);
	memcpy(others, table, lead);
	memset(others + lead, 0, sizeof(others) - lead);
	*size = lead + prefix_bytes(image, table + lead);
	image->prefixes[image->fingerprint_prefix] = other_fingerprint_name;
	prefix_bytes(image, others + lead);
	image->prefixes[image->fingerprint_prefix] = name;
	if (image->trap == TRAP_PACKED_CROSSES &&
	    place_across(w->set, image, table, others, *size, start)) {
		image->trapped = true;
		return true;
	}
	return place_run(w->set, image, table, *size, start);
}

static bool write_packed(struct writer *w)
{
	static uint8_t table[PACKED_MAX];
	struct file packed = { .layout = ISHARE_INODE_FLAT_PLAIN, .extended = true };
	uint32_t size;

	memset(table, 0, sizeof(table));
	w->incompat |= ISHARE_FEATURE_INCOMPAT_FRAGMENTS;
	return place_packed(w, table, &size, &packed.start) &&
	       write_inode(w, &packed, S_IFREG | 0644, size, NULL, 0, NULL, 0, &w->packed_nid) &&
	       w->packed_nid;
}

static bool write_prefixes(struct writer *w)
{
	uint8_t table[MAX_PREFIXES * (MAX_NAME + 4)];
	uint32_t size;

	if (w->image->packed_prefixes && !w->image->metabox)
		return write_packed(w);
	size = prefix_bytes(w->image, table);
	if (!reserve(w, size, 4, &w->prefixes))
		return false;
	memcpy(w->bytes + w->prefixes, table, size);
	return true;
}

/* ---- Xattrs ---- */

static uint32_t entry_bytes(const struct xattr *xattr, uint8_t *entry, uint32_t *value_at)
{
	uint32_t suffix = xattr->name.size - xattr->infix;
	uint32_t size = round_up(ISHARE_XATTR_ENTRY_SIZE + suffix + xattr->value_size, 4);
	struct ishare_xattr_entry stored = { suffix, xattr->index, xattr->value_size };

	memset(entry, 0, size);
	ishare_xattr_entry_encode(&stored, entry);
	memcpy(entry + ISHARE_XATTR_ENTRY_SIZE, xattr->name.bytes + xattr->infix, suffix);
	memcpy(entry + ISHARE_XATTR_ENTRY_SIZE + suffix, xattr->value, xattr->value_size);
	*value_at = ISHARE_XATTR_ENTRY_SIZE + suffix;
	return size;
}

/* Offsets in the ibody of what traps change; that of a shared value is one in the image. */
struct ibody {
	uint8_t bytes[2048];
	uint32_t size, value;
	bool value_shared;
};

static bool write_shared(struct writer *w, const struct xattr *xattr, struct ibody *ibody)
{
	uint8_t entry[ISHARE_XATTR_ENTRY_SIZE + MAX_NAME + MAX_VALUE + 4];
	uint32_t value, size = entry_bytes(xattr, entry, &value), at;

	if (!reserve(w, size, 4, &at))
		return false;
	memcpy(w->bytes + at, entry, size);
	ishare_put_le32(ibody->bytes + ibody->size, (at - w->shared) / 4);
	ibody->size += 4;
	if (xattr->is_fingerprint) {
		ibody->value = at + value;
		ibody->value_shared = true;
	}
	return true;
}

static void add_inline(const struct xattr *xattr, struct ibody *ibody)
{
	uint32_t value, size = entry_bytes(xattr, ibody->bytes + ibody->size, &value);

	if (xattr->is_fingerprint)
		ibody->value = ibody->size + value;
	ibody->size += size;
}

static uint32_t draw_filter(struct writer *w, const struct xattr *xattrs, unsigned int count)
{
	uint32_t filter = 0xffffffff;

	if (!w->image->filter || chance(&w->set->random, 10))
		return 0;
	for (unsigned int i = 0; i < count; i++)
		filter &= ~filter_bit(&xattrs[i].name);
	return chance(&w->set->random, 20) ? filter & (uint32_t)any(&w->set->random) : filter;
}

static bool make_ibody(struct writer *w, struct file *file, struct ibody *ibody)
{
	struct xattr xattrs[MAX_XATTRS];
	unsigned int count = draw_xattrs(w->set, w->image, file, xattrs);
	struct ishare_ibody_header header = { 0 };

	ibody->size = 0;
	ibody->value_shared = false;
	if (!count)
		return true;
	memset(ibody->bytes, 0, ISHARE_IBODY_HEADER_SIZE);
	ibody->size = ISHARE_IBODY_HEADER_SIZE;
	header.h_name_filter = draw_filter(w, xattrs, count);
	for (unsigned int i = 0; i < count; i++) {
		if (!xattrs[i].shared)
			continue;
		header.h_shared_count++;
		if (!write_shared(w, &xattrs[i], ibody))
			return false;
	}
	ishare_ibody_header_encode(&header, ibody->bytes);
	if (file->trap == TRAP_BEHIND_FILL) {
		ishare_put_le32(ibody->bytes + ibody->size, 0);
		ibody->size += 4;
		w->image->trapped = true;
	}
	for (unsigned int i = 0; i < count; i++)
		if (!xattrs[i].shared)
			add_inline(&xattrs[i], ibody);
	if (chance(&w->set->random, 15)) {
		ishare_put_le32(ibody->bytes + ibody->size, 0);
		ibody->size += 4;
	}
	return true;
}

/* ---- Inodes ---- */

static bool has_high_bits(const struct file *file)
{
	return file->extended || file->nlink_1;
}

static void fill_inode(uint8_t *p, const struct file *file, uint32_t mode, uint64_t size,
		       uint32_t xattr_size, uint32_t nlink)
{
	uint32_t isize = file->extended ? ISHARE_INODE_EXTENDED_SIZE : ISHARE_INODE_COMPACT_SIZE;
	uint32_t u = file->layout == ISHARE_INODE_CHUNK_BASED
			     ? file->chunk_bits |
				       (file->indexes ? ISHARE_CHUNK_FORMAT_INDEXES : 0) |
				       (file->chunk_48bit ? ISHARE_CHUNK_FORMAT_48BIT : 0)
			     : (uint32_t)file->start;
	uint32_t high = file->layout == ISHARE_INODE_CHUNK_BASED ? 0 : file->start >> 32 & 0xffff;

	memset(p, 0, isize);
	ishare_put_le16(p, file->extended | file->layout << 1 |
				   (file->nlink_1 && !file->extended ? ISHARE_I_NLINK_1 : 0));
	ishare_put_le16(p + ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET,
			xattr_size ? 1 + (xattr_size - ISHARE_IBODY_HEADER_SIZE) / 4 : 0);
	ishare_put_le16(p + ISHARE_INODE_COMPACT_I_MODE_OFFSET, mode);
	ishare_put_le16(p + ISHARE_INODE_COMPACT_I_NB_OFFSET, has_high_bits(file) ? high : nlink);
	ishare_put_le32(p + ISHARE_INODE_COMPACT_I_U_OFFSET, u);
	if (file->extended) {
		ishare_put_le64(p + ISHARE_INODE_EXTENDED_I_SIZE_OFFSET, size);
		ishare_put_le32(p + ISHARE_INODE_EXTENDED_I_NLINK_OFFSET, nlink);
	} else {
		ishare_put_le32(p + ISHARE_INODE_COMPACT_I_SIZE_OFFSET, (uint32_t)size);
	}
}

/* A place for an inode such that a tail behind it stays inside its block. */
static bool reserve_inode(struct writer *w, const struct file *file, uint32_t before, uint32_t tail,
			  uint32_t size, uint32_t *at)
{
	if (!reserve(w, size, ISHARE_INODE_SLOT_SIZE, at))
		return false;
	while (file->layout == ISHARE_INODE_FLAT_INLINE &&
	       (*at + before) % w->block + tail > w->block)
		*at += ISHARE_INODE_SLOT_SIZE;
	w->at = *at + size;
	return w->at <= w->end;
}

static bool fits_some_block(const struct writer *w, const struct file *file, uint32_t before,
			    uint32_t tail)
{
	return file->layout != ISHARE_INODE_FLAT_INLINE ||
	       before % ISHARE_INODE_SLOT_SIZE + tail <= w->block;
}

static bool write_inode(struct writer *w, struct file *file, uint32_t mode, uint64_t size,
			const uint8_t *xattrs, uint32_t xattr_size, const uint8_t *behind,
			uint32_t behind_size, uint64_t *nid)
{
	uint32_t isize = file->extended ? ISHARE_INODE_EXTENDED_SIZE : ISHARE_INODE_COMPACT_SIZE;
	uint32_t unit = file->indexes ? ISHARE_CHUNK_INDEX_SIZE : 4, before = isize + xattr_size,
		 at;

	if (file->layout == ISHARE_INODE_CHUNK_BASED)
		before = round_up(before, unit);
	if (!fits_some_block(w, file, before, behind_size) ||
	    !reserve_inode(w, file, before, behind_size, before + behind_size, &at))
		return false;
	fill_inode(w->bytes + at, file, mode, size, xattr_size,
		   mode & S_IFDIR ? 2
		   : file->link	  ? 2
				  : 1);
	memcpy(w->bytes + at + isize, xattrs, xattr_size);
	memcpy(w->bytes + at + before, behind, behind_size);
	file->inode_at = at;
	file->table_at = file->tail_at = at + before;
	file->tail_size = behind_size;
	*nid = w->space | (at - w->meta) / ISHARE_INODE_SLOT_SIZE;
	return true;
}

/* ---- Files ---- */

/* In a hole, and in bits of the id that Linux masks, anything may stand. */
static void chunk_bytes(struct writer *w, const struct file *file, const struct chunk *chunk,
			uint8_t *p)
{
	uint64_t block = chunk->hole ? ~0ull : chunk->block;
	struct ishare_chunk_index stored = { .startblk_lo = (uint32_t)block };
	uint32_t mask = 1;

	if (!file->indexes) {
		ishare_put_le32(p, (uint32_t)block);
		return;
	}
	while (mask <= w->image->device_count)
		mask *= 2;
	if (file->chunk_48bit)
		stored.startblk_hi = (uint16_t)(block >> 32);
	else if (chance(&w->set->random, 5))
		stored.startblk_hi = (uint16_t)any(&w->set->random);
	stored.device_id = chunk->id;
	if (w->image->device_count && chance(&w->set->random, 3))
		stored.device_id += mask;
	ishare_chunk_index_encode(&stored, p);
}

static uint32_t behind_bytes(struct writer *w, const struct file *file, uint8_t *behind)
{
	const struct content *content = &w->set->contents[file->content];
	uint32_t unit = file->indexes ? ISHARE_CHUNK_INDEX_SIZE : 4, tail;

	if (file->layout == ISHARE_INODE_FLAT_INLINE) {
		tail = (content->size - 1) % w->block + 1;
		memcpy(behind, content->bytes + content->size - tail, tail);
		has(w->set, HAS_INLINE_TAIL);
		return tail;
	}
	if (file->layout != ISHARE_INODE_CHUNK_BASED)
		return 0;
	w->incompat |= ISHARE_FEATURE_INCOMPAT_CHUNKED_FILE;
	for (unsigned int i = 0; i < file->chunk_count; i++)
		chunk_bytes(w, file, &file->chunks[i], behind + i * unit);
	return file->chunk_count * unit;
}

static bool write_file(struct writer *w, struct file *file, uint64_t *nid)
{
	uint8_t behind[PAGE];
	struct ibody ibody = { .size = 0 };
	uint32_t isize = file->extended ? ISHARE_INODE_EXTENDED_SIZE : ISHARE_INODE_COMPACT_SIZE,
		 size;

	if (!make_ibody(w, file, &ibody))
		return false;
	size = behind_bytes(w, file, behind);
	if (!write_inode(w, file, S_IFREG | 0644, w->set->contents[file->content].size, ibody.bytes,
			 ibody.size, behind, size, nid))
		return false;
	file->value_at = ibody.value_shared ? ibody.value : file->inode_at + isize + ibody.value;
	if (file->extended)
		has(w->set, HAS_EXTENDED_INODE);
	if (file->link)
		has(w->set, HAS_HARD_LINK);
	if (file->padding_noise)
		has(w->set, HAS_BEHIND_END);
	return true;
}

/* ---- The directory ---- */

struct entry {
	uint64_t nid;
	char name[8];
	uint8_t type;
};

/*
 * Files are a, b, c...; a second name of a file has two of its letter. The order is that of names.
 */
static unsigned int list_entries(const struct image *image, const uint64_t *nids, uint64_t root,
				 struct entry *entries)
{
	unsigned int count = 0;

	entries[count++] = (struct entry){ root, ".", ISHARE_FT_DIR };
	entries[count++] = (struct entry){ root, "..", ISHARE_FT_DIR };
	for (unsigned int i = 0; i < image->file_count; i++) {
		char letter = (char)('a' + i);

		entries[count++] = (struct entry){ nids[i], { letter, 0 }, ISHARE_FT_REG_FILE };
		if (image->files[i].link)
			entries[count++] = (struct entry){ nids[i],
							   { letter, letter, 0 },
							   ISHARE_FT_REG_FILE };
	}
	return count;
}

static uint32_t directory_bytes(const struct entry *entries, unsigned int count, uint8_t *bytes)
{
	uint32_t at = count * ISHARE_DIRENT_RECORD_SIZE;

	for (unsigned int i = 0; i < count; i++) {
		struct ishare_dirent_record record = { entries[i].nid, at, entries[i].type, 0 };
		size_t size = strlen(entries[i].name);

		ishare_dirent_record_encode(&record, bytes + i * ISHARE_DIRENT_RECORD_SIZE);
		memcpy(bytes + at, entries[i].name, size);
		at += (uint32_t)size;
	}
	return at;
}

/* The root's own number is only known when it has a place: it is written twice. */
static bool write_root(struct writer *w, const uint64_t *nids)
{
	struct entry entries[2 + 2 * MAX_FILES];
	uint8_t bytes[PAGE] = { 0 };
	struct file root = { .layout = ISHARE_INODE_FLAT_INLINE };
	unsigned int count = list_entries(w->image, nids, 0, entries);
	uint32_t size = directory_bytes(entries, count, bytes);

	if (w->image->directory_blocks)
		root.layout = ISHARE_INODE_FLAT_PLAIN;
	if (!write_inode(w, &root, S_IFDIR | 0755, size, NULL, 0, bytes,
			 w->image->directory_blocks ? 0 : size, &w->root_nid))
		return false;
	count = list_entries(w->image, nids, w->root_nid, entries);
	directory_bytes(entries, count, bytes);
	if (!w->image->directory_blocks) {
		memcpy(w->bytes + root.tail_at, bytes, size);
		return true;
	}
	has(w->set, HAS_DIRECTORY_BLOCKS);
	if (!place_run(w->set, w->image, bytes, size, &root.start) || root.start >= NULL_32BIT)
		return false;
	fill_inode(w->bytes + root.inode_at, &root, S_IFDIR | 0755, size, 0, 2);
	return true;
}

/* ---- The superblock ---- */

static uint32_t compat_of(const struct image *image)
{
	uint32_t compat = ISHARE_FEATURE_COMPAT_ISHARE_XATTRS | ISHARE_FEATURE_COMPAT_MTIME;

	if (image->checksum)
		compat |= ISHARE_FEATURE_COMPAT_SB_CHKSUM;
	if (image->filter)
		compat |= ISHARE_FEATURE_COMPAT_XATTR_FILTER;
	if (!image->packed_prefixes)
		compat |= ISHARE_FEATURE_COMPAT_PLAIN_XATTR_PFX;
	if (image->metabox)
		compat |= ISHARE_FEATURE_COMPAT_SHARED_EA_IN_METABOX;
	return compat;
}

static void write_superblock(struct writer *w)
{
	uint8_t *p = w->bytes + ISHARE_SUPERBLOCK_OFFSET;
	const struct image *image = w->image;
	struct ishare_superblock_ext ext = { .metabox_nid = w->metabox_nid };
	struct ishare_superblock sb = {
		.magic = ISHARE_SUPERBLOCK_MAGIC,
		.feature_compat = compat_of(image),
		.blkszbits = image->bits,
		.sb_extslots = image->metabox,
		.rootnid_2b = (uint16_t)w->root_nid,
		.inos = image->file_count + 1,
		.blocks_lo = (uint32_t)image->primary_blocks,
		.meta_blkaddr = w->meta / w->block,
		.xattr_blkaddr = w->shared / w->block,
		.feature_incompat = w->incompat | ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES |
				    (image->wide ? ISHARE_FEATURE_INCOMPAT_48BIT : 0),
		.extra_devices = image->device_count,
		.devt_slotoff = w->devices / ISHARE_DEVICESLOT_SIZE,
		.xattr_prefix_count = image->prefix_count,
		.xattr_prefix_start = w->prefixes / 4,
		.packed_nid = w->packed_nid,
		.ishare_xattr_prefix_id = image->fingerprint_prefix,
	};

	if (image->metabox)
		ishare_superblock_ext_encode(&ext, p + ISHARE_SUPERBLOCK_SIZE);
	if (image->metabox || (image->wide && !chance(&w->set->random, 50))) {
		sb.rootnid_8b = w->root_nid;
		sb.rootnid_2b = 0;
	}
	memset(p, 0, ISHARE_SUPERBLOCK_SIZE);
	ishare_superblock_encode(&sb, p);
}

/* ---- The metabox ---- */

static uint8_t metabox[PACKED_MAX];

/*
 * From now on, what is written goes into the metabox. Its writer is the image's but for the place.
 */
static void begin_metabox(struct writer *w)
{
	w->incompat |= ISHARE_FEATURE_INCOMPAT_METABOX;
	w->bytes = metabox;
	w->at = w->image->trap == TRAP_METABOX_CROSSES ? w->block - ISHARE_INODE_SLOT_SIZE : 0;
	w->end = (uint32_t)between(&w->set->random, 2, 4) * PAGE;
	w->meta = w->shared = 0;
	w->space = ISHARE_NID_METABOX;
	noise(&w->set->random, metabox, sizeof(metabox));
	has(w->set, HAS_METABOX);
}

/* As a trap, the metabox has other fingerprints where a reader may look instead. */
static bool place_metabox(struct writer *w, uint32_t size, uint64_t *start)
{
	static uint8_t others[PACKED_MAX];

	if (w->image->trap != TRAP_METABOX_CROSSES)
		return place_run(w->set, w->image, metabox, size, start);
	memcpy(others, metabox, sizeof(others));
	for (unsigned int i = 0; i < w->image->file_count; i++) {
		const struct file *file = &w->image->files[i];
		const struct content *other =
			&w->set->contents[other_content(w->set, file->content)];

		if (file->fingerprint && !file->opaque)
			memcpy(others + file->value_at, other->value, other->value_size);
	}
	if (!place_across(w->set, w->image, metabox, others, size, start))
		return place_run(w->set, w->image, metabox, size, start);
	w->image->trapped = true;
	return true;
}

/* image: the writer as it was when the metabox began. */
static bool end_metabox(struct writer *w, const struct writer *image)
{
	struct file inode = { .layout = ISHARE_INODE_FLAT_PLAIN, .extended = true };
	uint32_t size = w->at;

	w->bytes = image->bytes;
	w->at = image->at;
	w->end = image->end;
	w->meta = image->meta;
	w->space = 0;
	return place_metabox(w, size, &inode.start) &&
	       write_inode(w, &inode, S_IFREG | 0644, size, NULL, 0, NULL, 0, &w->metabox_nid);
}

/* ---- All of it ---- */

/* Blocks that inodes and shared xattrs are counted from: any before the first of them. */
static void draw_origins(struct writer *w)
{
	uint32_t blocks = w->at / w->block;

	w->meta = (uint32_t)below(&w->set->random, blocks + 1) * w->block;
	w->shared = (uint32_t)below(&w->set->random, blocks + 1) * w->block;
}

static bool write_inodes(struct writer *w)
{
	uint64_t nids[MAX_FILES];

	for (unsigned int i = 0; i < w->image->file_count; i++)
		if (!write_file(w, &w->image->files[i], &nids[i]))
			return false;
	return write_root(w, nids);
}

static bool write_inodes_in_metabox(struct writer *w)
{
	struct writer image = *w;

	begin_metabox(w);
	return (!w->image->packed_prefixes || write_prefixes(w)) && write_inodes(w) &&
	       end_metabox(w, &image);
}

/* Where a trap wants metadata to be. */
static void skip_to_trap(struct writer *w)
{
	uint64_t start = w->image->devices[1].start << w->image->bits;

	if (w->image->trap == TRAP_METADATA && chance(&w->set->random, 80) && start > w->at)
		w->at = (uint32_t)start;
}

bool write_metadata(struct set *set, struct image *image)
{
	struct writer w = { .set = set,
			    .image = image,
			    .bytes = image->devices[0].bytes,
			    .at = ISHARE_SUPERBLOCK_EXT_OFFSET +
				  (image->metabox ? ISHARE_SUPERBLOCK_EXT_SIZE : 0),
			    .end = image->reserve << image->bits,
			    .block = 1u << image->bits };

	image->wide |= image->metabox;
	if (!write_devices(&w))
		return false;
	draw_origins(&w);
	if (!(image->metabox && image->packed_prefixes) && !write_prefixes(&w))
		return false;
	skip_to_trap(&w);
	if (!(image->metabox ? write_inodes_in_metabox(&w) : write_inodes(&w)))
		return false;
	write_superblock(&w);
	image->size = (size_t)image->devices[0].room << image->bits;
	mend_checksum(image->devices[0].bytes, image->size);
	return true;
}
