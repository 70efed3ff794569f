// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Specification: fingerprint chapter. */
#include "fingerprint.h"

bool fingerprint_present(const struct ishare_inode *inode, uint32_t fingerprints)
{
	return !ishare_inode_is_regular(inode) || inode->size == 0 || fingerprints != 0;
}

bool fingerprint_single(uint32_t fingerprints)
{
	return fingerprints <= 1;
}

bool fingerprint_size(const struct ishare_superblock *sb, uint32_t value_size)
{
	return value_size >= 1 && value_size <= ishare_block_size(sb);
}

bool fingerprint_form(const struct ishare_view *value)
{
	const uint8_t *p;

	if (value->size != ISHARE_FINGERPRINT_SHA256_SIZE)
		return false;
	p = value->data;
	return p[0] == 's' && p[1] == 'h' && p[2] == 'a' && p[3] == '2' && p[4] == '5' &&
	       p[5] == '6' && p[6] == ':';
}

bool fingerprint_regular_file(const struct ishare_inode *inode)
{
	return ishare_inode_is_regular(inode);
}

bool fingerprint_name_encoding(const struct ishare_superblock *sb, const struct ishare_entry *e)
{
	return e->stored.e_name_index == ISHARE_XATTR_LONG_PREFIX + sb->ishare_xattr_prefix_id &&
	       e->stored.e_name_len == 0;
}

bool fingerprint_same_size(const struct ishare_keyed_file *a, const struct ishare_keyed_file *b)
{
	return !ishare_same_view(&a->fingerprint, &b->fingerprint) || a->size == b->size;
}

bool fingerprint_same_content(const struct ishare_keyed_file *a, const struct ishare_keyed_file *b)
{
	return !ishare_same_view(&a->fingerprint, &b->fingerprint) ||
	       ishare_same_bytes(a->digest.data, b->digest.data,
				 ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
}

bool fingerprint_padding_zero(const struct ishare_view *padding)
{
	return padding->size == 0 || ishare_all_zero(padding->data, padding->size);
}

bool fingerprint_digest(const struct ishare_view *value, const struct ishare_view *digest)
{
	return !fingerprint_form(value) ||
	       ishare_same_bytes(value->data + ISHARE_FINGERPRINT_SHA256_PREFIX_SIZE, digest->data,
				 ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE);
}
