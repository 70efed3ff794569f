/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* Reads the files of one image that have fingerprints, and reports what it finds. */
#ifndef ISHARE_DIGEST_H
#define ISHARE_DIGEST_H

#include "domain/budget.h"
#include "domain/records.h"

struct digests {
	struct report *report;
	struct ishare_domain *domain; /* or NULL */
	struct ishare_budget *budget;
	uint64_t allowance; /* bytes of this image's devices that are hashed without it */
	struct pool *pool;
};

/* False: the report has ended. */
bool digests_start(struct digests *digests, struct report *report, struct ishare_domain *domain,
		   struct ishare_budget *budget);

/* Queues the reads for a file. key: its record in the domain, if there is one. */
void digests_add(struct digests *digests, const struct fingerprint_event *event,
		 struct domain_key key);

/* Waits for all and reports what does not match, in the order of digests_add(). */
void digests_finish(struct digests *digests);

#endif
