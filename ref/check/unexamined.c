// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What the rules could not be held against, and why: counted while the check runs, told at its end.
 * It matters only if a rule that was asked for is about it.
 */
#include <stdio.h>
#include <string.h>

#include "check/check.h"

static const struct {
	const char *words;
	const char *groups; /* the first parts of the names of rules that are held against it */
	bool content; /* as in struct ishare_unexamined */
} things[UNEXAMINED_THINGS] = {
	[THE_PREFIX_TABLE] = { .words = "the table of long xattr name prefixes",
			       .groups = "prefix. xattr. fingerprint." },
	[AN_INODE] = { .words = "the inode", .groups = "inode. dir. xattr. fingerprint." },
	[A_DIRECTORY] = { .words = "the directory", .groups = "inode. dir. xattr. fingerprint." },
	[AN_XATTR_AREA] = { .words = "the inode's xattr area", .groups = "xattr. fingerprint." },
	[A_SHARED_XATTR] = { .words = "a shared xattr of the inode",
			     .groups = "xattr. fingerprint." },
	/*
	 * It is metadata, and the file may be a directory, or the metabox with all that is in it.
	 */
	[A_CHUNK_TABLE] = { .words = "the table of the file's chunks",
			    .groups = "dev.metadata prefix. inode. dir. xattr. fingerprint." },
	[DATA] = { .words = "the file's data",
		   .groups =
			   "inode. fingerprint.digest fingerprint.same-content fingerprint.padding-zero",
		   .content = true },
	[A_CONTENT] = { .words = "the file's content, to compare the digest with,",
			.groups = "fingerprint.digest fingerprint.same-content",
			.content = true },
	[AN_OPAQUE_CONTENT] = { .words = "the file's content, to compare with that of others,",
				.groups = "fingerprint.same-content",
				.content = true },
	[THE_LAST_BLOCK] = { .words = "the block in which the file's content ends",
			     .groups = "fingerprint.padding-zero",
			     .content = true },
	[AN_OPAQUE_FINGERPRINT] = { .words = "the fingerprint",
				    .groups = "fingerprint.same-content",
				    .content = true },
	[A_FINGERPRINT] = { .words = "the fingerprint", .groups = "fingerprint." },
};

static const char *const reasons[UNEXAMINED_REASONS] = {
	[IS_COMPRESSED] = "is compressed or in a compressed part of the image",
	[IS_ON_NO_DEVICE] = "is on a device that was not given (--device)",
	[IS_NOWHERE] = "is where nothing can be read",
	[OVERLAPS] = "overlaps: with what was examined before it has more bytes than the image",
	[REPEATS] = "is beyond the budget for holes, and chunks that are used again (--budget)",
	[NEEDS_DOMAIN] =
		"is opaque: compare contents over the whole domain (--domain), or --trust-opaque",
	[IS_TAKEN_FROM_ELSEWHERE] =
		"may be taken from other bytes by Linux (known finding metabox-stale-page)",
};

static bool in_group(const char *rule, const char *groups)
{
	while (*groups) {
		size_t length = strcspn(groups, " ");

		if (!strncmp(rule, groups, length))
			return true;
		groups += length + (groups[length] == ' ');
	}
	return false;
}

bool asked_for(const struct check *check, const char *groups)
{
	for (int rule = 0; rule < ISHARE_RULE_COUNT; rule++)
		if ((!check->options->rules || check->options->rules[rule]) &&
		    (in_group(ishare_rules[rule].name, groups) ||
		     (rule == ISHARE_RULE_SB_ROOT_INODE && check->root_lost &&
		      in_group("inode.", groups))))
			return true;
	return false;
}

void not_examined(struct check *check, enum unexamined_thing thing, enum unexamined_reason reason)
{
	struct unexamined *u = &check->unexamined[thing][reason];

	if (!u->count && !current_path(check, u->path, sizeof(u->path)))
		u->path[0] = '\0';
	u->count++;
}

void not_readable(struct check *check, enum unexamined_thing thing, enum read_result result)
{
	switch (result) {
	case READ_OK:
		break;
	case READ_ENCODED:
		not_examined(check, thing, IS_COMPRESSED);
		break;
	case READ_NO_DEVICE:
		not_examined(check, thing, IS_ON_NO_DEVICE);
		break;
	case READ_OUTSIDE:
		not_examined(check, thing, IS_NOWHERE);
		break;
	case READ_FAILED:
		check_failed(check, &check->reader);
		break;
	}
}

void tell_reason(struct check *check, struct ishare_unexamined event)
{
	event.image = check->image->path;
	check->summary->unexamined++;
	if (check->sink->unexamined)
		check->sink->unexamined(check->sink->context, &event);
}

static void tell(struct check *check, enum unexamined_thing thing, enum unexamined_reason reason)
{
	const struct unexamined *u = &check->unexamined[thing][reason];
	char words[300];

	snprintf(words, sizeof(words), "%s %s", things[thing].words, reasons[reason]);
	tell_reason(check, (struct ishare_unexamined){
				   .path = u->path[0] ? u->path : NULL,
				   .reason = words,
				   .count = u->count,
				   .content = things[thing].content,
			   });
}

bool is_unexamined(const struct check *check, enum unexamined_thing thing)
{
	for (int reason = 0; reason < UNEXAMINED_REASONS; reason++)
		if (check->unexamined[thing][reason].count)
			return true;
	return false;
}

void tell_unexamined(struct check *check)
{
	for (int thing = 0; thing < UNEXAMINED_THINGS; thing++)
		for (int reason = 0; reason < UNEXAMINED_REASONS; reason++)
			if (check->unexamined[thing][reason].count &&
			    asked_for(check, things[thing].groups))
				tell(check, thing, reason);
}
