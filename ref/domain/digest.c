// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Reads the files that have fingerprints: rules fingerprint.digest, fingerprint.padding-zero, and
 * for the domain to judge, fingerprint.same-content. Findings are reported at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/digest.h"
#include "domain/pool.h"

/*
 * With holes and shared chunks, a small image can refer to any number of bytes. Up to this many
 * times the bytes on its devices are hashed freely; the rest, and holes, use the budget.
 */
#define REPEAT_LIMIT 64u

#define RESULT_LINES 64u /* of the cache through which files are found again */

bool digests_start(struct digests *digests, struct report *report, struct ishare_domain *domain,
		   struct ishare_budget *budget)
{
	const struct volume *volume = &report->image->volume;
	char error[200];
	const char *why;

	*digests = (struct digests){ .report = report,
				     .domain = domain,
				     .budget = budget,
				     .allowance = REPEAT_LIMIT * held_bytes(volume) };
	digests->pool = pool_start(volume, report->options->threads, report->sink, &why);
	if (digests->pool)
		return true;
	snprintf(error, sizeof(error), "cannot compute digests: %s", why);
	report_failure(report, error);
	return false;
}

/* An honest image uses the budget only for its holes. */
static bool pay(struct digests *digests, uint64_t bytes, uint64_t holes)
{
	uint64_t own = bytes < digests->allowance ? bytes : digests->allowance;

	if (!budget_take(digests->budget, holes + (bytes - own)))
		return false;
	digests->allowance -= own;
	return true;
}

static bool pay_for_content(struct digests *digests, struct job *job, uint64_t holes)
{
	uint64_t size = job->file.inode.size;

	if (holes == size)
		return budget_take_zeros(digests->budget, size, &job->zeros);
	return pay(digests, size - holes, holes);
}

/*
 * Whether to hash the content; if it is needed but cannot be hashed, that is counted, unless a
 * finding says already that the content is not there.
 */
static bool wants_hash(struct digests *digests, struct job *job, const struct data_place *data)
{
	enum ishare_part part = job->opaque ? ISHARE_PART_OPAQUE_CONTENT : ISHARE_PART_CONTENT;
	struct report *report = digests->report;

	if (job->opaque && (report->options->opaque == ISHARE_OPAQUE_TRUSTED || !digests->domain))
		return false;
	if (job->file.inode.size && ishare_inode_is_compressed(&job->file.inode))
		not_readable(report, part, READ_UNSUPPORTED, NULL);
	else if (data->state == READ_OUTSIDE || data->state == READ_CORRUPT)
		return false;
	else if (data->state != READ_OK)
		not_readable(report, part, data->state, NULL);
	else if (!pay_for_content(digests, job, data->holes))
		not_examined(report, part, ISHARE_REASON_BUDGET);
	else
		return true;
	return false;
}

static bool wants_padding(struct digests *digests, const struct job *job)
{
	uint32_t size = file_padding_size(&digests->report->image->volume, &job->file);

	if (size && !pay(digests, size, 0)) {
		not_examined(digests->report, ISHARE_PART_LAST_BLOCK, ISHARE_REASON_BUDGET);
		return false;
	}
	return size > 0;
}

/* Whether it is unknown if equal opaque fingerprints stand for equal content. */
static bool needs_domain(const struct digests *digests)
{
	enum ishare_opaque opaque = digests->report->options->opaque;

	return opaque == ISHARE_OPAQUE_UNEXAMINED ||
	       (opaque == ISHARE_OPAQUE_COMPARED && !digests->domain);
}

void digests_add(struct digests *digests, const struct fingerprint_event *event,
		 struct domain_key key)
{
	struct job job = {
		.file = *event->file,
		.met = event->met,
		.place = event->place,
		.key = key,
		.opaque = !fingerprint_form(&event->value),
	};

	if (job.opaque && needs_domain(digests))
		not_examined(digests->report, ISHARE_PART_OPAQUE_FINGERPRINT,
			     ISHARE_REASON_NO_DOMAIN);
	if (!job.opaque)
		memcpy(job.fingerprint, event->value.data, ISHARE_FINGERPRINT_SHA256_SIZE);
	job.hash = wants_hash(digests, &job, &event->data);
	job.padding = wants_padding(digests, &job);
	if (job.hash && !job.opaque && digests->domain)
		domain_set_digest(digests->domain, key); /* unless the content has another */
	if (job.hash || job.padding)
		pool_add(digests->pool, &job);
}

static void report_digest(struct report *to, const struct result *result)
{
	char hex[2 * ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE + 1];

	for (size_t i = 0; i < ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", result->digest[i]);
	report(to, ISHARE_RULE_FINGERPRINT_DIGEST, result->place,
	       "the fingerprint is not the SHA-256 of the file's content, %s", hex);
}

static void pass_to_domain(struct digests *digests, const struct result *result)
{
	struct ishare_domain *domain = digests->domain;

	if (!domain)
		return;
	if (result->outcome == DIGEST_UNREADABLE)
		domain_set_unknown(domain, result->key);
	else if (!domain_set_content(domain, result->key, result->digest))
		report_no_memory(digests->report);
}

/* error: of reads that failed */
static void report_result(struct report *to, const struct result *result, const char *error)
{
	switch (result->outcome) {
	case DIGEST_DIFFERS:
		report_digest(to, result);
		break;
	case DIGEST_UNREADABLE:
		not_readable(to, result->opaque ? ISHARE_PART_OPAQUE_CONTENT : ISHARE_PART_CONTENT,
			     result->why, error);
		break;
	case PADDING_NOT_ZERO:
		report(to, ISHARE_RULE_FINGERPRINT_PADDING_ZERO, result->place,
		       "the %" PRIu32
		       " byte%s between the end of the file and the end of its last block %s 0",
		       result->padding, plural(result->padding),
		       result->padding == 1 ? "is not" : "are not all");
		break;
	case PADDING_UNREADABLE:
		not_readable(to, ISHARE_PART_LAST_BLOCK, result->why, error);
		break;
	default:
		break;
	}
}

static void take_result(struct digests *digests, struct reader *reader, const struct result *result,
			const char *error)
{
	struct report *report = digests->report;
	char path[PATH_SHOWN];
	uint64_t nid;

	if (result->outcome < PADDING_NOT_ZERO)
		pass_to_domain(digests, result);
	if (result->outcome == DIGEST_TAKEN)
		return;
	if (find_again(reader, &report->image->tree, result->met, &nid, path, sizeof(path)) ==
	    READ_OK)
		report->subject.path = path;
	report_result(report, result, error);
	report->subject.path = NULL;
}

static void take_results(struct digests *digests, struct reader *reader,
			 const struct results *results)
{
	struct report *report = digests->report;

	for (size_t i = 0; i < results->count && report->state != REPORT_STOPPED; i++)
		take_result(digests, reader, &results->items[i], results->error);
	report->summary->digested_files += results->digested;
	report->summary->hashed_files += results->hashed;
	if (reader->error[0])
		report_failure(report, reader->error);
	if (results->no_memory)
		report_no_memory(report);
	if (results->error[0])
		report_failure(report, results->error);
}

void digests_finish(struct digests *digests)
{
	struct report *report = digests->report;
	bool stopped = report->state == REPORT_STOPPED;
	const struct results *results = pool_finish(digests->pool, stopped);
	struct reader reader;

	if (!reader_init(&reader, &report->image->volume, RESULT_LINES))
		report_no_memory(report);
	else if (!stopped)
		take_results(digests, &reader, results);
	reader_release(&reader);
	pool_free(digests->pool);
}
