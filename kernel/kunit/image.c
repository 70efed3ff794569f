// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small EROFS images, put together in memory: a root directory with up to four
 * files of at most one block, prefixes, inline and shared xattrs. Tests damage
 * them afterwards, through the pointers that the functions return.
 */
#include <linux/crc32c.h>
#include "erofs_test.h"

static void add_dirent(struct erofs_dirent *d, void *block, unsigned int *end, erofs_nid_t nid,
		       u8 type, const char *name)
{
	d->nid = cpu_to_le64(nid);
	d->nameoff = cpu_to_le16(*end);
	d->file_type = type;
	memcpy(block + *end, name, strlen(name));
	*end += strlen(name);
}

/* Names come in the order in which files were added: tests add a, b, c. */
static void write_root(struct erofs_test_image *img)
{
	void *block = erofs_test_block(img, EROFS_TEST_ROOT);
	struct erofs_dirent *d = block;
	unsigned int i, end = (img->nr_files + 2) * sizeof(*d);
	erofs_nid_t nid = erofs_test_nid(img, img->root);

	memset(block, 0, EROFS_TEST_BLKSZ);
	add_dirent(d++, block, &end, nid, FT_DIR, ".");
	add_dirent(d++, block, &end, nid, FT_DIR, "..");
	for (i = 0; i < img->nr_files; i++)
		add_dirent(d++, block, &end, erofs_test_nid(img, img->files[i]), FT_REG_FILE,
			   img->names[i]);
	img->root->i_size = cpu_to_le32(end);
}

static struct erofs_inode_compact *add_inode(struct erofs_test_image *img, umode_t mode,
					     u32 startblk)
{
	struct erofs_inode_compact *inode;

	inode = erofs_test_block(img, EROFS_TEST_INODES) + img->inode_end;
	img->inode_end += sizeof(*inode);
	inode->i_format = cpu_to_le16(EROFS_INODE_FLAT_PLAIN << EROFS_I_DATALAYOUT_BIT);
	inode->i_mode = cpu_to_le16(mode);
	inode->i_nb.nlink = cpu_to_le16(1);
	inode->i_u.startblk_lo = cpu_to_le32(startblk);
	return inode;
}

struct erofs_test_image *erofs_test_image_new(struct kunit *test)
{
	struct erofs_test_image *img = kunit_kzalloc(test, sizeof(*img), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, img);
	img->sb = (void *)img->bytes + EROFS_SUPER_OFFSET;
	img->prefix_end = EROFS_TEST_PREFIXES;
	*img->sb = (struct erofs_super_block){
		.magic = cpu_to_le32(EROFS_SUPER_MAGIC_V1),
		.feature_compat = cpu_to_le32(EROFS_FEATURE_COMPAT_SB_CHKSUM |
					      EROFS_FEATURE_COMPAT_PLAIN_XATTR_PFX),
		.blkszbits = EROFS_TEST_BLKBITS,
		.inos = cpu_to_le64(1),
		.blocks_lo = cpu_to_le32(EROFS_TEST_BLOCKS),
		.meta_blkaddr = cpu_to_le32(EROFS_TEST_INODES),
		.xattr_blkaddr = cpu_to_le32(EROFS_TEST_SHARED),
		.xattr_prefix_start = cpu_to_le32(EROFS_TEST_PREFIXES >> 2),
	};
	img->root = add_inode(img, S_IFDIR | 0755, EROFS_TEST_ROOT);
	img->root->i_nb.nlink = cpu_to_le16(2);
	return img;
}

erofs_nid_t erofs_test_nid(struct erofs_test_image *img, struct erofs_inode_compact *inode)
{
	void *first = erofs_test_block(img, EROFS_TEST_INODES);

	return ((void *)inode - first) / sizeof(*inode);
}

/* Return: the prefix's index */
unsigned int erofs_test_add_prefix(struct erofs_test_image *img, u8 base_index, const char *infix,
				   unsigned int len)
{
	u8 *record = img->bytes + img->prefix_end;

	*(__le16 *)record = cpu_to_le16(1 + len);
	record[2] = base_index;
	memcpy(record + 3, infix, len);
	img->prefix_end += round_up(3 + len, 4);
	img->sb->feature_incompat |= cpu_to_le32(EROFS_FEATURE_INCOMPAT_XATTR_PREFIXES);
	return img->sb->xattr_prefix_count++;
}

/* @data: of @size bytes, which are a block at most; NULL: zeros */
struct erofs_inode_compact *erofs_test_add_file(struct erofs_test_image *img, const char *name,
						const void *data, u32 size)
{
	unsigned int block = EROFS_TEST_DATA + img->nr_files;
	struct erofs_inode_compact *inode;

	if (WARN_ON(block >= EROFS_TEST_BLOCKS || size > EROFS_TEST_BLKSZ))
		return NULL;
	inode = add_inode(img, S_IFREG | 0644, block);
	inode->i_size = cpu_to_le32(size);
	if (data)
		memcpy(erofs_test_block(img, block), data, size);
	img->names[img->nr_files] = name;
	img->files[img->nr_files++] = inode;
	le64_add_cpu(&img->sb->inos, 1);
	return inode;
}

/* To be called for the inode that was added last, before any other is added. */
struct erofs_xattr_ibody_header *erofs_test_add_ibody(struct erofs_test_image *img,
						      struct erofs_inode_compact *inode,
						      const u32 *shared, unsigned int nr_shared)
{
	struct erofs_xattr_ibody_header *ih = (void *)(inode + 1);
	unsigned int i;

	ih->h_shared_count = nr_shared;
	for (i = 0; i < nr_shared; i++)
		ih->h_shared_xattrs[i] = cpu_to_le32(shared[i]);
	inode->i_xattr_icount = cpu_to_le16(1 + nr_shared);
	img->inode_end += round_up(sizeof(*ih) + nr_shared * sizeof(u32), sizeof(*inode));
	return ih;
}

static struct erofs_xattr_entry *write_entry(void *p, u8 index, const char *name,
					     unsigned int name_len, const void *value,
					     unsigned int value_len)
{
	struct erofs_xattr_entry *e = p;

	e->e_name_len = name_len;
	e->e_name_index = index;
	e->e_value_size = cpu_to_le16(value_len);
	memcpy(e->e_name, name, name_len);
	memcpy(e->e_name + name_len, value, value_len);
	return e;
}

/* Likewise, after erofs_test_add_ibody() */
struct erofs_xattr_entry *erofs_test_add_xattr(struct erofs_test_image *img,
					       struct erofs_inode_compact *inode, u8 index,
					       const char *name, unsigned int name_len,
					       const void *value, unsigned int value_len)
{
	void *area = inode + 1;
	unsigned int end = erofs_xattr_ibody_size(inode->i_xattr_icount);
	struct erofs_xattr_entry *e;

	e = write_entry(area + end, index, name, name_len, value, value_len);
	end += erofs_xattr_entry_size(e);
	inode->i_xattr_icount =
		cpu_to_le16(1 + (end - sizeof(struct erofs_xattr_ibody_header)) / 4);
	img->inode_end =
		round_up(area + end - erofs_test_block(img, EROFS_TEST_INODES), sizeof(*inode));
	return e;
}

/* Return: the id */
u32 erofs_test_add_shared(struct erofs_test_image *img, u8 index, const char *name,
			  const void *value, unsigned int value_len)
{
	u32 id = img->shared_end / 4;
	struct erofs_xattr_entry *e;

	e = write_entry(erofs_test_block(img, EROFS_TEST_SHARED) + img->shared_end, index, name,
			strlen(name), value, value_len);
	img->shared_end += erofs_xattr_entry_size(e);
	return id;
}

static void write_checksum(struct erofs_test_image *img)
{
	u8 *from = (u8 *)(&img->sb->checksum + 1);

	/* 0x5045b54a: the state after the magic and a checksum of zero */
	img->sb->checksum =
		cpu_to_le32(crc32c(0x5045b54a, from, img->bytes + EROFS_TEST_BLKSZ - from));
}

static void umount(void *mnt)
{
	erofs_test_umount(mnt);
}

/* Return: a mount until erofs_test_umount_image() or the test's end, or an error */
struct vfsmount *erofs_test_mount_image(struct kunit *test, struct erofs_test_image *img,
					const struct erofs_test_options *opts)
{
	struct vfsmount *mnt;

	write_root(img);
	if (!img->keep_checksum)
		write_checksum(img);
	mnt = erofs_test_mount(img->bytes, sizeof(img->bytes), opts);
	if (!IS_ERR(mnt))
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, umount, mnt));
	return mnt;
}

/* Likewise, but it has to succeed: with inode_share if a domain is given. */
struct vfsmount *erofs_test_mount_shared(struct kunit *test, struct erofs_test_image *img,
					 const char *domain_id)
{
	struct erofs_test_options opts = {
		.inode_share = domain_id,
		.domain_id = domain_id,
	};
	struct vfsmount *mnt = erofs_test_mount_image(test, img, &opts);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mnt);
	return mnt;
}

void erofs_test_umount_image(struct kunit *test, struct vfsmount *mnt)
{
	kunit_release_action(test, umount, mnt);
}

/* The filesystem of shared inodes; the test has one of them, of a domain of its own. */
struct super_block *erofs_test_shared_sb(struct kunit *test)
{
	struct erofs_test_image *img = erofs_test_image_new(test);
	struct dentry *a;
	u32 id;

	erofs_test_add_prefix(img, 0, "fingerprint", 11);
	img->sb->feature_compat |= cpu_to_le32(EROFS_FEATURE_COMPAT_ISHARE_XATTRS);
	id = erofs_test_add_shared(img, 0x80, "", "value", 5);
	erofs_test_add_ibody(img, erofs_test_add_file(img, "a", "", 0), &id, 1);
	a = erofs_test_lookup(test, erofs_test_mount_shared(test, img, "keeper"), "a");
	KUNIT_ASSERT_NOT_NULL(test, EROFS_I(d_inode(a))->sharedentry);
	return EROFS_I(d_inode(a))->sharedentry->d_sb;
}
