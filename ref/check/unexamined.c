// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What could not be checked, and why: counted during the check, reported at its end.
 * It matters only if a selected rule is about it.
 */
#include <string.h>

#include "check/report.h"

static const struct {
	enum ishare_scope scope; /* the rules about it */
	bool content; /* as in struct ishare_unexamined */
} parts[ISHARE_PART_COUNT] = {
	[ISHARE_PART_PREFIX_TABLE] = { ISHARE_SCOPE_NAMES, false },
	[ISHARE_PART_INODE] = { ISHARE_SCOPE_TREE, false },
	[ISHARE_PART_DIRECTORY] = { ISHARE_SCOPE_TREE, false },
	[ISHARE_PART_XATTR_AREA] = { ISHARE_SCOPE_XATTRS, false },
	[ISHARE_PART_SHARED_XATTR] = { ISHARE_SCOPE_XATTRS, false },
	[ISHARE_PART_CHUNK_TABLE] = { ISHARE_SCOPE_CHUNK_TABLE, false },
	[ISHARE_PART_DATA] = { ISHARE_SCOPE_DATA, true },
	[ISHARE_PART_CONTENT] = { ISHARE_SCOPE_CONTENT, true },
	[ISHARE_PART_OPAQUE_CONTENT] = { ISHARE_SCOPE_SAME_CONTENT, true },
	[ISHARE_PART_LAST_BLOCK] = { ISHARE_SCOPE_PADDING, true },
	[ISHARE_PART_OPAQUE_FINGERPRINT] = { ISHARE_SCOPE_SAME_CONTENT, true },
	[ISHARE_PART_FINGERPRINT] = { ISHARE_SCOPE_FINGERPRINTS, false },
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

void not_examined(struct report *report, enum ishare_part part, enum ishare_reason reason)
{
	struct unexamined *u = &report->unexamined[part][reason];
	char path[SHORT_PATH_SHOWN];

	if (!u->count++ && subject_path(report, path, sizeof(path))) {
		u->path = strdup(path);
		if (!u->path)
			report_no_memory(report);
	}
}

void not_readable(struct report *report, enum ishare_part part, enum read_result result,
		  const char *error)
{
	switch (result) {
	case READ_OK:
		break;
	case READ_UNSUPPORTED:
		not_examined(report, part, ISHARE_REASON_COMPRESSED);
		break;
	case READ_NO_DEVICE:
		not_examined(report, part, ISHARE_REASON_NO_DEVICE);
		break;
	case READ_OUTSIDE:
	case READ_CORRUPT:
	case READ_NOTHING:
		not_examined(report, part, ISHARE_REASON_NOWHERE);
		break;
	case READ_FAILED:
		report_failure(report, error);
		break;
	}
}

bool is_unexamined(const struct report *report, enum ishare_part part)
{
	for (int reason = 0; reason < ISHARE_REASON_COUNT; reason++)
		if (report->unexamined[part][reason].count)
			return true;
	return false;
}

void report_unexamined(struct report *report, struct ishare_unexamined event)
{
	event.image = report->image->volume.path;
	report->summary->unexamined++;
	if (report->sink->unexamined)
		report->sink->unexamined(report->sink->context, &event);
}

static void report_part(struct report *report, enum ishare_part part, enum ishare_reason reason)
{
	const struct unexamined *u = &report->unexamined[part][reason];

	if (u->count && asked_for(report, parts[part].scope))
		report_unexamined(report, (struct ishare_unexamined){
						  .path = u->path,
						  .part = part,
						  .reason = reason,
						  .count = u->count,
						  .content = parts[part].content,
					  });
}

void report_all_unexamined(struct report *report)
{
	for (int part = 0; part < ISHARE_PART_COUNT; part++)
		for (int reason = 0; reason < ISHARE_REASON_COUNT; reason++)
			report_part(report, part, reason);
}
