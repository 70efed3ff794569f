// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Why something was not examined, or is not shown, in words. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd.h"

static const char *const part_words[ISHARE_PART_COUNT] = {
	[ISHARE_PART_PREFIX_TABLE] = "the table of long xattr name prefixes",
	[ISHARE_PART_INODE] = "the inode",
	[ISHARE_PART_DIRECTORY] = "the directory",
	[ISHARE_PART_XATTR_AREA] = "the inode's xattr area",
	[ISHARE_PART_SHARED_XATTR] = "a shared xattr of the inode",
	[ISHARE_PART_CHUNK_TABLE] = "the table of the file's chunks",
	[ISHARE_PART_DATA] = "the file's data",
	[ISHARE_PART_CONTENT] = "the file's content, to compare the digest with,",
	[ISHARE_PART_OPAQUE_CONTENT] = "the file's content, to compare with that of others,",
	[ISHARE_PART_LAST_BLOCK] = "the block in which the file's content ends",
	[ISHARE_PART_OPAQUE_FINGERPRINT] = "the fingerprint",
	[ISHARE_PART_FINGERPRINT] = "the fingerprint",
	[ISHARE_PART_DEPENDENT] = "what depends on",
};

const struct reason_words reason_words[ISHARE_REASON_COUNT] = {
	[ISHARE_REASON_COMPRESSED] = { "is compressed or in a compressed part of the image",
				       "is compressed", "compressed" },
	[ISHARE_REASON_NO_DEVICE] = { "is on a device that was not given (--device)",
				      "is on a device that was not given (--device)",
				      "on a device that was not given" },
	[ISHARE_REASON_NOWHERE] = { "is where nothing can be read", "is where nothing can be read",
				    "not there" },
	[ISHARE_REASON_OVERLAP] = { "overlaps: with what was examined before it has more bytes "
				    "than the image",
				    "overlaps: with what was shown before it has more bytes than "
				    "the image",
				    "overlapping" },
	[ISHARE_REASON_BUDGET] = { .checked = "is beyond the budget for holes, and chunks that are "
					      "used again (--budget)" },
	[ISHARE_REASON_NO_DOMAIN] = { .checked = "is opaque: compare contents over the whole "
						 "domain (--domain), or --trust-opaque" },
	[ISHARE_REASON_STALE_PAGE] = { .checked = "may be taken from other bytes by Linux (known "
						  "finding metabox-stale-page)" },
	[ISHARE_REASON_RULE] = { .checked = ", which is broken and was not asked for" },
};

char *unexamined_reason(const struct ishare_unexamined *unexamined)
{
	struct text words;

	text_begin(&words);
	fputs(part_words[unexamined->part], words.out);
	fprintf(words.out, " %s%s", unexamined->rule ? unexamined->rule->name : "",
		reason_words[unexamined->reason].checked);
	return text_end(&words);
}

char *unexamined_words(const struct ishare_unexamined *unexamined)
{
	char *reason = unexamined_reason(unexamined),
	     *path = escape_text(unexamined->path ? unexamined->path : "");
	struct text words;

	text_begin(&words);
	fprintf(words.out, "not examined: %s", reason);
	if (unexamined->count > 1)
		fprintf(words.out, " (%" PRIu64 " times%s%s)", unexamined->count,
			*path ? ", first: " : "", path);
	else if (*path)
		fprintf(words.out, " (%s)", path);
	free(reason);
	free(path);
	return text_end(&words);
}
