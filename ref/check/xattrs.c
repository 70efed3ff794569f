// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Holds the rules of the chapters "Inode xattrs" and "Fingerprint" against the xattrs of an inode.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "domain/domain.h"

static struct place entry_place(const struct xattr_walk *walk)
{
	return place_struct(walk->space, ISHARE_STRUCT_XATTR_ENTRY, walk->base + walk->entry.pos);
}

static struct place entry_field(const struct xattr_walk *walk, uint32_t field_offset)
{
	return place_field(walk->space, ISHARE_STRUCT_XATTR_ENTRY, walk->base + walk->entry.pos,
			   field_offset);
}

static struct place value_place(const struct xattr_walk *walk)
{
	return place_bytes(walk->space, walk->base + walk->entry.value, walk->entry.value_size);
}

static const char *name_space(uint32_t base_index)
{
	static const char *const names[] = {
		"",
		"user.",
		"system.posix_acl_access",
		"system.posix_acl_default",
		"trusted.",
		"lustre.",
		"security.",
	};

	return base_index < sizeof(names) / sizeof(*names) ? names[base_index] : "?.";
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

/*
 * Many inodes may rightly share a large xattr, and its value is only copied: a byte of it costs
 * that much less than one of the inode's own.
 */
#define SHARED_DISCOUNT 64u

/* What judging the entries of one inode adds up. */
struct tally {
	uint32_t fingerprints;
	size_t names;
	bool fill; /* seen and judged */
};

static bool remember_name(struct check *check, struct tally *tally, const struct xattr_walk *walk,
			  const struct ishare_name *name)
{
	if (tally->names == check->names_room) {
		size_t room = check->names_room ? check->names_room * 2 : 64;
		struct name_record *names = realloc(check->names, room * sizeof(*names));

		if (!names) {
			check_no_memory(check);
			return false;
		}
		check->names = names;
		check->names_room = room;
	}
	check->names[tally->names] = (struct name_record){
		.hash = hash_bytes(name->bytes.data, name->bytes.size,
				   check->seed + name->base_index),
		.order = (uint32_t)tally->names,
		.where = walk->shared ? SHARED_RECORD | walk->shared_index
				      : (uint32_t)walk->entry.pos,
	};
	tally->names++;
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
	if (is_shown(check, ISHARE_RULE_XATTR_DUPLICATE))
		ishare_escape(shown, name.bytes.data, name.bytes.size);
	report(check, ISHARE_RULE_XATTR_DUPLICATE, entry_place(walk),
	       "the inode has two xattrs named %s%s", name_space(name.base_index), shown);
}

/*
 * Those that have the name of one before them move to the front, and are reported in their order.
 */
static void check_duplicates(struct check *check, struct xattr_walk *walk, size_t count)
{
	struct name_record *names = check->names;
	size_t duplicates = 0;

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

/*
 * The first fingerprint is the one that readers use; what it says goes to the trust domain and to
 * the digests.
 */
static void use_fingerprint(struct check *check, const struct xattr_walk *walk,
			    const struct ishare_view *value)
{
	struct domain_key key = { 0 };

	if (!ishare_inode_is_regular(&walk->file->inode) ||
	    !fingerprint_size(&check->image->sb, walk->entry.value_size))
		return;
	check->summary->fingerprinted_files++;
	check->summary->fingerprinted_bytes += walk->file->inode.size;
	if (check->domain && !domain_add(check->domain, check->image, value, walk->file->inode.size,
					 check->directory, check->position, &key))
		check_no_memory(check);
	else if (check->digests)
		digest_add(check->digests, check, walk->file, value, value_place(walk), key);
}

static void check_fingerprint(struct check *check, const struct xattr_walk *walk,
			      struct tally *tally)
{
	const struct ishare_superblock *sb = &check->image->sb;
	const struct ishare_inode *inode = &walk->file->inode;
	struct ishare_view value = xattr_value(walk);

	if (!fingerprint_size(sb, walk->entry.value_size))
		report(check, ISHARE_RULE_FINGERPRINT_SIZE,
		       entry_field(walk, ISHARE_XATTR_ENTRY_E_VALUE_SIZE_OFFSET),
		       "the fingerprint has %" PRIu32 " bytes, not 1 to %" PRIu64,
		       walk->entry.value_size, ishare_block_size(sb));
	if (!fingerprint_form(&value))
		report(check, ISHARE_RULE_FINGERPRINT_FORM, value_place(walk),
		       "the fingerprint of %" PRIu32 " bytes is not \"sha256:\" and 32 bytes",
		       walk->entry.value_size);
	if (!fingerprint_regular_file(inode))
		report(check, ISHARE_RULE_FINGERPRINT_REGULAR_FILE, entry_place(walk),
		       "a fingerprint, but the inode is not a regular file");
	if (!fingerprint_name_encoding(sb, &walk->entry))
		report(check, ISHARE_RULE_FINGERPRINT_NAME_ENCODING, entry_place(walk),
		       "the fingerprint's name is not encoded as prefix %" PRIu32 " alone",
		       sb->ishare_xattr_prefix_id);
	if (tally->fingerprints++ == 0)
		use_fingerprint(check, walk, &value);
}

static void tell_xattr(const struct check *check, const struct xattr_walk *walk,
		       const struct ishare_name *name)
{
	struct ishare_view value = xattr_value(walk);
	struct ishare_xattr_event event = {
		.shared = walk->shared,
		.offset = walk->base + walk->entry.pos,
		.entry = &walk->entry,
		.name_space = name ? name_space(name->base_index) : "",
		.name = name,
		.value = &value,
		.fingerprint = is_fingerprint(walk),
	};

	if (check->sink->xattr && !check->stopped)
		check->sink->xattr(check->sink->context, &event);
}

static void report_hidden(struct check *check, const struct xattr_walk *walk,
			  const struct ishare_name *name)
{
	char shown[NAME_SHOWN] = "";

	if (is_shown(check, ISHARE_RULE_XATTR_NAME_FILTER))
		ishare_escape(shown, name->bytes.data, name->bytes.size);
	report(check, ISHARE_RULE_XATTR_NAME_FILTER,
	       place_field(walk->file->space, ISHARE_STRUCT_IBODY_HEADER,
			   xattr_area_offset(walk->file), ISHARE_IBODY_HEADER_H_NAME_FILTER_OFFSET),
	       "bit %" PRIu32 " of h_name_filter 0x%08" PRIx32 " hides the xattr %s%s",
	       ishare_filter_bit(name), walk->header.h_name_filter, name_space(name->base_index),
	       shown);
}

static void check_name(struct check *check, const struct xattr_walk *walk,
		       const struct ishare_name *name, struct tally *tally)
{
	if (!xattr_name_filter(&check->image->sb, &walk->header, name))
		report_hidden(check, walk, name);
	if (remember_name(check, tally, walk, name) && is_fingerprint(walk))
		check_fingerprint(check, walk, tally);
}

static void check_fill(struct check *check, const struct xattr_walk *walk, struct tally *tally)
{
	if (!tally->fill && !xattr_entry_fill(&walk->holder, walk->entry.pos))
		report(check, ISHARE_RULE_XATTR_ENTRY_FILL, entry_place(walk),
		       "the fill that starts here is not all zeros");
	tally->fill = true;
}

static void check_entry(struct check *check, const struct xattr_walk *walk, struct tally *tally)
{
	const struct ishare_entry *e = &walk->entry;
	uint8_t buffer[NAME_ROOM];
	struct ishare_name name;
	bool resolved;

	if (walk->shared)
		check_metadata(check, walk->space, walk->base, walk->holder.size);
	if (is_fill(walk)) {
		check_fill(check, walk, tally);
		return;
	}
	if (!xattr_name_index(e))
		report(check, ISHARE_RULE_XATTR_NAME_INDEX,
		       entry_field(walk, ISHARE_XATTR_ENTRY_E_NAME_INDEX_OFFSET),
		       "e_name_index is %" PRIu32 ", which names no namespace", e->name_index);
	if (!xattr_prefix_index(e, check->image->sb.xattr_prefix_count))
		report(check, ISHARE_RULE_XATTR_PREFIX_INDEX,
		       entry_field(walk, ISHARE_XATTR_ENTRY_E_NAME_INDEX_OFFSET),
		       "e_name_index is 0x%02" PRIx32 ", but there are only %" PRIu32 " prefixes",
		       e->name_index, check->image->sb.xattr_prefix_count);
	resolved = xattr_name(walk, buffer, &name);
	tell_xattr(check, walk, resolved ? &name : NULL);
	if (resolved)
		check_name(check, walk, &name, tally);
}

static void report_walk(struct check *check, const struct xattr_walk *walk, enum walk_status status)
{
	switch (status) {
	case WALK_BAD_ENTRY:
		report(check, ISHARE_RULE_XATTR_ENTRY_BOUNDS, entry_place(walk),
		       "the xattr entry ends beyond the %s",
		       walk->shared ? "space of shared xattrs" : "inode's xattr area");
		break;
	case WALK_BAD_ID:
		report(check, ISHARE_RULE_XATTR_SHARED_ID,
		       place_bytes(walk->file->space,
				   xattr_area_offset(walk->file) + ISHARE_IBODY_HEADER_SIZE +
					   4u * walk->shared_index,
				   4),
		       "shared id %" PRIu32 " names an entry beyond the %s",
		       ishare_shared_id(&walk->area, walk->shared_index), walk->space->name);
		break;
	case WALK_UNREADABLE:
		not_readable(check, A_SHARED_XATTR,
			     walk->space->encoded ? READ_ENCODED : READ_OUTSIDE);
		break;
	case WALK_FAILED:
		check_failed(check, &check->reader);
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
	uint64_t page_size = ishare_page_size(&check->options->profile);
	uint64_t start = xattr_area_offset(walk->file);
	uint64_t end = start + walk->area.size;

	return check->digests && ishare_inode_is_regular(&walk->file->inode) && walk->shared &&
	       walk->space != walk->file->space && has_inline_xattrs(walk) &&
	       walk->base / page_size <= (end - 1) / page_size &&
	       (walk->base + walk->holder.size - 1) / page_size >= start / page_size;
}

/* False: not all entries have been seen. */
static bool check_entries(struct check *check, const struct file *file,
			  const struct ishare_view *area, struct tally *tally)
{
	struct xattr_walk walk;
	enum walk_status status;
	bool all = true;

	start_xattr_walk(&walk, &check->reader, check->image, file, area);
	while (!check->failed && (status = next_xattr(&walk)) != WALK_END) {
		if (walk.shared &&
		    !spend(check, A_SHARED_XATTR, walk.holder.size / SHARED_DISCOUNT))
			return false;
		if (status == WALK_ENTRY) {
			if (has_another_fingerprint(check, &walk))
				not_examined(check, A_FINGERPRINT, IS_TAKEN_FROM_ELSEWHERE);
			check_entry(check, &walk, tally);
		} else {
			report_walk(check, &walk, status);
			all = false;
		}
	}
	if (!check->failed)
		check_duplicates(check, &walk, tally->names);
	return all && !check->failed;
}

static bool load_area(struct check *check, const struct file *file, struct ishare_view *area)
{
	enum read_result result;

	if (!spend(check, AN_XATTR_AREA, file->inode.xattr_isize))
		return false;
	if (!check->area)
		check->area = malloc(XATTR_AREA_MAX);
	if (!check->area) {
		check_no_memory(check);
		return false;
	}
	result = copy_xattr_area(&check->reader, file, check->area, area);
	not_readable(check, AN_XATTR_AREA, result);
	return result == READ_OK;
}

/* False: the entries cannot be found. */
static bool check_header(struct check *check, const struct file *file,
			 const struct ishare_view *area)
{
	struct ishare_ibody_header header;

	ishare_ibody_decode(area, &header);
	if (!xattr_reserved_zero(area))
		report(check, ISHARE_RULE_XATTR_RESERVED_ZERO,
		       place_field(file->space, ISHARE_STRUCT_IBODY_HEADER, xattr_area_offset(file),
				   ISHARE_IBODY_HEADER_H_RESERVED2_OFFSET),
		       "reserved bytes of the xattr header are not zero");
	if (xattr_shared_count(&header, file->inode.xattr_isize))
		return true;
	report(check, ISHARE_RULE_XATTR_SHARED_COUNT,
	       place_field(file->space, ISHARE_STRUCT_IBODY_HEADER, xattr_area_offset(file),
			   ISHARE_IBODY_HEADER_H_SHARED_COUNT_OFFSET),
	       "%" PRIu32 " shared ids do not fit in an xattr area of %" PRIu32 " bytes",
	       header.h_shared_count, file->inode.xattr_isize);
	return false;
}

static void check_fingerprint_count(struct check *check, const struct file *file,
				    const struct tally *tally)
{
	struct place place = place_field(file->space, ISHARE_STRUCT_INODE_COMPACT, file->offset,
					 ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET);
	struct ishare_name name;

	if (!fingerprint_name(check->image, &name))
		return;
	if (!fingerprint_present(&file->inode, tally->fingerprints))
		report(check, ISHARE_RULE_FINGERPRINT_PRESENT, place,
		       "the file of %" PRIu64 " bytes has no fingerprint", file->inode.size);
	if (!fingerprint_single(tally->fingerprints))
		report(check, ISHARE_RULE_FINGERPRINT_SINGLE, place,
		       "the inode has %" PRIu32 " fingerprints", tally->fingerprints);
}

void check_xattrs(struct check *check, const struct file *file)
{
	struct tally tally = { 0 };
	struct ishare_view area;

	if (file->inode.xattr_isize) {
		if (!load_area(check, file, &area) || !check_header(check, file, &area))
			return;
		if (!check_entries(check, file, &area, &tally))
			return;
	}
	check_fingerprint_count(check, file, &tally);
}
