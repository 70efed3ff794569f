/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Fingerprints, the xattrs by which files share their page cache. Specification: fingerprint
 * chapter.
 *
 * The fingerprint of an inode is its xattr whose whole name is the long prefix number
 * ishare_xattr_prefix_id, with nothing behind. The rules are for images with ISHARE_XATTRS in
 * feature_compat; true means that the rule holds.
 */
#ifndef ISHARE_FINGERPRINT_H
#define ISHARE_FINGERPRINT_H

#include "inode.h"

/* fingerprints: how many the inode has. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_present(inode, fingerprints); */
bool fingerprint_present(const struct ishare_inode *inode, uint32_t fingerprints);

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_single(fingerprints); */
bool fingerprint_single(uint32_t fingerprints);

/*@ requires readable: \valid_read(sb);
    requires block_size: 9 <= sb->blkszbits <= 16;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_size(sb, value_size); */
bool fingerprint_size(const struct ishare_superblock *sb, uint32_t value_size);

/*@ requires view: view_ok(value);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_form(value); */
bool fingerprint_form(const struct ishare_view *value);

/* inode: one that has a fingerprint. */
/*@ requires readable: \valid_read(inode);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_regular_file(inode); */
bool fingerprint_regular_file(const struct ishare_inode *inode);

/* e: the entry that is the fingerprint. */
/*@ requires readable: \valid_read(sb) && \valid_read(e);
    requires id: sb->ishare_xattr_prefix_id <= 255;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_name_encoding(sb, e); */
bool fingerprint_name_encoding(const struct ishare_superblock *sb, const struct ishare_entry *e);

/* a, b: two regular files of one domain, not necessarily of one image. */
/*@ requires files: \valid_read(a) && \valid_read(b);
    requires values: view_ok(&a->fingerprint) && view_ok(&b->fingerprint);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_same_size(a, b); */
bool fingerprint_same_size(const struct ishare_keyed_file *a, const struct ishare_keyed_file *b);

/* The same, with the digests of what is in them. */
/*@ requires files: \valid_read(a) && \valid_read(b);
    requires values: view_ok(&a->fingerprint) && view_ok(&b->fingerprint);
    requires digests: view_ok(&a->digest) && view_ok(&b->digest);
    requires digest_sizes: a->digest.size == ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE &&
      b->digest.size == ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_same_content(a, b); */
bool fingerprint_same_content(const struct ishare_keyed_file *a, const struct ishare_keyed_file *b);

/*
 * padding: the bytes between the end of a regular file and the end of its last block; empty if that
 * block is full, a hole, or no block of its own.
 */
/*@ requires view: view_ok(padding);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_padding_zero(padding); */
bool fingerprint_padding_zero(const struct ishare_view *padding);

/*
 * digest: the 32 bytes of the SHA-256 of the file's content. True also for values of another form
 * than fingerprint_form().
 */
/*@ requires views: view_ok(value) && view_ok(digest);
    requires digest_size: digest->size == ISHARE_FINGERPRINT_SHA256_DIGEST_SIZE;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> fingerprint_digest(value, digest); */
bool fingerprint_digest(const struct ishare_view *value, const struct ishare_view *digest);

#endif
