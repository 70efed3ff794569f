// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* mutate.h: every structure is found, every field changed, and what comes out is an image still. */
#include "../../tests/unit/unit.h"

#include <glob.h>
#include <stdio.h>

#include "crc32c.h"
#include "mutate.h"

#define IMAGES "{tests/images/*-512,spec/base/*}.erofs"
#define ROUNDS 3000
#define MAX_FIELDS 64

static glob_t images;
static bool found[ISHARE_STRUCT_COUNT + 1];
static bool changed[ISHARE_STRUCT_COUNT][MAX_FIELDS];

/* The image in memory that ends with it; room is more, if it is not 0. */
static uint8_t *read_image(const char *path, size_t *size, size_t room)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*size > room ? *size : room);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}

/* False, too, if there is no superblock, or no block size to say what the checksum covers. */
static bool checksum_is_right(const uint8_t *image, size_t size)
{
	struct ishare_superblock sb;
	struct ishare_view v;

	if (size < ISHARE_SUPERBLOCK_OFFSET)
		return false;
	v.data = image + ISHARE_SUPERBLOCK_OFFSET;
	v.size = size - ISHARE_SUPERBLOCK_OFFSET;
	return ishare_superblock_decode(&v, &sb) == ISHARE_OK &&
	       sb.blkszbits >= ISHARE_BLOCK_BITS_MIN && sb.blkszbits <= ISHARE_BLOCK_BITS_MAX &&
	       sb_checksum(&sb, &v);
}

static void note_changes(const struct spots *spots, const uint8_t *before, const uint8_t *after,
			 size_t size)
{
	for (uint32_t i = 0; i < spots->count; i++) {
		const struct spot *spot = &spots->items[i];
		const struct ishare_struct *s = &ishare_structs[spot->structure];

		found[spot->structure] = true;
		if (spot->structure == ISHARE_STRUCT_COUNT || spot->offset + spot->size > size)
			continue;
		for (uint32_t k = 0; k < s->field_count; k++)
			if (memcmp(before + spot->offset + s->fields[k].offset,
				   after + spot->offset + s->fields[k].offset, s->fields[k].size))
				changed[spot->structure][k] = true;
	}
}

static void spots_are_in_the_image(void **state)
{
	static struct spots spots;
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < images.gl_pathc; i++) {
		size_t size;
		uint8_t *image = read_image(images.gl_pathv[i], &size, 0);

		for (int round = 0; round < ROUNDS / 10; round++) {
			find_spots(image, size, &spots);
			for (uint32_t k = 0; k < spots.count; k++)
				assert_true(spots.items[k].size <= size &&
					    spots.items[k].offset <= size - spots.items[k].size);
			image[1024 + next_random(&random) % (size - 1024)] =
				(uint8_t)next_random(&random);
		}
		free(image);
	}
}

static void every_field_is_changed(void **state)
{
	static struct spots spots;
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < images.gl_pathc; i++) {
		size_t size, other_size, room = 1 << 16;
		uint8_t *image = read_image(images.gl_pathv[i], &size, 0);
		uint8_t *other =
			read_image(images.gl_pathv[(i + 1) % images.gl_pathc], &other_size, 0);
		uint8_t *copy = malloc(room);

		find_spots(image, size, &spots);
		for (int round = 0; round < ROUNDS; round++) {
			size_t now;

			memcpy(copy, image, size);
			now = splice_image(copy, size, room, other, other_size, &random);
			assert_true(now <= room);
			note_changes(&spots, image, copy, now);
		}
		free(copy);
		free(other);
		free(image);
	}
	for (uint32_t i = 0; i <= ISHARE_STRUCT_COUNT; i++)
		if (!found[i])
			fail_msg("%s is never found",
				 i < ISHARE_STRUCT_COUNT ? ishare_structs[i].name : "a value");
	for (uint32_t i = 0; i < ISHARE_STRUCT_COUNT; i++)
		for (uint32_t k = 0; k < ishare_structs[i].field_count; k++)
			if (!changed[i][k])
				fail_msg("%s.%s is never changed", ishare_structs[i].name,
					 ishare_structs[i].fields[k].name);
}

static void no_image_grows_beyond_its_room(void **state)
{
	uint64_t random = 1;
	size_t size;
	uint8_t *image = read_image(images.gl_pathv[0], &size, 0), *start = malloc(size);
	size_t first = size;

	(void)state;
	memcpy(start, image, size);
	for (int round = 0; round < 20 * ROUNDS; round++) {
		size = mutate_image(image, size, first, &random);
		assert_true(size <= first);
		if (round % 50 == 0)
			memcpy(image, start, size = first);
	}
	free(start);
	free(image);
}

static void checksums_are_mended_but_for_some(void **state)
{
	uint64_t random = 1;
	size_t size, room = 1 << 16, wrong = 0;
	uint8_t *image = read_image("spec/base/plain.erofs", &size, 0), *copy = malloc(room);

	(void)state;
	assert_true(checksum_is_right(image, size));
	for (int round = 0; round < ROUNDS; round++) {
		memcpy(copy, image, size);
		wrong += !checksum_is_right(copy, mutate_image(copy, size, room, &random));
	}
	assert_in_range(wrong, ROUNDS / 100, ROUNDS / 4);
	free(copy);
	free(image);
}

static void what_is_no_image_is_changed_too(void **state)
{
	uint8_t bytes[4] = { 1, 2, 3, 4 };
	uint64_t random = 1;
	bool differs = false;

	(void)state;
	assert_int_equal(mutate_image(bytes, 0, 0, &random), 0);
	for (int round = 0; round < 10; round++) {
		assert_true(mutate_image(bytes, 4, 4, &random) <= 4);
		differs = differs || memcmp(bytes, "\1\2\3\4", 4);
	}
	assert_true(differs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spots_are_in_the_image),
		cmocka_unit_test(every_field_is_changed),
		cmocka_unit_test(no_image_grows_beyond_its_room),
		cmocka_unit_test(checksums_are_mended_but_for_some),
		cmocka_unit_test(what_is_no_image_is_changed_too),
	};

	if (glob(IMAGES, GLOB_BRACE, NULL, &images) != 0)
		return EXIT_FAILURE;
	return report_tests(tests);
}
