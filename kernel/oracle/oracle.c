// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The specification's verdict, with which the kernel is compared. All knowledge of the format comes
 * from the core; this file walks from structure to structure, and knows where an image's bytes end.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "oracle.h"

#define DATA_MAX (64 * 1024) /* of an inode's data that is looked at */

static void require(unsigned long *broken, bool holds, enum ishare_rule_id rule)
{
	if (!holds)
		__set_bit(rule, broken);
}

static struct ishare_view view_from(const struct oracle_space *space, u64 offset)
{
	struct ishare_view v = { space->view.data, 0 };

	if (offset < space->view.size) {
		v.data += offset;
		v.size = space->view.size - offset;
	}
	return v;
}

/* ---- Inodes ---- */

static void judge_symlink(struct oracle *o, struct oracle_inode *i)
{
	u64 start = i->offset + i->inode.isize + i->inode.xattr_isize;
	u64 block = ishare_block_size(&o->sb);
	struct ishare_view target;

	if (!ishare_inode_is_symlink(&i->inode) ||
	    i->inode.data_layout != ISHARE_INODE_FLAT_INLINE ||
	    start % block + i->inode.size > block)
		return;
	target = view_from(i->space, start);
	if (target.size < i->inode.size)
		return;
	target.size = i->inode.size;
	/* A kernel takes some of these links for long ones, which come later. */
	require(i->doubtful, inode_symlink_target(&target), ISHARE_RULE_INODE_SYMLINK_TARGET);
}

static void judge_decoded(struct oracle *o, struct oracle_inode *i)
{
	const struct ishare_inode *inode = &i->inode;
	u64 size = i->space->view.size;

	require(i->broken, inode_bounds(i->offset, inode->isize, size), ISHARE_RULE_INODE_BOUNDS);
	require(i->broken, inode_format(inode), ISHARE_RULE_INODE_FORMAT);
	require(i->broken, inode_layout(inode), ISHARE_RULE_INODE_LAYOUT);
	require(i->broken, inode_mode(inode), ISHARE_RULE_INODE_MODE);
	require(i->broken, inode_compression(&o->sb, inode), ISHARE_RULE_INODE_COMPRESSION);
	require(i->broken, inode_size(inode), ISHARE_RULE_INODE_SIZE);
	require(i->broken, inode_chunk_format(inode), ISHARE_RULE_INODE_CHUNK_FORMAT);
	judge_symlink(o, i);
	/* Whether compressed data is taken depends on the configurations. */
	i->unspecified = ishare_inode_is_compressed(inode);
}

/* The end is missing. A kernel may find the format wrong before it misses that. */
static void judge_cut_off(struct oracle_inode *i, const struct ishare_view *v)
{
	u8 bytes[ISHARE_INODE_EXTENDED_SIZE] = {};
	struct ishare_view whole = { bytes, sizeof(bytes) };
	struct ishare_inode inode;

	memcpy(bytes, v->data, min(v->size, sizeof(bytes)));
	ishare_inode_decode(&whole, &inode);
	__set_bit(ISHARE_RULE_INODE_BOUNDS, i->broken);
	require(i->broken, inode_format(&inode), ISHARE_RULE_INODE_FORMAT);
	require(i->broken, inode_layout(&inode), ISHARE_RULE_INODE_LAYOUT);
}

static void judge_inode(struct oracle *o, struct oracle_inode *i)
{
	bool in_metabox = i->nid & ISHARE_NID_METABOX;
	u64 nid = i->nid & ~ISHARE_NID_METABOX;
	struct ishare_view v;

	i->space = in_metabox ? &o->metabox : &o->image;
	i->unspecified = i->space->unspecified;
	if (i->unspecified)
		return;
	if (!i->space->there) {
		__set_bit(ISHARE_RULE_INODE_BOUNDS, i->broken);
		return;
	}
	if (in_metabox && nid <= U64_MAX / ISHARE_INODE_SLOT_SIZE) {
		i->offset = nid * ISHARE_INODE_SLOT_SIZE;
	} else if (in_metabox || ishare_inode_offset(&o->sb, nid, &i->offset) != ISHARE_OK) {
		/* A kernel multiplies in 64 bits and may find another inode. */
		__set_bit(ISHARE_RULE_INODE_BOUNDS, i->doubtful);
		i->unspecified = true;
		return;
	}
	v = view_from(i->space, i->offset);
	i->decoded = ishare_inode_decode(&v, &i->inode) == ISHARE_OK;
	if (i->decoded)
		judge_decoded(o, i);
	else
		judge_cut_off(i, &v);
}

static struct oracle_inode *add_inode(struct oracle *o, u64 nid)
{
	struct oracle_inode *i;

	for (i = o->inodes; i < o->inodes + o->nr_inodes; i++)
		if (i->nid == nid)
			return i;
	if (o->nr_inodes == ORACLE_INODES) {
		o->inodes_complete = false;
		return NULL;
	}
	memset(i, 0, sizeof(*i));
	i->nid = nid;
	o->nr_inodes++;
	judge_inode(o, i);
	return i;
}

/* ---- Data of flat inodes ---- */

/* Whether all bytes were there; what is not remains zero. */
static bool copy_part(const struct oracle_space *from, u64 offset, u8 *to, u64 size)
{
	struct ishare_view v = view_from(from, offset);

	memcpy(to, v.data, min_t(u64, v.size, size));
	return v.size >= size;
}

/*
 * An allocated copy of the data, NULL if it is not known, in whole pages, as the
 * kernel has it: behind the end is what the last block has there, then zeros.
 */
static u8 *copy_data(struct oracle *o, const struct oracle_inode *i, u64 *size)
{
	u64 block = ishare_block_size(&o->sb), tail = round_up(i->inode.size, block);
	const struct ishare_inode *inode = &i->inode;
	bool known = true;
	u8 *data;

	if (!bitmap_empty(i->broken, ISHARE_RULE_COUNT) || !i->decoded || inode->size > DATA_MAX ||
	    (inode->data_layout != ISHARE_INODE_FLAT_PLAIN &&
	     inode->data_layout != ISHARE_INODE_FLAT_INLINE) ||
	    !inode_inline_tail(&o->sb, inode, i->offset))
		return NULL;
	if (inode->data_layout == ISHARE_INODE_FLAT_INLINE && inode->size)
		tail = (inode->size - 1) / block * block;
	data = kvzalloc(round_up(max3(inode->size, tail, 1), PAGE_SIZE), GFP_KERNEL | __GFP_NOFAIL);
	if (inode->start_block != ISHARE_NULL_BLOCK && tail)
		known = inode->start_block < BIT_ULL(40) &&
			copy_part(&o->image, inode->start_block * block, data, tail);
	if (tail < inode->size)
		known &= copy_part(i->space, i->offset + inode->isize + inode->xattr_isize,
				   data + tail, inode->size - tail);
	*size = inode->size;
	if (known)
		return data;
	kvfree(data);
	return NULL;
}

/* Whether the inode is read in, but none of its data can be */
static bool has_no_data(const struct oracle_inode *i)
{
	return i->decoded && bitmap_empty(i->broken, ISHARE_RULE_COUNT) &&
	       !ishare_inode_has_data(&i->inode);
}

static void open_space(struct oracle *o, u64 nid, struct oracle_space *space)
{
	const struct oracle_inode *i = add_inode(o, nid);
	u64 size = 0;

	if (i->decoded)
		require(o->broken, inode_internal(&i->inode), ISHARE_RULE_INODE_INTERNAL);
	o->deadly |= has_no_data(i);
	space->there = true;
	space->zeros_behind = true;
	space->copy = copy_data(o, i, &size);
	if (!space->copy)
		space->copy = o->fetch(o->context, space == &o->metabox, &size);
	/* The kernel looks at pages, and not at where an inode ends. */
	if (space->copy)
		space->view = (struct ishare_view){ space->copy, round_up(size, PAGE_SIZE) };
	else
		space->unspecified = true;
}

/* ---- Directories ---- */

static void add_entries(struct oracle *o, const struct ishare_view *block)
{
	enum ishare_status status;
	struct ishare_dirent d;

	for (status = ishare_dirent_first(block, &d); status == ISHARE_OK;
	     status = ishare_dirent_next(block, &d))
		add_inode(o, d.stored.nid);
}

static void add_directory(struct oracle *o, const struct oracle_inode *i)
{
	u64 block = ishare_block_size(&o->sb), size, at;
	u8 *data;

	if (!i->decoded || !ishare_inode_is_directory(&i->inode))
		return;
	data = copy_data(o, i, &size);
	if (!data) {
		o->inodes_complete = false;
		return;
	}
	for (at = 0; at < size; at += block) {
		struct ishare_view v = { data + at, min(block, size - at) };

		add_entries(o, &v);
	}
	kvfree(data);
}

/* ---- Prefixes ---- */

static const struct oracle_space *table_space(struct oracle *o)
{
	switch (ishare_prefix_space(&o->sb)) {
	case ISHARE_PREFIX_IN_METABOX:
		return &o->metabox;
	case ISHARE_PREFIX_IN_PACKED:
		return &o->packed;
	default:
		return &o->image;
	}
}

static void judge_record(struct oracle *o, size_t pos)
{
	require(o->broken, prefix_record_bounds(&o->table, pos), ISHARE_RULE_PREFIX_RECORD_BOUNDS);
	require(o->broken, prefix_length(&o->table, pos), ISHARE_RULE_PREFIX_LENGTH);
}

static void judge_prefixes(struct oracle *o)
{
	const struct oracle_space *space = table_space(o);
	u32 count = o->sb.xattr_prefix_count;
	enum ishare_status status;
	struct ishare_prefix p;

	o->prefixes_known = !count;
	if (!count)
		return;
	if (space->unspecified || !space->there) {
		o->table_open = true;
		return;
	}
	require(o->broken, prefix_location(&o->sb, space->view.size), ISHARE_RULE_PREFIX_LOCATION);
	o->table = view_from(space, ishare_prefix_start(&o->sb));
	for (status = ishare_prefix_first(&o->table, count, &p); status == ISHARE_OK;
	     status = ishare_prefix_next(&o->table, count, &p))
		o->prefixes++;
	if (status == ISHARE_MALFORMED)
		judge_record(o, p.pos);
	o->prefixes_known = status == ISHARE_END;
}

bool oracle_prefix(struct oracle *o, u32 index, struct ishare_prefix *p)
{
	return ishare_prefix_find(&o->table, o->prefixes, index, p) == ISHARE_OK;
}

/* ---- The superblock ---- */

#define REQUIRE(rule, member) require(o->broken, !faults.member, rule);

/* Whether the rest can be looked at */
static bool judge_superblock(struct oracle *o, const struct ishare_profile *profile)
{
	struct ishare_view at = view_from(&o->image, ISHARE_SUPERBLOCK_OFFSET);
	const struct ishare_superblock *sb = &o->sb;
	struct ishare_superblock_faults faults;
	u64 size = o->image.view.size;

	ishare_superblock_judge(&at, size, profile, &o->sb, &o->ext, &faults);
	require(o->broken, !faults.sb_size, ISHARE_RULE_SB_SIZE);
	require(o->broken, !faults.sb_magic, ISHARE_RULE_SB_MAGIC);
	require(o->broken, !faults.sb_block_size, ISHARE_RULE_SB_BLOCK_SIZE);
	if (!bitmap_empty(o->broken, ISHARE_RULE_COUNT))
		return false;
	ISHARE_SUPERBLOCK_FAULTS(REQUIRE)
	require(o->broken, dev_table_bounds(sb, size), ISHARE_RULE_DEV_TABLE_BOUNDS);
	o->config_open =
		sb->compr_algs && ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_COMPR_CFGS);
	return true;
}

#undef REQUIRE

/* What breaks the rules in an inode that a mount reads is met by the mount. */
static void judge_roots(struct oracle *o)
{
	const struct ishare_superblock *sb = &o->sb;
	const struct oracle_inode *root;

	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS) && sb->packed_nid)
		open_space(o, sb->packed_nid, &o->packed);
	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_METABOX) && sb->sb_extslots)
		open_space(o, o->ext.metabox_nid, &o->metabox);
	root = add_inode(o, ishare_root_nid(sb));
	if (root->decoded)
		require(o->broken, sb_root_inode(&root->inode), ISHARE_RULE_SB_ROOT_INODE);
}

static void judge_all(struct oracle *o, const struct ishare_profile *profile)
{
	u32 i;

	if (!judge_superblock(o, profile))
		return;
	judge_roots(o);
	o->nr_mounted = o->nr_inodes;
	judge_prefixes(o);
	for (i = 0; i < o->nr_inodes; i++)
		add_directory(o, &o->inodes[i]);
}

void oracle_judge(struct oracle *o, const u8 *image, size_t size,
		  const struct ishare_profile *profile)
{
	memset(o, 0, offsetof(struct oracle, fetch));
	o->inodes_complete = true;
	o->image.there = true;
	o->image.view = (struct ishare_view){ image, size };
	judge_all(o, profile);
}

void oracle_free(struct oracle *o)
{
	kvfree(o->packed.copy);
	kvfree(o->metabox.copy);
}

/* ---- Xattrs ---- */

static u64 bytes_there(const struct oracle_space *space, u64 offset, u64 size)
{
	if (space->zeros_behind)
		return size;
	return min_t(u64, view_from(space, offset).size, size);
}

int oracle_walk_start(struct oracle_walk *w, struct oracle *o, const struct oracle_inode *i)
{
	u64 offset = i->offset + i->inode.isize;
	struct ishare_view area;

	memset(w, 0, sizeof(*w));
	w->oracle = o;
	w->inode = i;
	w->stale_page = U64_MAX;
	if (!i->inode.xattr_isize)
		return -ENODATA;
	if (!inode_xattr_icount(&i->inode))
		return -EOPNOTSUPP;
	w->there = bytes_there(i->space, offset, i->inode.xattr_isize);
	if (w->there < ISHARE_IBODY_HEADER_SIZE)
		return -EIO;
	w->area = kvzalloc(i->inode.xattr_isize, GFP_KERNEL | __GFP_NOFAIL);
	copy_part(i->space, offset, w->area, i->inode.xattr_isize);
	area = (struct ishare_view){ w->area, i->inode.xattr_isize };
	ishare_ibody_header_decode(&area, &w->header);
	if (!xattr_shared_count(&w->header, i->inode.xattr_isize))
		return -EUCLEAN;
	if (ISHARE_IBODY_HEADER_SIZE + 4 * w->header.h_shared_count > w->there)
		return -EIO;
	return 0;
}

void oracle_walk_end(struct oracle_walk *w)
{
	kvfree(w->area);
}

/* The name of an entry, put together */
static int fill_name(struct oracle_walk *w, const u8 *holder, struct oracle_xattr *x)
{
	const struct ishare_entry *e = &w->entry;
	struct ishare_prefix p = {};

	x->named = true;
	x->name.base_index = e->stored.e_name_index;
	if (e->stored.e_name_index & ISHARE_XATTR_LONG_PREFIX) {
		u32 index = e->stored.e_name_index & ~ISHARE_XATTR_LONG_PREFIX;

		if (!w->oracle->prefixes_known)
			return ORACLE_UNSPECIFIED;
		x->named = oracle_prefix(w->oracle, index, &p);
		x->name.base_index = p.stored.base_index;
		memcpy(x->bytes, w->oracle->table.data + p.infix, p.infix_size);
	}
	memcpy(x->bytes + p.infix_size, holder + e->name, e->stored.e_name_len);
	x->name.bytes.data = x->bytes;
	x->name.bytes.size = p.infix_size + e->stored.e_name_len;
	return 1;
}

static int fill(struct oracle_walk *w, const u8 *holder, u64 there, struct oracle_xattr *x)
{
	const struct ishare_entry *e = &w->entry;

	x->name_there = e->value <= there;
	x->value_there = e->value + e->stored.e_value_size <= there;
	x->value.data = holder + e->value;
	x->value.size = e->stored.e_value_size;
	return fill_name(w, holder, x);
}

static int next_inline(struct oracle_walk *w, struct oracle_xattr *x)
{
	size_t start = ISHARE_IBODY_HEADER_SIZE + 4 * w->header.h_shared_count;
	struct ishare_view area = { w->area, w->inode->inode.xattr_isize };
	size_t pos = w->stage == WALK_FIRST ? start : w->entry.next;
	enum ishare_status status;

	if (pos == area.size)
		return 0;
	if (pos >= w->there)
		return -EIO;
	status = w->stage == WALK_FIRST ? ishare_entry_first(&area, start, &w->entry)
					: ishare_entry_next(&area, &w->entry);
	w->stage = WALK_INLINE;
	if (status != ISHARE_OK)
		return -EUCLEAN;
	w->stale_page = (w->inode->offset + w->inode->inode.isize + pos) >> PAGE_SHIFT;
	return fill(w, w->area, w->there, x);
}

static void take_shared(struct oracle *o, const struct oracle_space *space, u64 offset)
{
	memset(o->shared, 0, o->shared_used);
	o->shared_used = min_t(u64, view_from(space, offset).size, ISHARE_XATTR_ENTRY_MAX);
	copy_part(space, offset, o->shared, o->shared_used);
}

/*
 * What is in a mistaken page comes from the inode's space, even if the other has no such page.
 * Return: how many bytes that are
 */
static u32 take_stale(struct oracle_walk *w, const struct oracle_space *space, u64 offset)
{
	u32 rest = PAGE_SIZE - offset_in_page(offset);
	struct oracle *o = w->oracle;

	if (o->quirk != ORACLE_STALE_PAGE || space == w->inode->space ||
	    offset >> PAGE_SHIFT != w->stale_page) {
		w->stale_page = U64_MAX;
		return 0;
	}
	memset(o->shared, 0, rest);
	copy_part(w->inode->space, offset, o->shared, rest);
	o->shared_used = max(o->shared_used, rest);
	return rest;
}

static int next_shared(struct oracle_walk *w, struct oracle_xattr *x)
{
	struct ishare_view area = { w->area, w->inode->inode.xattr_isize };
	const struct ishare_superblock *sb = &w->oracle->sb;
	struct ishare_view holder;
	const struct oracle_space *space;
	u64 offset, there;

	if (w->next_shared == w->header.h_shared_count && w->oracle->quirk != ORACLE_EMPTY_SHARED)
		return 0;
	space = ishare_has_compat(sb, ISHARE_FEATURE_COMPAT_SHARED_EA_IN_METABOX)
			? &w->oracle->metabox
			: &w->oracle->image;
	if (space->unspecified)
		return ORACLE_UNSPECIFIED;
	if (!space->there)
		return -EUCLEAN;
	if (w->next_shared == w->header.h_shared_count)
		return 0;
	offset = ishare_shared_offset(sb, ishare_shared_id(&area, w->next_shared++));
	take_shared(w->oracle, space, offset);
	there = max_t(u64, bytes_there(space, offset, ISHARE_XATTR_ENTRY_MAX),
		      take_stale(w, space, offset));
	if (there < ISHARE_XATTR_ENTRY_SIZE)
		return -EIO;
	holder = (struct ishare_view){ w->oracle->shared, ISHARE_XATTR_ENTRY_MAX };
	ishare_entry_first(&holder, 0, &w->entry);
	return fill(w, holder.data, there, x);
}

int oracle_walk_next(struct oracle_walk *w, struct oracle_xattr *x)
{
	int ret = 0;

	if (w->stage != WALK_SHARED)
		ret = next_inline(w, x);
	if (ret)
		return ret;
	w->stage = WALK_SHARED;
	return next_shared(w, x);
}

static int lookup_started(struct oracle_walk *w, const struct ishare_name *name,
			  struct oracle_xattr *x, u8 *buffer)
{
	int ret;

	if (!xattr_name_filter(&w->oracle->sb, &w->header, name))
		return -ENODATA;
	if (name->bytes.size > ISHARE_XATTR_NAME_MAX)
		return -ERANGE;
	while ((ret = oracle_walk_next(w, x)) > 0) {
		if (!x->named || !ishare_name_equal(&x->name, name))
			continue;
		if (!x->name_there || !x->value_there)
			return -EIO;
		memcpy(buffer, x->value.data, x->value.size);
		return x->value.size;
	}
	return ret ?: -ENODATA;
}

int oracle_lookup(struct oracle *o, const struct oracle_inode *inode,
		  const struct ishare_name *name, u8 *buffer)
{
	struct oracle_xattr *x = kmalloc(sizeof(*x), GFP_KERNEL | __GFP_NOFAIL);
	struct oracle_walk w;
	int ret = oracle_walk_start(&w, o, inode);

	if (!ret)
		ret = lookup_started(&w, name, x, buffer);
	oracle_walk_end(&w);
	kfree(x);
	return ret;
}

bool oracle_fingerprint_name(struct oracle *o, struct ishare_name *name)
{
	struct ishare_prefix p;

	if (!oracle_prefix(o, o->sb.ishare_xattr_prefix_id, &p))
		return false;
	name->base_index = p.stored.base_index;
	name->bytes.data = o->table.data + p.infix;
	name->bytes.size = strnlen(name->bytes.data, p.infix_size);
	return true;
}
