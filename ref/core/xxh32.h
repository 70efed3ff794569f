/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* XXH32, as xattr.name-filter uses it: "The name filter" in the xattrs chapter. */
#ifndef ISHARE_XXH32_H
#define ISHARE_XXH32_H

#include "bytes.h"

/*@ requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32(v->data, v->size, seed); */
uint32_t ishare_xxh32(const struct ishare_view *v, uint32_t seed);

#endif
