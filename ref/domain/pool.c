// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Threads that read files and hash them, while a walk goes on. The queue is bounded, and so is
 * memory; results are in the order of the jobs, so that output does not depend on timing.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "domain/pool.h"

#define QUEUE_ROOM 1024u
#define BATCH 16u /* jobs that a thread takes at once: most files are small */
#define MAX_THREADS 64u
#define LOOK_NANOSECONDS 200000000 /* between two looks at what the threads have done */

struct queue {
	struct job jobs[QUEUE_ROOM];
	size_t head, count;
	uint64_t sequence; /* of the next job */
	bool closing; /* no more will come */
};

struct pool {
	const struct volume *volume;
	const struct ishare_sink *sink;
	OSSL_LIB_CTX *library; /* our own: the default one crashes where memory is short */
	EVP_MD *sha256; /* fetched once: in each thread that would cost time and could fail */
	pthread_t threads[MAX_THREADS];
	unsigned int thread_count;
	atomic_bool stopping; /* nobody wants the rest */
	struct tally tally;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t filled; /* jobs have come, or no more will */
	pthread_cond_t drained; /* jobs have been taken, or a thread has ended */
	unsigned int ended_threads;
	struct queue queue;
	struct results results;
};

static bool keep_result(struct results *results, const struct result *result)
{
	if (!array_make_room(&results->items, &results->room, results->count + 1,
			     sizeof(*results->items)))
		return false;
	results->items[results->count++] = *result;
	return true;
}

static void end_job(struct pool *pool, const struct worker *worker, const struct result *result,
		    bool kept)
{
	struct results *results = &pool->results;

	pthread_mutex_lock(&pool->lock);
	results->digested += result->outcome == DIGEST_MATCHES || result->outcome == DIGEST_DIFFERS;
	results->hashed += result->outcome == DIGEST_TAKEN;
	if (kept && !keep_result(results, result))
		results->no_memory = true;
	if (result->why == READ_FAILED && !results->error[0])
		memcpy(results->error, worker->reader.error, sizeof(results->error));
	pthread_mutex_unlock(&pool->lock);
}

static void run_job(struct pool *pool, struct worker *worker, const struct job *job)
{
	struct result result;
	bool kept;

	if (job->hash) {
		kept = hash_job(worker, job, &result);
		end_job(pool, worker, &result, kept);
	}
	if (job->padding && examine_padding(worker, job, &result))
		end_job(pool, worker, &result, true);
}

/*
 * Returns the number; 0: the queue is empty and closed, or the check has stopped. The last jobs are
 * taken one by one.
 */
static size_t take_jobs(struct pool *pool, struct job *jobs)
{
	struct queue *queue = &pool->queue;
	size_t taken = 0;

	pthread_mutex_lock(&pool->lock);
	while (queue->count < BATCH && !queue->closing)
		pthread_cond_wait(&pool->filled, &pool->lock);
	while (!pool->stopping && queue->count && taken < (queue->closing ? 1 : BATCH)) {
		jobs[taken++] = queue->jobs[queue->head];
		queue->head = (queue->head + 1) % QUEUE_ROOM;
		queue->count--;
	}
	pthread_cond_signal(&pool->drained);
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

static void drop_jobs(struct pool *pool)
{
	struct job jobs[BATCH];

	while (take_jobs(pool, jobs)) {
		pthread_mutex_lock(&pool->lock);
		pool->results.no_memory = true;
		pthread_mutex_unlock(&pool->lock);
	}
}

static void *work(void *argument)
{
	struct pool *pool = argument;
	struct job jobs[BATCH];
	struct worker worker;
	size_t count;

	if (worker_init(&worker, pool->volume, pool->sha256, &pool->tally, &pool->stopping))
		while ((count = take_jobs(pool, jobs)) > 0)
			for (size_t i = 0; i < count; i++)
				run_job(pool, &worker, &jobs[i]);
	else
		drop_jobs(pool);
	worker_release(&worker);
	pthread_mutex_lock(&pool->lock);
	pool->ended_threads++;
	pthread_cond_signal(&pool->drained);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static unsigned int thread_count(unsigned int wanted)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (!wanted)
		wanted = processors > 0 ? (unsigned int)processors : 1;
	return wanted < MAX_THREADS ? wanted : MAX_THREADS;
}

void pool_free(struct pool *pool)
{
	pthread_cond_destroy(&pool->filled);
	pthread_cond_destroy(&pool->drained);
	pthread_mutex_destroy(&pool->lock);
	pthread_mutex_destroy(&pool->tally.lock);
	EVP_MD_free(pool->sha256);
	OSSL_LIB_CTX_free(pool->library);
	free(pool->results.items);
	free(pool);
}

/* Returns why they could not be started, or NULL. One thread will do. */
static const char *start_threads(struct pool *pool, unsigned int count)
{
	int error = 0;

	pool->library = OSSL_LIB_CTX_new();
	if (pool->library)
		pool->sha256 = EVP_MD_fetch(pool->library, "SHA256", NULL);
	if (!pool->sha256)
		return "libcrypto has no SHA-256";
	for (unsigned int i = 0; i < count; i++) {
		error = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
		if (!error)
			pool->thread_count++;
	}
	return pool->thread_count ? NULL : strerror(error);
}

/* Whoever waits until a moment does so by a clock that nobody sets. */
static void start_locks(struct pool *pool)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->drained, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&pool->filled, NULL);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->tally.lock, NULL);
}

struct pool *pool_start(const struct volume *volume, unsigned int threads,
			const struct ishare_sink *sink, const char **why)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		*why = "out of memory";
		return NULL;
	}
	pool->volume = volume;
	pool->sink = sink;
	start_locks(pool);
	*why = start_threads(pool, thread_count(threads));
	if (!*why)
		return pool;
	pool_free(pool);
	return NULL;
}

/* Tells the sink how much has been hashed; not with the lock, for which the threads wait. */
static void tell_sink(struct pool *pool)
{
	struct tally *tally = &pool->tally;
	uint64_t hashed, planned;

	if (!pool->sink->content || pool->stopping)
		return;
	pthread_mutex_lock(&tally->lock);
	hashed = tally->hashed;
	planned = tally->planned;
	pthread_mutex_unlock(&tally->lock);
	pool->sink->content(pool->sink->context, hashed, planned);
}

/* Waits, with the lock, for a thread to take jobs or to end; not always until one does. */
static void wait_for_threads(struct pool *pool)
{
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	moment.tv_nsec += LOOK_NANOSECONDS;
	moment.tv_sec += moment.tv_nsec / 1000000000;
	moment.tv_nsec %= 1000000000;
	if (pthread_cond_timedwait(&pool->drained, &pool->lock, &moment) != ETIMEDOUT)
		return;
	pthread_mutex_unlock(&pool->lock);
	tell_sink(pool);
	pthread_mutex_lock(&pool->lock);
}

void pool_add(struct pool *pool, struct job *job)
{
	struct queue *queue = &pool->queue;

	if (job->hash && !job->zeros)
		tally_add(&pool->tally, 0, job->file.inode.size);
	tell_sink(pool);
	pthread_mutex_lock(&pool->lock);
	while (queue->count == QUEUE_ROOM)
		wait_for_threads(pool);
	job->sequence = queue->sequence++;
	queue->jobs[(queue->head + queue->count) % QUEUE_ROOM] = *job;
	queue->count++;
	if (queue->count % BATCH == 0)
		pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
}

static int compare_results(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return x->outcome < y->outcome ? -1 : x->outcome > y->outcome;
}

const struct results *pool_finish(struct pool *pool, bool stop)
{
	struct results *results = &pool->results;

	pthread_mutex_lock(&pool->lock);
	pool->queue.closing = true;
	pool->stopping = stop;
	pthread_cond_broadcast(&pool->filled);
	while (pool->ended_threads < pool->thread_count)
		wait_for_threads(pool);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	if (results->count)
		qsort(results->items, results->count, sizeof(*results->items), compare_results);
	return results;
}
