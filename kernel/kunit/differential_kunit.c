// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit comparison of EROFS with its specification: each vector, and each
 * change of the field sweep, is mounted, and what the kernel makes of it is
 * held against what the verified core says (oracle.h).
 *
 * Images with extra devices are mounted without these: then the image counts
 * as one flat device, and what is compared here, all of it metadata, is there.
 */
#include <linux/dcache.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include "erofs_test.h"
#include "oracle.h"
#include "vectors.h"

#define DOMAIN "differential"
#define VALUE_MAX SZ_64K

/*
 * One change of so many is tried. All are in a moment, but not in a kernel that
 * looks for bugs of its own; 29 leaves all kinds of changes in.
 */
static unsigned int stride = IS_ENABLED(CONFIG_KASAN) ? 29 : 1;
module_param(stride, uint, 0444);
MODULE_PARM_DESC(stride, "try every so manyth change of the field sweep");

/* A key that has a shared inode, and what else must be equal */
struct key {
	u8 *value;
	int size;
	u64 i_size;
	bool compressed;
	struct inode *shared;
};

/* An image, mounted, with all inodes that the oracle knows */
struct mounted {
	struct vfsmount *mnt;
	struct oracle oracle;
	struct inode *inodes[ORACLE_INODES];
	u8 *image;
	struct key keys[ORACLE_INODES];
	unsigned int nr_keys;
};

static struct {
	unsigned int images, refused, inodes, refused_inodes, lookups, lists;
	unsigned int fingerprints, shared, not_shared, disagreements;
} count;

/* What the specification leaves open, and how often that was met */
enum { OPEN_CONFIG, OPEN_TABLE, OPEN_INODE, OPEN_NAMES, OPEN_SHARED, OPEN_ENTRIES, OPEN_COUNT };

static const char *const open_words[] = {
	[OPEN_CONFIG] = "mounts that depend on compression configurations",
	[OPEN_TABLE] = "mounts that depend on a prefix table in data that cannot be read",
	[OPEN_INODE] = "inodes compressed, in a metabox that cannot be read, or beyond 64 bits",
	[OPEN_NAMES] = "inodes whose xattrs have no names, for want of a whole prefix table",
	[OPEN_SHARED] = "look-ups of shared xattrs in a metabox that cannot be read",
	[OPEN_ENTRIES] = "images with directories whose entries are not all known",
};

static unsigned int opens[OPEN_COUNT];

/* Where the kernel differs for a reason that is known, and how often it did */
enum { KNOWN_SHARED_SPACE, KNOWN_STALE_PAGE, KNOWN_COUNT };

static const char *const known_words[] = {
	[KNOWN_SHARED_SPACE] =
		"xattr.shared-id: without the metabox that SHARED_EA_IN_METABOX means, looks that do not end inline are EFSCORRUPTED for inodes without shared xattrs, too",
	[KNOWN_STALE_PAGE] =
		"finding metabox-stale-page: shared xattrs are looked for in a page of the metabox, where they are in one of the image with the same index",
};

static unsigned int knowns[KNOWN_COUNT];

static bool known(unsigned int which, bool applies)
{
	knowns[which] += applies;
	return applies;
}

/* The base images, all of them all the time, and behind them the one under test */
static struct mounted **mounted;
static bool bases_mounted;
static struct kunit *running;
static u8 *got, *expected;
static const char *about; /* the image */
static unsigned long taints;

static const struct ishare_profile profile = {
	.page_bits = PAGE_SHIFT,
	.unknown_compat = ~(2u * EROFS_FEATURE_COMPAT_ISHARE_XATTRS - 1),
	.unknown_incompat = ~(u32)EROFS_ALL_FEATURE_INCOMPAT,
};

static __printf(1, 2) void disagree(const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	count.disagreements++;
	va_start(args, fmt);
	vaf.va = &args;
	KUNIT_FAIL(running, "%s: %pV", about, &vaf);
	va_end(args);
}

/* ---- Verdicts ---- */

static bool one_of(const int *errors, int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rule_consequences->must); i++)
		if (errors[i] && errors[i] == err)
			return true;
	return false;
}

static bool explained(const unsigned long *broken, int err, bool access)
{
	unsigned int rule;

	for_each_set_bit(rule, broken, ISHARE_RULE_COUNT) {
		const struct rule_consequence *c = &rule_consequences[rule];

		if (access ? one_of(c->access, err) : one_of(c->must, err) || one_of(c->may, err))
			return true;
	}
	return false;
}

/* The first rule that makes a mount fail, or an access; NULL: none does */
static const char *forbidding(const unsigned long *broken, bool access)
{
	unsigned int rule;

	for_each_set_bit(rule, broken, ISHARE_RULE_COUNT)
		if (access ? rule_consequences[rule].access[0] : rule_consequences[rule].must[0])
			return rule_consequences[rule].name;
	return NULL;
}

static bool inode_explains(const struct oracle_inode *i, int err)
{
	return i->unspecified || explained(i->broken, err, true) ||
	       explained(i->doubtful, err, true);
}

static bool refusal_explained(const struct oracle *o, int err)
{
	u32 i;

	if (explained(o->broken, err, false))
		return true;
	for (i = 0; i < o->nr_mounted; i++)
		if (inode_explains(&o->inodes[i], err))
			return true;
	return false;
}

static const char *refusal_owed(const struct oracle *o)
{
	const char *rule = forbidding(o->broken, false);
	u32 i;

	for (i = 0; !rule && i < o->nr_mounted; i++)
		if (!o->inodes[i].unspecified)
			rule = forbidding(o->inodes[i].broken, true);
	return rule;
}

static void compare_verdict(const struct oracle *o, int err)
{
	const char *owed = refusal_owed(o);

	opens[OPEN_CONFIG] += o->config_open;
	opens[OPEN_TABLE] += o->table_open;
	if (o->config_open || o->table_open)
		return;
	if (!err && owed)
		disagree("mounted, although %s is broken", owed);
	else if (err && !refusal_explained(o, err))
		disagree("mount fails with %d, which no broken rule explains (%s)", err,
			 owed ?: "none is broken");
}

/* ---- Prefixes ---- */

static void compare_prefixes(struct mounted *m)
{
	struct erofs_sb_info *sbi = EROFS_SB(m->mnt->mnt_sb);
	struct oracle *o = &m->oracle;
	struct ishare_prefix p;
	u32 i;

	if (sbi->xattr_prefix_count != o->sb.xattr_prefix_count)
		disagree("%u prefixes, not %u", sbi->xattr_prefix_count, o->sb.xattr_prefix_count);
	for (i = 0; i < o->prefixes && oracle_prefix(o, i, &p); i++) {
		struct erofs_xattr_prefix_item *item = &sbi->xattr_prefixes[i];

		if (item->prefix->base_index != p.base_index || item->infix_len != p.infix_size ||
		    memcmp(item->prefix->infix, o->table.data + p.infix, p.infix_size))
			disagree("prefix %u is %u:%.*s", i, item->prefix->base_index,
				 item->infix_len, item->prefix->infix);
	}
}

/* ---- Inodes ---- */

static void compare_fields(const struct oracle_inode *i, struct inode *inode)
{
	const struct erofs_inode *vi = EROFS_I(inode);

	if (inode->i_mode != i->inode.mode)
		disagree("nid %llu: mode %o, not %o", i->nid, inode->i_mode, i->inode.mode);
	if (i_size_read(inode) != i->inode.size)
		disagree("nid %llu: size %lld, not %llu", i->nid, i_size_read(inode),
			 i->inode.size);
	if (inode->i_nlink != i->inode.nlink)
		disagree("nid %llu: nlink %u, not %u", i->nid, inode->i_nlink, i->inode.nlink);
	if (vi->inode_isize != i->inode.isize || vi->xattr_isize != i->inode.xattr_isize)
		disagree("nid %llu: inode of %u bytes and xattrs of %u, not %u and %u", i->nid,
			 vi->inode_isize, vi->xattr_isize, i->inode.isize, i->inode.xattr_isize);
	if (vi->datalayout != i->inode.data_layout)
		disagree("nid %llu: layout %u, not %u", i->nid, vi->datalayout,
			 i->inode.data_layout);
}

static void compare_inode(const struct oracle_inode *i, struct inode *inode)
{
	int err = PTR_ERR_OR_ZERO(inode);
	const char *owed = forbidding(i->broken, true);

	count.inodes++;
	count.refused_inodes += !!err;
	if (err && !inode_explains(i, err))
		disagree("nid %llu cannot be read (%d), which no broken rule explains (%s)", i->nid,
			 err, owed ?: "none is broken");
	else if (!err && owed && !i->unspecified)
		disagree("nid %llu is read, although %s is broken", i->nid, owed);
	else if (!err && i->decoded)
		compare_fields(i, inode);
	opens[OPEN_INODE] += i->unspecified;
}

/* ---- Xattrs ---- */

static const struct xattr_handler *handler_of(unsigned int base_index)
{
	const struct xattr_handler *const *h;

	for (h = erofs_xattr_handlers; *h; h++)
		if ((*h)->flags == base_index)
			return *h;
	return NULL;
}

static bool shared_in_metabox(const struct mounted *m)
{
	return ishare_has_compat(&m->oracle.sb, ISHARE_FEATURE_COMPAT_SHARED_EA_IN_METABOX);
}

/* Whether a look at inode @n is known to go wrong at the shared xattrs */
static bool known_at_shared(const struct mounted *m, u32 n, int err)
{
	bool in_metabox = erofs_inode_in_metabox(m->inodes[n]);

	if (!m->oracle.metabox.there)
		return known(KNOWN_SHARED_SPACE, shared_in_metabox(m) && err == -EFSCORRUPTED);
	return known(KNOWN_STALE_PAGE, shared_in_metabox(m) != in_metabox &&
					       EROFS_I(m->inodes[n])->xattr_shared_count);
}

/* The kernel's names are strings: what follows a NUL does not count. */
static void compare_lookup(struct mounted *m, u32 n, u32 base_index, const char *string)
{
	const struct xattr_handler *handler = handler_of(base_index);
	struct ishare_name name = {
		.base_index = base_index,
		.bytes = { (const u8 *)string, strlen(string) },
	};
	int have, owed;

	if (!handler)
		return;
	owed = oracle_lookup(&m->oracle, &m->oracle.inodes[n], &name, expected);
	have = handler->get(handler, NULL, m->inodes[n], string, got, VALUE_MAX);
	count.lookups++;
	if (owed == ORACLE_UNSPECIFIED) {
		opens[OPEN_SHARED]++;
		return;
	}
	if (have != owed && !known_at_shared(m, n, have))
		disagree("nid %llu: %s%s is %d, not %d", m->oracle.inodes[n].nid, handler->prefix,
			 string, have, owed);
	else if (have == owed && have > 0 && memcmp(got, expected, have))
		disagree("nid %llu: %s%s has another value", m->oracle.inodes[n].nid,
			 handler->prefix, string);
}

/* All names that the inode has, one with more and one with less */
static void compare_own_names(struct mounted *m, u32 n, struct oracle_xattr *x)
{
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

/* The list of names that is owed, in expected; its size, or an error */
static int owed_list(struct mounted *m, u32 n, struct oracle_xattr *x)
{
	struct oracle_walk w;
	int len = 0, ret;

	ret = oracle_walk_start(&w, &m->oracle, &m->oracle.inodes[n]);
	while (!ret && (ret = oracle_walk_next(&w, x)) > 0) {
		const char *prefix =
			x->named ? listed_as(m->mnt->mnt_sb, x->name.base_index) : NULL;

		ret = 0;
		if (!prefix)
			continue;
		if (!x->name_there) {
			ret = -EIO;
			break;
		}
		if (len + sizeof(x->bytes) + 32 > VALUE_MAX) {
			ret = -ERANGE;
			break;
		}
		len += sprintf(expected + len, "%s", prefix);
		memcpy(expected + len, x->bytes, x->name.bytes.size);
		len += x->name.bytes.size;
		expected[len++] = '\0';
	}
	oracle_walk_end(&w);
	return ret && ret != -ENODATA ? ret : len;
}

static void compare_list(struct mounted *m, u32 n, struct oracle_xattr *x)
{
	struct dentry *dentry = d_obtain_alias(igrab(m->inodes[n]));
	int have, owed = owed_list(m, n, x);

	if (IS_ERR(dentry)) {
		disagree("no dentry: %ld", PTR_ERR(dentry));
		return;
	}
	have = erofs_listxattr(dentry, got, VALUE_MAX);
	dput(dentry);
	count.lists++;
	if (owed == ORACLE_UNSPECIFIED) {
		opens[OPEN_SHARED]++;
		return;
	}
	if (have != owed && !known_at_shared(m, n, have))
		disagree("nid %llu: list of names is %d, not %d", m->oracle.inodes[n].nid, have,
			 owed);
	else if (have == owed && have > 0 && memcmp(got, expected, have))
		disagree("nid %llu: another list of names", m->oracle.inodes[n].nid);
}

static void compare_xattrs(struct mounted *m, u32 n)
{
	struct oracle_xattr *x = kmalloc_obj(*x, GFP_KERNEL | __GFP_NOFAIL);

	compare_own_names(m, n, x);
	compare_lookup(m, n, EROFS_XATTR_INDEX_USER, "absent");
	compare_lookup(m, n, EROFS_XATTR_INDEX_TRUSTED, "absent");
	compare_lookup(m, n, EROFS_XATTR_INDEX_SECURITY, "");
	compare_list(m, n, x);
	kfree(x);
}

/* ---- Fingerprints and sharing ---- */

static bool has_feature(const struct oracle *o)
{
	return ishare_has_compat(&o->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS);
}

/* The value's size, with the value in expected, or an error */
static int owed_fingerprint(struct mounted *m, u32 n)
{
	struct oracle *o = &m->oracle;
	struct ishare_name name;
	int size;

	if (!has_feature(o))
		return -EOPNOTSUPP;
	if (!oracle_fingerprint_name(o, &name))
		return ORACLE_UNSPECIFIED;
	size = oracle_lookup(o, &o->inodes[n], &name, expected);
	if (size == ORACLE_UNSPECIFIED)
		return size;
	return size > 0 && fingerprint_size(&o->sb, size) ? size : -EFSCORRUPTED;
}

/* Return: as owed_fingerprint() */
static int compare_fingerprint(struct mounted *m, u32 n)
{
	struct erofs_inode_fingerprint fp = {};
	int owed = owed_fingerprint(m, n);
	int err;

	err = erofs_xattr_fill_inode_fingerprint(&fp, m->inodes[n], DOMAIN);
	count.fingerprints++;
	if (owed == ORACLE_UNSPECIFIED)
		opens[OPEN_SHARED]++;
	else if (err != min(owed, 0))
		disagree("nid %llu: fingerprint %d, not %d", m->oracle.inodes[n].nid, err,
			 min(owed, 0));
	else if (!err &&
		 (fp.size != sizeof(DOMAIN) + owed || memcmp(fp.opaque, DOMAIN, sizeof(DOMAIN)) ||
		  memcmp(fp.opaque + sizeof(DOMAIN), expected, owed)))
		disagree("nid %llu: another key of %d bytes", m->oracle.inodes[n].nid, fp.size);
	if (!err)
		kfree(fp.opaque);
	return owed;
}

static struct key *find_key(const u8 *value, int size)
{
	unsigned int i, k;

	for (i = 0; i <= vector_base_count; i++)
		for (k = 0; k < mounted[i]->nr_keys; k++)
			if (mounted[i]->keys[k].size == size &&
			    !memcmp(mounted[i]->keys[k].value, value, size))
				return &mounted[i]->keys[k];
	return NULL;
}

static bool shared_by_other_key(const struct inode *shared)
{
	unsigned int i, k;

	for (i = 0; i <= vector_base_count; i++)
		for (k = 0; k < mounted[i]->nr_keys; k++)
			if (mounted[i]->keys[k].shared == shared)
				return true;
	return false;
}

static void add_key(struct mounted *m, const struct oracle_inode *i, int size, struct inode *shared)
{
	m->keys[m->nr_keys++] = (struct key){
		.value = kmemdup(expected, size, GFP_KERNEL | __GFP_NOFAIL),
		.size = size,
		.i_size = i->inode.size,
		.compressed = ishare_inode_is_compressed(&i->inode),
		.shared = shared,
	};
}

/*
 * Rules share.key, share.size-match and share.data-path-match: the first inode
 * with a key makes the shared inode, the others share it if they can.
 */
static void compare_sharing(struct mounted *m, u32 n, int size)
{
	const struct oracle_inode *i = &m->oracle.inodes[n];
	struct dentry *dentry = EROFS_I(m->inodes[n])->sharedentry;
	struct inode *shared = dentry ? d_inode(dentry) : NULL;
	struct key *key;

	if (size == ORACLE_UNSPECIFIED)
		return;
	if (size <= 0 || !ishare_inode_is_regular(&i->inode)) {
		count.not_shared++;
		if (shared)
			disagree("nid %llu shares, without a fingerprint", i->nid);
		return;
	}
	key = find_key(expected, size);
	if (!key) {
		count.shared++;
		if (!shared || shared_by_other_key(shared))
			disagree("nid %llu has not a shared inode of its own", i->nid);
		add_key(m, i, size, shared);
	} else if (key->i_size == i->inode.size &&
		   key->compressed == ishare_inode_is_compressed(&i->inode)) {
		count.shared++;
		if (shared != key->shared)
			disagree("nid %llu does not share", i->nid);
	} else {
		count.not_shared++;
		if (shared)
			disagree("nid %llu shares with one that is not like it", i->nid);
	}
}

/* ---- Images ---- */

static void compare_inodes(struct mounted *m)
{
	u32 n;

	for (n = 0; n < m->oracle.nr_inodes; n++) {
		const struct oracle_inode *i = &m->oracle.inodes[n];

		m->inodes[n] = erofs_iget(m->mnt->mnt_sb, i->nid);
		compare_inode(i, m->inodes[n]);
		if (IS_ERR(m->inodes[n]) || !i->decoded)
			continue;
		if (!m->oracle.prefixes_known) {
			opens[OPEN_NAMES]++;
			continue;
		}
		compare_xattrs(m, n);
		/* last, as it leaves the fingerprint in expected */
		compare_sharing(m, n, compare_fingerprint(m, n));
	}
}

static u8 *fetch_from(struct inode *inode, u64 *size)
{
	struct erofs_buf buf = { .mapping = inode->i_mapping };
	u8 *copy;
	u64 at;

	*size = i_size_read(inode);
	if (*size > VALUE_MAX)
		return NULL;
	copy = kvzalloc(round_up(max(*size, 1), PAGE_SIZE), GFP_KERNEL | __GFP_NOFAIL);
	for (at = 0; at < *size; at += PAGE_SIZE) {
		void *page = erofs_bread(&buf, at, true);

		if (IS_ERR(page)) {
			kvfree(copy);
			copy = NULL;
			break;
		}
		memcpy(copy + at, page, PAGE_SIZE);
	}
	erofs_put_metabuf(&buf);
	return copy;
}

/* Compressed metadata, as this kernel decompresses it: see oracle_judge() */
static u8 *fetch(void *context, bool metabox, u64 *size)
{
	struct mounted *m = context;
	struct erofs_sb_info *sbi;
	struct inode *inode;

	if (IS_ERR(m->mnt))
		return NULL;
	sbi = EROFS_SB(m->mnt->mnt_sb);
	inode = metabox ? sbi->metabox_inode : sbi->packed_inode;
	return inode ? fetch_from(inode, size) : NULL;
}

static const struct erofs_test_options sharing = {
	.inode_share = true,
	.domain_id = DOMAIN,
};

static void mount_and_compare(struct mounted *m, const char *name, u8 *image, size_t size)
{
	int err;

	about = name;
	m->image = image;
	m->mnt = erofs_test_mount(image, size, &sharing);
	err = PTR_ERR_OR_ZERO(m->mnt);
	m->oracle.fetch = fetch;
	m->oracle.context = m;
	oracle_judge(&m->oracle, image, size, &profile);
	count.images++;
	count.refused += !!err;
	compare_verdict(&m->oracle, err);
	if (err)
		return;
	opens[OPEN_ENTRIES] += !m->oracle.inodes_complete;
	compare_prefixes(m);
	compare_inodes(m);
}

static void unmount(struct mounted *m)
{
	u32 n;

	if (!m->image)
		return;
	for (n = 0; !IS_ERR(m->mnt) && n < m->oracle.nr_inodes; n++)
		if (!IS_ERR_OR_NULL(m->inodes[n]))
			iput(m->inodes[n]);
	memset(m->inodes, 0, sizeof(m->inodes));
	while (m->nr_keys)
		kfree(m->keys[--m->nr_keys].value);
	if (!IS_ERR(m->mnt))
		erofs_test_umount(m->mnt);
	oracle_free(&m->oracle);
	kvfree(m->image);
	m->image = NULL;
}

static u8 *make_image(u32 base, u32 size, u32 first, u32 nr)
{
	const struct vector_edit *e = &vector_edits[first];
	u8 *image = kvzalloc(round_up(max(size, 1), PAGE_SIZE), GFP_KERNEL | __GFP_NOFAIL);

	memcpy(image, vector_bases[base].data, min(size, vector_bases[base].size));
	for (; nr--; e++)
		memcpy(image + e->at, vector_bytes + e->bytes, e->size);
	return image;
}

/* Whether the kernel has complained: at the image at fault, not at the end */
static void conclude(void)
{
	if (get_taint() != taints)
		KUNIT_FAIL(running, "the kernel has complained: see its log");
	taints = get_taint();
}

static struct mounted *under_test(void)
{
	return mounted[vector_base_count];
}

static void begin(struct kunit *test)
{
	u32 i;

	running = test;
	if (bases_mounted)
		return;
	for (i = 0; i < vector_base_count; i++)
		mount_and_compare(mounted[i], vector_bases[i].name,
				  make_image(i, vector_bases[i].size, 0, 0),
				  round_up(vector_bases[i].size, PAGE_SIZE));
	bases_mounted = true;
}

/* ---- Vectors ---- */

static const void *vector_gen_params(struct kunit *test, const void *prev, char *desc)
{
	const struct vector *v = prev;

	if (!v)
		kunit_register_params_array(test, vectors, vector_count, NULL);
	v = v ? v + 1 : vectors;
	if (v == vectors + vector_count)
		return NULL;
	strscpy(desc, v->name, KUNIT_PARAM_DESC_SIZE);
	return v;
}

/* A vector that fails a rule must be refused as the rule says, if it says so. */
static void compare_claim(const struct vector *v, int err)
{
	const struct rule_consequence *c = &rule_consequences[v->rule];

	if (v->kind == VECTOR_FAILS && c->must[0] && !err)
		disagree("%s is broken, but the image is mounted", c->name);
}

static void differential_vector(struct kunit *test)
{
	const struct vector *v = test->param_value;

	begin(test);
	mount_and_compare(under_test(), v->name, make_image(v->base, v->size, v->first, v->count),
			  round_up(max(v->size, 1), PAGE_SIZE));
	compare_claim(v, PTR_ERR_OR_ZERO(under_test()->mnt));
	unmount(under_test());
	conclude();
}

/* ---- The field sweep ---- */

static const void *field_gen_params(struct kunit *test, const void *prev, char *desc)
{
	const struct sweep_field *f = prev;

	if (!f)
		kunit_register_params_array(test, sweep_fields, sweep_field_count, NULL);
	f = f ? f + 1 : sweep_fields;
	if (f == sweep_fields + sweep_field_count)
		return NULL;
	strscpy(desc, f->name, KUNIT_PARAM_DESC_SIZE);
	return f;
}

static void differential_sweep(struct kunit *test)
{
	const struct sweep_field *f = test->param_value;
	char name[128];
	u32 i;

	begin(test);
	for (i = DIV_ROUND_UP(f->first, stride) * stride; i < f->first + f->count; i += stride) {
		const struct sweep_change *c = &sweep_changes[i];

		snprintf(name, sizeof(name), "%s/%s.%s", vector_bases[c->base].name, c->where,
			 c->verb);
		mount_and_compare(under_test(), name,
				  make_image(c->base, c->size, c->first, c->count),
				  round_up(max(c->size, 1), PAGE_SIZE));
		unmount(under_test());
	}
	conclude();
}

/* ---- How fast, and how much ---- */

/* Mount, read the root directory's xattrs, unmount: without any comparison */
static void differential_rate(struct kunit *test)
{
	unsigned int i, rounds = stride > 1 ? 64 : 4 * vector_count;
	ktime_t start = ktime_get();
	u64 us;

	for (i = 0; i < rounds; i++) {
		const struct vector *v = &vectors[i % vector_count];
		u8 *image = make_image(v->base, v->size, v->first, v->count);
		struct vfsmount *mnt;

		mnt = erofs_test_mount(image, round_up(max(v->size, 1), PAGE_SIZE), &sharing);
		if (!IS_ERR(mnt)) {
			erofs_listxattr(mnt->mnt_root, got, VALUE_MAX);
			erofs_test_umount(mnt);
		}
		kvfree(image);
	}
	us = ktime_us_delta(ktime_get(), start);
	kunit_info(test, "%u mounts in %llu ms: %llu a second", rounds, us / 1000,
		   (u64)rounds * USEC_PER_SEC / max(us, 1));
}

static void differential_counts(struct kunit *test)
{
	unsigned int i;

	kunit_info(test, "of the sweep's changes, one of %u was tried", stride);
	kunit_info(test, "images: %u, refused: %u", count.images, count.refused);
	kunit_info(test, "inodes: %u, refused: %u", count.inodes, count.refused_inodes);
	kunit_info(test, "lookups: %u, lists: %u, fingerprints: %u", count.lookups, count.lists,
		   count.fingerprints);
	kunit_info(test, "files that share: %u, others: %u", count.shared, count.not_shared);
	kunit_info(test, "disagreements: %u", count.disagreements);
	for (i = 0; i < OPEN_COUNT; i++)
		kunit_info(test, "not specified: %u %s", opens[i], open_words[i]);
	for (i = 0; i < KNOWN_COUNT; i++)
		kunit_info(test, "known divergence, %u times: %s", knowns[i], known_words[i]);
	KUNIT_EXPECT_GT(test, count.images, count.refused);
	KUNIT_EXPECT_GT(test, count.refused, 0);
	KUNIT_EXPECT_GT(test, count.lookups, 0);
	KUNIT_EXPECT_GT(test, count.shared, 0);
	KUNIT_EXPECT_GT(test, count.not_shared, 0);
}

static void free_all(void)
{
	u32 i;

	for (i = 0; mounted && i <= vector_base_count; i++)
		kvfree(mounted[i]);
	kfree(mounted);
	kvfree(got);
	kvfree(expected);
}

static bool allocate_all(void)
{
	u32 i;

	got = kvmalloc(VALUE_MAX, GFP_KERNEL);
	/* a value of the oracle's is as large as an entry can be */
	expected = kvmalloc(ISHARE_XATTR_ENTRY_MAX, GFP_KERNEL);
	mounted = kcalloc(vector_base_count + 1, sizeof(*mounted), GFP_KERNEL);
	for (i = 0; mounted && i <= vector_base_count; i++) {
		mounted[i] = kvzalloc_obj(*mounted[i]);
		if (!mounted[i])
			return false;
	}
	return got && expected && mounted;
}

static int differential_init(struct kunit_suite *suite)
{
	if (!allocate_all()) {
		free_all();
		return -ENOMEM;
	}
	taints = get_taint();
	return erofs_test_suite_init(suite);
}

static void differential_exit(struct kunit_suite *suite)
{
	u32 i;

	for (i = 0; i < vector_base_count; i++)
		unmount(mounted[i]);
	bases_mounted = false;
	erofs_test_suite_exit(suite);
	free_all();
}

static struct kunit_case differential_test_cases[] = {
	KUNIT_CASE_PARAM(differential_vector, vector_gen_params),
	KUNIT_CASE_PARAM_ATTR(differential_sweep, field_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(differential_rate),
	KUNIT_CASE(differential_counts),
	{}
};

static struct kunit_suite differential_test_suite = {
	.name = "erofs_differential",
	.suite_init = differential_init,
	.suite_exit = differential_exit,
	.test_cases = differential_test_cases,
};

kunit_test_suite(differential_test_suite);

MODULE_DESCRIPTION("KUnit comparison of EROFS with its specification");
MODULE_LICENSE("GPL");
