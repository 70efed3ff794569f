// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * usage: violations CASE
 *
 * Calls the core in ways that its contracts forbid, or in unusual ways that they allow: for
 * proofs/callers.t.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "core.h"
#include "crc32c.h"

/* A table of one prefix: base_index 1, infix "ab". */
static const uint8_t table_bytes[] = { 3, 0, 1, 'a', 'b', 0, 0, 0 };
static const struct ishare_view table = { table_bytes, sizeof(table_bytes) };

/* An xattr entry "ab" in namespace 1 without a value. */
static const uint8_t area_bytes[] = { 2, 1, 0, 0, 'a', 'b', 0, 0 };
static const struct ishare_view area = { area_bytes, sizeof(area_bytes) };

/* The compiler must not know that what follows it is wrong. */
static volatile size_t one = 1;

/* ---- Allowed ---- */

static void empty_view(void)
{
	struct ishare_view nothing = { NULL, 0 }, whole_heap = { malloc(4), 4 };

	memset((void *)whole_heap.data, 0, whole_heap.size);
	ishare_crc32c(0, &nothing);
	ishare_crc32c(0, &whole_heap);
	free((void *)whole_heap.data);
}

static void walked_records(void)
{
	struct ishare_prefix p;
	struct ishare_entry e;

	if (ishare_prefix_find(&table, 1, 0, &p) != ISHARE_OK || !prefix_padding_zero(&table, &p))
		abort();
	if (ishare_entry_first(&area, 0, &e) != ISHARE_OK ||
	    ishare_entry_next(&area, &e) != ISHARE_END)
		abort();
}

/* ---- Forbidden ---- */

static void too_long(void)
{
	struct ishare_view view = { calloc(1, 8), 8 + one };

	ishare_crc32c(0, &view);
}

static void freed(void)
{
	struct ishare_view view = { calloc(1, 8), 8 };

	free((void *)view.data);
	ishare_crc32c(0, &view);
}

static void no_pointer(void)
{
	struct ishare_view view = { NULL, one };

	ishare_crc32c(0, &view);
}

static void no_view(void)
{
	ishare_crc32c(0, one ? NULL : &table);
}

static void too_large(void)
{
	struct ishare_view view = { table_bytes, SIZE_MAX - one };

	ishare_crc32c(0, &view);
}

static void constant(void)
{
	static const struct ishare_prefix out;

	ishare_prefix_find(&table, 1, 0, (struct ishare_prefix *)&out);
}

static void overlap(void)
{
	union {
		struct ishare_dirent_record record;
		uint8_t bytes[64];
	} both = { .bytes = { 0 } };
	struct ishare_view view = { both.bytes + one, ISHARE_DIRENT_RECORD_SIZE };

	ishare_dirent_record_decode(&view, &both.record);
}

static void out_of_range(void)
{
	struct ishare_superblock sb = { .blkszbits = 8 * (uint32_t)one };

	ishare_block_size(&sb);
}

static void through_pointer(void)
{
	uint64_t (*volatile block_size)(const struct ishare_superblock *) = ishare_block_size;
	struct ishare_superblock sb = { .blkszbits = 17 };

	block_size(&sb);
}

/* Four bytes of an image that has an exbibyte. */
static void of_another_image(void)
{
	const struct ishare_profile profile = { .page_bits = 12 };
	struct ishare_view view = { table_bytes, 4 * one };
	struct ishare_superblock_faults faults;
	struct ishare_superblock_ext ext;
	struct ishare_superblock sb;

	ishare_superblock_judge(&view, UINT64_C(1) << 60, &profile, &sb, &ext, &faults);
}

static void does_not_fit(void)
{
	struct ishare_xattr_entry entry = { .e_name_len = 256 };
	uint8_t bytes[ISHARE_XATTR_ENTRY_SIZE];

	ishare_xattr_entry_encode(&entry, bytes);
}

static void not_walked(void)
{
	struct ishare_prefix p = { 0 };

	prefix_padding_zero(&table, &p);
}

static void not_decoded(void)
{
	struct ishare_entry e = { 0 };

	ishare_entry_next(&area, &e);
}

static void records_not_walked(void)
{
	struct ishare_prefix p = { 0 };
	struct ishare_prefixes prefixes = { table, &p, 1 };
	struct ishare_name name = { 1, { table_bytes + 3, 2 } };
	struct ishare_entry e;

	if (ishare_entry_first(&area, 0, &e) != ISHARE_OK)
		abort();
	ishare_entry_named(&area, &e, &prefixes, &name);
}

static void inlined(void)
{
	struct ishare_view field = { table_bytes, 2 + one };

	ishare_number(&field);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "empty_view", empty_view },
	{ "walked_records", walked_records },
	{ "too_long", too_long },
	{ "freed", freed },
	{ "no_pointer", no_pointer },
	{ "no_view", no_view },
	{ "too_large", too_large },
	{ "constant", constant },
	{ "overlap", overlap },
	{ "out_of_range", out_of_range },
	{ "through_pointer", through_pointer },
	{ "of_another_image", of_another_image },
	{ "does_not_fit", does_not_fit },
	{ "not_walked", not_walked },
	{ "not_decoded", not_decoded },
	{ "records_not_walked", records_not_walked },
	{ "inlined", inlined },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].name, argv[1]) == 0) {
			cases[i].run();
			return 0;
		}
	fputs("usage: violations CASE\n", stderr);
	return 2;
}
