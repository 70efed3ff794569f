// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * XXH32 wraps by design. Here it is computed in 64 bits, where nothing wraps, and cut back to 32
 * with %, which compilers turn into the 32-bit instructions that one would have written; so the
 * arithmetic is that of the specification.
 */
#include "xxh32.h"

#define WRAP 4294967296u /* wrap32() of the specification is % WRAP */

/*
 * A 32-bit rotation to the left, by the bits of which left is the power of two; right is 2^32 /
 * left.
 */
/*@ requires range: 0 <= x < WRAP;
    requires left: 1 <= left <= 262144;
    requires right: 1 <= right;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == turn32(x, left, right);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t turn32(uint64_t x, uint64_t left, uint64_t right)
{
	return (x * left + x / right) % WRAP;
}

/*@ requires range: 0 <= lane < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_round(lane, word);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_lane(uint64_t lane, uint32_t word)
{
	uint64_t x = (lane + word * (uint64_t)ISHARE_XXH32_PRIME2) % WRAP;

	return turn32(x, 8192, 524288) * ISHARE_XXH32_PRIME1 % WRAP;
}

/*@ requires range: 0 <= h < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_word(h, word);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_word(uint64_t h, uint32_t word)
{
	uint64_t x = (h + word * (uint64_t)ISHARE_XXH32_PRIME3) % WRAP;

	return turn32(x, 131072, 32768) * ISHARE_XXH32_PRIME4 % WRAP;
}

/*@ requires range: 0 <= h < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_byte(h, byte);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_byte(uint64_t h, uint8_t byte)
{
	uint64_t x = (h + byte * (uint64_t)ISHARE_XXH32_PRIME5) % WRAP;

	return turn32(x, 2048, 2097152) * ISHARE_XXH32_PRIME1 % WRAP;
}

/* One of the four lanes of whole stripes of 16 bytes; p is where its first word is. */
/*@ requires readable: stripes > 0 ==> \valid_read(p + (0 .. 16 * stripes - 13));
    requires stripes: stripes <= ISHARE_VIEW_MAX / 16;
    requires range: 0 <= start < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_lane(start, p, stripes);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_stripes(uint64_t start, const uint8_t *p, size_t stripes)
{
	uint64_t lane = start;

	/*@ loop invariant range: 0 <= i <= stripes && 0 <= lane < WRAP;
	    loop invariant value: lane == xxh32_lane(start, p, i);
	    loop assigns i, lane;
	    loop variant stripes - i; */
	for (size_t i = 0; i < stripes; i++)
		lane = mix_lane(lane, ishare_le32(p + 16u * i));
	return lane;
}

/*@ requires readable: \valid_read(p + (0 .. 4 * words - 1));
    requires range: 0 <= h < WRAP && 0 <= words <= 3;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_words(h, p, words);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_words(uint64_t h, const uint8_t *p, size_t words)
{
	uint64_t state = h;

	/*@ loop invariant range: 0 <= i <= words && 0 <= state < WRAP;
	    loop invariant value: state == xxh32_words(h, p, i);
	    loop assigns i, state;
	    loop variant words - i; */
	for (size_t i = 0; i < words; i++)
		state = mix_word(state, ishare_le32(p + 4u * i));
	return state;
}

/*@ requires readable: \valid_read(p + (0 .. bytes - 1));
    requires range: 0 <= h < WRAP && 0 <= bytes <= 3;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_bytes(h, p, bytes);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t mix_bytes(uint64_t h, const uint8_t *p, size_t bytes)
{
	uint64_t state = h;

	/*@ loop invariant range: 0 <= i <= bytes && 0 <= state < WRAP;
	    loop invariant value: state == xxh32_bytes(h, p, i);
	    loop assigns i, state;
	    loop variant bytes - i; */
	for (size_t i = 0; i < bytes; i++)
		state = mix_byte(state, p[i]);
	return state;
}

/*@ requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_stripes(v->data, v->size, seed);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t stripes(const struct ishare_view *v, uint32_t seed)
{
	const uint8_t *p;
	uint64_t wide = seed;
	uint64_t a, b, c, d;

	if (v->size < 16)
		return (wide + ISHARE_XXH32_PRIME5) % WRAP;
	p = v->data;
	a = mix_stripes((wide + ISHARE_XXH32_PRIME1 + ISHARE_XXH32_PRIME2) % WRAP, p,
			v->size / 16u);
	b = mix_stripes((wide + ISHARE_XXH32_PRIME2) % WRAP, p + 4, v->size / 16u);
	c = mix_stripes(wide % WRAP, p + 8, v->size / 16u);
	d = mix_stripes((wide + WRAP - ISHARE_XXH32_PRIME1) % WRAP, p + 12, v->size / 16u);
	a = turn32(a, 2, 2147483648);
	b = turn32(b, 128, 33554432);
	c = turn32(c, 4096, 1048576);
	d = turn32(d, 262144, 16384);
	return (a + b + c + d) % WRAP;
}

/*@ requires range: 0 <= h < WRAP;
    requires divisor: divisor == 32768 || divisor == 8192 || divisor == 65536;
    requires prime: 1 <= prime < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_mix(h, divisor, prime);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t avalanche(uint64_t h, uint64_t divisor, uint64_t prime)
{
	return (h ^ h / divisor) % WRAP * prime % WRAP;
}

/*@ requires range: 0 <= h < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_finish(h);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t finish(uint64_t h)
{
	h = avalanche(h, 32768, ISHARE_XXH32_PRIME2);
	h = avalanche(h, 8192, ISHARE_XXH32_PRIME3);
	return avalanche(h, 65536, 1);
}

uint32_t ishare_xxh32(const struct ishare_view *v, uint32_t seed)
{
	uint64_t h = (stripes(v, seed) + v->size) % WRAP;

	if (v->size != 0) {
		h = mix_words(h, v->data + v->size / 16u * 16u, v->size % 16u / 4u);
		h = mix_bytes(h, v->data + v->size / 4u * 4u, v->size % 4u);
	}
	return (uint32_t)finish(h);
}
