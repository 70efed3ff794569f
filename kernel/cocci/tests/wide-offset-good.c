// SPDX-License-Identifier: GPL-2.0-or-later

void offsets(struct erofs_sb_info *sbi, struct erofs_inode *vi, struct erofs_super_block *dsb)
{
	erofs_off_t pos = (erofs_off_t)sbi->xattr_prefix_start << 2;

	pos += erofs_pos(sbi->sb, sbi->xattr_blkaddr);
	pos += (erofs_off_t)vi->xattr_shared_xattrs[0] * sizeof(__le32);
	pos += (u64)le32_to_cpu(dsb->blocks_lo) << sbi->blkszbits;
	pos |= (u64)le16_to_cpu(dsb->blocks_hi) << 32;
	pos += le16_to_cpu(dsb->devt_slotoff) * EROFS_DEVT_SLOT_SIZE;
}
