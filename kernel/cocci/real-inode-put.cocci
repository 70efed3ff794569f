// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rule: share.unmount
// Harm: memory-safety. erofs_real_inode() may have taken a reference and says so in its second
// argument. On a path that does not ask, the inode stays in use for ever: "Busy inodes after
// unmount", and then use of freed memory.

@taken exists@
expression I;
identifier F, N;
position P;
@@
F(...)
{
... when any
erofs_real_inode@P(I, &N)
... when != N
}

@script:python@
p << taken.P;
n << taken.N;
@@
coccilib.report.print_report(p[0], f"a path to the function's end does not look at {n}, so nobody calls iput()")
