/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* Threads that read and hash the contents of files, while a walk goes on. */
#ifndef ISHARE_POOL_H
#define ISHARE_POOL_H

#include "domain/content.h"

struct results {
	struct result *items; /* in the order of their jobs, if there is anything to report */
	size_t count, room;
	uint64_t digested; /* files whose digest was compared */
	uint64_t hashed; /* files whose fingerprint is no digest */
	bool no_memory; /* not all are there */
	char error[200]; /* of the first read that failed */
};

/*
 * The sink hears of the bytes that have been hashed, in the calling thread. NULL: the pool cannot
 * start, and *why is the reason.
 */
struct pool *pool_start(const struct volume *volume, unsigned int threads,
			const struct ishare_sink *sink, const char **why);

/* Queues a job; waits while the queue is full. */
void pool_add(struct pool *pool, struct job *job);

/* Waits until all jobs are done or, after a stop, until the threads have ended. */
const struct results *pool_finish(struct pool *pool, bool stop);
void pool_free(struct pool *pool);

#endif
