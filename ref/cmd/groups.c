// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Findings of an image in groups: those of one rule that have the same cause, in the order in which
 * the first of each was found. An image is judged from the superblock on, so causes come first.
 */
#include <stdlib.h>

#include "writer.h"

static struct group *new_group(const struct ishare_rule *rule, uint32_t cause)
{
	struct group *group = allocate(1, sizeof(*group));

	group->rule = rule;
	group->cause = cause;
	text_begin(&group->examples);
	return group;
}

struct group *find_group(struct group **groups, const struct ishare_rule *rule, uint32_t cause)
{
	while (*groups && ((*groups)->rule != rule || (*groups)->cause != cause))
		groups = &(*groups)->next;
	if (!*groups)
		*groups = new_group(rule, cause);
	return *groups;
}

static void put_group(FILE *out, struct group *group)
{
	char *examples = text_end(&group->examples);

	fputs(examples, out);
	free(examples);
	if (!group->more)
		return;
	fputs("  and ", out);
	put_grouped(out, group->more, 0);
	fputs(" more (--limit=0 shows all)\n", out);
}

void put_groups(FILE *out, struct group **groups)
{
	while (*groups) {
		struct group *group = *groups;

		put_group(out, group);
		*groups = group->next;
		free(group);
	}
}
