/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Fingerprints, the xattrs by which files share their page cache: spec/60-fingerprint.md.
 *
 * An inode's fingerprint is its xattr with the name that the long prefix number ishare_xattr_prefix_id spells. These rules
 * are for images with ISHARE_XATTRS in feature_compat. Rule functions return true when the rule holds.
 */
#ifndef ISHARE_FINGERPRINT_H
#define ISHARE_FINGERPRINT_H

#include "types.h"
#include "layout.h"

/* fingerprint.present: a regular file with content has one. @fingerprints: how many it has. */
bool fingerprint_present(const struct ishare_inode *inode, uint32_t fingerprints);

/* fingerprint.single: no inode has more than one. */
bool fingerprint_single(uint32_t fingerprints);

/* fingerprint.size: the value has 1 to block-size bytes. Requires sb.block-size to hold. */
bool fingerprint_size(const struct ishare_superblock *sb, uint32_t value_size);

/* fingerprint.form: the value is `sha256:` and 32 bytes. */
bool fingerprint_form(const struct ishare_view *value);

/* fingerprint.regular-file, for an inode that has a fingerprint: it is a regular file. */
bool fingerprint_regular_file(const struct ishare_inode *inode);

/* fingerprint.name-encoding, for the entry that is a fingerprint: prefix ishare_xattr_prefix_id, and no more name. */
bool fingerprint_name_encoding(const struct ishare_superblock *sb, const struct ishare_entry *e);

/* fingerprint.same-size: files with equal fingerprints have equal i_size. */
bool fingerprint_same_size(const struct ishare_keyed_file *a, const struct ishare_keyed_file *b);

/*
 * fingerprint.digest: a value in the form of fingerprint.form is the SHA-256 of the content, which the caller computed:
 * @digest, 32 bytes. Holds for values of any other form, which say nothing about SHA-256.
 */
bool fingerprint_digest(const struct ishare_view *value, const struct ishare_view *digest);

#endif
