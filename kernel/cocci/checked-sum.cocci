// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rules: xattr.entry-bounds, inode.xattr-bounds
// Harm: memory-safety. A sum of 32-bit numbers, one of them as it stands in the image, can wrap and
// then passes every comparison with a size. Compare the one with what the other leaves, or use
// check_add_overflow().

@sum@
typedef u32, uint32_t;
{unsigned int,u32,uint32_t,int} X;
expression E, S;
position P;
@@
(
X +@P le32_to_cpu(E) > S
|
X +@P le32_to_cpu(E) >= S
|
le32_to_cpu(E) +@P X > S
|
le32_to_cpu(E) +@P X >= S
|
le32_to_cpu(E) +@P le32_to_cpu(...) > S
|
le32_to_cpu(E) +@P le32_to_cpu(...) >= S
)

@named exists@
{unsigned int,u32,uint32_t,int} X, Y;
expression E, L, N, S;
position P;
@@
Y = le32_to_cpu(E)
... when != Y = N
    when != Y > L
    when != Y >= L
(
X +@P Y > S
|
X +@P Y >= S
|
Y +@P X > S
|
Y +@P X >= S
)

@script:python@
p << sum.P;
@@
coccilib.report.print_report(p[0], "this sum can wrap")

@script:python@
p << named.P;
@@
coccilib.report.print_report(p[0], "this sum can wrap")
