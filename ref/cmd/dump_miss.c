// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Says what is missing from a dump, and why. */
#include <inttypes.h>
#include <stdlib.h>

#include "dumper.h"

enum { NAMED = 1000 }; /* things that are reported one by one, for each rule or reason */

void dump_miss(struct dump *dump, const char *reason)
{
	char *path = escape_string(dump->source.path), *text = escape_text(reason);

	complain("%s: %s", path, text);
	free(path);
	free(text);
	dump->status = STATUS_TROUBLE;
}

/* count: of the things with this rule (NULL: with this reason). */
static void put_miss(struct dump *dump, uint64_t *count, const struct ishare_rule *rule,
		     const char *path, const char *thing, const char *is)
{
	struct text text;
	char *line;

	if ((*count)++ >= NAMED)
		return;
	text_begin(&text);
	fputs("not shown: ", text.out);
	if (path)
		fprintf(text.out, "%s: ", path);
	if (rule)
		fprintf(text.out, "%s: ", rule->name);
	fprintf(text.out, "%s %s", thing, is);
	line = text_end(&text);
	dump_miss(dump, line);
	free(line);
}

void miss_broken(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
		 const char *thing, const char *is)
{
	put_miss(dumper->dump, &dumper->missed_by_rule[rule], &ishare_rules[rule], path, thing, is);
}

void miss_outside(struct dumper *dumper, enum ishare_rule_id rule, const char *path,
		  const char *thing)
{
	miss_broken(dumper, rule, path, thing, reason_words[ISHARE_REASON_NOWHERE].shown);
}

static void miss_for(struct dumper *dumper, enum ishare_reason reason, const char *path,
		     const char *thing, const char *is)
{
	put_miss(dumper->dump, &dumper->missed_by_reason[reason], NULL, path, thing, is);
}

/* While the metabox is opened, no rule says why nothing in it can be read. */
static void miss_by_reader(struct dumper *dumper, const char *path, const char *thing,
			   const char *is)
{
	enum ishare_rule_id rule = dumper->reader.rule;

	if (rule < ISHARE_RULE_COUNT)
		miss_broken(dumper, rule, path, thing, is);
	else
		miss_for(dumper, ISHARE_REASON_NOWHERE, path, thing, is);
}

void miss_unread(struct dumper *dumper, enum read_result result, const char *path,
		 const char *thing)
{
	switch (result) {
	case READ_OK:
		break;
	case READ_OUTSIDE:
		miss_by_reader(dumper, path, thing, reason_words[ISHARE_REASON_NOWHERE].shown);
		break;
	case READ_CORRUPT:
		miss_by_reader(dumper, path, thing, "is corrupt");
		break;
	case READ_NOTHING:
		miss_for(dumper, ISHARE_REASON_NOWHERE, path, thing,
			 "is in a space that is not there");
		break;
	case READ_UNSUPPORTED:
		miss_for(dumper, ISHARE_REASON_COMPRESSED, path, thing,
			 reason_words[ISHARE_REASON_COMPRESSED].shown);
		break;
	case READ_NO_DEVICE:
		miss_for(dumper, ISHARE_REASON_NO_DEVICE, path, thing,
			 reason_words[ISHARE_REASON_NO_DEVICE].shown);
		break;
	case READ_FAILED:
		fail(dumper, dumper->reader.error);
		break;
	}
}

bool affords(struct dumper *dumper, uint64_t bytes, const char *path, const char *thing)
{
	if (spend(&dumper->work, bytes))
		return true;
	miss_for(dumper, ISHARE_REASON_OVERLAP, path, thing,
		 reason_words[ISHARE_REASON_OVERLAP].shown);
	return false;
}

void fail(struct dumper *dumper, const char *why)
{
	dump_miss(dumper->dump, why);
	dumper->ended = true;
}

/* what: the rule's name, or what the things are. */
static void put_unnamed(struct dump *dump, uint64_t count, const char *what)
{
	char sentence[200];

	if (count <= NAMED)
		return;
	snprintf(sentence, sizeof(sentence), "not shown: %" PRIu64 " time%s more: %s",
		 count - NAMED, count - NAMED == 1 ? "" : "s", what);
	dump_miss(dump, sentence);
}

void miss_unnamed(struct dumper *dumper)
{
	static const enum ishare_reason reasons[] = {
		ISHARE_REASON_COMPRESSED,
		ISHARE_REASON_NO_DEVICE,
		ISHARE_REASON_OVERLAP,
		ISHARE_REASON_NOWHERE,
	};

	for (uint32_t rule = 0; rule < ISHARE_RULE_COUNT; rule++)
		put_unnamed(dumper->dump, dumper->missed_by_rule[rule], ishare_rules[rule].name);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		put_unnamed(dumper->dump, dumper->missed_by_reason[reasons[i]],
			    reason_words[reasons[i]].kind);
}

void miss_left_out(struct dump *dump)
{
	uint64_t left_out = dump->limit.left_out;
	char reason[100];

	if (!left_out)
		return;
	snprintf(reason, sizeof(reason),
		 "not shown: %" PRIu64 " %s beyond %" PRIu64 " byte%s (--limit)", left_out,
		 left_out == 1 ? "inode or xattr" : "inodes and xattrs", dump->limit.bytes,
		 dump->limit.bytes == 1 ? "" : "s");
	dump_miss(dump, reason);
}
