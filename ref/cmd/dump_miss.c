// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Says what is missing from a dump, and why. */
#include <inttypes.h>
#include <stdlib.h>

#include "dumper.h"

enum { REASON_LIMIT = 1000 }; /* of things that are not shown, those that are named */

void dump_miss(struct dump *dump, const char *reason)
{
	char *path = escape_string(dump->source.path), *text = escape_text(reason);

	complain("%s: %s", path, text);
	free(path);
	free(text);
	dump->status = STATUS_TROUBLE;
}

void miss_for(struct dumper *dumper, uint32_t reason, const char *path, const char *sentence)
{
	struct text text;
	char *line;

	if (dumper->missed[reason]++ >= REASON_LIMIT)
		return;
	text_begin(&text);
	fprintf(text.out, "not shown: %s%s", path ? path : "", path ? ": " : "");
	if (reason < ISHARE_RULE_COUNT)
		fprintf(text.out, "%s: ", ishare_rules[reason].name);
	fputs(sentence, text.out);
	line = text_end(&text);
	dump_miss(dumper->dump, line);
	free(line);
}

static void miss_thing(struct dumper *dumper, uint32_t reason, const char *path, const char *thing,
		       const char *is)
{
	char sentence[200];

	snprintf(sentence, sizeof(sentence), "%s %s", thing, is);
	miss_for(dumper, reason, path, sentence);
}

static void miss_by(struct dumper *dumper, enum ishare_reason reason, const char *path,
		    const char *thing)
{
	miss_thing(dumper, BY_REASON + reason, path, thing, reason_words[reason].shown);
}

void fail(struct dumper *dumper, const char *why)
{
	dump_miss(dumper->dump, why);
	dumper->ended = true;
}

void miss(struct dumper *dumper, enum read_result result, const char *path, const char *thing)
{
	enum ishare_rule_id rule = dumper->reader.rule;
	/* While the metabox is opened, no rule says why nothing in it can be read. */
	uint32_t reason = rule < ISHARE_RULE_COUNT ? rule : BY_REASON + ISHARE_REASON_NOWHERE;

	switch (result) {
	case READ_OK:
		break;
	case READ_OUTSIDE:
		miss_thing(dumper, reason, path, thing, reason_words[ISHARE_REASON_NOWHERE].shown);
		break;
	case READ_CORRUPT:
		miss_thing(dumper, reason, path, thing, "is corrupt");
		break;
	case READ_NOTHING:
		miss_thing(dumper, BY_REASON + ISHARE_REASON_NOWHERE, path, thing,
			   "is in a space that is not there");
		break;
	case READ_UNSUPPORTED:
		miss_by(dumper, ISHARE_REASON_COMPRESSED, path, thing);
		break;
	case READ_NO_DEVICE:
		miss_by(dumper, ISHARE_REASON_NO_DEVICE, path, thing);
		break;
	case READ_FAILED:
		fail(dumper, dumper->reader.error);
		break;
	}
}

bool misses_by(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
	       const char *sentence)
{
	if (rule != ISHARE_RULE_COUNT)
		miss_for(dumper, rule, path, sentence);
	return rule != ISHARE_RULE_COUNT;
}

bool affords(struct dumper *dumper, uint64_t bytes, const char *path, const char *thing)
{
	if (spend(&dumper->work, bytes))
		return true;
	miss_by(dumper, ISHARE_REASON_OVERLAP, path, thing);
	return false;
}

static void miss_more_by(struct dumper *dumper, uint32_t reason, const char *name)
{
	char sentence[200];

	if (dumper->missed[reason] <= REASON_LIMIT)
		return;
	snprintf(sentence, sizeof(sentence), "not shown: %" PRIu64 " times more: %s",
		 dumper->missed[reason] - REASON_LIMIT, name);
	dump_miss(dumper->dump, sentence);
}

void miss_more(struct dumper *dumper)
{
	static const enum ishare_reason reasons[] = {
		ISHARE_REASON_COMPRESSED,
		ISHARE_REASON_NO_DEVICE,
		ISHARE_REASON_OVERLAP,
		ISHARE_REASON_NOWHERE,
	};

	for (uint32_t rule = 0; rule < ISHARE_RULE_COUNT; rule++)
		miss_more_by(dumper, rule, ishare_rules[rule].name);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		miss_more_by(dumper, BY_REASON + reasons[i], reason_words[reasons[i]].kind);
}

void miss_left_out(struct dump *dump)
{
	char reason[100];

	if (!dump->limit.left_out)
		return;
	snprintf(reason, sizeof(reason),
		 "not shown: %" PRIu64 " inodes and xattrs beyond %" PRIu64 " bytes (--limit)",
		 dump->limit.left_out, dump->limit.bytes);
	dump_miss(dump, reason);
}
