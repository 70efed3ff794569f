// SPDX-License-Identifier: GPL-2.0-or-later

void direct(struct folio *folio, struct readahead_control *rac)
{
	scan(EROFS_SB(folio->mapping->host->i_sb)); /* reported */
	scan(EROFS_I_SB(folio_inode(folio))); /* reported */
	scan(EROFS_I(rac->mapping->host)->nid); /* reported */
}

int named(struct folio *folio, struct erofs_map_blocks *map)
{
	struct inode *inode = folio_inode(folio);

	return erofs_map_blocks(inode, map); /* reported */
}

int device(struct readahead_control *rac, struct erofs_map_dev *dev)
{
	struct inode *inode = rac->mapping->host;

	return erofs_map_dev(inode->i_sb, dev); /* reported */
}
