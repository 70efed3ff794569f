// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * A trust domain: all fingerprints with the sizes of their files, in buckets that are sorted one by
 * one, so that a million files need little more memory than their records.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define BUCKETS 256u

struct record {
	uint64_t hash; /* of the fingerprint's bytes */
	uint64_t size; /* i_size */
	uint64_t position; /* of the entry in the directory */
	uint32_t image;
	uint32_t directory;
};

/* Two files of one hash and different sizes. */
struct pair {
	const struct record *x, *y;
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
		uint64_t position)
{
	uint64_t hash = hash_bytes(fingerprint->data, fingerprint->size, domain->seed);
	struct bucket *bucket = &domain->buckets[hash % BUCKETS];
	uint32_t index;

	if (!image_index(domain, image, &index) || !make_room(bucket))
		return false;
	bucket->records[bucket->count++] = (struct record){ .hash = hash,
							    .size = file_size,
							    .position = position,
							    .image = index,
							    .directory = directory };
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

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	return compare_places(p->y, q->y);
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
	return true;
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

static void report_sizes(struct check *check, const struct found *a, const struct found *b)
{
	uint32_t structure =
		b->file.inode.extended ? ISHARE_STRUCT_INODE_EXTENDED : ISHARE_STRUCT_INODE_COMPACT;

	if (check->image && check->image != b->image)
		end_image(check);
	check->image = b->image;
	check->fixed_path = b->path;
	report_pair(check, ISHARE_RULE_FINGERPRINT_SAME_SIZE,
		    place_field(b->file.space, structure, b->file.offset,
				b->file.inode.extended ? ISHARE_INODE_EXTENDED_I_SIZE_OFFSET
						       : ISHARE_INODE_COMPACT_I_SIZE_OFFSET),
		    a->image->path, a->path,
		    "the file has %" PRIu64 " bytes, but one of %" PRIu64
		    " has the same fingerprint",
		    b->keyed.size, a->keyed.size);
}

/* A domain has no error of its own: its last image tells. */
static enum ishare_result no_memory(struct ishare_domain *domain)
{
	return image_error(domain->images[domain->image_count - 1], ISHARE_IO_ERROR,
			   "out of memory");
}

/* Equal hashes are a hint; the fingerprints decide. */
static enum ishare_result judge_pair(struct check *check, struct ishare_domain *domain,
				     const struct record *x, const struct record *y)
{
	enum ishare_result result = ISHARE_DONE;
	struct found *pair = calloc(2, sizeof(*pair));

	if (!pair)
		return no_memory(domain);
	if (!find_again(domain, x, &pair[0]) || !find_again(domain, y, &pair[1])) {
		result = image_error(domain->images[y->image], ISHARE_IO_ERROR,
				     "the image changed while it was examined");
	} else if (!fingerprint_same_size(&pair[0].keyed, &pair[1].keyed)) {
		if (reader_init(&check->rows, pair[1].image, 1))
			report_sizes(check, &pair[0], &pair[1]);
		else
			result = no_memory(domain);
		reader_release(&check->rows);
	}
	release(&pair[0]);
	release(&pair[1]);
	free(pair);
	return result;
}

static bool add_pair(struct pairs *pairs, const struct record *x, const struct record *y)
{
	if (pairs->count == pairs->room) {
		size_t room = pairs->room * 2 + 16;
		struct pair *items = realloc(pairs->items, room * sizeof(*items));

		if (!items)
			return false;
		pairs->items = items;
		pairs->room = room;
	}
	pairs->items[pairs->count++] = (struct pair){ x, y };
	return true;
}

/*
 * Sorted by fingerprint and size, each size but the first of a fingerprint makes a pair with the one
 * before.
 */
static bool find_pairs(struct bucket *bucket, struct pairs *pairs)
{
	if (bucket->count)
		qsort(bucket->records, bucket->count, sizeof(*bucket->records), compare_records);
	for (size_t i = 1; i < bucket->count; i++) {
		const struct record *x = &bucket->records[i - 1], *y = &bucket->records[i];

		if (x->hash == y->hash && x->size != y->size && !add_pair(pairs, x, y))
			return false;
	}
	return true;
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
		if (!find_pairs(&domain->buckets[i], &pairs))
			worst = no_memory(domain);
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), compare_pairs);
	for (size_t i = 0; i < pairs.count; i++)
		if (judge_pair(&check, domain, pairs.items[i].x, pairs.items[i].y) != ISHARE_DONE)
			worst = ISHARE_IO_ERROR;
	if (check.image)
		end_image(&check);
	free(pairs.items);
	return worst;
}
