// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks the prefix table against the rules of the chapter "Long xattr name prefixes". */
#include <inttypes.h>

#include "check/judges.h"

static struct place record_place(const struct check *check, size_t pos)
{
	return place_struct(prefix_space(check->volume), ISHARE_STRUCT_PREFIX_RECORD,
			    ishare_prefix_start(&check->volume->sb) + pos);
}

static void report_malformed(struct check *check, const struct ishare_view *table,
			     const struct ishare_prefix *p)
{
	if (!prefix_record_bounds(table, p->pos))
		report(&check->report, ISHARE_RULE_PREFIX_RECORD_BOUNDS,
		       record_place(check, p->pos),
		       "prefix %" PRIu32 " of %" PRIu32
		       " ends beyond the space that holds the table",
		       p->index, check->volume->sb.xattr_prefix_count);
	if (!prefix_length(table, p->pos))
		report(&check->report, ISHARE_RULE_PREFIX_LENGTH, record_place(check, p->pos),
		       "the length of prefix %" PRIu32 " is not 1 to 256", p->index);
}

static void check_record(struct check *check, const struct ishare_view *table,
			 const struct ishare_prefix *p)
{
	if (!prefix_base_index(p))
		report(&check->report, ISHARE_RULE_PREFIX_BASE_INDEX,
		       place_field(prefix_space(check->volume), ISHARE_STRUCT_PREFIX_RECORD,
				   ishare_prefix_start(&check->volume->sb) + p->pos,
				   ISHARE_PREFIX_RECORD_BASE_INDEX_OFFSET),
		       "base_index of prefix %" PRIu32 " is %" PRIu32 ", which names no namespace",
		       p->index, p->stored.base_index);
	if (!prefix_padding_zero(table, p))
		report(&check->report, ISHARE_RULE_PREFIX_PADDING_ZERO,
		       place_bytes(prefix_space(check->volume),
				   ishare_prefix_start(&check->volume->sb) + p->infix +
					   p->infix_size,
				   (uint32_t)(p->next - p->infix - p->infix_size)),
		       "the padding after prefix %" PRIu32 " is not zero", p->index);
}

/* Reports each record at most once; there are at most 255. */
static void check_duplicates(struct check *check)
{
	const struct prefix_table *prefixes = &check->volume->prefixes;

	for (uint32_t i = 1; i < prefixes->count; i++) {
		struct ishare_name name = prefix_name(prefixes, i);

		for (uint32_t j = 0; j < i; j++) {
			struct ishare_name earlier = prefix_name(prefixes, j);

			if (prefix_duplicate(&earlier, &name))
				continue;
			report(&check->report, ISHARE_RULE_PREFIX_DUPLICATE,
			       record_place(check, prefixes->items[i].pos),
			       "prefix %" PRIu32 " is the same as prefix %" PRIu32, i, j);
			break;
		}
	}
}

static void check_fingerprint_prefix(struct check *check)
{
	const struct volume *volume = check->volume;
	const struct prefix_table *prefixes = &volume->prefixes;
	uint32_t id = volume->sb.ishare_xattr_prefix_id;
	const struct ishare_prefix *p;
	struct ishare_name name;

	if (!ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) ||
	    id >= prefixes->count)
		return;
	p = &prefixes->items[id];
	name = prefix_name(prefixes, id);
	if (!prefix_ishare_infix_nul(&name.bytes))
		report(&check->report, ISHARE_RULE_PREFIX_ISHARE_INFIX_NUL,
		       record_place(check, p->pos),
		       "the infix of the fingerprint's prefix, number %" PRIu32 ", has a NUL byte",
		       id);
	if (!prefix_ishare_name_length(p))
		report(&check->report, ISHARE_RULE_PREFIX_ISHARE_NAME_LENGTH,
		       record_place(check, p->pos),
		       "the name that the fingerprint's prefix, number %" PRIu32
		       ", spells is not 1 to 255 bytes long",
		       id);
}

static void check_records(struct check *check, const struct ishare_view *table)
{
	uint32_t count = check->volume->sb.xattr_prefix_count;
	struct ishare_prefix p;
	enum ishare_status status;

	for (status = ishare_prefix_first(table, count, &p); status == ISHARE_OK;
	     status = ishare_prefix_next(table, count, &p))
		check_record(check, table, &p);
	if (status == ISHARE_MALFORMED)
		report_malformed(check, table, &p);
}

static void check_table_metadata(struct check *check)
{
	const struct prefix_table *prefixes = &check->volume->prefixes;

	if (prefixes->count)
		check_metadata(check, prefix_space(check->volume),
			       ishare_prefix_start(&check->volume->sb),
			       prefixes->items[prefixes->count - 1].next);
}

static void check_table(struct check *check)
{
	const struct prefix_table *prefixes = &check->volume->prefixes;

	check_records(check, &(struct ishare_view){ prefixes->bytes, prefixes->size });
	check_table_metadata(check);
	check_duplicates(check);
	check_fingerprint_prefix(check);
}

static void report_location(struct check *check, const struct space *space)
{
	const struct volume *volume = check->volume;

	report(&check->report, ISHARE_RULE_PREFIX_LOCATION,
	       place_superblock(volume, ISHARE_SUPERBLOCK_XATTR_PREFIX_START_OFFSET),
	       "the prefix table would start at byte %" PRIu64 " of the %s, which has %" PRIu64,
	       ishare_prefix_start(&volume->sb), space->name, space->size);
}

/* Whether the prefix is there that spells the fingerprint's name. */
static void note_unknown(struct check *check)
{
	const struct ishare_superblock *sb = &check->volume->sb;

	if (ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) &&
	    sb->ishare_xattr_prefix_id >= check->volume->prefixes.count)
		check->report.summary->fingerprints_unknown = true;
}

/*
 * The copy of a long table's space ends somewhere, but beyond what a walk of sound records reaches,
 * or the whole of an unsound one.
 */
static void judge_whole_table(struct check *check, const struct space *space,
			      enum read_result result)
{
	const struct prefix_table *prefixes = &check->volume->prefixes;
	struct ishare_view table = { prefixes->bytes, prefixes->size };
	bool is_empty = result == READ_OK || result == READ_OUTSIDE;

	if (result != READ_FAILED && (table.data || is_empty))
		check->conformance.prefixes =
			answer(ishare_prefixes_conform(&check->volume->sb, &table, space->size));
}

void check_prefixes(struct check *check)
{
	const struct space *space = prefix_space(check->volume);
	enum read_result result = read_prefixes(&check->reader, check->volume);

	if (check->volume->prefixes.bytes && result != READ_FAILED)
		check_table(check);
	else if (result == READ_OUTSIDE)
		report_location(check, space);
	else
		not_readable(&check->report, ISHARE_PART_PREFIX_TABLE, result, check->reader.error);
	note_unknown(check);
	judge_whole_table(check, space, result);
}
