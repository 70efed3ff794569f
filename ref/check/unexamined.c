// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What could not be checked, and why: counted during the check, reported at its end.
 * It matters only if a selected rule is about it.
 */
#include <stdio.h>

#include "check/report.h"

static const struct {
	const char *words;
	enum ishare_scope scope; /* the rules about it */
	bool content; /* as in struct ishare_unexamined */
} things[UNEXAMINED_THINGS] = {
	[THE_PREFIX_TABLE] = { .words = "the table of long xattr name prefixes",
			       .scope = ISHARE_SCOPE_NAMES },
	[AN_INODE] = { .words = "the inode", .scope = ISHARE_SCOPE_TREE },
	[A_DIRECTORY] = { .words = "the directory", .scope = ISHARE_SCOPE_TREE },
	[AN_XATTR_AREA] = { .words = "the inode's xattr area", .scope = ISHARE_SCOPE_XATTRS },
	[A_SHARED_XATTR] = { .words = "a shared xattr of the inode", .scope = ISHARE_SCOPE_XATTRS },
	[A_CHUNK_TABLE] = { .words = "the table of the file's chunks",
			    .scope = ISHARE_SCOPE_CHUNK_TABLE },
	[DATA] = { .words = "the file's data", .scope = ISHARE_SCOPE_DATA, .content = true },
	[A_CONTENT] = { .words = "the file's content, to compare the digest with,",
			.scope = ISHARE_SCOPE_CONTENT,
			.content = true },
	[AN_OPAQUE_CONTENT] = { .words = "the file's content, to compare with that of others,",
				.scope = ISHARE_SCOPE_SAME_CONTENT,
				.content = true },
	[THE_LAST_BLOCK] = { .words = "the block in which the file's content ends",
			     .scope = ISHARE_SCOPE_PADDING,
			     .content = true },
	[AN_OPAQUE_FINGERPRINT] = { .words = "the fingerprint",
				    .scope = ISHARE_SCOPE_SAME_CONTENT,
				    .content = true },
	[A_FINGERPRINT] = { .words = "the fingerprint", .scope = ISHARE_SCOPE_FINGERPRINTS },
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

/* Where the root's inode is lost, what hides inodes hides what the root is. */
static bool is_hidden(const struct report *report, enum ishare_scope scope, int rule)
{
	const bool *hidden = ishare_scopes[scope];

	return hidden[rule] || (rule == ISHARE_RULE_SB_ROOT_INODE && report->root_lost &&
				hidden[ISHARE_RULE_INODE_BOUNDS]);
}

bool asked_for(const struct report *report, enum ishare_scope scope)
{
	for (int rule = 0; rule < ISHARE_RULE_COUNT; rule++)
		if ((!report->options->rules || report->options->rules[rule]) &&
		    is_hidden(report, scope, rule))
			return true;
	return false;
}

void not_examined(struct report *report, enum unexamined_thing thing, enum unexamined_reason reason)
{
	struct unexamined *u = &report->unexamined[thing][reason];

	if (!u->count && !subject_path(report, u->path, sizeof(u->path)))
		u->path[0] = '\0';
	u->count++;
}

void not_readable(struct report *report, enum unexamined_thing thing, enum read_result result,
		  const char *error)
{
	switch (result) {
	case READ_OK:
		break;
	case READ_UNSUPPORTED:
		not_examined(report, thing, IS_COMPRESSED);
		break;
	case READ_NO_DEVICE:
		not_examined(report, thing, IS_ON_NO_DEVICE);
		break;
	case READ_OUTSIDE:
	case READ_CORRUPT:
	case READ_NOTHING:
		not_examined(report, thing, IS_NOWHERE);
		break;
	case READ_FAILED:
		report_failure(report, error);
		break;
	}
}

void tell_reason(struct report *report, struct ishare_unexamined event)
{
	event.image = report->image->volume.path;
	report->summary->unexamined++;
	if (report->sink->unexamined)
		report->sink->unexamined(report->sink->context, &event);
}

static void tell(struct report *report, enum unexamined_thing thing, enum unexamined_reason reason)
{
	const struct unexamined *u = &report->unexamined[thing][reason];
	char words[300];

	snprintf(words, sizeof(words), "%s %s", things[thing].words, reasons[reason]);
	tell_reason(report, (struct ishare_unexamined){
				    .path = u->path[0] ? u->path : NULL,
				    .reason = words,
				    .count = u->count,
				    .content = things[thing].content,
			    });
}

bool is_unexamined(const struct report *report, enum unexamined_thing thing)
{
	for (int reason = 0; reason < UNEXAMINED_REASONS; reason++)
		if (report->unexamined[thing][reason].count)
			return true;
	return false;
}

void tell_unexamined(struct report *report)
{
	for (int thing = 0; thing < UNEXAMINED_THINGS; thing++)
		for (int reason = 0; reason < UNEXAMINED_REASONS; reason++)
			if (report->unexamined[thing][reason].count &&
			    asked_for(report, things[thing].scope))
				tell(report, thing, reason);
}
