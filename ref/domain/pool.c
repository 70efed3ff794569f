// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Threads that read files and hash them, while a walk goes on. The queue is bounded, and so is
 * memory; results are in the order of the jobs, so that output does not depend on timing.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/domain.h"

#define QUEUE_ROOM 1024u
#define BATCH 16u /* jobs that a thread takes at once: most files are small */
#define MAX_THREADS 64u
#define PIECE (128u * 1024u)
#define THREAD_LINES 16u

struct queue {
	struct job jobs[QUEUE_ROOM];
	size_t head, count;
	uint64_t sequence; /* of the next job */
	bool closing; /* no more will come */
};

struct pool {
	const struct volume *volume;
	OSSL_LIB_CTX *library; /* our own: the default one crashes where memory is short */
	EVP_MD *sha256; /* fetched once: in each thread that would cost time and could fail */
	pthread_t threads[MAX_THREADS];
	unsigned int thread_count;
	atomic_bool stopping; /* nobody wants the rest */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t filled, drained;
	struct queue queue;
	struct results results;
};

/* One thread's tools. */
struct worker {
	struct pool *pool;
	struct reader reader;
	EVP_MD_CTX *context;
	uint8_t *piece;
};

static struct result new_result(const struct job *job)
{
	return (struct result){
		.sequence = job->sequence,
		.met = job->met,
		.place = job->place,
		.key = job->key,
		.opaque = job->opaque,
	};
}

static bool keep_result(struct results *results, const struct result *result)
{
	if (results->count == results->room) {
		size_t room = results->room * 2 + 16;
		struct result *items = realloc(results->items, room * sizeof(*items));

		if (!items)
			return false;
		results->items = items;
		results->room = room;
	}
	results->items[results->count++] = *result;
	return true;
}

static enum read_result crypto_failed(struct worker *worker)
{
	return read_failed(&worker->reader, "libcrypto cannot compute a SHA-256");
}

static enum read_result hash_content(struct worker *worker, const struct file *file,
				     uint8_t *digest)
{
	uint64_t pos = 0;

	if (!EVP_DigestInit_ex(worker->context, worker->pool->sha256, NULL))
		return crypto_failed(worker);
	while (pos < file->inode.size && !worker->pool->stopping) {
		uint64_t left = file->inode.size - pos;
		size_t size = left < PIECE ? (size_t)left : PIECE;
		enum read_result result =
			file_read(&worker->reader, file, pos, worker->piece, size);

		if (result != READ_OK)
			return result;
		if (!EVP_DigestUpdate(worker->context, worker->piece, size))
			return crypto_failed(worker);
		pos += size;
	}
	if (worker->pool->stopping)
		return READ_FAILED; /* of which nobody will hear */
	return EVP_DigestFinal_ex(worker->context, digest, NULL) ? READ_OK : crypto_failed(worker);
}

/* The first thread that needs the digest of that many zeros computes it; others wait. */
static enum read_result hash_zeros(struct worker *worker, const struct job *job, uint8_t *digest)
{
	struct zeros *zeros = job->zeros;
	enum read_result result = READ_OK;

	pthread_mutex_lock(&zeros->lock);
	if (!zeros->done)
		result = hash_content(worker, &job->file, zeros->digest);
	zeros->done = result == READ_OK;
	memcpy(digest, zeros->digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
	pthread_mutex_unlock(&zeros->lock);
	return result;
}

static enum outcome judge_digest(const struct job *job, const uint8_t *digest)
{
	struct ishare_view value = { job->fingerprint, ISHARE_FINGERPRINT_SHA256_SIZE };
	struct ishare_view computed = { digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE };

	if (job->opaque)
		return DIGEST_TAKEN;
	return fingerprint_digest(&value, &computed) ? DIGEST_MATCHES : DIGEST_DIFFERS;
}

static void end_job(struct worker *worker, const struct result *result, bool told)
{
	struct pool *pool = worker->pool;
	struct results *results = &pool->results;

	pthread_mutex_lock(&pool->lock);
	results->digested += result->outcome == DIGEST_MATCHES || result->outcome == DIGEST_DIFFERS;
	results->hashed += result->outcome == DIGEST_TAKEN;
	if (told && !keep_result(results, result))
		results->no_memory = true;
	if (result->why == READ_FAILED && !results->error[0])
		memcpy(results->error, worker->reader.error, sizeof(results->error));
	pthread_mutex_unlock(&pool->lock);
}

static void run_hash(struct worker *worker, const struct job *job)
{
	struct result result = new_result(job);

	result.why = job->zeros ? hash_zeros(worker, job, result.digest)
				: hash_content(worker, &job->file, result.digest);
	result.outcome =
		result.why == READ_OK ? judge_digest(job, result.digest) : DIGEST_UNREADABLE;
	end_job(worker, &result, result.outcome != DIGEST_MATCHES);
}

/* The bytes from the first to the last that is not zero; of those on another device, the inode. */
static struct place padding_place(const struct worker *worker, const struct job *job,
				  const struct padding *padding)
{
	size_t first = 0, last = padding->bytes.size;

	while (!padding->bytes.data[first])
		first++;
	while (!padding->bytes.data[last - 1])
		last--;
	if (padding->device)
		return place_struct(job->file.space,
				    job->file.inode.extended ? ISHARE_STRUCT_INODE_EXTENDED
							     : ISHARE_STRUCT_INODE_COMPACT,
				    job->file.offset);
	return place_bytes(&worker->pool->volume->image, padding->offset + first,
			   (uint32_t)(last - first));
}

static void run_padding(struct worker *worker, const struct job *job)
{
	struct result result = new_result(job);
	struct padding padding;

	result.why = file_padding(&worker->reader, &job->file, worker->piece, &padding);
	if (result.why == READ_OUTSIDE || result.why == READ_CORRUPT)
		return; /* what is not there shows nothing: see inode.data-bounds */
	if (result.why != READ_OK) {
		result.outcome = PADDING_UNREADABLE;
	} else if (!fingerprint_padding_zero(&padding.bytes)) {
		result.outcome = PADDING_NOT_ZERO;
		result.padding = (uint32_t)padding.bytes.size;
		result.place = padding_place(worker, job, &padding);
	} else {
		return;
	}
	end_job(worker, &result, true);
}

static void run_job(struct worker *worker, const struct job *job)
{
	if (job->hash)
		run_hash(worker, job);
	if (job->padding)
		run_padding(worker, job);
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
	struct worker worker = { .pool = argument };
	struct job jobs[BATCH];
	size_t count;

	worker.context = EVP_MD_CTX_new();
	worker.piece = malloc(PIECE);
	if (reader_init(&worker.reader, worker.pool->volume, THREAD_LINES) && worker.context &&
	    worker.piece)
		while ((count = take_jobs(worker.pool, jobs)) > 0)
			for (size_t i = 0; i < count; i++)
				run_job(&worker, &jobs[i]);
	else
		drop_jobs(worker.pool);
	reader_release(&worker.reader);
	EVP_MD_CTX_free(worker.context);
	free(worker.piece);
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

struct pool *pool_start(const struct volume *volume, unsigned int threads, const char **why)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		*why = "out of memory";
		return NULL;
	}
	pool->volume = volume;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	pthread_cond_init(&pool->drained, NULL);
	*why = start_threads(pool, thread_count(threads));
	if (!*why)
		return pool;
	pool_free(pool);
	return NULL;
}

void pool_add(struct pool *pool, struct job *job)
{
	struct queue *queue = &pool->queue;

	pthread_mutex_lock(&pool->lock);
	while (queue->count == QUEUE_ROOM)
		pthread_cond_wait(&pool->drained, &pool->lock);
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
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	if (results->count)
		qsort(results->items, results->count, sizeof(*results->items), compare_results);
	return results;
}
