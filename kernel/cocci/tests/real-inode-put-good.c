// SPDX-License-Identifier: GPL-2.0-or-later

int read_one(struct inode *inode, struct folio *folio)
{
	bool need_iput;
	struct inode *realinode = erofs_real_inode(inode, &need_iput);
	int err = scan(realinode, folio);

	if (err)
		goto out;
	err = submit(realinode);
out:
	if (need_iput)
		iput(realinode);
	return err;
}

void read_many(struct inode *inode, struct readahead_control *rac)
{
	bool need_iput;
	struct context ctx = {
		.realinode = erofs_real_inode(inode, &need_iput),
	};
	struct folio *folio;

	while ((folio = readahead_folio(rac)))
		scan(ctx.realinode, folio);
	if (need_iput)
		iput(ctx.realinode);
}
