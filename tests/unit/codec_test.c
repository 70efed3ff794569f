// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* codec.h, which is generated: any bytes decode, and encode to the same bytes. */
#include "rules.h"
#include "unit.h"

enum { ROUNDS = 200, LARGEST = 256 };

struct codec {
	const char *name;
	enum ishare_status (*decode)(const struct ishare_view *v, void *s);
	void (*encode)(const void *s, uint8_t *p);
};

#define CODEC(name)                                                                   \
	static enum ishare_status name##_decode(const struct ishare_view *v, void *s) \
	{                                                                             \
		return ishare_##name##_decode(v, s);                                  \
	}                                                                             \
	static void name##_encode(const void *s, uint8_t *p)                          \
	{                                                                             \
		ishare_##name##_encode(s, p);                                         \
	}

CODEC(superblock)
CODEC(superblock_ext)
CODEC(deviceslot)
CODEC(prefix_record)
CODEC(inode_compact)
CODEC(inode_extended)
CODEC(chunk_index)
CODEC(dirent_record)
CODEC(ibody_header)
CODEC(xattr_entry)

#define ROW(name)                                   \
	{                                           \
#name, name##_decode, name##_encode \
	}

static const struct codec codecs[] = {
	ROW(superblock),    ROW(superblock_ext), ROW(deviceslot),  ROW(prefix_record),
	ROW(inode_compact), ROW(inode_extended), ROW(chunk_index), ROW(dirent_record),
	ROW(ibody_header),  ROW(xattr_entry),
};

static const struct codec *codec_of(const struct ishare_struct *layout)
{
	for (size_t i = 0; i < COUNT(codecs); i++)
		if (strcmp(codecs[i].name, layout->name) == 0)
			return &codecs[i];
	fail_msg("no row for %s", layout->name);
	return NULL;
}

static void every_byte_is_needed(void **state)
{
	uint64_t decoded[LARGEST];
	uint8_t bytes[LARGEST] = { 0 };

	(void)state;
	for (size_t i = 0; i < ISHARE_STRUCT_COUNT; i++)
		for (size_t size = 0; size <= ishare_structs[i].size; size++) {
			struct ishare_view v = guarded(0, bytes, size);

			assert_int_equal(codec_of(&ishare_structs[i])->decode(&v, decoded),
					 size < ishare_structs[i].size ? ISHARE_SHORT : ISHARE_OK);
		}
}

/* Numbers have the bytes that were decoded, and arrays of bytes those that were there. */
static void check_fields(const struct ishare_struct *layout, const uint8_t *decoded,
			 const uint8_t *there, const uint8_t *encoded)
{
	for (uint32_t i = 0; i < layout->field_count; i++) {
		const struct ishare_field *field = &layout->fields[i];
		const uint8_t *wanted = strchr(field->type, '[') ? there : decoded;

		assert_memory_equal(encoded + field->offset, wanted + field->offset, field->size);
	}
}

static void round_trip(const struct ishare_struct *layout, uint32_t *random)
{
	const struct codec *codec = codec_of(layout);
	uint8_t bytes[LARGEST], there[LARGEST], encoded[LARGEST];
	uint64_t once[LARGEST] = { 0 }, again[LARGEST] = { 0 };
	struct ishare_view v;

	fill_random(bytes, layout->size, random);
	fill_random(there, sizeof(there), random);
	memcpy(encoded, there, sizeof(encoded));
	v = guarded(0, bytes, layout->size);
	assert_int_equal(codec->decode(&v, once), ISHARE_OK);
	codec->encode(once, encoded);
	check_fields(layout, bytes, there, encoded);
	assert_memory_equal(encoded + layout->size, there + layout->size,
			    sizeof(encoded) - layout->size);
	v = guarded(0, encoded, layout->size);
	assert_int_equal(codec->decode(&v, again), ISHARE_OK);
	assert_memory_equal(once, again, sizeof(once));
}

static void decoded_and_encoded_are_the_same(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < ISHARE_STRUCT_COUNT; i++)
		for (size_t round = 0; round < ROUNDS; round++)
			round_trip(&ishare_structs[i], &random);
}

static void numbers_of_all_widths(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint64_t values[] = { 0x01, 0x0201, 0x04030201, 0x0807060504030201 };

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct ishare_view field = guarded(0, bytes, (size_t)1 << i);

		assert_int_equal(ishare_number(&field), values[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_needed),
		cmocka_unit_test(decoded_and_encoded_are_the_same),
		cmocka_unit_test(numbers_of_all_widths),
	};

	return report_tests(tests);
}
