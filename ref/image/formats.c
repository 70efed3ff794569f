// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What a file is that is no EROFS image: advice for people, of which nothing is a verdict. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"

#define PIECE 512u /* that is read at once */

/* The bytes by which a format is known. */
struct format {
	uint32_t offset;
	uint32_t size;
	const char *bytes;
	const char *name;
	const char *advice; /* or NULL */
};

/* Those that few bytes identify, or that leave room for others before them, come last. */
static const struct format formats[] = {
	{ 0, 3, "\x1f\x8b\x08", "gzip data", "decompress it with `gzip -d`" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "Zstandard data", "decompress it with `zstd -d`" },
	{ 0, 6, "\xfd\x37zXZ\0", "xz data", "decompress it with `xz -d`" },
	/* A block's beginning, or the end of no blocks at all. */
	{ 4, 6, "\x31\x41\x59\x26\x53\x59", "bzip2 data", "decompress it with `bzip2 -d`" },
	{ 4, 6, "\x17\x72\x45\x38\x50\x90", "bzip2 data", "decompress it with `bzip2 -d`" },
	/* Its frames, and the form that Linux uses for itself. */
	{ 0, 4, "\x04\x22\x4d\x18", "LZ4 data", "decompress it with `lz4 -d`" },
	{ 0, 4, "\x02\x21\x4c\x18", "LZ4 data", "decompress it with `lz4 -d`" },
	{ 0, 4, "\x3a\xff\x26\xed", "an Android sparse image", "convert it with `simg2img`" },
	{ 0, 4, "hsqs", "a SquashFS file system", NULL },
	{ 0, 4, "sqsh", "a big-endian SquashFS file system", NULL },
	{ 0, 4, "XFSB", "an XFS file system", NULL },
	{ 0, 4, "QFI\xfb", "a qcow2 disk image", "convert it with `qemu-img convert -O raw`" },
	{ 0, 4, "PK\3\4", "a ZIP archive", "extract it with `unzip`" },
	{ 0, 4, "PK\5\6", "a ZIP archive", "extract it with `unzip`" },
	{ 257, 5, "ustar", "a tar archive", "extract it with `tar -x`" },
	{ 65536 + 64, 8, "_BHRfS_M", "a Btrfs file system", NULL },
	{ 32768 + 1, 5, "CD001", "an ISO 9660 file system", NULL },
	{ 1024 + 56, 2, "\x53\xef", "an ext2, ext3 or ext4 file system", NULL },
};

enum { LONGEST = 8 }; /* of these */

static bool has_format(struct reader *reader, const struct format *format)
{
	uint8_t bytes[LONGEST];

	return input_copy(reader, format->offset, bytes, format->size) &&
	       memcmp(bytes, format->bytes, format->size) == 0;
}

static const struct format *find_format(struct reader *reader)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (has_format(reader, &formats[i]))
			return &formats[i];
	return NULL;
}

/* Whether all bytes at the start are zero. */
static bool starts_with_zeros(struct reader *reader)
{
	uint64_t size = input_size(reader) < INPUT_START ? input_size(reader) : INPUT_START;
	uint8_t bytes[PIECE];

	for (uint64_t pos = 0; pos < size; pos += sizeof(bytes)) {
		size_t n = size - pos < sizeof(bytes) ? (size_t)(size - pos) : sizeof(bytes);

		if (!input_copy(reader, pos, bytes, n) || !ishare_all_zero(bytes, n))
			return false;
	}
	return true;
}

/* A text that ends where its room does. */
struct sentence {
	char *text;
	size_t room, length;
};

static void add(struct sentence *sentence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct sentence *sentence, const char *format, ...)
{
	size_t left = sentence->room - sentence->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(sentence->text + sentence->length, left, format, args);
	va_end(args);
	if (length > 0)
		sentence->length += (size_t)length < left ? (size_t)length : left - 1;
}

static void add_kind(struct sentence *sentence, struct reader *reader, const char *name)
{
	if (name)
		add(sentence, "; it looks like %s", name);
	else if (!input_size(reader))
		add(sentence, "; it is empty");
	else if (starts_with_zeros(reader))
		add(sentence, input_size(reader) > INPUT_START ? "; its first MiB is all zeros"
							       : "; it is all zeros");
}

/* Offsets count from the beginning of the file, as the option does. */
static void add_images(struct sentence *sentence, const struct reader *reader,
		       const struct images_found *found)
{
	uint64_t start = reader->volume->devices[0].start;

	add(sentence, "; %s at ",
	    found->count == 1 ? "an EROFS image begins" : "EROFS images begin");
	for (size_t i = 0; i < found->count && i < IMAGES_FOUND; i++)
		add(sentence, "%s--offset=%" PRIu64, i ? ", " : "", start + found->offsets[i]);
	if (found->count > IMAGES_FOUND)
		add(sentence, ", ...");
}

void recognise(struct reader *reader, char text[RECOGNISED_ROOM])
{
	struct sentence sentence = { .text = text, .room = RECOGNISED_ROOM };
	const struct format *format = find_format(reader);
	struct images_found found;
	const char *table = find_images(reader, &found);

	text[0] = '\0';
	add_kind(&sentence, reader, format ? format->name : table);
	if (found.count)
		add_images(&sentence, reader, &found);
	else if (format && format->advice)
		add(&sentence, ": %s", format->advice);
}
