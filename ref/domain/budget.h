/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* How much may be hashed of what no image stores: see ishare_budget_new(). */
#ifndef ISHARE_BUDGET_H
#define ISHARE_BUDGET_H

#include <pthread.h>

#include "ishare.h"

/* The SHA-256 of that many zeros. Computed, under the lock, by the first thread that needs it. */
struct zeros {
	pthread_mutex_t lock;
	uint64_t size;
	bool done;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
};

/* Takes this many bytes; false: fewer are left. */
bool budget_take(struct ishare_budget *budget, uint64_t bytes);
/* The same for zeros, which count only once; *zeros may be NULL. */
bool budget_take_zeros(struct ishare_budget *budget, uint64_t size, struct zeros **zeros);

#endif
