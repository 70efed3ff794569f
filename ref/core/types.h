/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * The types that the verified core stands on, for user space, the kernel and Frama-C alike.
 * The structures that the specification defines are in the generated layout.h.
 */
#ifndef ISHARE_TYPES_H
#define ISHARE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* PTRDIFF_MAX of the machine: no view is larger (a pointer difference must be representable). */
#if defined(__LP64__) || defined(_LP64)
#define ISHARE_VIEW_MAX 0x7fffffffffffffff
#else
#define ISHARE_VIEW_MAX 0x7fffffff
#endif

/*
 * An address space, or a window into one: size bytes at data. The core never reads outside it. The
 * bytes must not change while a function of the core runs: callers pass private copies.
 */
struct ishare_view {
	const uint8_t *data;
	size_t size;
};

enum ishare_status {
	ISHARE_OK = 0,
	ISHARE_END, /* an iterator has walked past its last record */
	ISHARE_SHORT, /* the view ends before the structure does */
	ISHARE_MALFORMED, /* the bytes break a rule that decoding relies on: one of the record's */
};

/* Where the table of long xattr name prefixes lies: see prefix.location. */
enum ishare_prefix_space {
	ISHARE_PREFIX_IN_IMAGE = 0,
	ISHARE_PREFIX_IN_METABOX,
	ISHARE_PREFIX_IN_PACKED,
};

#endif
