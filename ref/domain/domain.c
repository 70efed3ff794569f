// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * A trust domain: all fingerprints with the sizes and contents of their files, in buckets that are
 * sorted one by one, so that a million files need little more memory than their records.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "domain/domain.h"

#define BUCKETS 256u

struct record {
	uint64_t hash; /* of the fingerprint's bytes */
	uint64_t size; /* i_size */
	uint64_t position; /* of the entry in the directory */
	uint32_t image;
	uint32_t directory;
	uint32_t content; /* number of its digest, or one of: */
};

#define CONTENT_UNKNOWN UINT32_MAX
#define CONTENT_AS_SAID (UINT32_MAX - 1) /* the fingerprint is the digest */
#define CONTENT_MAX (UINT32_MAX - 2)

/* Two files of one hash and different sizes, or contents: what the rule asks to be the same. */
struct pair {
	const struct record *x, *y;
	enum ishare_rule_id rule;
};

/* A file whose content is known; with the digest, unless the fingerprint is that. */
struct known {
	const struct record *record;
	const uint8_t *digest;
};

struct pairs {
	struct pair *items;
	size_t count, room;
};

struct bucket {
	struct record *records;
	size_t count, room;
};

struct ishare_domain {
	uint64_t seed;
	struct bucket buckets[BUCKETS];
	uint8_t (*digests)[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
	size_t digest_count, digest_room;
	struct ishare_image **images;
	uint32_t image_count;
};

struct ishare_domain *ishare_domain_new(void)
{
	struct ishare_domain *domain = calloc(1, sizeof(*domain));

	if (domain)
		domain->seed = hash_seed();
	return domain;
}

void ishare_domain_free(struct ishare_domain *domain)
{
	if (!domain)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		free(domain->buckets[i].records);
	free(domain->digests);
	free(domain->images);
	free(domain);
}

/* Images are added one after the other: the one at hand is the last, or new. */
static bool image_index(struct ishare_domain *domain, struct ishare_image *image, uint32_t *index)
{
	struct ishare_image **images;

	if (!domain->image_count || domain->images[domain->image_count - 1] != image) {
		images = realloc(domain->images,
				 (domain->image_count + 1) * sizeof(struct ishare_image *));
		if (!images)
			return false;
		domain->images = images;
		images[domain->image_count++] = image;
	}
	*index = domain->image_count - 1;
	return true;
}

static bool make_room(struct bucket *bucket)
{
	size_t room = bucket->room + bucket->room / 2 + 16;
	struct record *records;

	if (bucket->count < bucket->room)
		return true;
	records = realloc(bucket->records, room * sizeof(*records));
	if (!records)
		return false;
	bucket->records = records;
	bucket->room = room;
	return true;
}

bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct ishare_view *fingerprint, uint64_t file_size, uint32_t directory,
		uint64_t position, struct domain_key *key)
{
	uint64_t hash = hash_bytes(fingerprint->data, fingerprint->size, domain->seed);
	struct bucket *bucket = &domain->buckets[hash % BUCKETS];
	uint32_t index;

	if (!image_index(domain, image, &index) || !make_room(bucket))
		return false;
	*key = (struct domain_key){ (uint32_t)(hash % BUCKETS), bucket->count };
	bucket->records[bucket->count++] = (struct record){ .hash = hash,
							    .size = file_size,
							    .position = position,
							    .image = index,
							    .directory = directory,
							    .content = CONTENT_UNKNOWN };
	return true;
}

static struct record *find_record(struct ishare_domain *domain, struct domain_key key)
{
	return &domain->buckets[key.bucket].records[key.index];
}

void domain_set_digest(struct ishare_domain *domain, struct domain_key key)
{
	find_record(domain, key)->content = CONTENT_AS_SAID;
}

void domain_set_unknown(struct ishare_domain *domain, struct domain_key key)
{
	find_record(domain, key)->content = CONTENT_UNKNOWN;
}

static bool make_digest_room(struct ishare_domain *domain)
{
	size_t room = domain->digest_room + domain->digest_room / 2 + 16;
	void *digests;

	if (domain->digest_count < domain->digest_room)
		return true;
	if (room > CONTENT_MAX)
		return false;
	digests = realloc(domain->digests, room * sizeof(*domain->digests));
	if (!digests)
		return false;
	domain->digests = digests;
	domain->digest_room = room;
	return true;
}

bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest)
{
	struct record *record = find_record(domain, key);

	record->content = CONTENT_UNKNOWN;
	if (!make_digest_room(domain))
		return false;
	record->content = (uint32_t)domain->digest_count;
	memcpy(domain->digests[domain->digest_count++], digest, sizeof(*domain->digests));
	return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* In the order in which they were met. */
static int compare_places(const struct record *x, const struct record *y)
{
	int order = compare_u64(x->image, y->image);

	if (!order)
		order = compare_u64(x->directory, y->directory);
	return order ? order : compare_u64(x->position, y->position);
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = compare_u64(x->hash, y->hash);

	if (!order)
		order = compare_u64(x->size, y->size);
	return order ? order : compare_places(x, y);
}

static int compare_digests(const uint8_t *a, const uint8_t *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return memcmp(a, b, ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
}

static int compare_known(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = compare_u64(x->record->hash, y->record->hash);

	if (!order)
		order = compare_digests(x->digest, y->digest);
	return order ? order : compare_places(x->record, y->record);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	int order = compare_places(p->y, q->y);

	if (!order)
		order = compare_u64(p->rule, q->rule);
	return order ? order : compare_places(p->x, q->x);
}

/* One of two files that are compared, found again. */
struct found {
	struct ishare_image *image;
	struct reader reader;
	struct file file;
	uint8_t *buffer;
	struct ishare_keyed_file keyed;
	char path[PATH_SHOWN];
};

/* False: the fingerprint is none any more. */
static bool find_digest(const struct ishare_domain *domain, const struct record *record,
			struct ishare_keyed_file *keyed)
{
	keyed->digest.data = NULL;
	keyed->digest.size = ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE;
	if (record->content <= CONTENT_MAX)
		keyed->digest.data = domain->digests[record->content];
	if (record->content != CONTENT_AS_SAID)
		return true;
	keyed->digest.data = keyed->fingerprint.data + ISHARE_FINGERPRINT_SHA256_PREFIX_SIZE;
	return fingerprint_form(&keyed->fingerprint);
}

static bool find_again(struct ishare_domain *domain, const struct record *record,
		       struct found *found)
{
	uint64_t nid;

	found->image = domain->images[record->image];
	found->buffer = malloc(XATTR_AREA_MAX);
	if (!reader_init(&found->reader, found->image, 1) || !found->buffer ||
	    !find_entry(&found->reader, found->image, record->directory, record->position, &nid,
			found->path, sizeof(found->path)) ||
	    !read_inode(&found->reader, found->image, nid, &found->file) ||
	    !find_fingerprint(&found->reader, found->image, &found->file, found->buffer,
			      &found->keyed.fingerprint))
		return false;
	found->keyed.size = found->file.inode.size;
	return find_digest(domain, record, &found->keyed);
}

/* Why the file was not found again, in one sentence. */
static const char *why_lost(const struct found *found)
{
	if (!found->buffer || !found->reader.lines)
		return "out of memory";
	if (found->reader.error[0])
		return found->reader.error;
	return "the image changed while it was examined";
}

static void release(struct found *found)
{
	reader_release(&found->reader);
	free(found->buffer);
}

/* Findings are about the later file of a pair, and pairs come in the order of these. */
static void end_image(struct check *check)
{
	tell_omitted(check);
	tell_hidden(check);
}

static uint32_t structure_of(const struct found *found)
{
	return found->file.inode.extended ? ISHARE_STRUCT_INODE_EXTENDED
					  : ISHARE_STRUCT_INODE_COMPACT;
}

static void report_sizes(struct check *check, const struct found *a, const struct found *b)
{
	report_pair(check, ISHARE_RULE_FINGERPRINT_SAME_SIZE,
		    place_field(b->file.space, structure_of(b), b->file.offset,
				b->file.inode.extended ? ISHARE_INODE_EXTENDED_I_SIZE_OFFSET
						       : ISHARE_INODE_COMPACT_I_SIZE_OFFSET),
		    a->image->path, a->path,
		    "the file has %" PRIu64 " bytes, but one of %" PRIu64
		    " has the same fingerprint",
		    b->keyed.size, a->keyed.size);
}

static void report_contents(struct check *check, const struct found *a, const struct found *b)
{
	report_pair(check, ISHARE_RULE_FINGERPRINT_SAME_CONTENT,
		    place_struct(b->file.space, structure_of(b), b->file.offset), a->image->path,
		    a->path, "the file has other content than one with the same fingerprint");
}

static void judge_found(struct check *check, enum ishare_rule_id rule, const struct found *a,
			const struct found *b)
{
	if (check->image && check->image != b->image)
		end_image(check);
	check->image = b->image;
	check->fixed_path = b->path;
	if (rule == ISHARE_RULE_FINGERPRINT_SAME_SIZE) {
		if (!fingerprint_same_size(&a->keyed, &b->keyed))
			report_sizes(check, a, b);
	} else if (!fingerprint_same_content(&a->keyed, &b->keyed)) {
		report_contents(check, a, b);
	}
}

/* A domain has no error of its own: its last image tells. */
static enum ishare_result no_memory(struct ishare_domain *domain)
{
	return image_error(domain->images[domain->image_count - 1], ISHARE_IO_ERROR,
			   "out of memory");
}

/* Equal hashes are a hint; the fingerprints decide. */
static enum ishare_result judge_pair(struct check *check, struct ishare_domain *domain,
				     const struct pair *pair)
{
	enum ishare_result result = ISHARE_DONE;
	struct found *found = calloc(2, sizeof(*found));

	if (!found)
		return no_memory(domain);
	if (!find_again(domain, pair->x, &found[0])) {
		result = image_error(found[0].image, ISHARE_IO_ERROR, "%s", why_lost(&found[0]));
	} else if (!find_again(domain, pair->y, &found[1])) {
		result = image_error(found[1].image, ISHARE_IO_ERROR, "%s", why_lost(&found[1]));
	} else {
		if (reader_init(&check->rows, found[1].image, 1))
			judge_found(check, pair->rule, &found[0], &found[1]);
		else
			result = no_memory(domain);
		if (check->rows.error[0])
			result = image_error(found[1].image, ISHARE_IO_ERROR, "%s",
					     check->rows.error);
		reader_release(&check->rows);
	}
	release(&found[0]);
	release(&found[1]);
	free(found);
	return result;
}

/* The file that was met later is the one that is told of. */
static bool add_pair(struct pairs *pairs, enum ishare_rule_id rule, const struct record *x,
		     const struct record *y)
{
	bool later = compare_places(x, y) > 0;

	if (pairs->count == pairs->room) {
		size_t room = pairs->room * 2 + 16;
		struct pair *items = realloc(pairs->items, room * sizeof(*items));

		if (!items)
			return false;
		pairs->items = items;
		pairs->room = room;
	}
	pairs->items[pairs->count++] = (struct pair){ later ? y : x, later ? x : y, rule };
	return true;
}

/*
 * Sorted by fingerprint and size, each size but the first of a fingerprint makes a pair with the
 * one before.
 */
static bool find_sizes(struct bucket *bucket, struct pairs *pairs)
{
	if (bucket->count)
		qsort(bucket->records, bucket->count, sizeof(*bucket->records), compare_records);
	for (size_t i = 1; i < bucket->count; i++) {
		const struct record *x = &bucket->records[i - 1], *y = &bucket->records[i];

		if (x->hash == y->hash && x->size != y->size &&
		    !add_pair(pairs, ISHARE_RULE_FINGERPRINT_SAME_SIZE, x, y))
			return false;
	}
	return true;
}

static size_t list_known(const struct ishare_domain *domain, const struct bucket *bucket,
			 struct known *known)
{
	size_t count = 0;

	for (size_t i = 0; i < bucket->count; i++) {
		const struct record *record = &bucket->records[i];

		if (record->content <= CONTENT_MAX)
			known[count++] = (struct known){ record, domain->digests[record->content] };
		else if (record->content == CONTENT_AS_SAID)
			known[count++] = (struct known){ record, NULL };
	}
	return count;
}

/* The same for digests of contents, as far as they are known. */
static bool find_contents(const struct ishare_domain *domain, const struct bucket *bucket,
			  struct pairs *pairs)
{
	struct known *known = calloc(bucket->count, sizeof(*known));
	size_t count = known ? list_known(domain, bucket, known) : 0;
	bool done = known;

	if (count)
		qsort(known, count, sizeof(*known), compare_known);
	for (size_t i = 1; i < count && done; i++) {
		const struct known *x = &known[i - 1], *y = &known[i];

		if (x->record->hash == y->record->hash && compare_digests(x->digest, y->digest))
			done = add_pair(pairs, ISHARE_RULE_FINGERPRINT_SAME_CONTENT, x->record,
					y->record);
	}
	free(known);
	return done;
}

static bool find_pairs(const struct ishare_domain *domain, struct bucket *bucket,
		       struct pairs *pairs)
{
	return !bucket->count ||
	       (find_sizes(bucket, pairs) && find_contents(domain, bucket, pairs));
}

enum ishare_result ishare_domain_judge(struct ishare_domain *domain,
				       const struct ishare_options *options,
				       const struct ishare_sink *sink,
				       struct ishare_summary *summary)
{
	struct check check = {
		.options = options, .sink = sink, .summary = summary, .directory = NO_DIRECTORY
	};
	struct pairs pairs = { 0 };
	enum ishare_result worst = ISHARE_DONE;

	for (size_t i = 0; i < BUCKETS; i++)
		if (!find_pairs(domain, &domain->buckets[i], &pairs))
			worst = no_memory(domain);
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), compare_pairs);
	for (size_t i = 0; i < pairs.count && !check.stopped; i++)
		if (judge_pair(&check, domain, &pairs.items[i]) != ISHARE_DONE)
			worst = ISHARE_IO_ERROR;
	if (check.image && !check.stopped)
		end_image(&check);
	free(pairs.items);
	return check.stopped ? ISHARE_STOPPED : worst;
}
