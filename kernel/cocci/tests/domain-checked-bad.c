// SPDX-License-Identifier: GPL-2.0-or-later

int key(struct erofs_sb_info *sbi)
{
	if (!test_opt(&sbi->opt, INODE_SHARE))
		return -EOPNOTSUPP;
	return strlen(sbi->domain_id); /* reported */
}

bool shares(struct inode *inode, struct erofs_sb_info *sbi)
{
	if (fingerprint(inode, sbi->domain_id)) /* reported */
		return false;
	return true;
}
