// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A dump for people. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

static void begin(struct json_stream *stream, const struct ishare_image *image)
{
	put_string(stream->out, ishare_image_path(image));
	put_count(stream->out, ": ", ishare_image_size(image), "byte");
	fputc('\n', stream->out);
}

static void list(struct json_stream *stream, const char *plural)
{
	fprintf(stream->out, "\n%s:\n", plural);
}

static void nothing_more(struct json_stream *stream)
{
	(void)stream;
}

static void put_hex(FILE *out, const void *bytes, size_t size)
{
	char *digits = hex_digits(bytes, size);

	fputs(digits, out);
	free(digits);
}

/*
 * Quoted if it is text, else hexadecimal digits; for a sha256: fingerprint, the prefix remains
 * text.
 */
static void put_bytes(FILE *out, const uint8_t *bytes, size_t size)
{
	static const char digest[] = "sha256:";
	size_t text = sizeof(digest) - 1;

	if (ishare_printable(bytes, size) == size) {
		fputc('"', out);
		put_escaped(out, bytes, size);
		fputc('"', out);
		return;
	}
	if (size > text && memcmp(bytes, digest, text) == 0) {
		fprintf(out, "\"%s\" ", digest);
		bytes += text;
		size -= text;
	}
	put_hex(out, bytes, size);
}

static void put_value(FILE *out, const struct ishare_view *value)
{
	bool cut = value->size > VALUE_SHOWN;

	put_bytes(out, value->data, cut ? VALUE_SHOWN : value->size);
	if (cut)
		fprintf(out, "... (%zu bytes)", value->size);
}

/* Arrays of bytes end at the last that is not zero. */
static void put_array(FILE *out, const uint8_t *bytes, size_t size)
{
	while (size && bytes[size - 1] == 0)
		size--;
	if (size)
		put_bytes(out, bytes, size);
	else
		fputs("all zero", out);
}

/* Hexadecimal and decimal, and what its bits mean. */
static void put_number(FILE *out, const struct ishare_field *field, uint64_t number)
{
	const char *before = ": ";

	fprintf(out, "0x%" PRIx64 " (%" PRIu64 ")", number, number);
	for (uint32_t bit = 1; bit; bit <<= 1) {
		if (!(number & bit) || !feature_word(field, bit))
			continue;
		fprintf(out, "%s%s", before, feature_word(field, bit));
		before = ", ";
	}
}

static void structure(struct json_stream *stream, const struct dump_structure *structure)
{
	FILE *out = stream->out;

	if (structure->index)
		fprintf(out, "  %s %" PRIu32, structure->layout->name, structure->index);
	else
		fprintf(out, "\n%s", structure->layout->name);
	fprintf(out, " at 0x%08" PRIx64 ":\n", structure->offset);
	for (uint32_t i = 0; i < structure->layout->field_count; i++) {
		const struct ishare_field *field = &structure->layout->fields[i];
		const uint8_t *bytes = structure->bytes + field->offset;

		fprintf(out, "    0x%08" PRIx64 "  %-24s ", structure->offset + field->offset,
			field->name);
		if (field_is_number(field))
			put_number(out, field, field_number(field, bytes));
		else
			put_array(out, bytes, field->size);
		fputc('\n', out);
	}
}

static void prefix(struct json_stream *stream, const struct dump_prefix *prefix)
{
	bool elsewhere = strcmp(prefix->space, "image") != 0;

	fprintf(stream->out, "  prefix %" PRIu32 " at 0x%08" PRIx64 "%s%s: base_index %" PRIu32,
		prefix->index, prefix->offset, elsewhere ? " of the " : "",
		elsewhere ? prefix->space : "", prefix->name.base_index);
	fputs(", infix ", stream->out);
	put_bytes(stream->out, prefix->name.bytes.data, prefix->name.bytes.size);
	fputs(prefix->fingerprint ? " (names fingerprints)\n" : "\n", stream->out);
}

static void inode(struct json_stream *stream, const struct dump_inode *event)
{
	const struct ishare_inode *i = event->inode;
	uint64_t number = event->nid & ~ISHARE_NID_METABOX;
	FILE *out = stream->out;

	fputs("  ", out);
	put_text(out, event->path);
	fprintf(out, "\n    0x%08" PRIx64 "  nid %" PRIu64 "%s, %s, %s, %s, mode %04" PRIo32,
		event->offset, number, event->nid & ISHARE_NID_METABOX ? " of the metabox" : "",
		i->extended ? "extended" : "compact", layout_word(i), file_type_word(i),
		i->mode & 07777);
	put_count(out, ", ", i->nlink, "link");
	put_count(out, ", ", i->size, "byte");
	fputc('\n', out);
}

static void put_name(FILE *out, const struct dump_xattr *event)
{
	if (!event->name) {
		fprintf(out, "name_index 0x%02" PRIx32 " (cannot be resolved)",
			event->entry->stored.e_name_index);
		return;
	}
	fputs(event->name_space, out);
	put_escaped(out, event->name->bytes.data, event->name->bytes.size);
}

static void end(struct json_stream *stream, bool complete)
{
	if (!complete)
		fputs("\nNot everything could be shown: see the errors.\n", stream->out);
}

static void xattr(struct json_stream *stream, const struct dump_xattr *event)
{
	FILE *out = stream->out;

	fprintf(out, "    0x%08" PRIx64 "  %s ", event->offset,
		event->shared ? "shared xattr" : "xattr");
	put_name(out, event);
	fputs(" = ", out);
	put_value(out, &event->value);
	fputs(event->fingerprint ? " (fingerprint)\n" : "\n", out);
}

const struct dump_format dump_text = {
	.name = "text",
	.begin = begin,
	.list = list,
	.list_end = nothing_more,
	.structure = structure,
	.prefix = prefix,
	.inode = inode,
	.xattr = xattr,
	.inode_end = nothing_more,
	.end = end,
};
