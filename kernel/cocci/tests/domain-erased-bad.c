// SPDX-License-Identifier: GPL-2.0-or-later

void release(struct erofs_inode_fingerprint *fp, struct erofs_inode *vi, struct erofs_sb_info *sbi)
{
	kfree(fp->opaque); /* reported */
	kfree(vi->fingerprint.opaque); /* reported */
	kfree(sbi->domain_id); /* reported */
	kvfree(fp->opaque); /* reported */
}
