/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The domain layer: statements about several files with fingerprints. It listens to a check, which
 * announces each fingerprint, and offers ishare_check(), a check with this listener. Other layers
 * need only ishare.h from here.
 */
#ifndef ISHARE_DOMAIN_H
#define ISHARE_DOMAIN_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "check/check.h"

/* domain.c: all fingerprints, with the sizes and contents of their files */

#define BUCKETS 256u

struct record {
	uint64_t hash; /* of the fingerprint's bytes */
	uint64_t size; /* i_size */
	uint64_t position; /* with directory: see struct met */
	uint32_t image;
	uint32_t directory;
	uint32_t content; /* number of its digest, or one of: */
};

#define CONTENT_UNKNOWN UINT32_MAX
#define CONTENT_AS_SAID (UINT32_MAX - 1) /* the fingerprint is the digest */
#define CONTENT_MAX (UINT32_MAX - 2)

struct bucket {
	struct record *records;
	size_t count, room;
};

/* Buckets are sorted one by one, so that a million files need little more than their records. */
struct ishare_domain {
	uint64_t seed;
	struct bucket buckets[BUCKETS];
	uint8_t (*digests)[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
	size_t digest_count, digest_room;
	struct ishare_image **images;
	uint32_t image_count;
};

/* Names a file of a domain. */
struct domain_key {
	uint32_t bucket;
	size_t index;
};

/* False: no memory. */
bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct fingerprint_event *event, struct domain_key *key);

/*
 * What is known about a file's content: its fingerprint is its digest; the digest is another
 * (false: no memory); or nothing, as initially.
 */
void domain_set_digest(struct ishare_domain *domain, struct domain_key key);
bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest);
void domain_set_unknown(struct ishare_domain *domain, struct domain_key key);

/* pairs.c: files of one fingerprint, and different sizes or contents */

/* Two files with one hash that differ in what the rule requires to be equal. */
struct pair {
	const struct record *x, *y; /* y was met later, and is the one that is reported */
	enum ishare_rule_id rule;
};

struct pairs {
	struct pair *items;
	size_t count, room;
};

/* Finds the pairs of all buckets, in the order in which they are reported. False: no memory. */
bool find_pairs(struct ishare_domain *domain, struct pairs *pairs);

/* budget.c */

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

/* content.c: what one thread does with a file */

/* One file to read. */
struct job {
	struct file file;
	struct met met;
	struct place place; /* of the fingerprint */
	uint64_t sequence; /* set by the pool */
	struct domain_key key;
	bool hash; /* the content */
	bool padding; /* look at the bytes behind it */
	bool opaque; /* the fingerprint is no digest, and is left out here */
	struct zeros *zeros; /* the file is one hole, hashed once for all such files; or NULL */
	uint8_t fingerprint[ISHARE_FINGERPRINT_SHA256_SIZE];
};

enum outcome {
	DIGEST_MATCHES, /* nothing to report */
	DIGEST_DIFFERS,
	DIGEST_TAKEN, /* of a file with an opaque fingerprint: for the domain */
	DIGEST_UNREADABLE,
	PADDING_NOT_ZERO,
	PADDING_UNREADABLE,
};

/* What is to be reported, counted as not examined, or compared, at the end. */
struct result {
	uint64_t sequence;
	struct met met;
	struct place place;
	struct domain_key key;
	uint32_t padding; /* bytes, if they are not zero */
	bool opaque;
	enum outcome outcome;
	enum read_result why;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE]; /* of the content */
};

/* One thread's tools. */
struct worker {
	struct reader reader;
	const EVP_MD *sha256;
	EVP_MD_CTX *context;
	uint8_t *piece; /* of a file */
	const atomic_bool *stopping; /* nobody wants the rest */
};

/* False: no memory. In any case, worker_release() frees what there is. */
bool worker_init(struct worker *worker, const struct volume *volume, const EVP_MD *sha256,
		 const atomic_bool *stopping);
void worker_release(struct worker *worker);

/* Hash the content, and examine the padding, of a file. True: there is a result to report. */
bool hash_job(struct worker *worker, const struct job *job, struct result *result);
bool examine_padding(struct worker *worker, const struct job *job, struct result *result);

/* pool.c: threads that read and hash the contents of files, while a walk goes on */

struct results {
	struct result *items; /* in the order of their jobs, if there is anything to report */
	size_t count, room;
	uint64_t digested; /* files whose digest was compared */
	uint64_t hashed; /* files whose fingerprint is no digest */
	bool no_memory; /* not all are there */
	char error[200]; /* of the first read that failed */
};

/* NULL: the pool cannot start, and *why is the reason. */
struct pool *pool_start(const struct volume *volume, unsigned int threads, const char **why);

/* Queues a job; waits while the queue is full. */
void pool_add(struct pool *pool, struct job *job);

/* Waits until all jobs are done or, after a stop, until the threads have ended. */
const struct results *pool_finish(struct pool *pool, bool stop);
void pool_free(struct pool *pool);

/* digest.c: what to read, and the findings */

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
