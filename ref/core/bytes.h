/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Reading and writing bytes of an image: the one place where byte order is dealt with, and the one
 * test of a range against a size. Conventions chapter of the specification: le16, le32, le64.
 */
#ifndef ISHARE_BYTES_H
#define ISHARE_BYTES_H

#include "types.h"
#include "spec.acsl.h"

/*
 * The readers take a pointer to the first byte of the value; multiplied and added, they prove and
 * never overflow.
 */

/*@ requires readable: \valid_read(p + (0 .. 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == le16(p);
    ensures range: 0 <= \result <= 0xffff; */
static inline uint32_t ishare_le16(const uint8_t *p)
{
	return p[0] + 256u * p[1];
}

/*@ requires readable: \valid_read(p + (0 .. 3));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == le32(p); */
static inline uint32_t ishare_le32(const uint8_t *p)
{
	return p[0] + 256u * p[1] + 65536u * p[2] + 16777216u * p[3];
}

/*@ requires readable: \valid_read(p + (0 .. 7));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == le64(p); */
static inline uint64_t ishare_le64(const uint8_t *p)
{
	return ishare_le32(p) + 4294967296u * (uint64_t)ishare_le32(p + 4);
}

/* The number that a field of 1, 2, 4 or 8 bytes has. */
/*@ requires view: view_ok(field);
    requires width: field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures one: field->size == 1 ==> \result == field->data[0];
    ensures two: field->size == 2 ==> \result == le16(field->data);
    ensures four: field->size == 4 ==> \result == le32(field->data);
    ensures eight: field->size == 8 ==> \result == le64(field->data); */
static inline uint64_t ishare_number(const struct ishare_view *field)
{
	if (field->size == 1)
		return field->data[0];
	if (field->size == 2)
		return ishare_le16(field->data);
	if (field->size == 4)
		return ishare_le32(field->data);
	return ishare_le64(field->data);
}

/*
 * The writers take a pointer to the first byte of the value, too. The bytes are those that the
 * readers make the value of.
 */

/*@ requires writable: \valid(p + (0 .. 1));
    requires range: value <= 0xffff;
    terminates \true;
    exits \false;
    assigns p[0 .. 1];
    ensures value: le16(p) == value; */
static inline void ishare_put_le16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value % 256u);
	p[1] = (uint8_t)(value / 256u);
}

/*@ requires writable: \valid(p + (0 .. 3));
    terminates \true;
    exits \false;
    assigns p[0 .. 3];
    ensures value: le32(p) == value; */
static inline void ishare_put_le32(uint8_t *p, uint32_t value)
{
	ishare_put_le16(p, value % 65536u);
	ishare_put_le16(p + 2, value / 65536u);
}

/*@ requires writable: \valid(p + (0 .. 7));
    terminates \true;
    exits \false;
    assigns p[0 .. 7];
    ensures value: le64(p) == value; */
static inline void ishare_put_le64(uint8_t *p, uint64_t value)
{
	ishare_put_le32(p, (uint32_t)(value % 4294967296u));
	ishare_put_le32(p + 4, (uint32_t)(value / 4294967296u));
}

/*
 * Whether len bytes at offset lie within size bytes. Cannot wrap, whatever the three numbers are.
 */
/*@ terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> offset + len <= size; */
static inline bool ishare_fits(uint64_t size, uint64_t offset, uint64_t len)
{
	return len <= size && offset <= size - len;
}

/* Whether n bytes at a equal n bytes at b. */
/*@ requires readable_a: \valid_read(a + (0 .. n - 1));
    requires readable_b: \valid_read(b + (0 .. n - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> same_bytes(a, b, n); */
static inline bool ishare_same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
	/*@ loop invariant range: 0 <= i <= n;
	    loop invariant same: same_bytes(a, b, i);
	    loop assigns i;
	    loop variant n - i; */
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* Whether two views have the same bytes. The pointer of a view without bytes may point nowhere. */
/*@ requires views: view_ok(a) && view_ok(b);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> a->size == b->size && same_bytes(a->data, b->data, a->size); */
static inline bool ishare_same_view(const struct ishare_view *a, const struct ishare_view *b)
{
	return a->size == b->size && (a->size == 0 || ishare_same_bytes(a->data, b->data, a->size));
}

/* Whether n bytes at p are all zero. */
/*@ requires readable: \valid_read(p + (0 .. n - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> all_zero(p, n); */
static inline bool ishare_all_zero(const uint8_t *p, size_t n)
{
	/*@ loop invariant range: 0 <= i <= n;
	    loop invariant zero: all_zero(p, i);
	    loop assigns i;
	    loop variant n - i; */
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* Whether none of n bytes at p is zero. */
/*@ requires readable: \valid_read(p + (0 .. n - 1));
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures meaning: \result <==> \forall integer i; 0 <= i < n ==> p[i] != 0; */
static inline bool ishare_no_nul(const uint8_t *p, size_t n)
{
	/*@ loop invariant range: 0 <= i <= n;
	    loop invariant no_nul: \forall integer j; 0 <= j < i ==> p[j] != 0;
	    loop assigns i;
	    loop variant n - i; */
	for (size_t i = 0; i < n; i++)
		if (p[i] == 0)
			return false;
	return true;
}

#endif
