// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "conform.h"

bool ishare_superblock_conforms(const struct ishare_superblock *sb,
				const struct ishare_superblock_ext *ext,
				const struct ishare_profile *p, const struct ishare_view *v,
				uint64_t image_size)
{
	return sb_size(image_size) && sb_magic(sb) && sb_block_size(sb, p) &&
	       sb_dir_block_bits(sb) && sb_checksum(sb, v) && sb_feature_incompat(sb, p) &&
	       sb_ext_slots(sb, p, image_size) && sb_metabox_slot(sb) && sb_metabox_self(sb, ext) &&
	       sb_packed_nid(sb) && sb_blocks(sb, image_size) && sb_prefix_feature(sb) &&
	       sb_ishare_needs_prefixes(sb) && sb_ishare_prefix_id(sb);
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

bool ishare_conforms(const struct ishare_superblock *sb, const struct ishare_superblock_ext *ext,
		     const struct ishare_profile *p, const struct ishare_view *v,
		     uint64_t image_size, const struct ishare_view *table, uint64_t space_size)
{
	return ishare_superblock_conforms(sb, ext, p, v, image_size) &&
	       ishare_prefixes_conform(sb, table, space_size);
}
