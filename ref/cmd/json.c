// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * JSON written piece by piece: each item is jansson's, the brackets around the items are written
 * here.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd.h"

static void start_item(struct json_stream *stream, const char *key)
{
	fputs(stream->more ? ",\n" : "\n", stream->out);
	if (key)
		fprintf(stream->out, "\"%s\": ", key);
	stream->more = true;
}

void json_open(struct json_stream *stream, const char *key, char bracket)
{
	if (stream->more || key)
		start_item(stream, key);
	fputc(bracket, stream->out);
	stream->more = false;
}

/*
 * Writing fails if memory runs out, too; other errors are detected when stdout is closed.
 */
void json_item(struct json_stream *stream, const char *key, json_t *item)
{
	bool written;

	start_item(stream, key);
	written = json_dumpf(allocated(item), stream->out,
			     JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) == 0;
	allocated(written || ferror(stream->out) ? item : NULL);
	json_decref(item);
}

void json_close(struct json_stream *stream, char bracket)
{
	fprintf(stream->out, "\n%c", bracket);
	stream->more = true;
}

void json_end(struct json_stream *stream)
{
	fputc('\n', stream->out);
}

void json_set(json_t *object, const char *key, json_t *value)
{
	allocated(json_object_set_new(object, key, allocated(value)) == 0 ? object : NULL);
}

void json_append(json_t *array, json_t *value)
{
	allocated(json_array_append_new(array, allocated(value)) == 0 ? array : NULL);
}

json_t *json_unsigned(uint64_t value)
{
	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	return json_sprintf("0x%" PRIx64, value);
}

/* Takes over a string made by escape.c. */
static json_t *json_taken(char *text)
{
	json_t *string = json_string(text);

	free(text);
	return string;
}

json_t *json_escaped(const char *string)
{
	return string ? json_taken(escape_string(string)) : json_null();
}

json_t *json_text(const char *text)
{
	return json_taken(escape_text(text));
}

json_t *json_bytes(const void *bytes, size_t size)
{
	return json_taken(escape(bytes, size));
}

json_t *json_hex(const void *bytes, size_t size)
{
	return json_taken(hex_digits(bytes, size));
}
