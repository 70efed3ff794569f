// SPDX-License-Identifier: GPL-2.0-or-later

void release(struct erofs_inode_fingerprint *fp, struct erofs_inode *vi, struct erofs_sb_info *sbi)
{
	kfree_sensitive(fp->opaque);
	kfree_sensitive(vi->fingerprint.opaque);
	kfree_sensitive(sbi->domain_id);
	kfree(sbi->volume_name);
	kfree(fp);
}
