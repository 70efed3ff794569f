// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What one thread does with a file: hashes its content, and looks at the bytes behind it. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "domain/content.h"

#define PIECE (128u * 1024u)
#define THREAD_LINES 16u

void tally_add(struct tally *tally, uint64_t hashed, uint64_t planned)
{
	pthread_mutex_lock(&tally->lock);
	tally->hashed += hashed;
	tally->planned += planned;
	pthread_mutex_unlock(&tally->lock);
}

bool worker_init(struct worker *worker, const struct volume *volume, const EVP_MD *sha256,
		 struct tally *tally, const atomic_bool *stopping)
{
	bool ready;

	worker->sha256 = sha256;
	worker->tally = tally;
	worker->stopping = stopping;
	worker->context = EVP_MD_CTX_new();
	worker->piece = malloc(PIECE);
	ready = reader_init(&worker->reader, volume, THREAD_LINES);
	return ready && worker->context && worker->piece;
}

void worker_release(struct worker *worker)
{
	reader_release(&worker->reader);
	EVP_MD_CTX_free(worker->context);
	free(worker->piece);
}

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

static enum read_result crypto_failed(struct worker *worker)
{
	return read_failed(&worker->reader, "libcrypto cannot compute a SHA-256");
}

static enum read_result hash_piece(struct worker *worker, const struct file *file, uint64_t pos,
				   size_t size)
{
	enum read_result result = file_read(&worker->reader, file, pos, worker->piece, size);

	if (result == READ_OK && !EVP_DigestUpdate(worker->context, worker->piece, size))
		result = crypto_failed(worker);
	/* What nobody will read is done with, too. */
	tally_add(worker->tally, result == READ_OK ? size : file->inode.size - pos, 0);
	return result;
}

static enum read_result hash_content(struct worker *worker, const struct file *file,
				     uint8_t *digest)
{
	uint64_t pos = 0;

	if (!EVP_DigestInit_ex(worker->context, worker->sha256, NULL))
		return crypto_failed(worker);
	while (pos < file->inode.size && !*worker->stopping) {
		uint64_t left = file->inode.size - pos;
		size_t size = left < PIECE ? (size_t)left : PIECE;
		enum read_result result = hash_piece(worker, file, pos, size);

		if (result != READ_OK)
			return result;
		pos += size;
	}
	if (*worker->stopping)
		return READ_FAILED; /* of which nobody will hear */
	return EVP_DigestFinal_ex(worker->context, digest, NULL) ? READ_OK : crypto_failed(worker);
}

/* The first thread that needs the digest of that many zeros computes it; others wait. */
static enum read_result hash_zeros(struct worker *worker, const struct job *job, uint8_t *digest)
{
	struct zeros *zeros = job->zeros;
	enum read_result result = READ_OK;

	pthread_mutex_lock(&zeros->lock);
	if (!zeros->done) {
		tally_add(worker->tally, 0, job->file.inode.size);
		result = hash_content(worker, &job->file, zeros->digest);
	}
	zeros->done = result == READ_OK;
	memcpy(digest, zeros->digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
	pthread_mutex_unlock(&zeros->lock);
	return result;
}

static enum job_outcome judge_digest(const struct job *job, const uint8_t *digest)
{
	struct ishare_view value = { job->fingerprint, ISHARE_FINGERPRINT_SHA256_SIZE };
	struct ishare_view computed = { digest, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE };

	if (job->opaque)
		return DIGEST_TAKEN;
	return fingerprint_digest(&value, &computed) ? DIGEST_MATCHES : DIGEST_DIFFERS;
}

bool hash_job(struct worker *worker, const struct job *job, struct result *result)
{
	*result = new_result(job);
	result->why = job->zeros ? hash_zeros(worker, job, result->digest)
				 : hash_content(worker, &job->file, result->digest);
	result->outcome =
		result->why == READ_OK ? judge_digest(job, result->digest) : DIGEST_UNREADABLE;
	return result->outcome != DIGEST_MATCHES;
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
	return place_bytes(&worker->reader.volume->image, padding->offset + first,
			   (uint32_t)(last - first));
}

bool examine_padding(struct worker *worker, const struct job *job, struct result *result)
{
	struct padding padding;

	*result = new_result(job);
	result->why = file_padding(&worker->reader, &job->file, worker->piece, &padding);
	switch (result->why) {
	case READ_OK:
		if (fingerprint_padding_zero(&padding.bytes))
			return false;
		result->outcome = PADDING_NOT_ZERO;
		result->padding = (uint32_t)padding.bytes.size;
		result->place = padding_place(worker, job, &padding);
		return true;
	case READ_OUTSIDE:
	case READ_CORRUPT:
		return false; /* what is not there shows nothing: see inode.data-bounds */
	default:
		result->outcome = PADDING_UNREADABLE;
		return true;
	}
}
