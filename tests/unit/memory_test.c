// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* ishare.h: an image in memory is judged like the file with the same bytes; wrong arguments. */
#include "unit.h"

#include <glob.h>
#include <stdio.h>

#include "ishare.h"

#define VECTORS "build/spec/vectors/*/*.erofs"

static const struct ishare_options options = { .profile = { .page_bits = 12 } };

/* Findings, one line each. */
static void write_finding(void *context, const struct ishare_finding *finding)
{
	const struct ishare_place *place = &finding->place;

	fprintf(context, "%s %s: %s: %s %llu+%u row %u", finding->rule->name,
		finding->path ? finding->path : "", finding->message, place->space,
		(unsigned long long)place->offset, place->size, place->row_size);
	for (uint32_t i = 0; i < place->row_size; i++)
		fprintf(context, " %02x", place->row[i]);
	fputc('\n', context);
}

/* What is found in the image, which is closed; the caller frees it. */
static char *findings(struct ishare_image *image)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct ishare_sink sink = { .context = out, .finding = write_finding };
	struct ishare_domain *domain = ishare_domain_new();
	struct ishare_summary summary = { 0 };
	enum ishare_result result = ishare_check(image, &options, &sink, domain, &summary);

	fprintf(out, "result %d: %s\n", result, ishare_image_error(image));
	result = ishare_domain_judge(domain, &options, &sink, &summary);
	fprintf(out, "result %d, %llu inodes\n", result, (unsigned long long)summary.inodes);
	fclose(out);
	ishare_domain_free(domain);
	ishare_image_close(image);
	return text;
}

/* The bytes of a file in memory that ends with them. */
static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	void *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*size ? *size : 1);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	fclose(file);
	return bytes;
}

static void vectors_are_judged_alike(void **state)
{
	glob_t names;

	(void)state;
	assert_int_equal(glob(VECTORS, 0, NULL, &names), 0);
	for (size_t i = 0; i < names.gl_pathc; i++) {
		const char *path = names.gl_pathv[i];
		struct ishare_image *file, *memory;
		char *from_file, *from_memory;
		size_t size;
		void *bytes = read_file(path, &size);

		assert_int_equal(ishare_image_open(path, &file), ISHARE_DONE);
		assert_int_equal(ishare_image_open_memory(path, bytes, size, &memory), ISHARE_DONE);
		assert_int_equal(ishare_image_size(memory), size);
		from_file = findings(file);
		from_memory = findings(memory);
		assert_string_equal(from_file, from_memory);
		free(from_file);
		free(from_memory);
		free(bytes);
	}
	globfree(&names);
}

static void devices_can_be_in_memory(void **state)
{
	size_t size, device_size;
	void *bytes = read_file("spec/base/blob.erofs", &size);
	void *device = read_file("spec/base/blob.blob", &device_size);
	struct ishare_image *file, *memory;
	char *from_file, *from_memory;

	(void)state;
	assert_int_equal(ishare_image_open("spec/base/blob.erofs", &file), ISHARE_DONE);
	assert_int_equal(ishare_image_add_device(file, "spec/base/blob.blob"), ISHARE_DONE);
	assert_int_equal(ishare_image_open_memory("spec/base/blob.erofs", bytes, size, &memory),
			 ISHARE_DONE);
	assert_int_equal(ishare_image_add_memory(memory, device, device_size), ISHARE_DONE);
	from_file = findings(file);
	from_memory = findings(memory);
	assert_string_equal(from_file, from_memory);
	free(from_file);
	free(from_memory);
	free(device);
	free(bytes);
}

static const uint8_t numbers[3] = { 1, 2, 3 };

static struct ishare_image *three_bytes(void)
{
	struct ishare_image *image;

	assert_int_equal(ishare_image_open_memory("three bytes", numbers, sizeof(numbers), &image),
			 ISHARE_DONE);
	return image;
}

static void reading_past_the_end_is_an_error(void **state)
{
	struct ishare_image *image = three_bytes();
	uint8_t copy[2];

	(void)state;
	assert_int_equal(ishare_image_read(image, 1, copy, sizeof(copy)), ISHARE_DONE);
	assert_memory_equal(copy, numbers + 1, sizeof(copy));
	assert_int_equal(ishare_image_read(image, 2, copy, sizeof(copy)), ISHARE_IO_ERROR);
	ishare_image_close(image);
	assert_int_equal(ishare_image_open_memory("nothing", NULL, 0, &image), ISHARE_DONE);
	assert_int_equal(ishare_image_read(image, 0, copy, 1), ISHARE_IO_ERROR);
	ishare_image_close(image);
}

static void an_image_can_begin_later(void **state)
{
	struct ishare_image *image = three_bytes();
	uint8_t copy[2];

	(void)state;
	assert_int_equal(ishare_image_begin_at(image, 4), ISHARE_IO_ERROR);
	assert_string_equal(ishare_image_error(image), "no image can begin at byte 4 of 3");
	assert_int_equal(ishare_image_begin_at(image, 1), ISHARE_DONE);
	assert_int_equal(ishare_image_size(image), 2);
	assert_int_equal(ishare_image_held(image), 2);
	assert_int_equal(ishare_image_read(image, 0, copy, sizeof(copy)), ISHARE_DONE);
	assert_memory_equal(copy, numbers + 1, sizeof(copy));
	assert_int_equal(ishare_image_begin_at(image, UINT64_MAX), ISHARE_IO_ERROR);
	ishare_image_close(image);
}

/* What ishare_check() says of the options for an image with 5 bytes. */
static const char *options_error(struct ishare_options wrong, struct ishare_domain *domain)
{
	static char error[256];
	struct ishare_summary summary = { 0 };
	const struct ishare_sink sink = { 0 };
	struct ishare_image *image;

	assert_int_equal(ishare_image_open_memory("five bytes", "bytes", 5, &image), ISHARE_DONE);
	assert_int_equal(ishare_check(image, &wrong, &sink, domain, &summary), ISHARE_INVALID);
	snprintf(error, sizeof(error), "%s", ishare_image_error(image));
	ishare_image_close(image);
	return error;
}

static void wrong_options_are_refused(void **state)
{
	static const uint32_t wrong_bits[] = { 0, 1, 11, 17, 40, UINT32_MAX };
	struct ishare_options compared = options;
	struct ishare_options unknown = options;
	struct ishare_domain *domain = ishare_domain_new();
	struct ishare_summary summary = { 0 };
	const struct ishare_sink sink = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong_bits) / sizeof(*wrong_bits); i++) {
		struct ishare_options pages = { .profile = { .page_bits = wrong_bits[i] } };

		assert_string_equal(options_error(pages, domain),
				    "the profile's page_bits are none of 12 to 16");
		assert_int_equal(ishare_domain_judge(domain, &pages, &sink, &summary),
				 ISHARE_INVALID);
	}
	unknown.opaque = ISHARE_OPAQUE_TRUSTED + 1;
	assert_string_equal(options_error(unknown, domain),
			    "opaque is no value of enum ishare_opaque");
	compared.opaque = ISHARE_OPAQUE_COMPARED;
	assert_string_equal(options_error(compared, NULL),
			    "contents can be compared in a domain only, and there is none");
	assert_null(ishare_options_error(&compared));
	assert_int_equal(ishare_domain_judge(domain, &compared, &sink, &summary), ISHARE_DONE);
	ishare_domain_free(domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_judged_alike),
		cmocka_unit_test(devices_can_be_in_memory),
		cmocka_unit_test(reading_past_the_end_is_an_error),
		cmocka_unit_test(an_image_can_begin_later),
		cmocka_unit_test(wrong_options_are_refused),
	};

	return report_tests(tests);
}
