// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks the xattrs of an inode against the rules of the chapter "Inode xattrs". */
#include <inttypes.h>
#include <stdlib.h>

#include "check/judges.h"

static struct place entry_place(const struct xattr_walk *walk)
{
	return place_struct(walk->at.space, ISHARE_STRUCT_XATTR_ENTRY,
			    walk->at.base + walk->at.entry.pos);
}

static struct place entry_field(const struct xattr_walk *walk, uint32_t field_offset)
{
	return place_field(walk->at.space, ISHARE_STRUCT_XATTR_ENTRY,
			   walk->at.base + walk->at.entry.pos, field_offset);
}

/*
 * Remembers that an inode has an xattr of this name, to find duplicates without keeping the names.
 */
struct name_record {
	uint64_t hash;
	uint32_t order;
	uint32_t where; /* position in the area; or SHARED_RECORD and the number of the shared id */
};

#define SHARED_RECORD 0x80000000u

/* The state while judging the entries of one inode. */
struct tally {
	struct data_place data; /* of the inode's own data */
	uint32_t fingerprints;
	bool fill; /* seen and judged */
};

static bool remember_name(struct name_records *names, const struct xattr_walk *walk,
			  const struct ishare_name *name)
{
	if (!array_make_room(&names->items, &names->room, names->count + 1, sizeof(*names->items)))
		return false;
	names->items[names->count] = (struct name_record){
		.hash = hash_bytes(name->bytes.data, name->bytes.size,
				   names->seed + name->base_index),
		.order = (uint32_t)names->count,
		.where = walk->at.shared ? SHARED_RECORD | walk->at.shared_index
					 : (uint32_t)walk->at.entry.pos,
	};
	names->count++;
	return true;
}

static int compare_orders(const void *a, const void *b)
{
	const struct name_record *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct name_record *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return compare_orders(a, b);
}

/* Finds the entry of a record again. */
static bool recall_name(struct xattr_walk *walk, const struct name_record *record, uint8_t *buffer,
			struct ishare_name *name)
{
	bool found = record->where & SHARED_RECORD
			     ? recall_shared_xattr(walk, record->where & ~SHARED_RECORD)
			     : recall_inline_xattr(walk, record->where);

	return found && xattr_name(walk, buffer, name);
}

/* Equal hashes are a hint; the names decide. */
static bool same_name(struct xattr_walk *walk, const struct name_record *x,
		      const struct name_record *y)
{
	uint8_t buffers[2][NAME_ROOM];
	struct ishare_name a, b;

	return x->hash == y->hash && recall_name(walk, x, buffers[0], &a) &&
	       recall_name(walk, y, buffers[1], &b) && !xattr_duplicate(&a, &b);
}

static void report_duplicate(struct check *check, struct xattr_walk *walk,
			     const struct name_record *record)
{
	uint8_t buffer[NAME_ROOM];
	char shown[NAME_SHOWN] = "";
	struct ishare_name name;

	if (!recall_name(walk, record, buffer, &name))
		return;
	if (is_shown(&check->report, ISHARE_RULE_XATTR_DUPLICATE))
		ishare_escape(shown, name.bytes.data, name.bytes.size);
	report(&check->report, ISHARE_RULE_XATTR_DUPLICATE, entry_place(walk),
	       "the inode has two xattrs named %s%s", name_space(name.base_index), shown);
}

/*
 * Entries whose name occurred before move to the front, and are reported in order.
 */
static void check_duplicates(struct check *check, struct xattr_walk *walk)
{
	struct name_record *names = check->names.items;
	size_t count = check->names.count, duplicates = 0;

	if (count < 2)
		return;
	qsort(names, count, sizeof(*names), compare_hashes);
	for (size_t i = 1; i < count; i++)
		if (same_name(walk, &names[i - 1], &names[i]))
			names[duplicates++] = names[i];
	if (duplicates)
		qsort(names, duplicates, sizeof(*names), compare_orders);
	for (size_t i = 0; i < duplicates; i++)
		report_duplicate(check, walk, &names[i]);
}

static void report_hidden(struct check *check, const struct xattr_walk *walk,
			  const struct ishare_name *name)
{
	char shown[NAME_SHOWN] = "";

	if (is_shown(&check->report, ISHARE_RULE_XATTR_NAME_FILTER))
		ishare_escape(shown, name->bytes.data, name->bytes.size);
	report(&check->report, ISHARE_RULE_XATTR_NAME_FILTER,
	       place_field(walk->file->space, ISHARE_STRUCT_IBODY_HEADER,
			   xattr_area_offset(walk->file), ISHARE_IBODY_HEADER_H_NAME_FILTER_OFFSET),
	       "bit %" PRIu32 " of h_name_filter 0x%08" PRIx32 " hides the xattr %s%s",
	       ishare_filter_bit(name), walk->header.h_name_filter, name_space(name->base_index),
	       shown);
}

/* What is wrong with a name that breaks xattr.readable-name. */
static const char *unreadable_why(const struct ishare_name *name)
{
	if (ishare_names_acl(name->base_index))
		return "the ACL's name does not end there";
	if (!name->bytes.size)
		return "nothing follows the namespace";
	if (!ishare_no_nul(name->bytes.data, name->bytes.size))
		return "it has a NUL byte";
	return "with its namespace it has more than 255 bytes";
}

static void report_unreadable(struct check *check, const struct xattr_walk *walk,
			      const struct ishare_name *name)
{
	char shown[NAME_SHOWN] = "";

	if (is_shown(&check->report, ISHARE_RULE_XATTR_READABLE_NAME))
		ishare_escape(shown, name->bytes.data, name->bytes.size);
	report(&check->report, ISHARE_RULE_XATTR_READABLE_NAME, entry_place(walk),
	       "nobody can read the xattr %s%s: %s", name_space(name->base_index), shown,
	       unreadable_why(name));
}

static void check_name(struct check *check, const struct xattr_walk *walk,
		       const struct ishare_name *name, struct tally *tally)
{
	if (!xattr_readable_name(name))
		report_unreadable(check, walk, name);
	/* What nobody looks up cannot be hidden. */
	if ((ishare_in_namespace(name->base_index) || is_fingerprint(walk)) &&
	    !xattr_name_filter(&check->volume->sb, &walk->header, name))
		report_hidden(check, walk, name);
	if (!remember_name(&check->names, walk, name))
		report_no_memory(&check->report);
	else if (is_fingerprint(walk))
		check_fingerprint(check, walk, ++tally->fingerprints, &tally->data);
}

static void check_fill(struct check *check, const struct xattr_walk *walk, struct tally *tally)
{
	if (!tally->fill && !xattr_entry_fill(&walk->at.holder, walk->at.entry.pos))
		report(&check->report, ISHARE_RULE_XATTR_ENTRY_FILL, entry_place(walk),
		       "the fill that starts here is not all zeros");
	tally->fill = true;
}

static void check_entry(struct check *check, const struct xattr_walk *walk, struct tally *tally)
{
	const struct ishare_entry *e = &walk->at.entry;
	uint32_t prefixes = check->volume->sb.xattr_prefix_count;
	uint8_t buffer[NAME_ROOM];
	struct ishare_name name;

	if (walk->at.shared)
		check_metadata(check, walk->at.space, walk->at.base, walk->at.holder.size);
	if (is_fill(walk)) {
		check_fill(check, walk, tally);
		return;
	}
	if (!xattr_name_index(e))
		report(&check->report, ISHARE_RULE_XATTR_NAME_INDEX,
		       entry_field(walk, ISHARE_XATTR_ENTRY_E_NAME_INDEX_OFFSET),
		       "e_name_index is %" PRIu32 ", which names no namespace",
		       e->stored.e_name_index);
	if (!xattr_prefix_index(e, prefixes))
		report(&check->report, ISHARE_RULE_XATTR_PREFIX_INDEX,
		       entry_field(walk, ISHARE_XATTR_ENTRY_E_NAME_INDEX_OFFSET),
		       "e_name_index is 0x%02" PRIx32 ", but the prefix table has %" PRIu32 " %s",
		       e->stored.e_name_index, prefixes, prefixes == 1 ? "entry" : "entries");
	if (xattr_name(walk, buffer, &name))
		check_name(check, walk, &name, tally);
}

static void report_walk(struct check *check, const struct xattr_walk *walk,
			enum xattr_status status)
{
	const struct file *file = walk->file;

	switch (status) {
	case XATTR_BAD_ENTRY:
		report(&check->report, ISHARE_RULE_XATTR_ENTRY_BOUNDS, entry_place(walk),
		       "the xattr entry ends beyond the %s",
		       walk->at.shared ? "space of shared xattrs" : "inode's xattr area");
		break;
	case XATTR_BAD_ID:
		report(&check->report, ISHARE_RULE_XATTR_SHARED_ID,
		       place_bytes(file->space,
				   xattr_area_offset(file) + ISHARE_IBODY_HEADER_SIZE +
					   4u * walk->at.shared_index,
				   4),
		       "shared id %" PRIu32 " names an entry beyond the %s",
		       ishare_shared_id(&walk->area, walk->at.shared_index), walk->at.space->name);
		break;
	case XATTR_UNREADABLE:
		not_readable(&check->report, ISHARE_PART_SHARED_XATTR, walk->result,
			     check->reader.error);
		break;
	default:
		break;
	}
}

/*
 * Linux 7.3 goes on from the inode's own entries to the shared ones with the page that it has, even
 * if they are in another space (finding metabox-stale-page). What it takes for the shared
 * entry may be a fingerprint, and is not what is judged here.
 */
static bool has_another_fingerprint(const struct check *check, const struct xattr_walk *walk)
{
	uint64_t page_size = ishare_page_size(&check->report.options->profile);
	uint64_t start = xattr_area_offset(walk->file);
	uint64_t end = start + walk->area.size;

	return check->report.options->digests && ishare_inode_is_regular(&walk->file->inode) &&
	       walk->at.shared && walk->at.space != walk->file->space && has_inline_xattrs(walk) &&
	       walk->at.base / page_size <= (end - 1) / page_size &&
	       (walk->at.base + walk->at.holder.size - 1) / page_size >= start / page_size;
}

static void check_found(struct check *check, const struct xattr_walk *walk, struct tally *tally)
{
	if (has_another_fingerprint(check, walk))
		not_examined(&check->report, ISHARE_PART_FINGERPRINT, ISHARE_REASON_STALE_PAGE);
	check_entry(check, walk, tally);
}

static bool afford_xattr(struct check *check, const struct xattr *at)
{
	return !at->shared ||
	       afford(check, ISHARE_PART_SHARED_XATTR, at->holder.size / SHARED_DISCOUNT);
}

/* UNUSABLE: not all entries have been seen. */
static enum verdict check_entries(struct check *check, const struct file *file,
				  const struct ishare_view *area, struct tally *tally)
{
	struct xattr_walk walk;
	enum xattr_status status;
	enum verdict verdict = JUDGED;

	check->names.count = 0;
	start_xattr_walk(&walk, &check->reader, file, area);
	while (verdict_so_far(check) == JUDGED && (status = next_xattr(&walk)) != XATTR_END) {
		if (!afford_xattr(check, &walk.at))
			return UNUSABLE;
		if (status == XATTR_OK) {
			check_found(check, &walk, tally);
		} else {
			report_walk(check, &walk, status);
			verdict = UNUSABLE;
		}
	}
	if (verdict_so_far(check) == ENDED)
		return ENDED;
	check_duplicates(check, &walk);
	return verdict;
}

static enum verdict load_area(struct check *check, const struct file *file,
			      struct ishare_view *area)
{
	enum read_result result;

	if (!afford(check, ISHARE_PART_XATTR_AREA, file->inode.xattr_isize))
		return UNUSABLE;
	if (!check->area)
		check->area = malloc(XATTR_AREA_MAX);
	if (!check->area) {
		report_no_memory(&check->report);
		return ENDED;
	}
	result = copy_xattr_area(&check->reader, file, check->area, area);
	not_readable(&check->report, ISHARE_PART_XATTR_AREA, result, check->reader.error);
	return result == READ_OK ? JUDGED : unusable(check);
}

/* UNUSABLE: the entries cannot be found. */
static enum verdict check_header(struct check *check, const struct file *file,
				 const struct ishare_view *area)
{
	struct ishare_ibody_header header;

	ishare_ibody_header_decode(area, &header);
	if (!xattr_reserved_zero(area))
		report(&check->report, ISHARE_RULE_XATTR_RESERVED_ZERO,
		       place_field(file->space, ISHARE_STRUCT_IBODY_HEADER, xattr_area_offset(file),
				   ISHARE_IBODY_HEADER_H_RESERVED2_OFFSET),
		       "reserved bytes of the xattr header are not zero");
	if (xattr_shared_count(&header, file->inode.xattr_isize))
		return JUDGED;
	report(&check->report, ISHARE_RULE_XATTR_SHARED_COUNT,
	       place_field(file->space, ISHARE_STRUCT_IBODY_HEADER, xattr_area_offset(file),
			   ISHARE_IBODY_HEADER_H_SHARED_COUNT_OFFSET),
	       "an xattr area of %" PRIu32 " bytes has no room for %" PRIu32 " shared ids",
	       file->inode.xattr_isize, header.h_shared_count);
	return unusable(check);
}

static enum verdict check_area(struct check *check, const struct file *file, struct tally *tally)
{
	struct ishare_view area;
	enum verdict verdict;

	if (!file->inode.xattr_isize)
		return JUDGED;
	verdict = load_area(check, file, &area);
	if (verdict == JUDGED)
		verdict = check_header(check, file, &area);
	return verdict == JUDGED ? check_entries(check, file, &area, tally) : verdict;
}

void check_xattrs(struct check *check, const struct file *file, const struct data_place *data)
{
	struct tally tally = { .data = *data };

	if (check_area(check, file, &tally) == JUDGED)
		check_fingerprint_count(check, file, tally.fingerprints);
}
