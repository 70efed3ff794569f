// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Judges pairs of files that have the same fingerprint: rules fingerprint.same-size and
 * fingerprint.same-content. Equal hashes are a hint; the fingerprints, read again, decide.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "domain/records.h"

/* One of two files that are compared, found again. */
struct found {
	struct ishare_image *image;
	struct reader reader;
	struct file file;
	uint8_t *buffer;
	struct ishare_keyed_file keyed;
	char path[PATH_SHOWN];
};

/* READ_NOTHING: the fingerprint is none any more. */
static enum read_result find_digest(const struct ishare_domain *domain, const struct record *record,
				    struct ishare_keyed_file *keyed)
{
	keyed->digest.data = NULL;
	keyed->digest.size = ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE;
	if (record->content <= CONTENT_MAX)
		keyed->digest.data = domain->digests[record->content];
	if (record->content != CONTENT_AS_SAID)
		return READ_OK;
	keyed->digest.data = keyed->fingerprint.data + ISHARE_FINGERPRINT_SHA256_PREFIX_SIZE;
	return fingerprint_form(&keyed->fingerprint) ? READ_OK : READ_NOTHING;
}

static enum read_result find_file(struct found *found, const struct record *record)
{
	struct met met = { record->directory, record->position };
	enum read_result result;
	uint64_t nid;

	result = find_again(&found->reader, &found->image->tree, met, &nid, found->path,
			    sizeof(found->path));
	if (result == READ_OK)
		result = read_inode(&found->reader, nid, &found->file);
	if (result == READ_OK)
		result = find_fingerprint(&found->reader, &found->file, found->buffer,
					  &found->keyed.fingerprint);
	return result;
}

/* Finds the file of a record; ISHARE_IO_ERROR: its image's error says why it cannot. */
static enum ishare_result load(struct ishare_domain *domain, const struct record *record,
			       struct found *found)
{
	struct ishare_image *image = domain->images[record->image];
	enum read_result result;

	found->image = image;
	found->buffer = malloc(XATTR_AREA_MAX);
	if (!reader_init(&found->reader, &image->volume, 1) || !found->buffer)
		return image_error(image, ISHARE_IO_ERROR, "out of memory");
	result = find_file(found, record);
	if (result == READ_OK)
		result = find_digest(domain, record, &found->keyed);
	found->keyed.size = found->file.inode.size;
	if (result == READ_OK)
		return ISHARE_DONE;
	return image_error(image, ISHARE_IO_ERROR, "%s",
			   result == READ_FAILED ? found->reader.error
						 : "the image changed while it was examined");
}

static void release(struct found *found)
{
	reader_release(&found->reader);
	free(found->buffer);
}

static uint32_t structure_of(const struct found *found)
{
	return found->file.inode.extended ? ISHARE_STRUCT_INODE_EXTENDED
					  : ISHARE_STRUCT_INODE_COMPACT;
}

static void report_sizes(struct report *report, const struct found *a, const struct found *b)
{
	report_pair(report, ISHARE_RULE_FINGERPRINT_SAME_SIZE,
		    place_field(b->file.space, structure_of(b), b->file.offset,
				b->file.inode.extended ? ISHARE_INODE_EXTENDED_I_SIZE_OFFSET
						       : ISHARE_INODE_COMPACT_I_SIZE_OFFSET),
		    a->image->volume.path, a->path,
		    "the file has %" PRIu64 " byte%s, but one of %" PRIu64
		    " has the same fingerprint",
		    b->keyed.size, plural(b->keyed.size), a->keyed.size);
}

static void report_contents(struct report *report, const struct found *a, const struct found *b)
{
	report_pair(report, ISHARE_RULE_FINGERPRINT_SAME_CONTENT,
		    place_struct(b->file.space, structure_of(b), b->file.offset),
		    a->image->volume.path, a->path,
		    "the file has other content than one with the same fingerprint");
}

/* Findings are about the later file of a pair, and pairs come in the order of these. */
static enum ishare_result judge_found(struct report *report, enum ishare_rule_id rule,
				      const struct found *a, const struct found *b)
{
	if (!report_image(report, b->image))
		return image_error(b->image, ISHARE_IO_ERROR, "out of memory");
	report->subject.path = b->path;
	if (rule == ISHARE_RULE_FINGERPRINT_SAME_SIZE) {
		if (!fingerprint_same_size(&a->keyed, &b->keyed))
			report_sizes(report, a, b);
	} else if (!fingerprint_same_content(&a->keyed, &b->keyed)) {
		report_contents(report, a, b);
	}
	if (report->rows.error[0])
		return image_error(b->image, ISHARE_IO_ERROR, "%s", report->rows.error);
	return ISHARE_DONE;
}

/* A domain has no error of its own: its last image has it. */
static enum ishare_result no_memory(struct ishare_domain *domain)
{
	return image_error(domain->images[domain->image_count - 1], ISHARE_IO_ERROR,
			   "out of memory");
}

static enum ishare_result judge_pair(struct report *report, struct ishare_domain *domain,
				     const struct pair *pair)
{
	struct found *found = calloc(2, sizeof(*found));
	enum ishare_result result;

	if (!found)
		return no_memory(domain);
	result = load(domain, pair->x, &found[0]);
	if (result == ISHARE_DONE)
		result = load(domain, pair->y, &found[1]);
	if (result == ISHARE_DONE)
		result = judge_found(report, pair->rule, &found[0], &found[1]);
	release(&found[0]);
	release(&found[1]);
	free(found);
	return result;
}

static enum ishare_result judge_pairs(struct report *report, struct ishare_domain *domain,
				      const struct pairs *pairs)
{
	enum ishare_result worst = ISHARE_DONE;

	for (size_t i = 0; i < pairs->count && report->state != REPORT_STOPPED; i++)
		if (judge_pair(report, domain, &pairs->items[i]) != ISHARE_DONE)
			worst = ISHARE_IO_ERROR;
	if (report->state == REPORT_STOPPED)
		return ISHARE_STOPPED;
	if (report->image)
		report_end_image(report);
	return worst;
}

enum ishare_result ishare_domain_judge(struct ishare_domain *domain,
				       const struct ishare_options *options,
				       const struct ishare_sink *sink,
				       struct ishare_summary *summary)
{
	struct report report = { 0 };
	struct pairs pairs = { 0 };
	enum ishare_result found = ISHARE_DONE, judged;

	if (ishare_options_error(options))
		return ISHARE_INVALID;
	report_start(&report, options, sink, summary);
	if (!find_pairs(domain, &pairs))
		found = no_memory(domain);
	summary->apart_files += pairs.apart;
	judged = judge_pairs(&report, domain, &pairs);
	report_release(&report);
	free(pairs.items);
	return judged == ISHARE_DONE ? found : judged;
}
