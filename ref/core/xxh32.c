// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * XXH32 wraps by design. Here it is computed in 64 bits, where nothing wraps, and cut back to 32 with %, which compilers
 * turn into the 32-bit instructions that one would have written; so the arithmetic is that of the specification.
 */
#include "xxh32.h"

#define WRAP 4294967296u /* wrap32() of the specification is % WRAP */

/*@ requires range: 0 <= lane < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_round(lane, word);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t round32(uint64_t lane, uint32_t word)
{
	uint64_t x = (lane + word * (uint64_t)ISHARE_XXH32_PRIME2) % WRAP;

	return (x * 8192u % WRAP + x / 524288u) * ISHARE_XXH32_PRIME1 % WRAP;
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

	return (x * 131072u % WRAP + x / 32768u) * ISHARE_XXH32_PRIME4 % WRAP;
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

	return (x * 2048u % WRAP + x / 2097152u) * ISHARE_XXH32_PRIME1 % WRAP;
}

/*@ requires range: 0 <= h < WRAP;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_finish(h);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t finish(uint64_t h)
{
	h = (h ^ h / 32768u) % WRAP * ISHARE_XXH32_PRIME2 % WRAP;
	h = (h ^ h / 8192u) % WRAP * ISHARE_XXH32_PRIME3 % WRAP;
	return (h ^ h / 65536u) % WRAP;
}

/*@ requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == xxh32_stripes(v->data, v->size, seed);
    ensures range: 0 <= \result < WRAP; */
static inline uint64_t stripes(const struct ishare_view *v, uint32_t seed)
{
	uint64_t a = ((uint64_t)seed + ISHARE_XXH32_PRIME1 + ISHARE_XXH32_PRIME2) % WRAP;
	uint64_t b = ((uint64_t)seed + ISHARE_XXH32_PRIME2) % WRAP;
	uint64_t c = seed;
	uint64_t d = ((uint64_t)seed + (WRAP - ISHARE_XXH32_PRIME1)) % WRAP;

	if (v->size < 16)
		return ((uint64_t)seed + ISHARE_XXH32_PRIME5) % WRAP;
	/*@ loop invariant range: 0 <= i <= v->size / 16;
	    loop invariant lanes: 0 <= a < WRAP && 0 <= b < WRAP && 0 <= c < WRAP && 0 <= d < WRAP;
	    loop invariant lane1: a == xxh32_lane(xxh32_start1(seed), v->data, i);
	    loop invariant lane2: b == xxh32_lane(xxh32_start2(seed), v->data + 4, i);
	    loop invariant lane3: c == xxh32_lane(xxh32_start3(seed), v->data + 8, i);
	    loop invariant lane4: d == xxh32_lane(xxh32_start4(seed), v->data + 12, i);
	    loop assigns i, a, b, c, d;
	    loop variant v->size / 16 - i; */
	for (size_t i = 0; i < v->size / 16u; i++) {
		const uint8_t *p = v->data + 16u * i;

		a = round32(a, ishare_le32(p));
		b = round32(b, ishare_le32(p + 4));
		c = round32(c, ishare_le32(p + 8));
		d = round32(d, ishare_le32(p + 12));
	}
	return ((a * 2u % WRAP + a / 2147483648u) + (b * 128u % WRAP + b / 33554432u) +
		(c * 4096u % WRAP + c / 1048576u) + (d * 262144u % WRAP + d / 16384u)) % WRAP;
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

uint32_t ishare_xxh32(const struct ishare_view *v, uint32_t seed)
{
	uint64_t h = (stripes(v, seed) + v->size) % WRAP;

	h = mix_words(h, v->data + v->size / 16u * 16u, v->size % 16u / 4u);
	h = mix_bytes(h, v->data + v->size / 4u * 4u, v->size % 4u);
	return (uint32_t)finish(h);
}
