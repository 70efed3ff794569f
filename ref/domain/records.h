/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The files of a domain: their fingerprints, sizes and contents, and pairs that differ. */
#ifndef ISHARE_RECORDS_H
#define ISHARE_RECORDS_H

#include "check/check.h"

/* domain.c: all fingerprints, with the sizes and contents of their files */

#define BUCKETS 256u

struct record {
	uint64_t hash; /* of the fingerprint's bytes */
	uint64_t size; /* i_size */
	uint64_t position; /* with directory: see struct met */
	uint32_t image;
	uint32_t directory;
	uint32_t content; /* number of its digest, or one of: */
	bool compressed;
};

#define CONTENT_UNKNOWN UINT32_MAX
#define CONTENT_AS_SAID (UINT32_MAX - 1) /* the fingerprint is the digest */
#define CONTENT_MAX (UINT32_MAX - 2)

struct bucket {
	struct record *records;
	size_t count, room;
};

/* Buckets are sorted one by one, so that a million files need little more than their records. */
struct ishare_domain {
	uint64_t seed;
	struct bucket buckets[BUCKETS];
	uint8_t (*digests)[ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE];
	size_t digest_count, digest_room;
	struct ishare_image **images;
	uint32_t image_count;
};

/* Names a file of a domain. */
struct domain_key {
	uint32_t bucket;
	size_t index;
};

/* False: no memory. */
bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct fingerprint_event *event, struct domain_key *key);

/*
 * What is known about a file's content: its fingerprint is its digest; the digest is another
 * (false: no memory); or nothing, as initially.
 */
void domain_set_digest(struct ishare_domain *domain, struct domain_key key);
bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest);
void domain_set_unknown(struct ishare_domain *domain, struct domain_key key);

/* pairs.c: files of one fingerprint, and different sizes or contents */

/* Two files with one hash that differ in what the rule requires to be equal. */
struct pair {
	const struct record *x, *y; /* y was met later, and is the one that is reported */
	enum ishare_rule_id rule;
};

struct pairs {
	struct pair *items;
	size_t count, room;
	uint64_t apart; /* see struct ishare_summary */
};

/* Finds the pairs of all buckets, in the order in which they are reported. False: no memory. */
bool find_pairs(struct ishare_domain *domain, struct pairs *pairs);

#endif
