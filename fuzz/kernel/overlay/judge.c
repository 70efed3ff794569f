// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The properties that are checked. kernel/oracle compares verdicts, prefixes, inodes, xattrs and
 * fingerprints; a disagreement ends the guest. This file compares sharing and content, for two
 * images in domains that the input chooses.
 */
#include <crypto/sha2.h>
#include <linux/crc32.h>
#include "fuzz.h"
#include "oracle.h"

/* An inode with a fingerprint, of an image that is mounted or was */
struct keyed {
	unsigned int which; /* of the images */
	u32 n; /* of its oracle's inodes */
	const char *domain;
	u8 *value;
	int size;
	struct inode *shared; /* NULL: none */
};

static struct comparison all;
static struct mounted *judged[2];
static struct keyed keyed[2 * ORACLE_INODES];
static unsigned int nr_keyed;
/* Of the images: there may be files that share and that the oracle does not know. */
static bool others[2];
/* Of the images: whether inode_share is in force, as mount or remount have said */
static bool sharing_now[2];
static unsigned int held[2]; /* inodes, by the mount itself */
static u8 *content;
/* For each image: whether its fingerprints match the contents, once that is needed */
static enum { TRUTH_OPEN, TRUTH_FALSE, TRUTH_TRUE } truth[2];

int fuzz_judge_init(void)
{
	all.got = kvmalloc(VALUE_MAX, GFP_KERNEL);
	all.expected = kvmalloc(max(ISHARE_XATTR_ENTRY_MAX, VALUE_MAX), GFP_KERNEL);
	content = kmalloc(PAGE_SIZE, GFP_KERNEL);
	judged[0] = kvzalloc_obj(*judged[0]);
	judged[1] = kvzalloc_obj(*judged[1]);
	if (!all.got || !all.expected || !content || !judged[0] || !judged[1])
		return -ENOMEM;
	judged[0]->comparison = &all;
	judged[1]->comparison = &all;
	return 0;
}

void disagree(struct mounted *m, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	panic("disagreement: %s: %pV", m->name, &vaf);
}

static bool is_mounted(unsigned int which)
{
	return judged[which]->image && !IS_ERR(judged[which]->mnt);
}

static const struct oracle_inode *inode_of(const struct keyed *k)
{
	return &judged[k->which]->oracle.inodes[k->n];
}

/* ---- One image ---- */

/* Whether a mount reads inodes that hold more than a root directory */
static bool has_data_inodes(const struct fuzz_disk *disk)
{
	const struct erofs_super_block *sb = (void *)(disk->bytes + EROFS_SUPER_OFFSET);

	return le32_to_cpu(sb->feature_incompat) &
	       (EROFS_FEATURE_INCOMPAT_FRAGMENTS | EROFS_FEATURE_INCOMPAT_METABOX);
}

/*
 * Finding packed-inode-fragment: data of the packed inode is a fragment, and thus
 * in the packed inode. Reading it waits for itself, or overflows the stack.
 */
static bool has_fragment(const struct fuzz_disk *disk, const struct oracle_inode *i)
{
	u64 at = ALIGN(i->offset + i->inode.isize + i->inode.xattr_isize, 8);
	const struct z_erofs_map_header *header = (void *)(disk->bytes + at);

	if (!ishare_inode_is_compressed(&i->inode) || at + sizeof(*header) > disk->size)
		return false;
	return header->h_clusterbits >> Z_EROFS_FRAGMENT_INODE_BIT ||
	       le16_to_cpu(header->h_advise) & Z_EROFS_ADVISE_FRAGMENT_PCLUSTER;
}

/*
 * Mounting the image, or reading its files, may be the end of the kernel. Finding
 * internal-inode-special: the metabox or packed inode is a device, FIFO or socket.
 * Its pages cannot be read, and EROFS calls a function through a null pointer.
 */
bool fuzz_known_mount(unsigned int which)
{
	struct fuzz_disk *disk = &fuzz_disks[which];
	struct oracle *o = &judged[which]->oracle;
	bool known = false;
	u32 n;

	if (!has_data_inodes(disk))
		return false;
	judged[which]->mnt = ERR_PTR(-ECANCELED);
	judge_image(judged[which], disk->bytes, disk->size);
	for (n = 0; n < o->nr_mounted; n++) {
		const struct oracle_inode *i = &o->inodes[n];
		bool metabox = o->metabox.there && i->nid == o->ext.metabox_nid;
		bool packed = o->packed.there && i->nid == o->sb.packed_nid;

		if (!i->decoded) {
			/* Numbers that are too large wrap: the kernel may find such an inode. */
			known |= (metabox || packed) && i->unspecified;
			continue;
		}
		known |= (metabox || packed) && !ishare_inode_has_data(&i->inode);
		known |= packed && has_fragment(disk, i);
	}
	oracle_free(o);
	return known;
}

/* The image is one of mkfs.erofs's, with nothing changed. */
static bool is_true(unsigned int which)
{
	const struct fuzz_disk *disk = &fuzz_disks[which];
	static const u32 sums[] = {
#include "true_images.h"
	};
	unsigned int i;
	u32 sum;

	if (truth[which] != TRUTH_OPEN)
		return truth[which] == TRUTH_TRUE;
	sum = ~crc32(~0, disk->bytes, disk->size);
	truth[which] = TRUTH_FALSE;
	for (i = 0; i < ARRAY_SIZE(sums); i++)
		if (sums[i] == sum)
			truth[which] = TRUTH_TRUE;
	return truth[which] == TRUTH_TRUE;
}

/* Rule share.option-needs-domain: nothing else about such a mount counts. */
static bool judge_options(const struct fuzz_disk *disk, int err)
{
	if (!(disk->options & FUZZ_MOUNT_SHARE) || fuzz_domain(disk->options))
		return false;
	if (!err)
		panic("disagreement: share.option-needs-domain: mounted");
	return true;
}

static void remember_key(unsigned int which, u32 n, int size)
{
	const struct oracle_inode *i = &judged[which]->oracle.inodes[n];
	struct dentry *dentry = EROFS_I(judged[which]->inodes[n])->sharedentry;

	others[which] |= size == ORACLE_UNSPECIFIED;
	/* What the mount itself reads is read before the prefixes, and never shares. */
	if (size <= 0 || !ishare_inode_is_regular(&i->inode) ||
	    n < judged[which]->oracle.nr_mounted) {
		if (dentry && size != ORACLE_UNSPECIFIED)
			panic("disagreement: fingerprint.present: nid %llu shares without one",
			      i->nid);
		return;
	}
	keyed[nr_keyed++] = (struct keyed){
		.which = which,
		.n = n,
		.domain = fuzz_domain(fuzz_disks[which].options) ?: "",
		.value = kmemdup(all.expected, size, GFP_KERNEL | __GFP_NOFAIL),
		.size = size,
		.shared = dentry ? d_inode(dentry) : NULL,
	};
}

static void judge_inode_of(unsigned int which, u32 n)
{
	struct mounted *m = judged[which];
	const struct oracle_inode *i = &m->oracle.inodes[n];

	m->name = "inode.*";
	m->inodes[n] = erofs_iget(m->mnt->mnt_sb, i->nid);
	compare_inode(m, n);
	others[which] |= sharing_now[which] && !IS_ERR(m->inodes[n]) && !i->decoded;
	if (IS_ERR(m->inodes[n]) || !i->decoded || !m->oracle.prefixes_known)
		return;
	m->name = "xattr.*";
	compare_xattrs(m, n);
	m->name = "fingerprint.*";
	if (sharing_now[which])
		remember_key(which, n, compare_fingerprint(m, n));
	else if (EROFS_I(m->inodes[n])->sharedentry)
		panic("disagreement: share.when-decided: nid %llu shares without inode_share",
		      i->nid);
}

static void judge_inodes(unsigned int which)
{
	const struct oracle *o = &judged[which]->oracle;
	u32 n;

	others[which] = sharing_now[which] && (!o->inodes_complete || !o->prefixes_known);
	for (n = 0; n < o->nr_inodes; n++)
		judge_inode_of(which, n);
	fuzz_counts->open += others[which];
}

void fuzz_judge_mount(unsigned int which, struct vfsmount *mnt)
{
	const struct fuzz_disk *disk = &fuzz_disks[which];
	struct mounted *m = judged[which];
	int err = PTR_ERR_OR_ZERO(mnt);

	if (judge_options(disk, err))
		return;
	m->name = "sb.*";
	m->image = disk->bytes;
	m->mnt = mnt;
	judge_image(m, disk->bytes, disk->size);
	compare_verdict(m, err);
	if (err)
		return;
	m->name = "prefix.*";
	compare_prefixes(m);
	sharing_now[which] = disk->options & FUZZ_MOUNT_SHARE;
	held[which] = fuzz_count_inodes(mnt->mnt_sb);
	judge_inodes(which);
}

/* ---- Sharing ---- */

static bool same_key(const struct keyed *a, const struct keyed *b)
{
	return a->size == b->size && !strcmp(a->domain, b->domain) &&
	       !memcmp(a->value, b->value, a->size);
}

/* Whether who shares, and what, is not all known: another file may have the key. */
static bool is_open(const struct keyed *k)
{
	unsigned int which;

	for (which = 0; which < 2; which++)
		if (others[which] && !strcmp(fuzz_domain(fuzz_disks[which].options), k->domain))
			return true;
	return false;
}

/* Rules share.size-match and share.data-path-match */
static bool alike(const struct keyed *a, const struct keyed *b)
{
	const struct oracle_inode *i = inode_of(a), *j = inode_of(b);
	bool files[2] = { fuzz_disks[a->which].options & FUZZ_MOUNT_BLOCK,
			  fuzz_disks[b->which].options & FUZZ_MOUNT_BLOCK };
	bool compressed = ishare_inode_is_compressed(&i->inode);

	return i->inode.size == j->inode.size &&
	       compressed == ishare_inode_is_compressed(&j->inode) &&
	       (compressed || files[0] == files[1]);
}

static void judge_pair(const struct keyed *a, const struct keyed *b)
{
	u64 nids[2] = { inode_of(a)->nid, inode_of(b)->nid };

	if (!same_key(a, b)) {
		if (a->shared && a->shared == b->shared)
			panic("disagreement: share.key: nids %llu and %llu share, with other keys",
			      nids[0], nids[1]);
	} else if (!alike(a, b)) {
		if (a->shared && b->shared)
			panic("disagreement: share.size-match, share.data-path-match: nids %llu and %llu share",
			      nids[0], nids[1]);
	} else if (a->shared != b->shared && !is_open(a)) {
		panic("disagreement: share.key: nids %llu and %llu do not share", nids[0], nids[1]);
	}
}

static bool is_shared(const struct keyed *a)
{
	unsigned int i;

	for (i = 0; i < nr_keyed; i++)
		if (same_key(a, &keyed[i]) && keyed[i].shared)
			return true;
	return false;
}

/*
 * While all inodes are held: of those with one key, the first makes the shared
 * inode, and those that are like it share.
 */
void fuzz_judge_sharing(void)
{
	unsigned int i, j;

	for (i = 0; i < nr_keyed; i++) {
		if (!is_open(&keyed[i]) && !is_shared(&keyed[i]))
			panic("disagreement: share.key: nid %llu does not share",
			      inode_of(&keyed[i])->nid);
		fuzz_counts->shared += !!keyed[i].shared;
		for (j = 0; j < i; j++)
			judge_pair(&keyed[i], &keyed[j]);
	}
}

/* They have to be held no longer. */
void fuzz_release_inodes(void)
{
	unsigned int which, n;

	for (which = 0; which < 2; which++) {
		struct inode **inodes = judged[which]->inodes;

		for (n = 0; n < ORACLE_INODES; n++)
			if (!IS_ERR_OR_NULL(inodes[n]))
				iput(inodes[n]);
		memset(inodes, 0, sizeof(judged[which]->inodes));
	}
}

/* ---- Remounts ---- */

/* None fails; those that must, by rule share.remount, are not tried (loop.c). */
void fuzz_judge_remount(unsigned int which, bool share, int err)
{
	if (err)
		panic("disagreement: share.remount: fails with %d", err);
	sharing_now[which] = share;
}

static void forget_keys(void)
{
	while (nr_keyed)
		kfree(keyed[--nr_keyed].value);
}

/* Inodes that are read in after remounts share or not as these have said. */
void fuzz_judge_again(void)
{
	unsigned int which;

	forget_keys();
	for (which = 0; which < 2; which++)
		if (is_mounted(which))
			fuzz_forget_inodes(judged[which]->mnt->mnt_sb, held[which]);
	fuzz_clean_up(); /* of shared inodes */
	for (which = 0; which < 2; which++)
		if (is_mounted(which))
			judge_inodes(which);
	fuzz_judge_sharing();
}

/* ---- Content ---- */

/* Return: whether the bytes are there; to: NULL, or where they go */
static bool copy_known(const struct oracle_space *space, u64 at, u8 *to, u64 size)
{
	if (at > space->view.size || size > space->view.size - at)
		return false;
	if (to)
		memcpy(to, space->view.data + at, size);
	return true;
}

static bool copy_blocks(struct oracle *o, u64 start, u64 pos, u8 *to, u64 size)
{
	if (start == ISHARE_NULL_BLOCK) {
		if (to)
			memset(to, 0, size);
		return true;
	}
	return start < BIT_ULL(32) &&
	       copy_known(&o->image, start * ishare_block_size(&o->sb) + pos, to, size);
}

/* Part of a flat file, as the image has it. Return: whether that is known */
static bool flat_content(struct oracle *o, const struct oracle_inode *i, u64 pos, u8 *to, u64 size)
{
	const struct ishare_inode *inode = &i->inode;
	u64 block = ishare_block_size(&o->sb), tail = inode->size, front;

	if (!i->decoded || !bitmap_empty(i->broken, ISHARE_RULE_COUNT) ||
	    (inode->data_layout != ISHARE_INODE_FLAT_PLAIN &&
	     inode->data_layout != ISHARE_INODE_FLAT_INLINE))
		return false;
	if (inode->data_layout == ISHARE_INODE_FLAT_INLINE)
		tail = (inode->size - 1) / block * block;
	front = pos >= tail ? 0 : min(tail - pos, size);
	if (front && !copy_blocks(o, inode->start_block, pos, to, front))
		return false;
	return front == size ||
	       copy_known(i->space,
			  i->offset + inode->isize + inode->xattr_isize + (pos + front - tail),
			  to ? to + front : NULL, size - front);
}

/* Whether this inode's file has these bytes there, as far as one can know */
static bool has_content(unsigned int which, u32 n, u64 pos, const u8 *data, size_t size)
{
	struct oracle *o = &judged[which]->oracle;

	return !flat_content(o, &o->inodes[n], pos, content, size) || !memcmp(content, data, size);
}

/* Whether all of this inode's file is there, so that no read of it may fail */
static bool is_whole(unsigned int which, u32 n)
{
	struct oracle *o = &judged[which]->oracle;
	const struct oracle_inode *i = &o->inodes[n];

	return flat_content(o, i, 0, NULL, i->inode.size) &&
	       inode_inline_tail(&o->sb, &i->inode, i->offset);
}

static const struct keyed *keyed_as(unsigned int which, u32 n)
{
	unsigned int i;

	for (i = 0; i < nr_keyed; i++)
		if (keyed[i].which == which && keyed[i].n == n)
			return &keyed[i];
	return NULL;
}

/* k: NULL if the file does not share */
static void judge_page(unsigned int which, u32 n, const struct keyed *k, u64 pos, const u8 *data,
		       size_t size)
{
	u64 nid = judged[which]->oracle.inodes[n].nid;
	unsigned int i;

	if (has_content(which, n, pos, data, size))
		return;
	if (!k)
		panic("disagreement: inode.*: at %llu of nid %llu is not what the image has", pos,
		      nid);
	for (i = 0; i < nr_keyed; i++)
		if (same_key(k, &keyed[i]) &&
		    has_content(keyed[i].which, keyed[i].n, pos, data, size))
			return;
	panic("disagreement: share.content: at %llu of nid %llu is what no file with its key has",
	      pos, nid);
}

/* Any file with the key may be the one that is read. */
static bool all_whole(unsigned int which, u32 n, const struct keyed *k)
{
	unsigned int i;

	for (i = 0; k && i < nr_keyed; i++)
		if (same_key(k, &keyed[i]) && !is_whole(keyed[i].which, keyed[i].n))
			return false;
	return is_whole(which, n);
}

static void judge_size(unsigned int which, u32 n, const struct keyed *k, u64 pos, size_t wanted,
		       size_t size)
{
	const struct oracle_inode *i = &judged[which]->oracle.inodes[n];
	u64 most = i->inode.size > pos ? min(wanted, i->inode.size - pos) : 0;

	if (size != most && all_whole(which, n, k))
		panic("disagreement: inode.*: at %llu of nid %llu, %zu bytes are read, not %llu",
		      pos, i->nid, size, most);
}

/* ---- Content by its digest ---- */

/*
 * How data is compressed, or where its chunks are, is nothing that the oracle
 * knows. But if all files with a key are of images whose fingerprints are
 * digests, what is read has to have it.
 */
static void judge_digest(const struct keyed *k, const u8 *data, size_t size)
{
	static const char method[] = "sha256:";
	const size_t front = sizeof(method) - 1;
	const struct ishare_inode *inode = &inode_of(k)->inode;
	u8 digest[SHA256_DIGEST_SIZE];
	unsigned int i;

	if (inode->data_layout == ISHARE_INODE_FLAT_PLAIN ||
	    inode->data_layout == ISHARE_INODE_FLAT_INLINE || inode->size != size ||
	    k->size != front + sizeof(digest) || memcmp(k->value, method, front))
		return;
	for (i = 0; i < nr_keyed; i++)
		if (same_key(k, &keyed[i]) && !is_true(keyed[i].which))
			return;
	sha256(data, size, digest);
	if (memcmp(k->value + front, digest, sizeof(digest)))
		panic("disagreement: share.content: nid %llu does not have its fingerprint's content",
		      inode_of(k)->nid);
}

static void judge_data(unsigned int which, u32 n, struct file *file, u64 pos, size_t wanted,
		       const u8 *data, size_t size)
{
	bool shares = EROFS_I(file_inode(file))->sharedentry;
	const struct keyed *k = shares ? keyed_as(which, n) : NULL;

	if (shares && (!k || is_open(k)))
		return;
	/* Direct I/O has to be aligned, which not all reads are. */
	if (!(file->f_flags & O_DIRECT))
		judge_size(which, n, k, pos, wanted, size);
	if (k && !pos)
		judge_digest(k, data, size);
	while (size) {
		size_t part = min_t(size_t, size, PAGE_SIZE - offset_in_page(pos));

		judge_page(which, n, k, pos, data, part);
		pos += part;
		data += part;
		size -= part;
	}
}

/*
 * What is read is the file's content or, by rule share.content, that of a file
 * with its key. wanted: how much was asked for
 */
void fuzz_judge_read(struct file *file, loff_t pos, size_t wanted, const u8 *data, size_t size)
{
	struct inode *inode = file_inode(file);
	unsigned int which;
	u32 n;

	for (which = 0; which < 2; which++) {
		struct mounted *m = judged[which];

		if (!is_mounted(which) || m->mnt->mnt_sb != inode->i_sb)
			continue;
		for (n = 0; n < m->oracle.nr_inodes; n++)
			if (m->oracle.inodes[n].nid == EROFS_I(inode)->nid)
				judge_data(which, n, file, pos, wanted, data, size);
	}
}

/* ---- The end of an input ---- */

/* What is known of the image stays, for files that share with its own. */
void fuzz_judge_umount(const struct vfsmount *mnt)
{
	unsigned int which;

	for (which = 0; which < 2; which++)
		if (judged[which]->image && judged[which]->mnt == mnt)
			judged[which]->mnt = ERR_PTR(-ENODEV);
}

void fuzz_judge_release(void)
{
	unsigned int which;

	memset(others, 0, sizeof(others));
	forget_keys();
	for (which = 0; which < 2; which++) {
		if (!judged[which]->image)
			continue;
		oracle_free(&judged[which]->oracle);
		judged[which]->image = NULL;
		truth[which] = TRUTH_OPEN;
	}
}
