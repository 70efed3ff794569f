// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rule: share.content
// Harm: memory-safety. The inode that a folio belongs to can be a shared one, on the pseudo
// filesystem, which has no erofs_sb_info and no nid. What is known of an image has to come from
// erofs_real_inode().

@direct@
struct folio *F;
struct readahead_control *R;
position P;
@@
(
EROFS_I@P(\(folio_inode(F)\|F->mapping->host\|R->mapping->host\))
|
EROFS_I_SB@P(\(folio_inode(F)\|F->mapping->host\|R->mapping->host\))
|
EROFS_SB@P(\(folio_inode(F)\|F->mapping->host\|R->mapping->host\)->i_sb)
|
erofs_map_blocks@P(\(folio_inode(F)\|F->mapping->host\|R->mapping->host\), ...)
|
erofs_map_dev@P(\(folio_inode(F)\|F->mapping->host\|R->mapping->host\)->i_sb, ...)
)

@named exists@
struct folio *F;
struct readahead_control *R;
identifier H;
expression E;
position P;
@@
(
H = folio_inode(F)
|
H = F->mapping->host
|
H = R->mapping->host
)
... when != H = E
(
EROFS_I@P(H)
|
EROFS_I_SB@P(H)
|
EROFS_SB@P(H->i_sb)
|
erofs_map_blocks@P(H, ...)
|
erofs_map_dev@P(H->i_sb, ...)
)

@script:python@
p << direct.P;
@@
coccilib.report.print_report(p[0], "the folio's inode can be a shared one: erofs_real_inode()")

@script:python@
p << named.P;
@@
coccilib.report.print_report(p[0], "the folio's inode can be a shared one: erofs_real_inode()")
