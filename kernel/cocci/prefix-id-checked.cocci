// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rules: sb.ishare-prefix-id, share.option-needs-feature, share.remount
// Harm: memory-safety. Only with the feature ISHARE_XATTRS has ishare_xattr_prefix_id been compared
// with the number of prefixes, and only then does that prefix end in a NUL.

@used exists@
expression S, T, C;
identifier F;
position P;
@@
F(...)
{
... when != erofs_sb_has_ishare_xattrs(...)
    when != S->ishare_xattr_prefix_id >= C
    when != S->ishare_xattr_prefix_id < C
(
T + S->ishare_xattr_prefix_id@P
|
T[S->ishare_xattr_prefix_id@P]
)
... when any
}

@script:python@
p << used.P;
@@
coccilib.report.print_report(p[0], "ishare_xattr_prefix_id is used without a look at the feature or the number of prefixes")
