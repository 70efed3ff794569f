// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "conform.h"

/* The first extension slot, or zeros. */
/*@ requires readable: \valid_read(sb);
    requires view: superblock_view(v, image_size);
    requires writable: \valid(ext);
    requires apart: \separated(ext, sb, v, v->data + (0 .. v->size - 1));
    terminates \true;
    exits \false;
    assigns *ext;
    ensures slot: superblock_slot_at(v->data, image_size, sb, ext); */
static void read_slot(const struct ishare_view *v, uint64_t image_size,
		      const struct ishare_superblock *sb, struct ishare_superblock_ext *ext)
{
	struct ishare_view slot;

	ext->metabox_nid = 0;
	ext->reserved3 = 0;
	if (sb->sb_extslots == 0 ||
	    image_size < ISHARE_SUPERBLOCK_EXT_OFFSET + ISHARE_SUPERBLOCK_EXT_SIZE)
		return;
	slot.data = v->data + ISHARE_SUPERBLOCK_SIZE;
	slot.size = ISHARE_SUPERBLOCK_EXT_SIZE;
	ishare_superblock_ext_decode(&slot, ext);
}

enum ishare_status ishare_superblock_read(const struct ishare_view *v, uint64_t image_size,
					  struct ishare_superblock *sb,
					  struct ishare_superblock_ext *ext)
{
	if (ishare_superblock_decode(v, sb) != ISHARE_OK)
		return ISHARE_SHORT;
	read_slot(v, image_size, sb, ext);
	return ISHARE_OK;
}

bool ishare_superblock_judge(const struct ishare_view *v, uint64_t image_size,
			     const struct ishare_profile *p, struct ishare_superblock *sb,
			     struct ishare_superblock_ext *ext,
			     struct ishare_superblock_faults *faults)
{
	/*@ assert apart_sb: \separated(sb, &p->page_bits) && \separated(sb, &v->size); */
	/*@ assert apart_ext: \separated(ext, &p->page_bits) && \separated(ext, &v->size); */
	ishare_superblock_read(v, image_size, sb, ext);
	/*@ assert page_bits: p->page_bits == \at(p->page_bits, Pre); */
	/*@ assert size: v->size == \at(v->size, Pre); */
	ishare_superblock_find_faults(sb, ext, p, v, image_size, faults);
	/*@ assert conforms: superblock_faultless(faults) <==>
	      superblock_conforms(sb, ext, p, v, image_size); */
	/* Whatever else the bytes may be decoded to is the same, and conforms, too, or neither. */
	/*@ assert same: \forall struct ishare_superblock *s;
	      sb_size(image_size) && superblock_at(v->data, s) ==> superblock_equal(s, sb); */
	/*@ assert same_ext: \forall struct ishare_superblock *s, struct ishare_superblock_ext *e;
	      sb_size(image_size) && superblock_at(v->data, s) &&
	      superblock_slot_at(v->data, image_size, s, e) ==> superblock_ext_equal(e, ext); */
	/*@ assert same_blocks: \forall struct ishare_superblock *s; superblock_equal(s, sb) ==>
	      block_size(s) == block_size(sb) && primary_blocks(s) == primary_blocks(sb); */
	/*@ assert same_covered: \forall struct ishare_superblock *s; superblock_equal(s, sb) ==>
	      checksum_size(s) == checksum_size(sb); */
	/*@ assert same_crc: \forall struct ishare_superblock *s; superblock_equal(s, sb) ==>
	      crc32c(ISHARE_CHECKSUM_START, v->data + 8, checksum_size(s) - 8) ==
	      crc32c(ISHARE_CHECKSUM_START, v->data + 8, checksum_size(sb) - 8); */
	/*@ assert same_checksum: \forall struct ishare_superblock *s; superblock_equal(s, sb) ==>
	      (sb_checksum(s, v) <==> sb_checksum(sb, v)); */
	/*@ assert same_end: \forall struct ishare_superblock *s; superblock_equal(s, sb) ==>
	      (sb_blocks(s, image_size) <==> sb_blocks(sb, image_size)); */
	/*@ assert same_verdict:
	      \forall struct ishare_superblock *s, struct ishare_superblock_ext *e;
	      superblock_equal(s, sb) && superblock_ext_equal(e, ext) ==>
	      (superblock_conforms(s, e, p, v, image_size) <==>
	       superblock_conforms(sb, ext, p, v, image_size)); */
	return ishare_superblock_faultless(faults);
}

/* Whether prefix.record-bounds and prefix.length hold for all records that a walk reaches. */
/*@ requires view: view_ok(table);
    requires apart: \separated(table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_records_conform(table, count); */
static bool records_conform(const struct ishare_view *table, uint32_t count)
{
	struct ishare_prefix last;

	if (count == 0)
		return true;
	if (ishare_prefix_find(table, count, count - 1, &last) == ISHARE_OK)
		return true;
	/*@ assert unsound: !prefix_sound(table, prefix_pos(table->data, last.index)); */
	return false;
}

/* Whether prefix.ishare-infix-nul and prefix.ishare-name-length hold for a record. */
/*@ requires view: view_ok(table);
    requires readable: \valid_read(p);
    requires walked: prefix_at(table, p);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> prefix_spells_name(table->data + p->pos); */
static bool spells_name(const struct ishare_view *table, const struct ishare_prefix *p)
{
	struct ishare_view infix = { table->data + p->infix, p->infix_size };

	return prefix_ishare_infix_nul(&infix) && prefix_ishare_name_length(p);
}

/* The same of the record that spells the fingerprint's name, if there is one. */
/*@ requires readable: \valid_read(sb);
    requires view: view_ok(table);
    requires apart: \separated(table, table->data + (0 .. table->size - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_prefix_conforms(sb, table); */
static bool fingerprint_conforms(const struct ishare_superblock *sb,
				 const struct ishare_view *table)
{
	uint32_t id = sb->ishare_xattr_prefix_id;
	struct ishare_prefix p;

	if (!ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	    ishare_prefix_find(table, sb->xattr_prefix_count, id, &p) != ISHARE_OK)
		return true;
	/*@ assert found: has_fingerprint_prefix(sb, table); */
	/*@ assert position: p.pos == prefix_pos(table->data, sb->ishare_xattr_prefix_id); */
	return spells_name(table, &p);
}

bool ishare_prefixes_conform(const struct ishare_superblock *sb, const struct ishare_view *table,
			     uint64_t space_size)
{
	return prefix_location(sb, space_size) && records_conform(table, sb->xattr_prefix_count) &&
	       fingerprint_conforms(sb, table);
}
