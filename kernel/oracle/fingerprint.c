// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The comparison of EROFS with its specification: the key that an inode is
 * shared by.
 */
#include "oracle.h"

static const char domain[] = DIFFERENTIAL_DOMAIN;

/* The value's size, with the value in expected, or an error */
static int expected_fingerprint(struct mounted *m, u32 n)
{
	struct oracle *o = &m->oracle;
	struct ishare_name name;
	int size;

	if (!ishare_has_compat(&o->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS))
		return -EOPNOTSUPP;
	if (!oracle_fingerprint_name(o, &name))
		return ORACLE_UNSPECIFIED;
	size = oracle_lookup(o, &o->inodes[n], &name, m->comparison->expected);
	if (size == ORACLE_UNSPECIFIED)
		return size;
	return size > 0 && fingerprint_size(&o->sb, size) ? size : -EFSCORRUPTED;
}

/* Whether the key is the domain, and what is in expected; want: as from expected_fingerprint() */
static bool is_wanted_key(const struct mounted *m, int err,
			  const struct erofs_inode_fingerprint *fp, int want)
{
	if (err || want <= 0)
		return err == want;
	return fp->size == sizeof(domain) + want && !memcmp(fp->opaque, domain, sizeof(domain)) &&
	       !memcmp(fp->opaque + sizeof(domain), m->comparison->expected, want);
}

/* The key is to be as specified, or as from a kernel with a known quirk. */
int compare_fingerprint(struct mounted *m, u32 n)
{
	struct erofs_inode_fingerprint fp = {};
	struct oracle *o = &m->oracle;
	int err = erofs_xattr_fill_inode_fingerprint(&fp, m->inodes[n], domain);
	int want;

	m->comparison->count.fingerprints++;
	for (o->quirk = ORACLE_AS_SPECIFIED; o->quirk < ORACLE_QUIRKS; o->quirk++) {
		want = expected_fingerprint(m, n);
		if (is_wanted_key(m, err, &fp, want))
			break;
	}
	if (o->quirk == ORACLE_QUIRKS)
		disagree(m, "nid %llu: fingerprint %d, a key of %d bytes, not %d",
			 m->oracle.inodes[n].nid, err, fp.size, want);
	else if (o->quirk)
		m->comparison->count.quirks[o->quirk]++;
	o->quirk = ORACLE_AS_SPECIFIED;
	if (!err)
		kfree(fp.opaque);
	return want;
}
