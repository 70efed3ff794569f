// SPDX-License-Identifier: GPL-2.0-or-later

int early_return(struct inode *inode, struct folio *folio)
{
	bool need_iput;
	struct inode *realinode = erofs_real_inode(inode, &need_iput); /* reported */
	int err = scan(realinode, folio);

	if (err)
		return err;
	if (need_iput)
		iput(realinode);
	return 0;
}

void never(struct inode *inode, struct readahead_control *rac)
{
	bool need_iput;
	struct context ctx = {
		.realinode = erofs_real_inode(inode, &need_iput), /* reported */
	};

	scan(ctx.realinode, readahead_folio(rac));
}

void sometimes(struct inode *inode, struct folio *folio)
{
	struct inode *realinode;
	bool need_iput;

	realinode = erofs_real_inode(inode, &need_iput); /* reported */
	if (scan(realinode, folio)) {
		if (need_iput)
			iput(realinode);
	}
}
