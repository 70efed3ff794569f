// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Unselected rules on which selected rules depend. If an unselected rule is violated, the check may
 * have applied a selected rule to the wrong bytes or names, or may not have reached its subject.
 * The selected rule is then reported as not examined.
 */
#include <stdio.h>

#include "check/report.h"

void tell_hidden(struct report *report)
{
	char reason[200];

	for (size_t i = 0; i < ISHARE_RULE_COUNT; i++) {
		const struct ishare_rule *rule = &ishare_rules[i];

		if (!report->counts.hidden[i] || !asked_for(report, rule->hides))
			continue;
		snprintf(reason, sizeof(reason),
			 "what depends on %s, which is broken and was not asked for", rule->name);
		tell_reason(report, (struct ishare_unexamined){
					    .reason = reason, .count = report->counts.hidden[i] });
	}
}
