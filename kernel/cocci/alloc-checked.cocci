// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rule: none of the specification's; kernel/kunit fails allocations on purpose (fault_kunit.c).
// Harm: memory-safety. A failed allocation is a null pointer.

@nofail@
expression X, M;
identifier A;
position N;
@@
X = A@N(..., \(__GFP_NOFAIL\|M | __GFP_NOFAIL\), ...)

@allocated exists@
expression X, E;
identifier A =~ "^(k[mzc]alloc(_objs?|_array|_flex)?|kv[mzc]alloc(_objs?)?|vz?alloc|kmem_cache_z?alloc|kmemdup(_nul)?|kstrdup|krealloc|alloc_pages?|kunit_k[mzc]alloc|kunit_kmalloc_array|[mc]alloc|realloc|strdup)$";
identifier F;
position P != nofail.N;
@@
X = A@P(...)
... when != X
    when != X = E
(
	*X
|
X->F
|
X[...]
|
memcpy(X, ...)
|
memset(X, ...)
|
strcpy(X, ...)
|
strlen(X)
)

@script:python@
p << allocated.P;
@@
coccilib.report.print_report(p[0], "used before anybody looks whether it is NULL")
