// SPDX-License-Identifier: GPL-2.0-or-later

void offsets(struct erofs_sb_info *sbi, struct erofs_inode *vi, struct erofs_super_block *dsb)
{
	erofs_off_t pos = sbi->xattr_prefix_start << 2; /* reported */

	pos += (erofs_off_t)(sbi->xattr_blkaddr << sbi->blkszbits); /* reported */
	pos += vi->xattr_shared_xattrs[0] * sizeof(__le32); /* reported */
	pos += le32_to_cpu(dsb->blocks_lo) << sbi->blkszbits; /* reported */
	pos |= le16_to_cpu(dsb->blocks_hi) << 32; /* reported */
	pos += le32_to_cpu(dsb->xattr_prefix_start) * sizeof(__le32); /* reported */
}
