// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rule: share.domain-hidden
// Harm: policy. The key of a shared inode begins with the domain, which is a secret between the
// images' owner and the kernel. kfree() leaves it in memory that somebody else gets next.

@freed@
expression S;
identifier F =~ "^(opaque|domain_id)$";
position P;
@@
(
kfree@P(S->F)
|
kfree@P(S.F)
|
kvfree@P(S->F)
|
kvfree@P(S.F)
)

@script:python@
p << freed.P;
@@
coccilib.report.print_report(p[0], "a copy of the domain is freed, but not erased: kfree_sensitive()")
