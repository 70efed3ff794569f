// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The comparison of EROFS with its specification: the xattrs of inodes.
 */
#include <linux/dcache.h>
#include "oracle.h"

static const struct xattr_handler *handler_of(unsigned int base_index)
{
	const struct xattr_handler *const *h;

	for (h = erofs_xattr_handlers; *h; h++)
		if ((*h)->flags == base_index)
			return *h;
	return NULL;
}

static const char *listed_as(const struct super_block *sb, u32 base_index)
{
	const struct xattr_handler *handler = handler_of(base_index);

	if (handler)
		return handler->prefix;
	if (!(sb->s_flags & SB_POSIXACL))
		return NULL;
	switch (base_index) {
	case EROFS_XATTR_INDEX_POSIX_ACL_ACCESS:
		return XATTR_NAME_POSIX_ACL_ACCESS;
	case EROFS_XATTR_INDEX_POSIX_ACL_DEFAULT:
		return XATTR_NAME_POSIX_ACL_DEFAULT;
	default:
		return NULL;
	}
}

static int append_names(struct mounted *m, struct oracle_walk *w, struct oracle_xattr *x)
{
	u8 *expected = m->comparison->expected;
	int len = 0, ret;

	while ((ret = oracle_walk_next(w, x)) > 0) {
		const char *prefix =
			x->named ? listed_as(m->mnt->mnt_sb, x->name.base_index) : NULL;

		if (!prefix)
			continue;
		if (!x->name_there)
			return -EIO;
		if (len + sizeof(x->bytes) + 32 > VALUE_MAX)
			return -ERANGE;
		len += sprintf(expected + len, "%s", prefix);
		memcpy(expected + len, x->bytes, x->name.bytes.size);
		len += x->name.bytes.size;
		expected[len++] = '\0';
	}
	return ret ?: len;
}

static int expected_list(struct mounted *m, u32 n)
{
	struct oracle_xattr *x = kmalloc_obj(*x, GFP_KERNEL | __GFP_NOFAIL);
	struct oracle_walk w;
	int ret;

	ret = oracle_walk_start(&w, &m->oracle, &m->oracle.inodes[n]);
	if (!ret)
		ret = append_names(m, &w, x);
	oracle_walk_end(&w);
	kfree(x);
	return ret == -ENODATA ? 0 : ret;
}

/* What a look-up should return, with the value in expected; without a name: a list, likewise */
static int expected_result(struct mounted *m, u32 n, const struct ishare_name *name)
{
	if (!name)
		return expected_list(m, n);
	return oracle_lookup(&m->oracle, &m->oracle.inodes[n], name, m->comparison->expected);
}

/* Whether have and what is in got are as want and what is in expected */
static bool same(const struct comparison *c, int have, int want)
{
	return have == want && (have <= 0 || !memcmp(c->got, c->expected, have));
}

/* Whether the result is as specified, or as from a kernel with a known quirk */
static bool as_expected(struct mounted *m, u32 n, const struct ishare_name *name, int have,
			int *want)
{
	struct oracle *o = &m->oracle;
	bool found = false;

	*want = expected_result(m, n, name);
	if (same(m->comparison, have, *want))
		return true;
	for (o->quirk = 1; o->quirk < ORACLE_QUIRKS; o->quirk++) {
		found = same(m->comparison, have, expected_result(m, n, name));
		m->comparison->count.quirks[o->quirk] += found;
		if (found)
			break;
	}
	o->quirk = ORACLE_AS_SPECIFIED;
	return found;
}

/*
 * The kernel's names are strings: what follows a NUL does not count. There is no
 * way to ask for a name with a base index that has no handler.
 */
static void compare_lookup(struct mounted *m, u32 n, u32 base_index, const char *string)
{
	const struct xattr_handler *handler = handler_of(base_index);
	struct ishare_name name = {
		.base_index = base_index,
		.bytes = { (const u8 *)string, strlen(string) },
	};
	int have, want;

	if (!handler)
		return;
	have = handler->get(handler, NULL, m->inodes[n], string, m->comparison->got, VALUE_MAX);
	m->comparison->count.lookups++;
	if (!as_expected(m, n, &name, have, &want))
		disagree(m, "nid %llu: %s%s is %d, not %d, or another value",
			 m->oracle.inodes[n].nid, handler->prefix, string, have, want);
}

/* All names that the inode has, one with more and one with less */
static void compare_own_names(struct mounted *m, u32 n)
{
	struct oracle_xattr *x = kmalloc_obj(*x, GFP_KERNEL | __GFP_NOFAIL);
	const struct oracle_inode *i = &m->oracle.inodes[n];
	char name[sizeof(x->bytes) + 2];
	struct oracle_walk w;
	int ret;

	ret = oracle_walk_start(&w, &m->oracle, i);
	while (!ret && (ret = oracle_walk_next(&w, x)) > 0) {
		size_t len = x->name.bytes.size;

		ret = 0;
		if (!x->named)
			continue;
		memcpy(name, x->bytes, len);
		name[len] = '\0';
		compare_lookup(m, n, x->name.base_index, name);
		if (!len)
			continue;
		name[len - 1] ^= 1;
		compare_lookup(m, n, x->name.base_index, name);
		name[len - 1] = '\0';
		compare_lookup(m, n, x->name.base_index, name);
	}
	oracle_walk_end(&w);
	kfree(x);
}

static void compare_list(struct mounted *m, u32 n)
{
	struct dentry *dentry = d_obtain_alias(igrab(m->inodes[n]));
	int have, want;

	if (IS_ERR(dentry)) {
		disagree(m, "no dentry: %ld", PTR_ERR(dentry));
		return;
	}
	have = erofs_listxattr(dentry, m->comparison->got, VALUE_MAX);
	dput(dentry);
	m->comparison->count.lists++;
	if (!as_expected(m, n, NULL, have, &want))
		disagree(m, "nid %llu: list of names is %d, not %d, or has other names",
			 m->oracle.inodes[n].nid, have, want);
}

void compare_xattrs(struct mounted *m, u32 n)
{
	compare_own_names(m, n);
	compare_lookup(m, n, EROFS_XATTR_INDEX_USER, "absent");
	compare_lookup(m, n, EROFS_XATTR_INDEX_TRUSTED, "absent");
	compare_lookup(m, n, EROFS_XATTR_INDEX_SECURITY, "");
	compare_list(m, n);
}
