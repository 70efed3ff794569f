// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Checks the fingerprints of one inode against the rules of the chapter "Fingerprint". */
#include <inttypes.h>

#include "check/judges.h"

static struct place entry_place(const struct xattr *at)
{
	return place_struct(at->space, ISHARE_STRUCT_XATTR_ENTRY, at->base + at->entry.pos);
}

static struct place value_place(const struct xattr *at)
{
	return place_bytes(at->space, at->base + at->entry.value, at->entry.stored.e_value_size);
}

static void judge_fingerprint(struct check *check, const struct xattr_walk *walk)
{
	const struct ishare_superblock *sb = &check->volume->sb;
	struct ishare_view value = xattr_value(walk);
	const struct xattr *at = &walk->at;

	if (!fingerprint_size(sb, at->entry.stored.e_value_size))
		report(&check->report, ISHARE_RULE_FINGERPRINT_SIZE,
		       place_field(at->space, ISHARE_STRUCT_XATTR_ENTRY, at->base + at->entry.pos,
				   ISHARE_XATTR_ENTRY_E_VALUE_SIZE_OFFSET),
		       "the fingerprint has %" PRIu32 " byte%s, not 1 to %" PRIu64,
		       at->entry.stored.e_value_size, plural(at->entry.stored.e_value_size),
		       ishare_block_size(sb));
	if (!fingerprint_form(&value))
		report(&check->report, ISHARE_RULE_FINGERPRINT_FORM, value_place(at),
		       "the fingerprint of %" PRIu32 " byte%s is not \"sha256:\" and 32 bytes",
		       at->entry.stored.e_value_size, plural(at->entry.stored.e_value_size));
	if (!fingerprint_regular_file(&walk->file->inode))
		report(&check->report, ISHARE_RULE_FINGERPRINT_REGULAR_FILE, entry_place(at),
		       "a fingerprint, but the inode is not a regular file");
	if (!fingerprint_name_encoding(sb, &at->entry))
		report(&check->report, ISHARE_RULE_FINGERPRINT_NAME_ENCODING, entry_place(at),
		       "the fingerprint's name is not encoded as prefix %" PRIu32 " alone",
		       sb->ishare_xattr_prefix_id);
}

static void announce_fingerprint(struct check *check, const struct xattr_walk *walk,
				 const struct data_place *data)
{
	const struct listener *listener = check->listener;
	struct fingerprint_event event = {
		.file = walk->file,
		.met = check->report.subject.met,
		.data = *data,
		.value = xattr_value(walk),
		.place = value_place(&walk->at),
	};

	check->report.summary->fingerprinted_files++;
	check->report.summary->fingerprinted_bytes += walk->file->inode.size;
	listener->fingerprint(listener->context, &event);
}

void check_fingerprint(struct check *check, const struct xattr_walk *walk, uint32_t number,
		       const struct data_place *data)
{
	judge_fingerprint(check, walk);
	if (number == 1 && ishare_inode_is_regular(&walk->file->inode) &&
	    fingerprint_size(&check->volume->sb, walk->at.entry.stored.e_value_size))
		announce_fingerprint(check, walk, data);
}

void check_fingerprint_count(struct check *check, const struct file *file, uint32_t count)
{
	struct place place = place_field(file->space, ISHARE_STRUCT_INODE_COMPACT, file->offset,
					 ISHARE_INODE_COMPACT_I_XATTR_ICOUNT_OFFSET);
	struct ishare_name name;

	if (!fingerprint_name(check->volume, &name))
		return;
	if (!fingerprint_present(&file->inode, count))
		report(&check->report, ISHARE_RULE_FINGERPRINT_PRESENT, place,
		       "the file of %" PRIu64 " byte%s has no fingerprint", file->inode.size,
		       plural(file->inode.size));
	if (!fingerprint_single(count))
		report(&check->report, ISHARE_RULE_FINGERPRINT_SINGLE, place,
		       "the inode has %" PRIu32 " fingerprints", count);
}
