// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The rows of bytes that a finding shows. */
#include <inttypes.h>
#include <string.h>

#include "cmd.h"

enum {
	ROW = 16, /* bytes in a row */
	MARGIN = 2,
};

/*
 * Where the bytes at fault are among those shown: [first, end); a position without bytes is shown
 * as one.
 */
struct fault {
	uint64_t first, end;
};

static struct fault fault_of(const struct ishare_place *place)
{
	struct fault fault = { 0, 0 };

	if (place->offset < place->row_offset)
		return fault;
	fault.first = place->offset - place->row_offset;
	fault.end = fault.first + (place->size ? place->size : 1);
	return fault;
}

static void put_label(FILE *out, const struct ishare_place *place)
{
	if (place->field && place->structure)
		fprintf(out, " %s (%s +0x%02" PRIx32 ")", place->field, place->structure,
			place->field_offset);
	else if (place->structure)
		fprintf(out, " %s", place->structure);
	if (!place->space || strcmp(place->space, "image") == 0)
		return;
	fprintf(out, " in the %s", place->space);
	if (place->image_offset != UINT64_MAX)
		fprintf(out, ", at 0x%08" PRIx64 " of the image", place->image_offset);
}

static void put_bytes(FILE *out, const struct ishare_place *place, uint32_t start, uint32_t end)
{
	fprintf(out, "%*s0x%08" PRIx64 " ", MARGIN, "", place->row_offset + start);
	for (uint32_t i = start; i < end; i++)
		fprintf(out, " %02x", place->row[i]);
	fputc('\n', out);
}

/* Carets under the columns [first, end) of a row whose address is as wide as printed. */
static void put_carets(FILE *out, const struct ishare_place *place, uint32_t start, uint32_t first,
		       uint32_t end)
{
	int address = snprintf(NULL, 0, "0x%08" PRIx64, place->row_offset + start);

	fprintf(out, "%*s", MARGIN + address + 2 + 3 * (int)first, "");
	for (uint32_t i = first; i < end; i++)
		fputs(i == first ? "^^" : " ^^", out);
}

static uint32_t clamp(uint64_t value, uint32_t low, uint32_t high)
{
	return value < low ? low : value > high ? high : (uint32_t)value;
}

void hexdump_place(FILE *out, const struct ishare_place *place, const char *caret_on,
		   const char *caret_off)
{
	struct fault fault = fault_of(place);
	bool labelled = false;

	for (uint32_t start = 0; place->row && start < place->row_size; start += ROW) {
		uint32_t first = clamp(fault.first, start, start + ROW) - start;
		uint32_t end = clamp(fault.end, start, start + ROW) - start;

		put_bytes(out, place, start, clamp(place->row_size, start, start + ROW));
		if (first == end)
			continue;
		fputs(caret_on, out);
		put_carets(out, place, start, first, end);
		labelled = labelled || fault.end <= start + ROW || start + ROW >= place->row_size;
		if (labelled)
			put_label(out, place);
		fputs(caret_off, out);
		fputc('\n', out);
	}
	if (labelled || (!place->row && !place->structure && place->size == 0))
		return;
	fprintf(out, "%*sat 0x%08" PRIx64 ":", MARGIN, "", place->offset);
	put_label(out, place);
	fputc('\n', out);
}
