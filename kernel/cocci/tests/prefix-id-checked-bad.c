// SPDX-License-Identifier: GPL-2.0-or-later

int by_option(struct erofs_sb_info *sbi)
{
	if (!test_opt(&sbi->opt, INODE_SHARE) || !sbi->xattr_prefixes)
		return -EOPNOTSUPP;
	return use(sbi->xattr_prefixes + sbi->ishare_xattr_prefix_id); /* reported */
}

int too_late(struct erofs_sb_info *sbi)
{
	int found = use(&sbi->xattr_prefixes[sbi->ishare_xattr_prefix_id]); /* reported */

	return sbi->ishare_xattr_prefix_id >= sbi->xattr_prefix_count ? -EFSCORRUPTED : found;
}
