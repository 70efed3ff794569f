// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A dump for programs: one object, with an array for each kind of thing. */
#include "dump.h"

static void begin(struct json_stream *stream, const struct ishare_image *image)
{
	json_open(stream, NULL, '{');
	json_item(stream, "image", json_escaped(ishare_image_path(image)));
	json_item(stream, "size", json_unsigned(ishare_image_size(image)));
}

static void list(struct json_stream *stream, const char *plural)
{
	json_open(stream, plural, '[');
}

static void list_end(struct json_stream *stream)
{
	json_close(stream, ']');
}

static json_t *fields_object(const struct dump_structure *structure)
{
	json_t *object = allocated(json_object());

	for (uint32_t i = 0; i < structure->layout->field_count; i++) {
		const struct ishare_field *field = &structure->layout->fields[i];
		const uint8_t *bytes = structure->bytes + field->offset;

		json_set(object, field->name,
			 field_is_number(field) ? json_unsigned(field_number(field, bytes))
						: json_hex(bytes, field->size));
	}
	return object;
}

static void add_features(json_t *array, const struct ishare_field *field, uint64_t number)
{
	for (uint32_t bit = 1; bit; bit <<= 1)
		if ((number & bit) && feature_word(field, bit))
			json_append(array, json_string(feature_word(field, bit)));
}

/* The names of all features that a superblock says it has. */
static json_t *features_array(const struct dump_structure *superblock)
{
	const struct ishare_struct *layout = superblock->layout;
	json_t *array = allocated(json_array());

	for (uint32_t i = 0; i < layout->field_count; i++)
		if (field_is_number(&layout->fields[i]))
			add_features(array, &layout->fields[i],
				     field_number(&layout->fields[i],
						  superblock->bytes + layout->fields[i].offset));
	return array;
}

static void structure(struct json_stream *stream, const struct dump_structure *structure)
{
	json_t *object = allocated(json_object());

	json_set(object, "offset", json_unsigned(structure->offset));
	json_set(object, "fields", fields_object(structure));
	if (structure->layout == &ishare_structs[ISHARE_STRUCT_SUPERBLOCK])
		json_set(object, "features", features_array(structure));
	json_item(stream, structure->index ? NULL : structure->layout->name, object);
}

static void prefix(struct json_stream *stream, const struct dump_prefix *prefix)
{
	json_t *object = allocated(json_object());

	json_set(object, "space", json_string(prefix->space));
	json_set(object, "offset", json_unsigned(prefix->offset));
	json_set(object, "base_index", json_unsigned(prefix->name.base_index));
	json_set(object, "infix", json_bytes(prefix->name.bytes.data, prefix->name.bytes.size));
	json_set(object, "names_fingerprints", json_boolean(prefix->fingerprint));
	json_item(stream, NULL, object);
}

/* Left open, with its array of xattrs, until inode_end. */
static void inode(struct json_stream *stream, const struct dump_inode *event)
{
	const struct ishare_inode *i = event->inode;

	json_open(stream, NULL, '{');
	json_item(stream, "path", json_text(event->path));
	json_item(stream, "nid", json_unsigned(event->nid));
	json_item(stream, "space",
		  json_string(event->nid & ISHARE_NID_METABOX ? "metabox" : "image"));
	json_item(stream, "offset", json_unsigned(event->offset));
	json_item(stream, "extended", json_boolean(i->extended));
	json_item(stream, "layout", json_string(layout_word(i)));
	json_item(stream, "type", json_string(file_type_word(i)));
	json_item(stream, "mode", json_unsigned(i->mode));
	json_item(stream, "nlink", json_unsigned(i->nlink));
	json_item(stream, "size", json_unsigned(i->size));
	json_item(stream, "xattr_icount", json_unsigned(i->xattr_icount));
	json_open(stream, "xattrs", '[');
}

static void set_name(json_t *object, const struct dump_xattr *event)
{
	json_set(object, "name_index", json_unsigned(event->entry->stored.e_name_index));
	if (!event->name)
		return;
	json_set(object, "namespace", json_string(event->name_space));
	json_set(object, "name", json_bytes(event->name->bytes.data, event->name->bytes.size));
}

static void xattr(struct json_stream *stream, const struct dump_xattr *event)
{
	bool cut = event->value.size > VALUE_SHOWN;
	json_t *object = allocated(json_object());

	json_set(object, "offset", json_unsigned(event->offset));
	json_set(object, "shared", json_boolean(event->shared));
	set_name(object, event);
	json_set(object, "fingerprint", json_boolean(event->fingerprint));
	json_set(object, "value_size", json_unsigned(event->value.size));
	json_set(object, "value",
		 json_hex(event->value.data, cut ? VALUE_SHOWN : event->value.size));
	json_item(stream, NULL, object);
}

static void inode_end(struct json_stream *stream)
{
	json_close(stream, ']');
	json_close(stream, '}');
}

static void end(struct json_stream *stream, bool complete)
{
	json_item(stream, "complete", json_boolean(complete));
	json_close(stream, '}');
	json_end(stream);
}

const struct dump_format dump_json = {
	.name = "json",
	.begin = begin,
	.list = list,
	.list_end = list_end,
	.structure = structure,
	.prefix = prefix,
	.inode = inode,
	.xattr = xattr,
	.inode_end = inode_end,
	.end = end,
};
