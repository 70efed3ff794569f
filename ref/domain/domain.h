/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What is said of all files with fingerprints together: digests, and trust domains. */
#ifndef ISHARE_DOMAIN_H
#define ISHARE_DOMAIN_H

#include <pthread.h>

#include "check/check.h"

/* domain.c */

/* Names a file of a domain. */
struct domain_key {
	uint32_t bucket;
	size_t index;
};

bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct ishare_view *fingerprint, uint64_t file_size, uint32_t directory,
		uint64_t position, struct domain_key *key);

/*
 * What is known of a file's content: its fingerprint is its digest; the digest is another (false:
 * no memory); or nothing, as at first.
 */
void domain_set_digest(struct ishare_domain *domain, struct domain_key key);
bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest);
void domain_set_unknown(struct ishare_domain *domain, struct domain_key key);

/* budget.c */

/* The SHA-256 of so many zeros. Whoever holds the lock and finds it not done computes it. */
struct zeros {
	pthread_mutex_t lock;
	uint64_t size;
	bool done;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
};

/* Takes so many bytes; false: there are not as many left. */
bool budget_take(struct ishare_budget *budget, uint64_t bytes);
/* The same for zeros, which are paid for once; *zeros may be NULL. */
bool budget_take_zeros(struct ishare_budget *budget, uint64_t size, struct zeros **zeros);

/* digest.c */

/* Starts threads that read file contents. Returns NULL if it cannot; the image's error says why. */
struct digest_pool *digest_start(struct ishare_image *image, struct ishare_budget *budget,
				 unsigned int threads);
/*
 * Queues one regular file with its fingerprint; waits while the queue is full. place: of the
 * fingerprint. key: unless check->domain is NULL.
 */
void digest_add(struct digest_pool *pool, struct check *check, const struct file *file,
		const struct ishare_view *fingerprint, struct place place, struct domain_key key);
/* Waits for all and reports what does not match, in the order of digest_add. Frees the pool. */
void digest_finish(struct digest_pool *pool, struct check *check);

#endif
