// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Hashes file contents in threads while the walk goes on: rule fingerprint.digest. The queue is
 * bounded, and so is memory; what does not match is reported when all is done, in the order of the
 * walk, so that output does not depend on timing.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define QUEUE_ROOM 1024u
#define BATCH 16u /* jobs that a thread takes at once: most files are small */
#define MAX_THREADS 64u
#define PIECE (128u * 1024u)
#define THREAD_LINES 16u

/*
 * Holes and shared chunks let a small image name any number of bytes. Hashing this many times the
 * image's size, and what comes free, is still examined.
 */
#define REPEAT_LIMIT 16u
#define FREE_BYTES (1ull << 30)

struct job {
	struct file file;
	struct place place;
	uint64_t sequence;
	uint32_t directory;
	uint64_t position;
	uint8_t fingerprint[ISHARE_FINGERPRINT_SHA256_SIZE];
};

enum outcome { DIGEST_MATCHES, DIGEST_DIFFERS, DIGEST_UNREADABLE };

/* What is to be reported, or counted as not examined, at the end. */
struct result {
	uint64_t sequence;
	uint64_t position;
	struct place place;
	uint32_t directory;
	enum outcome outcome;
	enum read_result why;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE]; /* of the content, if it differs */
};

struct digest_pool {
	struct ishare_image *image;
	pthread_t threads[MAX_THREADS];
	unsigned int thread_count;

	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	struct job queue[QUEUE_ROOM];
	size_t head, count;
	uint64_t sequence;
	uint64_t budget; /* bytes that may still be hashed */
	bool closing;

	struct result *results;
	size_t result_count, result_room;
	uint64_t digested;
	char error[200]; /* of the first read that failed */
	bool no_memory;
};

/* One thread's tools. */
struct worker {
	struct digest_pool *pool;
	struct reader reader;
	EVP_MD_CTX *context;
	uint8_t *piece;
};

static bool keep_result(struct digest_pool *pool, const struct job *job, enum outcome outcome,
			enum read_result why, const uint8_t *digest)
{
	struct result *result;

	if (pool->result_count == pool->result_room) {
		size_t room = pool->result_room * 2 + 16;
		struct result *results = realloc(pool->results, room * sizeof(*results));

		if (!results)
			return false;
		pool->results = results;
		pool->result_room = room;
	}
	result = &pool->results[pool->result_count++];
	*result = (struct result){
		.sequence = job->sequence,
		.position = job->position,
		.place = job->place,
		.directory = job->directory,
		.outcome = outcome,
		.why = why,
	};
	memcpy(result->digest, digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
	return true;
}

static enum read_result crypto_failed(struct worker *worker)
{
	snprintf(worker->reader.error, sizeof(worker->reader.error),
		 "libcrypto cannot compute a SHA-256");
	return READ_FAILED;
}

static enum read_result hash_content(struct worker *worker, const struct file *file,
				     uint8_t *digest)
{
	uint64_t pos = 0;

	if (!EVP_DigestInit_ex(worker->context, EVP_sha256(), NULL))
		return crypto_failed(worker);
	while (pos < file->inode.size) {
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
	return EVP_DigestFinal_ex(worker->context, digest, NULL) ? READ_OK : crypto_failed(worker);
}

static enum outcome judge(const struct job *job, const uint8_t *digest)
{
	struct ishare_view value = { job->fingerprint, ISHARE_FINGERPRINT_SHA256_SIZE };
	struct ishare_view computed = { digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE };

	return fingerprint_digest(&value, &computed) ? DIGEST_MATCHES : DIGEST_DIFFERS;
}

static void run_job(struct worker *worker, const struct job *job)
{
	struct digest_pool *pool = worker->pool;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE] = { 0 };
	enum read_result why = hash_content(worker, &job->file, digest);
	enum outcome outcome = why == READ_OK ? judge(job, digest) : DIGEST_UNREADABLE;

	pthread_mutex_lock(&pool->lock);
	pool->digested += why == READ_OK;
	if (outcome != DIGEST_MATCHES && !keep_result(pool, job, outcome, why, digest))
		pool->no_memory = true;
	if (why == READ_FAILED && !pool->error[0])
		memcpy(pool->error, worker->reader.error, sizeof(pool->error));
	pthread_mutex_unlock(&pool->lock);
}

/* Returns how many; 0: the queue is empty and will stay so. The last ones go round one by one. */
static size_t take_jobs(struct digest_pool *pool, struct job *jobs)
{
	size_t taken = 0;

	pthread_mutex_lock(&pool->lock);
	while (pool->count < BATCH && !pool->closing)
		pthread_cond_wait(&pool->filled, &pool->lock);
	while (pool->count && taken < (pool->closing ? 1 : BATCH)) {
		jobs[taken++] = pool->queue[pool->head];
		pool->head = (pool->head + 1) % QUEUE_ROOM;
		pool->count--;
	}
	pthread_cond_signal(&pool->drained);
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

static void drop_jobs(struct digest_pool *pool)
{
	struct job jobs[BATCH];

	while (take_jobs(pool, jobs)) {
		pthread_mutex_lock(&pool->lock);
		pool->no_memory = true;
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
	if (reader_init(&worker.reader, worker.pool->image, THREAD_LINES) && worker.context &&
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

static void free_pool(struct digest_pool *pool)
{
	pthread_cond_destroy(&pool->filled);
	pthread_cond_destroy(&pool->drained);
	pthread_mutex_destroy(&pool->lock);
	free(pool->results);
	free(pool);
}

struct digest_pool *digest_start(struct ishare_image *image, unsigned int threads)
{
	struct digest_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->image = image;
	pool->budget = FREE_BYTES;
	for (uint32_t i = 0; i < image->device_count; i++)
		pool->budget += REPEAT_LIMIT * image->devices[i].held;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	pthread_cond_init(&pool->drained, NULL);
	for (unsigned int i = 0; i < thread_count(threads); i++)
		if (!pthread_create(&pool->threads[pool->thread_count], NULL, work, pool))
			pool->thread_count++;
	if (pool->thread_count)
		return pool;
	free_pool(pool);
	return NULL;
}

void digest_add(struct digest_pool *pool, struct check *check, const struct file *file,
		const struct ishare_view *fingerprint, struct place place)
{
	struct job *job;

	if (file->inode.size > pool->budget) {
		not_examined(check, A_CONTENT, REPEATS);
		return;
	}
	pool->budget -= file->inode.size;
	pthread_mutex_lock(&pool->lock);
	while (pool->count == QUEUE_ROOM)
		pthread_cond_wait(&pool->drained, &pool->lock);
	job = &pool->queue[(pool->head + pool->count) % QUEUE_ROOM];
	job->file = *file;
	job->place = place;
	job->sequence = pool->sequence++;
	job->directory = check->directory;
	job->position = check->position;
	memcpy(job->fingerprint, fingerprint->data, ISHARE_FINGERPRINT_SHA256_SIZE);
	pool->count++;
	if (pool->count % BATCH == 0)
		pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
}

static int compare_results(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static void report_result(struct check *check, const struct result *result)
{
	char path[PATH_SHOWN], hex[2 * ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE + 1];
	uint64_t nid;

	if (find_entry(&check->reader, check->image, result->directory, result->position, &nid,
		       path, sizeof(path)))
		check->fixed_path = path;
	for (size_t i = 0; i < ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", result->digest[i]);
	if (result->outcome == DIGEST_DIFFERS)
		report(check, ISHARE_RULE_FINGERPRINT_DIGEST, result->place,
		       "the fingerprint is not the SHA-256 of the file's content, %s", hex);
	else
		not_readable(check, A_CONTENT, result->why);
	check->fixed_path = NULL;
}

void digest_finish(struct digest_pool *pool, struct check *check)
{
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	if (pool->result_count)
		qsort(pool->results, pool->result_count, sizeof(*pool->results), compare_results);
	for (size_t i = 0; i < pool->result_count; i++)
		report_result(check, &pool->results[i]);
	check->summary->digested_files += pool->digested;
	if (pool->no_memory)
		check_no_memory(check);
	if (pool->error[0]) {
		check->failed = true;
		image_error(check->image, ISHARE_IO_ERROR, "%s", pool->error);
	}
	free_pool(pool);
}
