// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Where EROFS images begin inside a file that is none itself: in its partitions, or after a header.
 */
#include <string.h>

#include "bytes.h"
#include "image/image.h"

#define SECTOR 512u
#define LARGE_SECTOR 4096u

uint64_t input_size(const struct reader *reader)
{
	return reader->volume->devices[0].size;
}

bool input_copy(struct reader *reader, uint64_t offset, void *buffer, size_t size)
{
	return ishare_fits(input_size(reader), offset, size) &&
	       reader_copy(reader, 0, offset, buffer, size) == READ_OK;
}

/* Notes an image at an offset of no more than the input's size, if there is one. */
static void try_offset(struct reader *reader, uint64_t offset, struct images_found *found)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE];
	struct ishare_view view = { bytes, sizeof(bytes) };
	struct ishare_superblock sb;

	if (!input_copy(reader, offset + ISHARE_SUPERBLOCK_OFFSET, bytes, sizeof(bytes)) ||
	    ishare_superblock_decode(&view, &sb) != ISHARE_OK || !sb_magic(&sb))
		return;
	if (found->count < IMAGES_FOUND)
		found->offsets[found->count] = offset;
	found->count++;
}

/* The same for a sector whose number comes from the input. */
static void try_sector(struct reader *reader, uint64_t number, uint32_t sector,
		       struct images_found *found)
{
	if (number && number <= input_size(reader) / sector)
		try_offset(reader, number * sector, found);
}

/* Offsets in the structures of the UEFI specification, chapter "GUID Partition Table". */
enum {
	GPT_ENTRIES_LBA = 72,
	GPT_COUNT = 80,
	GPT_ENTRY_SIZE = 84,
	GPT_HEADER = 92,
	GPT_TYPE = 16, /* bytes of an entry's type, zero in one that is not used */
	GPT_FIRST_LBA = 32,
	GPT_ENTRY = 128, /* bytes of the smallest entry */
	GPT_COUNT_MAX = 1024, /* entries that are looked at: tables have 128 */
};

static void search_entries(struct reader *reader, const uint8_t *header, uint32_t sector,
			   struct images_found *found)
{
	uint64_t table = ishare_le64(header + GPT_ENTRIES_LBA);
	uint32_t count = ishare_le32(header + GPT_COUNT);
	uint64_t size = ishare_le32(header + GPT_ENTRY_SIZE);
	uint8_t entry[GPT_FIRST_LBA + 8];

	if (table > input_size(reader) / sector || size < GPT_ENTRY)
		return;
	for (uint32_t i = 0; i < count && i < GPT_COUNT_MAX; i++) {
		if (!input_copy(reader, table * sector + i * size, entry, sizeof(entry)))
			return;
		if (!ishare_all_zero(entry, GPT_TYPE))
			try_sector(reader, ishare_le64(entry + GPT_FIRST_LBA), sector, found);
	}
}

static bool search_gpt(struct reader *reader, uint32_t sector, struct images_found *found)
{
	uint8_t header[GPT_HEADER];

	if (!input_copy(reader, sector, header, sizeof(header)) ||
	    memcmp(header, "EFI PART", 8) != 0)
		return false;
	search_entries(reader, header, sector, found);
	return true;
}

enum {
	MBR_ENTRIES = 446,
	MBR_ENTRY = 16, /* bytes */
	MBR_COUNT = 4,
	MBR_STATUS = 0, /* 0 or 0x80 */
	MBR_TYPE = 4, /* 0: not used */
	MBR_FIRST_SECTOR = 8,
	MBR_SIGNATURE = 510,
};

/* Whether a sector is one: boot sectors of other kinds bear the signature, too. */
static bool is_mbr(const uint8_t *sector)
{
	bool used = false;

	for (uint32_t i = 0; i < MBR_COUNT; i++) {
		const uint8_t *entry = sector + MBR_ENTRIES + i * MBR_ENTRY;

		if (entry[MBR_STATUS] & 0x7f)
			return false;
		used = used || (entry[MBR_TYPE] && ishare_le32(entry + MBR_FIRST_SECTOR));
	}
	return used && sector[MBR_SIGNATURE] == 0x55 && sector[MBR_SIGNATURE + 1] == 0xaa;
}

/* Logical partitions, which are a chain inside another one, are not followed. */
static bool search_mbr(struct reader *reader, struct images_found *found)
{
	uint8_t sector[SECTOR];

	if (!input_copy(reader, 0, sector, sizeof(sector)) || !is_mbr(sector))
		return false;
	for (uint32_t i = 0; i < MBR_COUNT; i++) {
		const uint8_t *entry = sector + MBR_ENTRIES + i * MBR_ENTRY;

		if (entry[MBR_TYPE])
			try_sector(reader, ishare_le32(entry + MBR_FIRST_SECTOR), SECTOR, found);
	}
	return true;
}

/* Finds the images in the partitions; returns what the partition table is, or NULL. */
static const char *search_partitions(struct reader *reader, struct images_found *found)
{
	if (search_gpt(reader, SECTOR, found) || search_gpt(reader, LARGE_SECTOR, found))
		return "a disk with a GUID partition table";
	return search_mbr(reader, found) ? "a disk with an MBR partition table" : NULL;
}

/* An image may follow a header, or be the first member of an archive. */
static void search_start(struct reader *reader, struct images_found *found)
{
	for (uint64_t offset = SECTOR; offset < INPUT_START; offset += SECTOR)
		if (offset < input_size(reader))
			try_offset(reader, offset, found);
}

const char *find_images(struct reader *reader, struct images_found *found)
{
	const char *table;

	*found = (struct images_found){ 0 };
	table = search_partitions(reader, found);
	if (!found->count)
		search_start(reader, found);
	return table;
}
