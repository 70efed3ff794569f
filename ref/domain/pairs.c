// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Files of a domain whose fingerprints are equal, and whose sizes or contents are not. */
#include <stdlib.h>
#include <string.h>

#include "domain/records.h"

/* A file whose content is known; with the digest, unless the fingerprint is that. */
struct known {
	const struct record *record;
	const uint8_t *digest;
};

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

static bool add_pair(struct pairs *pairs, enum ishare_rule_id rule, const struct record *x,
		     const struct record *y)
{
	bool later = compare_places(x, y) > 0;

	if (!array_make_room(&pairs->items, &pairs->room, pairs->count + 1, sizeof(*pairs->items)))
		return false;
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

/* Of files with one hash, from the first on: how many there are. */
static size_t count_same(const struct bucket *bucket, size_t first)
{
	size_t end = first + 1;

	while (end < bucket->count && bucket->records[end].hash == bucket->records[first].hash)
		end++;
	return end - first;
}

/* Counts, for each fingerprint, the compressed files and the others: the fewer share with none. */
static uint64_t count_apart(const struct bucket *bucket)
{
	uint64_t apart = 0;
	size_t count;

	for (size_t i = 0; i < bucket->count; i += count) {
		size_t compressed = 0;

		count = count_same(bucket, i);
		for (size_t j = i; j < i + count; j++)
			compressed += bucket->records[j].compressed;
		apart += compressed < count - compressed ? compressed : count - compressed;
	}
	return apart;
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

static bool find_in_bucket(const struct ishare_domain *domain, struct bucket *bucket,
			   struct pairs *pairs)
{
	return !bucket->count ||
	       (find_sizes(bucket, pairs) && find_contents(domain, bucket, pairs));
}

bool find_pairs(struct ishare_domain *domain, struct pairs *pairs)
{
	bool all = true;

	for (size_t i = 0; i < BUCKETS; i++) {
		all = find_in_bucket(domain, &domain->buckets[i], pairs) && all;
		pairs->apart += count_apart(&domain->buckets[i]);
	}
	if (pairs->count)
		qsort(pairs->items, pairs->count, sizeof(*pairs->items), compare_pairs);
	return all;
}
