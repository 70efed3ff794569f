// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit comparison of EROFS with its specification: each vector, and each
 * change of the field sweep, is mounted, and what the kernel makes of it is
 * compared with the verified core (oracle.h).
 *
 * Images with extra devices are mounted without these: then the image counts
 * as one flat device, and what is compared here, all of it metadata, is there.
 */
#include <linux/ktime.h>
#include <linux/panic.h>
#include "erofs_test.h"
#include "oracle.h"
#include "vectors.h"

/*
 * All changes are tried in a moment, but not in a kernel that looks for bugs of
 * its own: there, each field's first change of each kind, and one of so many.
 */
static unsigned int stride = IS_ENABLED(CONFIG_KASAN) ? 29 : 1;
module_param(stride, uint, 0444);
MODULE_PARM_DESC(stride, "try one of so many changes of each field, and one of each kind");

/* A key that has a shared inode, and what else must be equal */
struct key {
	u8 *value;
	int size;
	u64 i_size;
	bool compressed;
	struct inode *shared;
};

/* An image, and the keys of its inodes */
struct subject {
	struct mounted mounted;
	struct key keys[ORACLE_INODES];
	unsigned int nr_keys;
};

/* The state of the suite */
struct differential {
	struct kunit *test; /* the one that runs */
	unsigned long taints;
	struct comparison comparison;
	struct {
		unsigned int images, refused, shared, not_shared, fields, kinds, changes;
		unsigned int disagreements, open_entries, deadly;
	} count;
	bool bases_mounted;
	/* The base images, all of them all the time, and behind them the one under test */
	struct subject subjects[];
};

static const char *const open_words[OPEN_COUNT] = {
	[OPEN_CONFIG] = "mounts that depend on compression configurations",
	[OPEN_TABLE] = "mounts that depend on a prefix table in data that cannot be read",
	[OPEN_INODE] = "inodes compressed, in a metabox that cannot be read, or beyond 64 bits",
};

static const char *const quirk_words[ORACLE_QUIRKS] = {
	[ORACLE_EMPTY_SHARED] =
		"xattr.shared-id: without the metabox that SHARED_EA_IN_METABOX means, looks that do not end inline are EFSCORRUPTED for inodes without shared xattrs, too",
	[ORACLE_STALE_PAGE] =
		"finding metabox-stale-page: shared xattrs are looked for in a page of the metabox, where they are in one of the image with the same index",
};

static struct differential *state_of(struct mounted *m)
{
	return container_of(m->comparison, struct differential, comparison);
}

void disagree(struct mounted *m, const char *fmt, ...)
{
	struct differential *d = state_of(m);
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	d->count.disagreements++;
	va_start(args, fmt);
	vaf.va = &args;
	KUNIT_FAIL(d->test, "%s: %pV", m->name, &vaf);
	va_end(args);
}

/* ---- Sharing ---- */

static struct subject *under_test(struct differential *d)
{
	return &d->subjects[vector_base_count];
}

/* The key in expected, or else one with this shared inode; NULL: there is none */
static struct key *find_key(struct differential *d, int size, const struct inode *shared)
{
	const u8 *expected = d->comparison.expected;
	struct subject *s;
	struct key *key;

	for (s = d->subjects; s <= under_test(d); s++) {
		for (key = s->keys; key < s->keys + s->nr_keys; key++) {
			if (shared && key->shared == shared)
				return key;
			if (!shared && key->size == size && !memcmp(key->value, expected, size))
				return key;
		}
	}
	return NULL;
}

static void add_key(struct subject *s, const struct oracle_inode *i, int size, struct inode *shared)
{
	const u8 *expected = s->mounted.comparison->expected;

	s->keys[s->nr_keys++] = (struct key){
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
static void compare_sharing(struct subject *s, u32 n, int size)
{
	struct mounted *m = &s->mounted;
	struct differential *d = state_of(m);
	const struct oracle_inode *i = &m->oracle.inodes[n];
	struct dentry *dentry = EROFS_I(m->inodes[n])->sharedentry;
	struct inode *shared = dentry ? d_inode(dentry) : NULL;
	struct key *key;

	if (size <= 0 || !ishare_inode_is_regular(&i->inode)) {
		d->count.not_shared++;
		if (shared)
			disagree(m, "nid %llu shares, without a fingerprint", i->nid);
		return;
	}
	key = find_key(d, size, NULL);
	if (!key) {
		d->count.shared++;
		if (!shared || find_key(d, 0, shared))
			disagree(m, "nid %llu has not a shared inode of its own", i->nid);
		add_key(s, i, size, shared);
	} else if (key->i_size == i->inode.size &&
		   key->compressed == ishare_inode_is_compressed(&i->inode)) {
		d->count.shared++;
		if (shared != key->shared)
			disagree(m, "nid %llu does not share", i->nid);
	} else {
		d->count.not_shared++;
		if (shared)
			disagree(m, "nid %llu shares with one that is not like it", i->nid);
	}
}

/* ---- Images ---- */

static void compare_inodes(struct subject *s)
{
	struct mounted *m = &s->mounted;
	u32 n;

	for (n = 0; n < m->oracle.nr_inodes; n++) {
		const struct oracle_inode *i = &m->oracle.inodes[n];

		m->inodes[n] = erofs_iget(m->mnt->mnt_sb, i->nid);
		compare_inode(m, n);
		if (IS_ERR(m->inodes[n]) || !i->decoded)
			continue;
		if (!m->oracle.prefixes_known)
			disagree(m, "mounted, although not all prefixes can be read");
		compare_xattrs(m, n);
		/* last, as it leaves the fingerprint in expected */
		compare_sharing(s, n, compare_fingerprint(m, n));
	}
}

static const struct erofs_test_options sharing = {
	.inode_share = true,
	.domain_id = DIFFERENTIAL_DOMAIN,
};

/* size: becomes that of whole pages */
static u8 *make_image(u32 base, u32 *size, u32 first, u32 nr)
{
	const struct vector_edit *e = &vector_edits[first];
	u32 old = min(*size, vector_bases[base].size);
	u8 *image;

	*size = round_up(max(*size, 1), PAGE_SIZE);
	image = kvzalloc(*size, GFP_KERNEL | __GFP_NOFAIL);
	memcpy(image, vector_bases[base].data, old);
	for (; nr--; e++)
		memcpy(image + e->at, vector_bytes + e->bytes, e->size);
	return image;
}

/* Whether this kernel does not survive the image; before it is mounted, nothing can be fetched. */
static bool is_deadly(struct mounted *m, size_t size)
{
	m->mnt = ERR_PTR(-ECANCELED);
	judge_image(m, m->image, size);
	return m->oracle.deadly;
}

/* The image is made of a base and edits: see make_image(). */
static void mount_and_compare(struct subject *s, const char *name, u32 base, u32 size, u32 first,
			      u32 nr)
{
	struct mounted *m = &s->mounted;
	struct differential *d = state_of(m);
	int err;

	m->name = name;
	m->image = make_image(base, &size, first, nr);
	if (is_deadly(m, size)) {
		d->count.deadly++;
		return;
	}
	oracle_free(&m->oracle);
	m->mnt = erofs_test_mount(m->image, size, &sharing);
	err = PTR_ERR_OR_ZERO(m->mnt);
	judge_image(m, m->image, size);
	d->count.images++;
	d->count.refused += !!err;
	compare_verdict(m, err);
	if (err)
		return;
	d->count.open_entries += !m->oracle.inodes_complete;
	compare_prefixes(m);
	compare_inodes(s);
}

static void unmount(struct subject *s)
{
	struct mounted *m = &s->mounted;
	u32 n;

	if (!m->image)
		return;
	for (n = 0; !IS_ERR(m->mnt) && n < m->oracle.nr_inodes; n++)
		if (!IS_ERR_OR_NULL(m->inodes[n]))
			iput(m->inodes[n]);
	memset(m->inodes, 0, sizeof(m->inodes));
	while (s->nr_keys)
		kfree(s->keys[--s->nr_keys].value);
	if (!IS_ERR(m->mnt))
		erofs_test_umount(m->mnt);
	oracle_free(&m->oracle);
	kvfree(m->image);
	m->image = NULL;
}

/* Whether the kernel has complained: at the image at fault, not at the end */
static void conclude(struct differential *d)
{
	if (get_taint() != d->taints)
		KUNIT_FAIL(d->test, "the kernel has complained: see its log");
	d->taints = get_taint();
}

static void mount_bases(struct differential *d)
{
	u32 i;

	if (d->bases_mounted)
		return;
	for (i = 0; i < vector_base_count; i++)
		mount_and_compare(&d->subjects[i], vector_bases[i].name, i, vector_bases[i].size, 0,
				  0);
	d->bases_mounted = true;
}

/* Vectors and fields of the sweep begin with their names. */
static void describe(struct kunit *test, const void *param, char *desc)
{
	strscpy(desc, *(const char *const *)param, KUNIT_PARAM_DESC_SIZE);
}

/* ---- Vectors ---- */

static int vector_init(struct kunit *test)
{
	kunit_register_params_array(test, vectors, vector_count, describe);
	return 0;
}

/* A vector that fails a rule must be refused as the rule says, if it says so. */
static void compare_claim(struct mounted *m, const struct vector *v)
{
	const struct rule_consequence *c = &rule_consequences[v->rule];

	if (v->kind == VECTOR_FAILS && c->must[0] && !IS_ERR(m->mnt))
		disagree(m, "%s is broken, but the image is mounted", c->name);
}

static void differential_vector(struct kunit *test)
{
	const struct vector *v = test->param_value;
	struct differential *d = test->priv;
	struct subject *s = under_test(d);

	mount_bases(d);
	mount_and_compare(s, v->name, v->base, v->size, v->first, v->count);
	compare_claim(&s->mounted, v);
	unmount(s);
	conclude(d);
}

/* ---- The field sweep ---- */

static int field_init(struct kunit *test)
{
	kunit_register_params_array(test, sweep_fields, sweep_field_count, describe);
	return 0;
}

/* Whether no change of the field before this one is of its kind */
static bool first_of_kind(const struct sweep_field *f, u32 change)
{
	u32 i;

	for (i = f->first; i < change; i++)
		if (!strcmp(sweep_changes[i].verb, sweep_changes[change].verb))
			return false;
	return true;
}

static void differential_sweep(struct kunit *test)
{
	const struct sweep_field *f = test->param_value;
	struct differential *d = test->priv;
	struct subject *s = under_test(d);
	unsigned int before = d->count.changes;
	char name[128];
	u32 i;

	mount_bases(d);
	for (i = f->first; i < f->first + f->count; i++) {
		const struct sweep_change *c = &sweep_changes[i];
		bool first = first_of_kind(f, i);

		if (!first && (i - f->first) % stride)
			continue;
		snprintf(name, sizeof(name), "%s/%s.%s", vector_bases[c->base].name, c->where,
			 c->verb);
		mount_and_compare(s, name, c->base, c->size, c->first, c->count);
		unmount(s);
		d->count.changes++;
		d->count.kinds += first;
	}
	d->count.fields++;
	KUNIT_EXPECT_GT(test, d->count.changes, before);
	conclude(d);
}

/* ---- How fast, and how much ---- */

/*
 * Mount, read the root directory's xattrs, unmount: without any comparison. The
 * images that are refused take their time, but do not count.
 */
static void differential_rate(struct kunit *test)
{
	unsigned int i, mounts = 0, rounds = stride > 1 ? 64 : 4 * vector_count;
	struct differential *d = test->priv;
	ktime_t start = ktime_get();
	u64 us;

	for (i = 0; i < rounds; i++) {
		const struct vector *v = &vectors[i % vector_count];
		u32 size = v->size;
		u8 *image = make_image(v->base, &size, v->first, v->count);
		struct vfsmount *mnt;

		/* some of these are deadly */
		if (v->rule == ISHARE_RULE_INODE_INTERNAL) {
			kvfree(image);
			continue;
		}
		mnt = erofs_test_mount(image, size, &sharing);
		if (!IS_ERR(mnt)) {
			erofs_listxattr(mnt->mnt_root, d->comparison.got, VALUE_MAX);
			erofs_test_umount(mnt);
			mounts++;
		}
		kvfree(image);
	}
	us = ktime_us_delta(ktime_get(), start);
	kunit_info(test, "%u mounts in %llu ms: %llu a second", mounts, us / 1000,
		   (u64)mounts * USEC_PER_SEC / max(us, 1));
}

static void differential_counts(struct kunit *test)
{
	const struct sweep_field *last = &sweep_fields[sweep_field_count - 1];
	struct differential *d = test->priv;
	const struct comparison *c = &d->comparison;
	unsigned int i;

	kunit_info(test, "changes of the field sweep: %u of %u", d->count.changes,
		   last->first + last->count);
	kunit_info(test, "kinds of changes, of all fields: %u of %u", d->count.kinds,
		   sweep_kind_count);
	kunit_info(test, "images: %u, refused: %u", d->count.images, d->count.refused);
	kunit_info(test, "inodes: %u, refused: %u", c->count.inodes, c->count.refused_inodes);
	kunit_info(test, "lookups: %u, lists: %u, fingerprints: %u", c->count.lookups,
		   c->count.lists, c->count.fingerprints);
	kunit_info(test, "files that share: %u, others: %u", d->count.shared, d->count.not_shared);
	kunit_info(test, "disagreements: %u", d->count.disagreements);
	for (i = 0; i < OPEN_COUNT; i++)
		kunit_info(test, "not specified: %u %s", c->count.open[i], open_words[i]);
	kunit_info(test,
		   "not specified: %u images with directories whose entries are not all known",
		   d->count.open_entries);
	for (i = ORACLE_AS_SPECIFIED + 1; i < ORACLE_QUIRKS; i++)
		kunit_info(test, "known divergence, %u times: %s", c->count.quirks[i],
			   quirk_words[i]);
	kunit_info(test,
		   "known divergence, %u times: finding internal-inode-special: images not mounted",
		   d->count.deadly);
	KUNIT_EXPECT_EQ(test, d->count.fields, sweep_field_count);
	KUNIT_EXPECT_EQ(test, d->count.kinds, sweep_kind_count);
	KUNIT_EXPECT_GT(test, d->count.images, d->count.refused);
	KUNIT_EXPECT_GT(test, d->count.refused, 0);
	KUNIT_EXPECT_GT(test, c->count.lookups, 0);
	KUNIT_EXPECT_GT(test, d->count.shared, 0);
	KUNIT_EXPECT_GT(test, d->count.not_shared, 0);
}

/* Between suite_init and the tests, there is nothing else to keep it in. */
static struct differential *differential;

static int differential_init(struct kunit_suite *suite)
{
	struct differential *d;
	u32 i;

	d = kvzalloc(struct_size(d, subjects, vector_base_count + 1), GFP_KERNEL | __GFP_NOFAIL);
	d->comparison.got = kvmalloc(VALUE_MAX, GFP_KERNEL | __GFP_NOFAIL);
	/* a value of the oracle's is as large as an entry can be */
	d->comparison.expected = kvmalloc(ISHARE_XATTR_ENTRY_MAX, GFP_KERNEL | __GFP_NOFAIL);
	d->taints = get_taint();
	for (i = 0; i <= vector_base_count; i++)
		d->subjects[i].mounted.comparison = &d->comparison;
	differential = d;
	return erofs_test_suite_init(suite);
}

static int differential_test_init(struct kunit *test)
{
	differential->test = test;
	test->priv = differential;
	return 0;
}

static void differential_exit(struct kunit_suite *suite)
{
	struct differential *d = differential;
	u32 i;

	for (i = 0; i < vector_base_count; i++)
		unmount(&d->subjects[i]);
	erofs_test_suite_exit(suite);
	kvfree(d->comparison.got);
	kvfree(d->comparison.expected);
	kvfree(d);
}

static struct kunit_case differential_test_cases[] = {
	KUNIT_CASE_PARAM_WITH_INIT(differential_vector, kunit_array_gen_params, vector_init, NULL),
	KUNIT_CASE_PARAM_WITH_INIT(differential_sweep, kunit_array_gen_params, field_init, NULL),
	KUNIT_CASE(differential_rate),
	KUNIT_CASE(differential_counts),
	{},
};

static struct kunit_suite differential_test_suite = {
	.name = "erofs_differential",
	.suite_init = differential_init,
	.suite_exit = differential_exit,
	.init = differential_test_init,
	.test_cases = differential_test_cases,
};

kunit_test_suite(differential_test_suite);

MODULE_DESCRIPTION("KUnit comparison of EROFS with its specification");
MODULE_LICENSE("GPL");
