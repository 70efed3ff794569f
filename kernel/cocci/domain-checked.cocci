// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rules: share.option-needs-domain, share.remount
// Harm: memory-safety. A mount has a domain if somebody gave it one. The option alone does not say
// so: remounting can turn it on.

@guarded@
expression S;
position N;
@@
S->domain_id && <+... S->domain_id@N ...+>

@used exists@
expression S;
identifier F, G != {kfree, kfree_sensitive};
position P != guarded.N;
@@
F(...)
{
... when != S->domain_id == NULL
    when != S->domain_id != NULL
G(..., S->domain_id@P, ...)
... when any
}

@script:python@
p << used.P;
@@
coccilib.report.print_report(p[0], "the domain is used without a look whether there is one")
