// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Finds the structures of an image by core's own decoders, and changes their fields, which the
 * specification's tables name, and the records themselves.
 */
#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "crc32c.h"
#include "mutate.h"

#define MAX_INODES 64u

/* One checksum in so many stays wrong. */
#define UNMENDED 16u

uint64_t mutate_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t *random, uint64_t limit)
{
	return limit ? (mutate_random(random) >> 16) % limit : 0;
}

/* ---- Finding structures ---- */

struct search {
	struct spots *spots;
	struct ishare_view image;
	struct ishare_superblock sb;
	struct ishare_superblock_ext ext;
	uint64_t metabox; /* where its data starts, if that is plain */
	uint64_t nids[MAX_INODES];
	uint32_t nid_count;
};

static bool add_spot(struct search *s, uint32_t structure, uint64_t offset, uint64_t size)
{
	struct spots *spots = s->spots;

	if (!size || spots->count == MAX_SPOTS || !ishare_fits(s->image.size, offset, size))
		return false;
	spots->items[spots->count++] = (struct spot){ structure, (size_t)offset, (size_t)size };
	return true;
}

static bool add_struct(struct search *s, uint32_t structure, uint64_t offset)
{
	return add_spot(s, structure, offset, ishare_structs[structure].size);
}

static void add_nid(struct search *s, uint64_t nid)
{
	for (uint32_t i = 0; i < s->nid_count; i++)
		if (s->nids[i] == nid)
			return;
	if (s->nid_count < MAX_INODES)
		s->nids[s->nid_count++] = nid;
}

/* The bytes of the image from an offset on, size of them at most. */
static struct ishare_view window(const struct search *s, uint64_t offset, uint64_t size)
{
	uint64_t start = offset < s->image.size ? offset : s->image.size;
	uint64_t left = s->image.size - start;

	return (struct ishare_view){ s->image.data + start, (size_t)(size < left ? size : left) };
}

static void find_superblock(struct search *s)
{
	struct ishare_view view = window(s, ISHARE_SUPERBLOCK_OFFSET, ISHARE_SUPERBLOCK_SIZE);
	uint64_t end = ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE;

	ishare_superblock_decode(&view, &s->sb);
	add_struct(s, ISHARE_STRUCT_SUPERBLOCK, ISHARE_SUPERBLOCK_OFFSET);
	if (s->sb.blkszbits >= ISHARE_BLOCK_BITS_MIN && s->sb.blkszbits <= ISHARE_BLOCK_BITS_MAX)
		s->spots->block_size = 1u << s->sb.blkszbits;
	else
		s->sb.blkszbits = ISHARE_BLOCK_BITS_MIN;
	if (!s->sb.sb_extslots || !add_struct(s, ISHARE_STRUCT_SUPERBLOCK_EXT, end))
		return;
	view = window(s, end, ISHARE_SUPERBLOCK_EXT_SIZE);
	ishare_superblock_ext_decode(&view, &s->ext);
}

static void find_devices(struct search *s)
{
	uint32_t count = ishare_device_count(&s->sb);

	for (uint32_t i = 0; i < count && i < 8; i++)
		add_struct(s, ISHARE_STRUCT_DEVICESLOT,
			   ishare_device_table(&s->sb) + (uint64_t)i * ISHARE_DEVICESLOT_SIZE);
}

static void find_prefixes(struct search *s)
{
	uint64_t start = ishare_prefix_start(&s->sb);
	struct ishare_view table = window(s, start, UINT64_MAX);
	uint32_t count = s->sb.xattr_prefix_count;
	enum ishare_status status;
	struct ishare_prefix p;

	if (ishare_prefix_space(&s->sb) != ISHARE_PREFIX_IN_IMAGE || !count)
		return;
	for (status = ishare_prefix_first(&table, count, &p); status == ISHARE_OK && p.index < 16;
	     status = ishare_prefix_next(&table, count, &p))
		add_spot(s, ISHARE_STRUCT_PREFIX_RECORD, start + p.pos,
			 p.infix + p.infix_size - p.pos);
}

static void add_entry(struct search *s, uint64_t base, const struct ishare_entry *e)
{
	add_spot(s, ISHARE_STRUCT_XATTR_ENTRY, base + e->pos, e->next - e->pos);
	add_spot(s, ISHARE_STRUCT_COUNT, base + e->value, e->stored.e_value_size);
}

static void find_shared_entry(struct search *s, uint32_t id)
{
	uint64_t offset = ishare_shared_offset(&s->sb, id);
	struct ishare_view area = window(s, offset, UINT64_MAX);
	struct ishare_entry e;

	if (area.size && ishare_entry_first(&area, 0, &e) == ISHARE_OK)
		add_entry(s, offset, &e);
}

static void find_xattrs(struct search *s, const struct ishare_inode *inode, uint64_t offset)
{
	uint64_t base = offset + inode->isize;
	struct ishare_view area = window(s, base, inode->xattr_isize);
	struct ishare_ibody_header header;
	enum ishare_status status;
	struct ishare_entry e;
	uint64_t entries;

	if (!inode->xattr_isize || area.size < inode->xattr_isize ||
	    ishare_ibody_header_decode(&area, &header) != ISHARE_OK ||
	    !add_struct(s, ISHARE_STRUCT_IBODY_HEADER, base))
		return;
	entries = ISHARE_IBODY_HEADER_SIZE + 4ull * header.h_shared_count;
	if (entries > area.size)
		return;
	for (uint32_t i = 0; i < header.h_shared_count && i < 8; i++) {
		add_spot(s, ISHARE_STRUCT_COUNT, base + ISHARE_IBODY_HEADER_SIZE + 4 * i, 4);
		find_shared_entry(s, ishare_shared_id(&area, i));
	}
	for (status = ishare_entry_first(&area, (size_t)entries, &e); status == ISHARE_OK;
	     status = ishare_entry_next(&area, &e))
		add_entry(s, base, &e);
}

static void find_dirents(struct search *s, uint64_t offset, uint64_t size)
{
	struct ishare_view block = window(s, offset, size);
	enum ishare_status status;
	struct ishare_dirent d;

	if (!block.size)
		return;
	for (status = ishare_dirent_first(&block, &d); status == ISHARE_OK;
	     status = ishare_dirent_next(&block, &d)) {
		add_struct(s, ISHARE_STRUCT_DIRENT_RECORD,
			   offset + (uint64_t)d.index * ISHARE_DIRENT_RECORD_SIZE);
		add_spot(s, ISHARE_STRUCT_COUNT, offset + d.name, d.name_size);
		add_nid(s, d.stored.nid);
	}
}

static void find_chunks(struct search *s, uint64_t array)
{
	array = (array + ISHARE_CHUNK_INDEX_SIZE - 1) / ISHARE_CHUNK_INDEX_SIZE *
		ISHARE_CHUNK_INDEX_SIZE;
	for (uint32_t i = 0; i < 4; i++)
		add_struct(s, ISHARE_STRUCT_CHUNK_INDEX,
			   array + (uint64_t)i * ISHARE_CHUNK_INDEX_SIZE);
}

/* Directories have whole blocks at their start block, and the rest, if inline, behind the inode. */
static void find_data(struct search *s, const struct ishare_inode *inode, uint64_t offset)
{
	uint64_t block = s->spots->block_size, whole = inode->size, tail = 0;
	uint64_t behind = offset + inode->isize + inode->xattr_isize;
	uint64_t start = inode->start_block << s->sb.blkszbits;

	if (inode->data_layout == ISHARE_INODE_CHUNK_BASED)
		find_chunks(s, behind);
	if (inode->data_layout == ISHARE_INODE_FLAT_INLINE) {
		tail = inode->size % block;
		whole -= tail;
	}
	if (!ishare_inode_is_directory(inode)) {
		add_spot(s, ISHARE_STRUCT_COUNT, behind, tail);
		return;
	}
	for (uint64_t pos = 0; pos < whole && pos < 8 * block; pos += block)
		find_dirents(s, start + pos, whole - pos < block ? whole - pos : block);
	if (tail)
		find_dirents(s, behind, tail);
}

static bool locate_inode(const struct search *s, uint64_t nid, uint64_t *offset)
{
	if (!(nid & ISHARE_NID_METABOX))
		return ishare_inode_offset(&s->sb, nid, offset) == ISHARE_OK;
	*offset = s->metabox + (nid & ~ISHARE_NID_METABOX) * ISHARE_INODE_SLOT_SIZE;
	return s->metabox;
}

static void find_inode(struct search *s, uint64_t nid, bool is_metabox)
{
	struct ishare_inode inode;
	struct ishare_view view;
	uint64_t offset;

	if (!locate_inode(s, nid, &offset))
		return;
	view = window(s, offset, ISHARE_INODE_EXTENDED_SIZE);
	if (!view.size || ishare_inode_decode(&view, &inode) != ISHARE_OK)
		return;
	add_struct(s, inode.extended ? ISHARE_STRUCT_INODE_EXTENDED : ISHARE_STRUCT_INODE_COMPACT,
		   offset);
	find_xattrs(s, &inode, offset);
	find_data(s, &inode, offset);
	if (is_metabox && inode.data_layout == ISHARE_INODE_FLAT_PLAIN)
		s->metabox = inode.start_block << s->sb.blkszbits;
}

void find_spots(const uint8_t *image, size_t size, struct spots *spots)
{
	struct search s = { .spots = spots, .image = { image, size } };

	spots->count = 0;
	spots->block_size = 1u << ISHARE_BLOCK_BITS_MIN;
	if (size < ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE)
		return;
	find_superblock(&s);
	find_devices(&s);
	find_prefixes(&s);
	if (ishare_has_incompat(&s.sb, ISHARE_FEATURE_INCOMPAT_METABOX))
		find_inode(&s, s.ext.metabox_nid & ~ISHARE_NID_METABOX, true);
	if (ishare_has_incompat(&s.sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS))
		add_nid(&s, s.sb.packed_nid);
	add_nid(&s, ishare_root_nid(&s.sb));
	for (uint32_t i = 0; i < s.nid_count; i++)
		find_inode(&s, s.nids[i], false);
}

/* ---- Numbers ---- */

struct mutation {
	uint8_t *image;
	size_t size, room;
	const uint8_t *other;
	uint64_t *random;
	struct spots spots, other_spots;
};

static uint64_t get(const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i--;)
		value = value << 8 | p[i];
	return value;
}

static void put(uint8_t *p, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

/* Bytes of the image that are one number. */
struct number {
	size_t offset;
	size_t size; /* 1 to 8 */
};

static const struct spot *any_like(struct mutation *m, const struct spots *spots,
				   uint32_t structure)
{
	uint32_t start = (uint32_t)below(m->random, spots->count);

	for (uint32_t i = 0; i < spots->count; i++) {
		const struct spot *spot = &spots->items[(start + i) % spots->count];

		if (spot->structure == structure)
			return spot;
	}
	return NULL;
}

/* Half of the time, kinds of structure have the same chance, be there one of a kind or many. */
static const struct spot *any_spot(struct mutation *m)
{
	const struct spot *spot = NULL;

	if (below(m->random, 2))
		spot = any_like(m, &m->spots, (uint32_t)below(m->random, ISHARE_STRUCT_COUNT + 1));
	return spot ? spot : &m->spots.items[below(m->random, m->spots.count)];
}

/* A field of the structure; in arrays of bytes, and in what has no fields, any bytes. */
static struct number any_number(struct mutation *m, const struct spot *spot)
{
	struct number number = { spot->offset, spot->size };
	size_t skip;

	if (spot->structure < ISHARE_STRUCT_COUNT) {
		const struct ishare_struct *s = &ishare_structs[spot->structure];
		const struct ishare_field *field = &s->fields[below(m->random, s->field_count)];

		number = (struct number){ spot->offset + field->offset, field->size };
	}
	if (number.size > 8 || (spot->structure == ISHARE_STRUCT_COUNT && number.size != 4)) {
		skip = below(m->random, number.size);
		number = (struct number){ number.offset + skip, 1 };
	}
	return number;
}

/* What numbers in an image often are: sizes, places, and how many of something. */
static uint64_t likely_value(struct mutation *m, const struct number *number)
{
	const struct spot *spot = any_spot(m);
	struct number other = any_number(m, spot);
	uint64_t block = m->spots.block_size;

	switch (below(m->random, 10)) {
	case 0:
		return m->size;
	case 1:
		return m->size / block;
	case 2:
		return m->size - number->offset;
	case 3:
		return spot->offset;
	case 4:
		return spot->offset / 4;
	case 5:
		return spot->offset / ISHARE_INODE_SLOT_SIZE;
	case 6:
		return block - spot->offset % block;
	case 7:
		return below(m->random, 16);
	case 8:
		return 1ull << below(m->random, 64);
	default:
		return get(m->image + other.offset, other.size);
	}
}

static uint64_t swapped(uint64_t value, size_t size)
{
	uint64_t result = 0;

	for (size_t i = 0; i < size; i++, value >>= 8)
		result = result << 8 | (value & 0xff);
	return result;
}

/* The verbs of the specification's sweep of fields, and values from elsewhere. */
static void change_number(struct mutation *m, const struct number *number)
{
	uint64_t value = get(m->image + number->offset, number->size);

	switch (below(m->random, 10)) {
	case 0:
		value = 0;
		break;
	case 1:
		value = UINT64_MAX;
		break;
	case 2:
		value++;
		break;
	case 3:
		value--;
		break;
	case 4:
		value ^= 1ull << below(m->random, number->size * 8);
		break;
	case 5:
		value = swapped(value, number->size);
		break;
	case 6:
		value += below(m->random, 64) - 32;
		break;
	case 7:
		value = likely_value(m, number) + below(m->random, 3) - 1;
		break;
	default:
		value = likely_value(m, number);
		break;
	}
	put(m->image + number->offset, number->size, value);
}

/* ---- Records ---- */

/*
 * What comes behind the offset up to the end of its block moves by so many bytes and fills the
 * room.
 */
static void shift(struct mutation *m, size_t offset, size_t by, bool up)
{
	size_t end = offset - offset % m->spots.block_size + m->spots.block_size;

	end = end < m->size ? end : m->size;
	if (offset >= end || by >= end - offset)
		return;
	if (up) {
		memmove(m->image + offset + by, m->image + offset, end - offset - by);
		return;
	}
	memmove(m->image + offset, m->image + offset + by, end - offset - by);
	memset(m->image + end - by, 0, by);
}

/* Writes a record over the start of another of its kind, as much as the image has room for. */
static void write_record(struct mutation *m, const struct spot *to, const uint8_t *from,
			 size_t size)
{
	size_t left = m->size - to->offset;

	memmove(m->image + to->offset, from, size < left ? size : left);
}

static void swap_records(struct mutation *m, const struct spot *a, const struct spot *b)
{
	size_t size = a->size < b->size ? a->size : b->size;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = m->image[a->offset + i];

		m->image[a->offset + i] = m->image[b->offset + i];
		m->image[b->offset + i] = byte;
	}
}

static void splice_record(struct mutation *m, const struct spot *spot)
{
	const struct spot *from = any_like(m, &m->other_spots, spot->structure);

	if (from)
		write_record(m, spot, m->other + from->offset, from->size);
}

static void change_record(struct mutation *m, const struct spot *spot)
{
	const struct spot *like = any_like(m, &m->spots, spot->structure);

	switch (below(m->random, 5)) {
	case 0: /* twice, one behind the other */
		shift(m, spot->offset, spot->size, true);
		break;
	case 1: /* not at all */
		shift(m, spot->offset, spot->size, false);
		break;
	case 2: /* in place of another */
		write_record(m, like, m->image + spot->offset, spot->size);
		break;
	case 3:
		swap_records(m, spot, like);
		break;
	default:
		splice_record(m, spot);
		break;
	}
}

/* ---- The image ---- */

/* Ends the image in or near a structure. */
static void truncate_image(struct mutation *m, const struct spot *spot)
{
	size_t size = spot->offset + below(m->random, spot->size + 2);

	if (size >= m->size)
		return;
	m->size = size;
	find_spots(m->image, m->size, &m->spots);
}

static void extend_image(struct mutation *m)
{
	size_t by = 1 + below(m->random, m->spots.block_size);

	if (below(m->random, 2))
		by = m->spots.block_size - m->size % m->spots.block_size;
	if (by > m->room - m->size)
		return;
	memset(m->image + m->size, 0, by);
	m->size += by;
}

static void change_anything(struct mutation *m)
{
	if (m->size)
		m->image[below(m->random, m->size)] ^= (uint8_t)(1u << below(m->random, 8));
}

/* What many rules depend on, and few bits of the superblock. */
static void flip_feature(struct mutation *m)
{
	size_t offset = ISHARE_SUPERBLOCK_OFFSET +
			(below(m->random, 2) ? ISHARE_SUPERBLOCK_FEATURE_COMPAT_OFFSET
					     : ISHARE_SUPERBLOCK_FEATURE_INCOMPAT_OFFSET);

	m->image[offset + below(m->random, 2)] ^= (uint8_t)(1u << below(m->random, 8));
}

/* Spots stay where they were found, whatever is there now. */
static void change(struct mutation *m)
{
	const struct spot *spot = any_spot(m);
	struct number number;

	if (!m->spots.count) {
		change_anything(m);
		return;
	}
	switch (below(m->random, 32)) {
	case 0:
		truncate_image(m, spot);
		break;
	case 1:
		extend_image(m);
		break;
	case 2:
		change_anything(m);
		break;
	case 3:
		flip_feature(m);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		change_record(m, spot);
		break;
	default:
		number = any_number(m, spot);
		change_number(m, &number);
		break;
	}
}

void mend_checksum(uint8_t *image, size_t size)
{
	struct ishare_view view = { image + ISHARE_SUPERBLOCK_OFFSET, ISHARE_SUPERBLOCK_SIZE };
	size_t skip = ISHARE_SUPERBLOCK_CHECKSUM_OFFSET + ISHARE_SUPERBLOCK_CHECKSUM_WIDTH;
	struct ishare_superblock sb;
	uint32_t covered, sum;

	if (size < ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE)
		return;
	ishare_superblock_decode(&view, &sb);
	if (!ishare_has_compat(&sb, ISHARE_FEATURE_COMPAT_SB_CHKSUM) ||
	    sb.blkszbits < ISHARE_BLOCK_BITS_MIN || sb.blkszbits > ISHARE_BLOCK_BITS_MAX)
		return;
	covered = ishare_checksum_size(&sb);
	if (covered > size - ISHARE_SUPERBLOCK_OFFSET)
		return;
	view = (struct ishare_view){ image + ISHARE_SUPERBLOCK_OFFSET + skip, covered - skip };
	sum = has_fast_crc32c() ? fast_crc32c(ISHARE_CHECKSUM_START, &view)
				: ishare_crc32c(ISHARE_CHECKSUM_START, &view);
	put(image + ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_CHECKSUM_OFFSET,
	    ISHARE_SUPERBLOCK_CHECKSUM_WIDTH, sum);
}

size_t splice_image(uint8_t *image, size_t size, size_t room, const uint8_t *other,
		    size_t other_size, uint64_t *random)
{
	static struct mutation m;
	uint64_t changes = 1ull << below(random, 4);

	m.image = image;
	m.size = size;
	m.room = room;
	m.other = other;
	m.random = random;
	find_spots(image, size, &m.spots);
	find_spots(other, other ? other_size : 0, &m.other_spots);
	while (changes--)
		change(&m);
	if (below(random, UNMENDED))
		mend_checksum(image, m.size);
	return m.size;
}

size_t mutate_image(uint8_t *image, size_t size, size_t room, uint64_t *random)
{
	return splice_image(image, size, room, NULL, 0, random);
}
