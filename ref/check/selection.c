// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What a rule that was not asked for has to do with those that were. Where it is broken, the others
 * may be about other bytes, or other names, than the check takes them to be about, or the check may
 * not have reached what they are about. Then their silence says nothing: not examined.
 */
#include <stdio.h>
#include <string.h>

#include "check/check.h"

/* Groups of rules by the first parts of their names, as in unexamined.c. */
#define ALL "sb. dev. prefix. inode. dir. xattr. fingerprint."
#define BEHIND_SB "sb.root-inode dev. prefix. inode. dir. xattr. fingerprint."
#define INODES "prefix. inode. dir. xattr. fingerprint."
#define TREE "inode. dir. xattr. fingerprint."
#define NAMES "prefix. xattr. fingerprint."
#define XATTRS "xattr. fingerprint."
#define FINGERPRINTS "fingerprint."
#define NONE ""

/*
 * What each rule of severity error decides about. The other severities need no entry: a full check
 * ends with 0 in spite of them. An error without entry decides about everything, so that a new rule
 * errs on the safe side.
 */
static const char *const decided[ISHARE_RULE_COUNT] = {
	/* No image is judged that breaks one of these. */
	[ISHARE_RULE_SB_SIZE] = NONE,
	[ISHARE_RULE_SB_MAGIC] = NONE,

	/* Every offset is in blocks, and a bit that nobody knows may change any structure. */
	[ISHARE_RULE_SB_BLOCK_SIZE] = ALL,
	[ISHARE_RULE_SB_FEATURE_INCOMPAT] = ALL,
	/* Whether there is a metabox_nid; and other slots may lie where it is looked for. */
	[ISHARE_RULE_SB_EXT_SLOTS] = ALL,
	[ISHARE_RULE_SB_METABOX_SLOT] = ALL,
	/* Directories are read block by block. */
	[ISHARE_RULE_SB_DIR_BLOCK_BITS] = TREE,
	/* A mount fails before anything else is looked at; and no byte means something else. */
	[ISHARE_RULE_SB_CHECKSUM] = NONE,
	/* Inodes and the prefix table may be in there, and its own data on any device. */
	[ISHARE_RULE_SB_METABOX_SELF] = BEHIND_SB,
	[ISHARE_RULE_SB_PACKED_NID] = BEHIND_SB,
	/* Where the primary device ends, others begin. */
	[ISHARE_RULE_SB_BLOCKS] = BEHIND_SB,
	/* Nothing is found without it. */
	[ISHARE_RULE_SB_ROOT_INODE] = TREE,
	/* Whether there is a table of prefixes, and which of them names fingerprints. */
	[ISHARE_RULE_SB_PREFIX_FEATURE] = NAMES,
	[ISHARE_RULE_SB_ISHARE_NEEDS_PREFIXES] = NAMES,
	[ISHARE_RULE_SB_ISHARE_PREFIX_ID] = NAMES,

	/* Which device has a block. */
	[ISHARE_RULE_DEV_TABLE_BOUNDS] = BEHIND_SB,
	[ISHARE_RULE_DEV_RANGE] = BEHIND_SB,
	[ISHARE_RULE_DEV_OVERLAP] = BEHIND_SB,
	[ISHARE_RULE_DEV_METADATA] = BEHIND_SB,

	/* What long names are. */
	[ISHARE_RULE_PREFIX_LOCATION] = NAMES,
	[ISHARE_RULE_PREFIX_RECORD_BOUNDS] = NAMES,
	[ISHARE_RULE_PREFIX_LENGTH] = NAMES,
	/* Readers end the name at a NUL, or take fill for a fingerprint. */
	[ISHARE_RULE_PREFIX_ISHARE_INFIX_NUL] = FINGERPRINTS,
	[ISHARE_RULE_PREFIX_ISHARE_NAME_LENGTH] = FINGERPRINTS,

	/*
	 * An inode, or what it has, is not there or is something else. It may be the root, hold a
	 * directory with all that is below it, or the metabox, which may hold the prefix table.
	 */
	[ISHARE_RULE_INODE_BOUNDS] = INODES,
	[ISHARE_RULE_INODE_FORMAT] = INODES,
	[ISHARE_RULE_INODE_LAYOUT] = INODES,
	[ISHARE_RULE_INODE_MODE] = INODES,
	[ISHARE_RULE_INODE_INTERNAL] = INODES,
	[ISHARE_RULE_INODE_SIZE] = INODES,
	[ISHARE_RULE_INODE_CHUNK_FORMAT] = INODES,
	[ISHARE_RULE_INODE_INLINE_TAIL] = INODES,
	[ISHARE_RULE_INODE_DATA_BOUNDS] = INODES,
	[ISHARE_RULE_INODE_CHUNK_RANGE] = INODES,
	[ISHARE_RULE_INODE_DATA_DEVICE] = INODES,
	[ISHARE_RULE_INODE_DATA_MERGE] = INODES,
	[ISHARE_RULE_INODE_XATTR_ICOUNT] = INODES,
	[ISHARE_RULE_INODE_XATTR_BOUNDS] = INODES,
	/* The link cannot be followed; that is all. */
	[ISHARE_RULE_INODE_SYMLINK_TARGET] = NONE,

	/* Entries, and what they name, are not found or found twice. */
	[ISHARE_RULE_DIR_ENTRY_BOUNDS] = TREE,
	[ISHARE_RULE_DIR_CYCLE] = TREE,
	/* A name that readers cut at a NUL has another place in the order. */
	[ISHARE_RULE_DIR_NAME] = "dir.",
	/* By which name, and as what type, an inode is found, not what is in it. */
	[ISHARE_RULE_DIR_NAME_ORDER] = NONE,
	[ISHARE_RULE_DIR_TYPE] = NONE,
	/* The VFS resolves these names by itself. */
	[ISHARE_RULE_DIR_DOT] = NONE,
	[ISHARE_RULE_DIR_DOT_PRESENT] = NONE,

	/* Which entries there are, and what they are called. */
	[ISHARE_RULE_XATTR_SHARED_COUNT] = XATTRS,
	[ISHARE_RULE_XATTR_SHARED_ID] = XATTRS,
	[ISHARE_RULE_XATTR_ENTRY_BOUNDS] = XATTRS,
	[ISHARE_RULE_XATTR_ENTRY_FILL] = XATTRS,
	[ISHARE_RULE_XATTR_NAME_INDEX] = XATTRS,
	[ISHARE_RULE_XATTR_PREFIX_INDEX] = XATTRS,
	/* Which of two is read, and which is not found. */
	[ISHARE_RULE_XATTR_DUPLICATE] = FINGERPRINTS,
	[ISHARE_RULE_XATTR_NAME_FILTER] = FINGERPRINTS,

	/* Only the first counts. */
	[ISHARE_RULE_FINGERPRINT_SINGLE] = FINGERPRINTS,
	/* A file whose fingerprint nobody uses is compared with no other, and not read. */
	[ISHARE_RULE_FINGERPRINT_SIZE] = "fingerprint.same- fingerprint.padding-zero",
	/* Of different sizes, so that nobody looks at the contents. */
	[ISHARE_RULE_FINGERPRINT_SAME_SIZE] = "fingerprint.same-",
	/* A wrong digest is still this fingerprint, of this content. */
	[ISHARE_RULE_FINGERPRINT_DIGEST] = NONE,
	/* Sizes, and the digest of each file, are judged by themselves. */
	[ISHARE_RULE_FINGERPRINT_SAME_CONTENT] = NONE,
	/* It is no content. */
	[ISHARE_RULE_FINGERPRINT_PADDING_ZERO] = NONE,
};

static const char *decides(const struct ishare_rule *rule)
{
	if (rule->severity != ISHARE_ERROR)
		return NONE;
	return decided[rule->id] ? decided[rule->id] : ALL;
}

void tell_hidden(struct check *check)
{
	char reason[200];

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		const struct ishare_rule *rule = &ishare_rules[i];

		if (!check->hidden[i] || !asked_for(check, decides(rule)))
			continue;
		snprintf(reason, sizeof(reason),
			 "what depends on %s, which is broken and was not asked for", rule->name);
		tell_reason(check, (struct ishare_unexamined){ .reason = reason,
							       .count = check->hidden[i] });
	}
	memset(check->hidden, 0, sizeof(check->hidden));
}
