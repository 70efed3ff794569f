/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The hash of the xattr name filter: "The name filter" in spec/50-xattrs.md. */
#ifndef ISHARE_XXH32_H
#define ISHARE_XXH32_H

#include "types.h"

/* XXH32 of the bytes of @v, which may be none, from @seed. */
uint32_t ishare_xxh32(const struct ishare_view *v, uint32_t seed);

#endif
