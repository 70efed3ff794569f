// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rules: xattr.shared-id, prefix.location, inode.data-bounds
// Harm: wrong-data. A place in an image needs 64 bits. A 32-bit number from the image that is
// multiplied or shifted in 32 bits wraps, and names a place that the image did not mean. sizeof()
// has 32 bits on a 32-bit machine.

@narrow@
expression E, O, S, T;
identifier F =~ "^(xattr_prefix_start|xattr_blkaddr|meta_blkaddr)$";
type U;
position P;
@@
(
le32_to_cpu(E) <<@P S
|
le16_to_cpu(E) <<@P 32
|
T->F <<@P S
|
le32_to_cpu(E) *@P \(sizeof(U)\|sizeof(O)\)
|
T->F *@P \(sizeof(U)\|sizeof(O)\)
|
T->xattr_shared_xattrs[E] *@P \(sizeof(U)\|sizeof(O)\)
)

@script:python@
p << narrow.P;
@@
coccilib.report.print_report(p[0], "32 bits from the image are shifted or multiplied in 32 bits: cast to erofs_off_t first")
