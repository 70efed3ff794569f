// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* crc32c.h and xxh32.h against published values and against libxxhash. */
#include "unit.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "crc32c.h"
#include "xxh32.h"

/* RFC 3720, B.4, and the check value of the CRC catalogues. Those invert the state at the end. */
static void crc32c_of_rfc_3720(void **state)
{
	uint8_t bytes[32];
	struct ishare_view v = guarded(0, memset(bytes, 0, 32), 32);

	(void)state;
	assert_int_equal(~ishare_crc32c(~0u, &v), 0x8a9136aa);
	v = guarded(0, memset(bytes, 0xff, 32), 32);
	assert_int_equal(~ishare_crc32c(~0u, &v), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	v = guarded(0, bytes, 32);
	assert_int_equal(~ishare_crc32c(~0u, &v), 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = 31 - i;
	v = guarded(0, bytes, 32);
	assert_int_equal(~ishare_crc32c(~0u, &v), 0x113fdb5c);
	v = guarded_string(0, "123456789");
	assert_int_equal(~ishare_crc32c(~0u, &v), 0xe3069283);
}

static void crc32c_goes_on_where_it_stopped(void **state)
{
	struct ishare_view whole = guarded_string(0, "a superblock is summed in two parts");

	(void)state;
	for (size_t cut = 0; cut <= whole.size; cut++) {
		struct ishare_view head = { whole.data, cut };
		struct ishare_view tail = { whole.data + cut, whole.size - cut };
		uint32_t both = ishare_crc32c(ishare_crc32c(~0u, &head), &tail);

		assert_int_equal(both, ishare_crc32c(~0u, &whole));
	}
}

static void checksum_start_is_the_state_behind_magic_and_zeroed_checksum(void **state)
{
	uint8_t head[8] = { 0 };
	struct ishare_view v;

	(void)state;
	put_le32(head, ISHARE_SUPERBLOCK_MAGIC);
	v = guarded(0, head, sizeof(head));
	assert_int_equal(ishare_crc32c(~0u, &v), ISHARE_CHECKSUM_START);
}

static void xxh32_of_its_specification(void **state)
{
	struct ishare_view v = { 0 };

	(void)state;
	v = guarded_string(0, "");
	assert_int_equal(ishare_xxh32(&v, 0), 0x02cc5d05);
	assert_int_equal(ishare_xxh32(&v, 0x9e3779b1), 0x36b78ae7);
	v = guarded_string(0, "abc");
	assert_int_equal(ishare_xxh32(&v, 0), 0x32d153ff);
}

static void xxh32_of_every_length(void **state)
{
	uint8_t bytes[513];
	uint32_t random = 1;

	(void)state;
	fill_random(bytes, sizeof(bytes), &random);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		struct ishare_view v = guarded(0, bytes, size);
		uint32_t seeds[] = { 0, 1, 0xffffffff, ISHARE_XATTR_FILTER_SEED,
				     next_random(&random) };

		for (size_t i = 0; i < COUNT(seeds); i++)
			assert_int_equal(ishare_xxh32(&v, seeds[i]), XXH32(bytes, size, seeds[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_of_rfc_3720),
		cmocka_unit_test(crc32c_goes_on_where_it_stopped),
		cmocka_unit_test(checksum_start_is_the_state_behind_magic_and_zeroed_checksum),
		cmocka_unit_test(xxh32_of_its_specification),
		cmocka_unit_test(xxh32_of_every_length),
	};

	return report_tests(tests);
}
