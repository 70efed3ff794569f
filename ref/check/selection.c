// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What a rule that was not asked for has to do with those that were. Where it is broken, the others
 * may be about other bytes, or other names, than the check takes them to be about, or the check may
 * not have reached what they are about. Then their silence says nothing: not examined.
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
