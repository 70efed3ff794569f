/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* What one thread does with a file: hashes its content, and looks at the bytes behind it. */
#ifndef ISHARE_CONTENT_H
#define ISHARE_CONTENT_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "domain/budget.h"
#include "domain/records.h"

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

enum job_outcome {
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
	enum job_outcome outcome;
	enum read_result why;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE]; /* of the content */
};

/* Bytes of contents that have been hashed, and those that are known so far to be. */
struct tally {
	pthread_mutex_t lock;
	uint64_t hashed, planned;
};

void tally_add(struct tally *tally, uint64_t hashed, uint64_t planned);

/* One thread's tools. */
struct worker {
	struct reader reader;
	const EVP_MD *sha256;
	EVP_MD_CTX *context;
	uint8_t *piece; /* of a file */
	struct tally *tally;
	const atomic_bool *stopping; /* nobody wants the rest */
};

/* False: no memory. In any case, worker_release() frees what there is. */
bool worker_init(struct worker *worker, const struct volume *volume, const EVP_MD *sha256,
		 struct tally *tally, const atomic_bool *stopping);
void worker_release(struct worker *worker);

/* Hash the content, and examine the padding, of a file. True: there is a result to report. */
bool hash_job(struct worker *worker, const struct job *job, struct result *result);
bool examine_padding(struct worker *worker, const struct job *job, struct result *result);

#endif
