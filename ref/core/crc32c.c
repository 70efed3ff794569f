// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#include "crc32c.h"

/* The Castagnoli polynomial, bits reversed. */
#define POLYNOMIAL 0x82f63b78u

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == crc32c_bit(crc); */
static uint32_t crc_bit(uint32_t crc)
{
	if ((crc & 1u) != 0)
		return (crc >> 1) ^ POLYNOMIAL;
	return crc >> 1;
}

/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == crc32c_bits(crc, 8); */
static uint32_t crc_bits(uint32_t crc)
{
	uint32_t state = crc;

	/*@ loop invariant range: 0 <= i <= 8;
	    loop invariant state: state == crc32c_bits(crc, i);
	    loop assigns i, state;
	    loop variant 8 - i; */
	for (uint32_t i = 0; i < 8; i++)
		state = crc_bit(state);
	return state;
}

/*
 * Bit by bit, because it runs over one block of an image: a table would have to be proved as well.
 */
uint32_t ishare_crc32c(uint32_t crc, const struct ishare_view *v)
{
	uint32_t state = crc;

	/*@ loop invariant range: 0 <= i <= v->size;
	    loop invariant state: state == crc32c(crc, v->data, i);
	    loop assigns i, state;
	    loop variant v->size - i; */
	for (size_t i = 0; i < v->size; i++)
		state = crc_bits(state ^ v->data[i]);
	return state;
}
