// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* fingerprint.h: the rules at their boundaries. */
#include "unit.h"

static const char value[] = "sha256:0123456789abcdef0123456789abcdef";
enum { VALUE_SIZE = sizeof(value) - 1 };

static void form_is_all_39_bytes(void **state)
{
	char bytes[VALUE_SIZE + 1];

	(void)state;
	memcpy(bytes, value, sizeof(bytes));
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		struct ishare_view v = guarded(0, bytes, size);

		assert_int_equal(fingerprint_form(&v), size == VALUE_SIZE);
	}
	for (size_t i = 0; i < VALUE_SIZE; i++) {
		struct ishare_view v;

		bytes[i] ^= 1;
		v = guarded(0, bytes, VALUE_SIZE);
		assert_int_equal(fingerprint_form(&v), i >= 7);
		bytes[i] ^= 1;
	}
}

static void digest_is_compared_to_the_last_byte(void **state)
{
	struct ishare_view v = guarded(0, value, VALUE_SIZE), other = guarded(2, "id", 2);
	char digest[32];

	(void)state;
	memcpy(digest, value + 7, sizeof(digest));
	for (size_t i = 0; i <= sizeof(digest); i++) {
		struct ishare_view d;

		if (i < sizeof(digest))
			digest[i] ^= 0x80;
		d = guarded(1, digest, sizeof(digest));
		assert_int_equal(fingerprint_digest(&v, &d), i == sizeof(digest));
		assert_true(fingerprint_digest(&other, &d));
		if (i < sizeof(digest))
			digest[i] ^= 0x80;
	}
}

static void size_is_1_to_a_block(void **state)
{
	struct ishare_superblock sb = { .blkszbits = 9 };

	(void)state;
	assert_false(fingerprint_size(&sb, 0));
	assert_true(fingerprint_size(&sb, 1));
	assert_true(fingerprint_size(&sb, 512));
	assert_false(fingerprint_size(&sb, 513));
	sb.blkszbits = 16;
	assert_true(fingerprint_size(&sb, 65535));
}

static void who_has_one(void **state)
{
	struct ishare_inode file = { .mode = 0100644, .size = 1 }, empty = { .mode = 0100644 },
			    directory = { .mode = 0040755, .size = 1 };

	(void)state;
	assert_false(fingerprint_present(&file, 0));
	assert_true(fingerprint_present(&file, 1));
	assert_true(fingerprint_present(&empty, 0));
	assert_true(fingerprint_present(&directory, 0));
	assert_true(fingerprint_regular_file(&file));
	assert_false(fingerprint_regular_file(&directory));
	assert_true(fingerprint_single(0) && fingerprint_single(1));
	assert_false(fingerprint_single(2));
	assert_false(fingerprint_single(UINT32_MAX));
}

static void name_is_the_prefix_alone(void **state)
{
	struct ishare_superblock sb = { .ishare_xattr_prefix_id = 3 };
	struct ishare_entry e = { .stored.e_name_index = 0x83 };

	(void)state;
	assert_true(fingerprint_name_encoding(&sb, &e));
	e.stored.e_name_len = 1;
	assert_false(fingerprint_name_encoding(&sb, &e));
	e.stored.e_name_len = 0;
	e.stored.e_name_index = 3;
	assert_false(fingerprint_name_encoding(&sb, &e));
	e.stored.e_name_index = 0x82;
	assert_false(fingerprint_name_encoding(&sb, &e));
	/* No 7-bit prefix number: nothing can be encoded that way. */
	sb.ishare_xattr_prefix_id = 0x83;
	e.stored.e_name_index = 0x83;
	assert_false(fingerprint_name_encoding(&sb, &e));
}

static void equal_fingerprints_have_equal_sizes(void **state)
{
	struct ishare_keyed_file a = { .fingerprint = guarded_string(0, "key"), .size = 5 },
				 b = { .fingerprint = guarded_string(1, "key"), .size = 5 };

	(void)state;
	assert_true(fingerprint_same_size(&a, &b));
	b.size = UINT64_C(0x100000005);
	assert_false(fingerprint_same_size(&a, &b));
	b.fingerprint = guarded_string(1, "kez");
	assert_true(fingerprint_same_size(&a, &b));
	b.fingerprint = guarded_string(1, "ke");
	assert_true(fingerprint_same_size(&a, &b));
}

static void equal_fingerprints_have_equal_contents(void **state)
{
	struct ishare_keyed_file a = { .fingerprint = guarded_string(0, "key") },
				 b = { .fingerprint = guarded_string(1, "key") };
	char digest[32], other[32];

	(void)state;
	memset(digest, 'd', sizeof(digest));
	memcpy(other, digest, sizeof(other));
	a.digest = (struct ishare_view){ (const uint8_t *)digest, sizeof(digest) };
	b.digest = guarded(2, other, sizeof(other));
	assert_true(fingerprint_same_content(&a, &b));
	for (size_t i = 0; i < sizeof(other); i++) {
		other[i] ^= 1;
		b.digest = guarded(2, other, sizeof(other));
		assert_false(fingerprint_same_content(&a, &b));
		b.fingerprint = guarded_string(1, "kez");
		assert_true(fingerprint_same_content(&a, &b));
		b.fingerprint = guarded_string(1, "key");
		other[i] ^= 1;
	}
}

static void padding_is_zero_to_its_end(void **state)
{
	uint8_t bytes[511] = { 0 };
	struct ishare_view padding = { NULL, 0 };

	(void)state;
	assert_true(fingerprint_padding_zero(&padding));
	for (size_t size = 1; size <= sizeof(bytes); size += 51) {
		padding = guarded(0, bytes, size);
		assert_true(fingerprint_padding_zero(&padding));
		for (size_t i = 0; i < size; i++) {
			bytes[i] = 0x80;
			padding = guarded(0, bytes, size);
			assert_false(fingerprint_padding_zero(&padding));
			bytes[i] = 0;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form_is_all_39_bytes),
		cmocka_unit_test(digest_is_compared_to_the_last_byte),
		cmocka_unit_test(size_is_1_to_a_block),
		cmocka_unit_test(who_has_one),
		cmocka_unit_test(name_is_the_prefix_alone),
		cmocka_unit_test(equal_fingerprints_have_equal_sizes),
		cmocka_unit_test(equal_fingerprints_have_equal_contents),
		cmocka_unit_test(padding_is_zero_to_its_end),
	};

	return report_tests(tests);
}
