// SPDX-License-Identifier: GPL-2.0-or-later

int key(struct erofs_sb_info *sbi)
{
	if (!sbi->domain_id)
		return -EOPNOTSUPP;
	return strlen(sbi->domain_id);
}

bool shares(struct inode *inode, struct erofs_sb_info *sbi)
{
	return sbi->domain_id && fingerprint(inode, sbi->domain_id);
}

void release(struct erofs_sb_info *sbi)
{
	kfree_sensitive(sbi->domain_id);
}
