// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Reads the files that have fingerprints, in threads while the walk goes on: rules
 * fingerprint.digest, fingerprint.padding-zero, and for the domain to judge,
 * fingerprint.same-content. The queue is bounded, and so is memory; what is found is reported when
 * all is done, in the order of the walk, so that output does not depend on timing.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/domain.h"

#define QUEUE_ROOM 1024u
#define BATCH 16u /* jobs that a thread takes at once: most files are small */
#define MAX_THREADS 64u
#define PIECE (128u * 1024u)
#define THREAD_LINES 16u

/*
 * Holes and shared chunks let a small image name any number of bytes. Of what it has on its
 * devices, this many times their bytes are hashed; the rest, and holes, are at the budget's cost.
 */
#define REPEAT_LIMIT 64u

/* One file to read. */
struct job {
	struct file file;
	struct place place; /* of the fingerprint */
	uint64_t sequence;
	uint32_t directory;
	uint64_t position;
	struct domain_key key;
	bool hash; /* the content */
	bool padding; /* look at the bytes behind it */
	bool opaque; /* the fingerprint is no digest, and is left out here */
	struct zeros *zeros; /* all that it has is holes, hashed once for all such files; or NULL */
	uint8_t fingerprint[ISHARE_FINGERPRINT_SHA256_SIZE];
};

enum outcome {
	DIGEST_MATCHES, /* nothing to tell */
	DIGEST_DIFFERS,
	DIGEST_TAKEN, /* of a file whose fingerprint is none: for the domain */
	DIGEST_UNREADABLE,
	PADDING_NOT_ZERO,
	PADDING_UNREADABLE,
};

/* What is to be reported, counted as not examined, or compared, at the end. */
struct result {
	uint64_t sequence;
	uint64_t position;
	struct place place;
	struct domain_key key;
	uint32_t directory;
	uint32_t padding; /* bytes, if they are not zero */
	bool opaque;
	enum outcome outcome;
	enum read_result why;
	uint8_t digest[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE]; /* of the content */
};

struct digest_pool {
	struct ishare_image *image;
	OSSL_LIB_CTX *library; /* our own: the default one crashes where memory is short */
	EVP_MD *sha256; /* fetched once: in each thread that would cost time and could fail */
	pthread_t threads[MAX_THREADS];
	unsigned int thread_count;

	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	struct job queue[QUEUE_ROOM];
	size_t head, count;
	uint64_t sequence;
	struct ishare_budget *budget;
	uint64_t allowance; /* bytes of this image's devices that are hashed without it */
	bool closing;
	atomic_bool stopping; /* nobody wants the rest */

	struct result *results;
	size_t result_count, result_room;
	uint64_t digested;
	uint64_t hashed; /* whose fingerprints are no digests */
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

static struct result new_result(const struct job *job)
{
	return (struct result){
		.sequence = job->sequence,
		.position = job->position,
		.place = job->place,
		.key = job->key,
		.directory = job->directory,
		.opaque = job->opaque,
	};
}

static bool keep_result(struct digest_pool *pool, const struct result *result)
{
	if (pool->result_count == pool->result_room) {
		size_t room = pool->result_room * 2 + 16;
		struct result *results = realloc(pool->results, room * sizeof(*results));

		if (!results)
			return false;
		pool->results = results;
		pool->result_room = room;
	}
	pool->results[pool->result_count++] = *result;
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

/* Whoever needs the digest of so many zeros first computes it; others wait. */
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
	struct digest_pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	pool->digested += result->outcome == DIGEST_MATCHES || result->outcome == DIGEST_DIFFERS;
	pool->hashed += result->outcome == DIGEST_TAKEN;
	if (told && !keep_result(pool, result))
		pool->no_memory = true;
	if (result->why == READ_FAILED && !pool->error[0])
		memcpy(pool->error, worker->reader.error, sizeof(pool->error));
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
	return place_bytes(&worker->pool->image->space, padding->offset + first,
			   (uint32_t)(last - first));
}

static void run_padding(struct worker *worker, const struct job *job)
{
	struct result result = new_result(job);
	struct padding padding;

	result.why = file_padding(&worker->reader, &job->file, &padding);
	if (result.why == READ_OUTSIDE)
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
 * Returns how many; 0: the queue is empty and will stay so, or nobody wants more. The last ones go
 * round one by one.
 */
static size_t take_jobs(struct digest_pool *pool, struct job *jobs)
{
	size_t taken = 0;

	pthread_mutex_lock(&pool->lock);
	while (pool->count < BATCH && !pool->closing)
		pthread_cond_wait(&pool->filled, &pool->lock);
	while (!pool->stopping && pool->count && taken < (pool->closing ? 1 : BATCH)) {
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
	EVP_MD_free(pool->sha256);
	OSSL_LIB_CTX_free(pool->library);
	free(pool->results);
	free(pool);
}

/* Returns why they could not be started, or NULL. One thread will do. */
static const char *start_threads(struct digest_pool *pool, unsigned int count)
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

struct digest_pool *digest_start(struct ishare_image *image, struct ishare_budget *budget,
				 unsigned int threads)
{
	struct digest_pool *pool = calloc(1, sizeof(*pool));
	const char *why;

	if (!pool) {
		image_error(image, ISHARE_IO_ERROR, "out of memory");
		return NULL;
	}
	pool->image = image;
	pool->budget = budget;
	for (uint32_t i = 0; i < image->device_count; i++)
		pool->allowance += REPEAT_LIMIT * image->devices[i].held;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	pthread_cond_init(&pool->drained, NULL);
	why = start_threads(pool, thread_count(threads));
	if (!why)
		return pool;
	image_error(image, ISHARE_IO_ERROR, "cannot compute digests: %s", why);
	free_pool(pool);
	return NULL;
}

/* An honest image pays for its holes, and for nothing else. */
static bool pay(struct digest_pool *pool, uint64_t bytes, uint64_t holes)
{
	uint64_t own = bytes < pool->allowance ? bytes : pool->allowance;

	if (!budget_take(pool->budget, holes + (bytes - own)))
		return false;
	pool->allowance -= own;
	return true;
}

static bool pay_for_content(struct digest_pool *pool, struct job *job)
{
	const struct file *file = &job->file;

	if (file->holes == file->inode.size)
		return budget_take_zeros(pool->budget, file->inode.size, &job->zeros);
	return pay(pool, file->inode.size - file->holes, file->holes);
}

/* Whether the content is to be hashed; if not, and somebody wanted to know it, that is counted. */
static bool wants_hash(struct digest_pool *pool, struct check *check, struct job *job)
{
	enum unexamined_thing thing = job->opaque ? AN_OPAQUE_CONTENT : A_CONTENT;

	if (job->opaque && (check->options->opaque == ISHARE_OPAQUE_TRUSTED || !check->domain))
		return false;
	if (job->file.inode.size && ishare_inode_is_compressed(&job->file.inode))
		not_readable(check, thing, READ_ENCODED);
	else if (job->file.bounds != READ_OK)
		not_readable(check, thing, job->file.bounds);
	else if (!pay_for_content(pool, job))
		not_examined(check, thing, REPEATS);
	else
		return true;
	return false;
}

static bool wants_padding(struct digest_pool *pool, struct check *check, const struct job *job)
{
	uint32_t size = file_padding_size(check->image, &job->file);

	if (size && !pay(pool, size, 0)) {
		not_examined(check, THE_LAST_BLOCK, REPEATS);
		return false;
	}
	return size > 0;
}

/* Whether nobody can tell what equal fingerprints that are no digests stand for. */
static bool needs_domain(const struct check *check)
{
	return check->options->opaque == ISHARE_OPAQUE_UNEXAMINED ||
	       (check->options->opaque == ISHARE_OPAQUE_COMPARED && !check->domain);
}

static void queue_job(struct digest_pool *pool, struct job *job)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->count == QUEUE_ROOM)
		pthread_cond_wait(&pool->drained, &pool->lock);
	job->sequence = pool->sequence++;
	pool->queue[(pool->head + pool->count) % QUEUE_ROOM] = *job;
	pool->count++;
	if (pool->count % BATCH == 0)
		pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
}

void digest_add(struct digest_pool *pool, struct check *check, const struct file *file,
		const struct ishare_view *fingerprint, struct place place, struct domain_key key)
{
	struct job job = {
		.file = *file,
		.place = place,
		.directory = check->directory,
		.position = check->position,
		.key = key,
		.opaque = !fingerprint_form(fingerprint),
	};

	if (job.opaque && needs_domain(check))
		not_examined(check, AN_OPAQUE_FINGERPRINT, NEEDS_DOMAIN);
	if (!job.opaque)
		memcpy(job.fingerprint, fingerprint->data, ISHARE_FINGERPRINT_SHA256_SIZE);
	job.hash = wants_hash(pool, check, &job);
	job.padding = wants_padding(pool, check, &job);
	if (job.hash && !job.opaque && check->domain)
		domain_set_digest(check->domain, key); /* unless it turns out to be another */
	if (job.hash || job.padding)
		queue_job(pool, &job);
}

static int compare_results(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return x->outcome < y->outcome ? -1 : x->outcome > y->outcome;
}

static void report_digest(struct check *check, const struct result *result)
{
	char hex[2 * ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE + 1];

	for (size_t i = 0; i < ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", result->digest[i]);
	report(check, ISHARE_RULE_FINGERPRINT_DIGEST, result->place,
	       "the fingerprint is not the SHA-256 of the file's content, %s", hex);
}

static void tell_domain(struct check *check, const struct result *result)
{
	if (!check->domain)
		return;
	if (result->outcome == DIGEST_UNREADABLE)
		domain_set_unknown(check->domain, result->key);
	else if (!domain_set_content(check->domain, result->key, result->digest))
		check_no_memory(check);
}

static void tell_result(struct check *check, const struct result *result)
{
	switch (result->outcome) {
	case DIGEST_DIFFERS:
		report_digest(check, result);
		break;
	case DIGEST_UNREADABLE:
		not_readable(check, result->opaque ? AN_OPAQUE_CONTENT : A_CONTENT, result->why);
		break;
	case PADDING_NOT_ZERO:
		report(check, ISHARE_RULE_FINGERPRINT_PADDING_ZERO, result->place,
		       "of the %" PRIu32
		       " bytes between the end of the file and the end of its last block, some are not 0",
		       result->padding);
		break;
	case PADDING_UNREADABLE:
		not_readable(check, THE_LAST_BLOCK, result->why);
		break;
	default:
		break;
	}
}

static void take_result(struct check *check, const struct result *result)
{
	char path[PATH_SHOWN];
	uint64_t nid;

	if (result->outcome < PADDING_NOT_ZERO)
		tell_domain(check, result);
	if (result->outcome == DIGEST_TAKEN)
		return;
	if (find_entry(&check->reader, check->image, result->directory, result->position, &nid,
		       path, sizeof(path)))
		check->fixed_path = path;
	tell_result(check, result);
	check->fixed_path = NULL;
}

static void join_threads(struct digest_pool *pool, bool stop)
{
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pool->stopping = stop;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
}

static void report_results(struct digest_pool *pool, struct check *check)
{
	if (pool->result_count)
		qsort(pool->results, pool->result_count, sizeof(*pool->results), compare_results);
	for (size_t i = 0; i < pool->result_count && !check->stopped; i++)
		take_result(check, &pool->results[i]);
	check->summary->digested_files += pool->digested;
	check->summary->hashed_files += pool->hashed;
	if (pool->no_memory)
		check_no_memory(check);
	if (pool->error[0]) {
		check->failed = true;
		image_error(check->image, ISHARE_IO_ERROR, "%s", pool->error);
	}
}

void digest_finish(struct digest_pool *pool, struct check *check)
{
	join_threads(pool, check->stopped);
	if (!check->stopped)
		report_results(pool, check);
	free_pool(pool);
}
