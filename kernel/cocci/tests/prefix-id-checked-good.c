// SPDX-License-Identifier: GPL-2.0-or-later

int by_feature(struct erofs_sb_info *sbi, struct erofs_xattr_prefix_item *pfs)
{
	if (!erofs_sb_has_ishare_xattrs(sbi))
		return -EOPNOTSUPP;
	return use(pfs + sbi->ishare_xattr_prefix_id);
}

int by_number(struct erofs_sb_info *sbi)
{
	if (sbi->ishare_xattr_prefix_id >= sbi->xattr_prefix_count)
		return -EFSCORRUPTED;
	return use(&sbi->xattr_prefixes[sbi->ishare_xattr_prefix_id]);
}
