// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The comparison of EROFS with its specification: whether an image is mounted
 * and an inode read, with which error if not, and what is taken over.
 */
#include <linux/mm.h>
#include "oracle.h"

/* ---- What the specification says ---- */

static const struct ishare_profile profile = {
	.page_bits = PAGE_SHIFT,
	.unknown_compat = ~(2u * EROFS_FEATURE_COMPAT_ISHARE_XATTRS - 1),
	.unknown_incompat = ~(u32)EROFS_ALL_FEATURE_INCOMPAT,
};

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

void judge_image(struct mounted *m, const u8 *image, size_t size)
{
	m->oracle.fetch = fetch;
	m->oracle.context = m;
	oracle_judge(&m->oracle, image, size, &profile);
}

/* ---- What the kernel says ---- */

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

static const char *rule_that_refuses(const struct oracle *o)
{
	const char *rule = forbidding(o->broken, false);
	u32 i;

	for (i = 0; !rule && i < o->nr_mounted; i++)
		if (!o->inodes[i].unspecified)
			rule = forbidding(o->inodes[i].broken, true);
	return rule;
}

void compare_verdict(struct mounted *m, int err)
{
	const struct oracle *o = &m->oracle;
	const char *rule = rule_that_refuses(o);

	m->comparison->count.open[OPEN_CONFIG] += o->config_open;
	m->comparison->count.open[OPEN_TABLE] += o->table_open;
	if (o->config_open || o->table_open)
		return;
	if (!err && rule)
		disagree(m, "mounted, although %s is broken", rule);
	else if (err && !refusal_explained(o, err))
		disagree(m, "mount fails with %d, which no broken rule explains (%s)", err,
			 rule ?: "none is broken");
}

void compare_prefixes(struct mounted *m)
{
	struct erofs_sb_info *sbi = EROFS_SB(m->mnt->mnt_sb);
	struct oracle *o = &m->oracle;
	struct ishare_prefix p;
	u32 i;

	if (sbi->xattr_prefix_count != o->sb.xattr_prefix_count) {
		disagree(m, "%u prefixes, not %u", sbi->xattr_prefix_count,
			 o->sb.xattr_prefix_count);
		return;
	}
	for (i = 0; i < o->prefixes; i++) {
		struct erofs_xattr_prefix_item *item = &sbi->xattr_prefixes[i];

		if (!oracle_prefix(o, i, &p) || item->prefix->base_index != p.stored.base_index ||
		    item->infix_len != p.infix_size ||
		    memcmp(item->prefix->infix, o->table.data + p.infix, p.infix_size))
			disagree(m, "prefix %u is %u:%.*s", i, item->prefix->base_index,
				 item->infix_len, item->prefix->infix);
	}
}

static void compare_fields(struct mounted *m, const struct oracle_inode *i, struct inode *inode)
{
	const struct erofs_inode *vi = EROFS_I(inode);

	if (inode->i_mode != i->inode.mode)
		disagree(m, "nid %llu: mode %o, not %o", i->nid, inode->i_mode, i->inode.mode);
	if (i_size_read(inode) != i->inode.size)
		disagree(m, "nid %llu: size %lld, not %llu", i->nid, i_size_read(inode),
			 i->inode.size);
	if (inode->i_nlink != i->inode.nlink)
		disagree(m, "nid %llu: nlink %u, not %u", i->nid, inode->i_nlink, i->inode.nlink);
	if (vi->inode_isize != i->inode.isize || vi->xattr_isize != i->inode.xattr_isize)
		disagree(m, "nid %llu: inode of %u bytes and xattrs of %u, not %u and %u", i->nid,
			 vi->inode_isize, vi->xattr_isize, i->inode.isize, i->inode.xattr_isize);
	if (vi->datalayout != i->inode.data_layout)
		disagree(m, "nid %llu: layout %u, not %u", i->nid, vi->datalayout,
			 i->inode.data_layout);
}

void compare_inode(struct mounted *m, u32 n)
{
	const struct oracle_inode *i = &m->oracle.inodes[n];
	int err = PTR_ERR_OR_ZERO(m->inodes[n]);
	const char *rule = forbidding(i->broken, true);

	m->comparison->count.inodes++;
	m->comparison->count.refused_inodes += !!err;
	m->comparison->count.open[OPEN_INODE] += i->unspecified;
	if (err && !inode_explains(i, err))
		disagree(m, "nid %llu cannot be read (%d), which no broken rule explains (%s)",
			 i->nid, err, rule ?: "none is broken");
	else if (!err && rule && !i->unspecified)
		disagree(m, "nid %llu is read, although %s is broken", i->nid, rule);
	else if (!err && i->decoded)
		compare_fields(m, i, m->inodes[n]);
}
