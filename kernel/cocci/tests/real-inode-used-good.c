// SPDX-License-Identifier: GPL-2.0-or-later

int read_one(struct folio *folio)
{
	struct inode *sharedinode = folio->mapping->host;
	bool need_iput;
	struct inode *realinode = erofs_real_inode(sharedinode, &need_iput);
	int err = scan(EROFS_I_SB(realinode), EROFS_I(realinode)->nid, sharedinode->i_mapping);

	if (need_iput)
		iput(realinode);
	return err;
}

void of_a_file(struct file *file)
{
	scan(EROFS_I_SB(file_inode(file)));
	scan(EROFS_SB(file->f_mapping->host->i_sb));
}
