// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A trust domain: all fingerprints with the sizes and contents of their files. */
#include <stdlib.h>
#include <string.h>

#include "domain/records.h"

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

/* Images are added one after the other: the current one is the last, or new. */
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

bool domain_add(struct ishare_domain *domain, struct ishare_image *image,
		const struct fingerprint_event *event, struct domain_key *key)
{
	uint64_t hash = hash_bytes(event->value.data, event->value.size, domain->seed);
	struct bucket *bucket = &domain->buckets[hash % BUCKETS];
	bool compressed = ishare_inode_is_compressed(&event->file->inode);
	uint32_t index;

	if (!image_index(domain, image, &index) ||
	    !array_make_room(&bucket->records, &bucket->room, bucket->count + 1,
			     sizeof(*bucket->records)))
		return false;
	*key = (struct domain_key){ (uint32_t)(hash % BUCKETS), bucket->count };
	bucket->records[bucket->count++] = (struct record){ .hash = hash,
							    .size = event->file->inode.size,
							    .position = event->met.position,
							    .image = index,
							    .directory = event->met.directory,
							    .content = CONTENT_UNKNOWN,
							    .compressed = compressed };
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

bool domain_set_content(struct ishare_domain *domain, struct domain_key key, const uint8_t *digest)
{
	struct record *record = find_record(domain, key);

	record->content = CONTENT_UNKNOWN;
	if (domain->digest_count > CONTENT_MAX ||
	    !array_make_room(&domain->digests, &domain->digest_room, domain->digest_count + 1,
			     sizeof(*domain->digests)))
		return false;
	record->content = (uint32_t)domain->digest_count;
	memcpy(domain->digests[domain->digest_count++], digest, sizeof(*domain->digests));
	return true;
}
