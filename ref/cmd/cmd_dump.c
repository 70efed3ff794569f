// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare dump: shows an image's structures, decoded. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

enum {
	OPTION_DEVICE = 256,
	OPTION_FORMAT,
};

struct dump {
	const char *path;
	char **devices;
	size_t device_count;
	const struct dump_format *format;
	struct json_stream stream;
	struct ishare_image *image;
	struct ishare_superblock sb;
	bool in_inode; /* an inode has begun */
	int status;
};

static const struct argp_option options[] = {
	{ "device", OPTION_DEVICE, "FILE", 0,
	  "Extra device of the image; repeat it for more, device 1 first", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "Show as text (default) or json", 0 },
	{ 0 },
};

static void set_format(struct dump *dump, const char *name, struct argp_state *state)
{
	static const struct dump_format *const formats[] = { &dump_text, &dump_json };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0) {
			dump->format = formats[i];
			return;
		}
	argp_error(state, "'%s' is no format: text or json", name);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct dump *dump = state->input;

	switch (key) {
	case OPTION_DEVICE:
		dump->devices[dump->device_count++] = arg;
		return 0;
	case OPTION_FORMAT:
		set_format(dump, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (dump->path)
			argp_error(state, "one image at a time");
		dump->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "an image is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp dump_argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "IMAGE",
	.doc = "Shows the structures of IMAGE, decoded, with their offsets; judges nothing.",
};

/* Says why something is missing from the dump. */
static void miss(struct dump *dump, const char *reason)
{
	char *path = escape_string(dump->path), *text = escape_text(reason);

	complain("%s: %s", path, text);
	free(path);
	free(text);
	dump->status = STATUS_TROUBLE;
}

/* Reads a structure and shows it; bytes holds layout->size. */
static bool show_structure(struct dump *dump, enum ishare_struct_id id, uint32_t index,
			   uint64_t offset, uint8_t *bytes)
{
	struct dump_structure structure = { &ishare_structs[id], index, offset, bytes };

	if (ishare_image_read(dump->image, offset, bytes, structure.layout->size) != ISHARE_DONE) {
		miss(dump, ishare_image_error(dump->image));
		return false;
	}
	dump->format->structure(&dump->stream, &structure);
	return true;
}

static void show_superblock(struct dump *dump)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE], ext[ISHARE_SUPERBLOCK_EXT_SIZE];

	show_structure(dump, ISHARE_STRUCT_SUPERBLOCK, 0, ISHARE_SUPERBLOCK_OFFSET, bytes);
	if (dump->sb.sb_extslots)
		show_structure(dump, ISHARE_STRUCT_SUPERBLOCK_EXT, 0, ISHARE_SUPERBLOCK_EXT_OFFSET,
			       ext);
}

static void show_devices(struct dump *dump)
{
	uint64_t offset = ishare_device_table(&dump->sb);
	uint8_t bytes[ISHARE_DEVICESLOT_SIZE];

	if (dump->sb.extra_devices == 0)
		return;
	dump->format->list(&dump->stream, "devices");
	for (uint32_t i = 1; i <= dump->sb.extra_devices; i++, offset += sizeof(bytes))
		if (!show_structure(dump, ISHARE_STRUCT_DEVICESLOT, i, offset, bytes))
			break;
	dump->format->list_end(&dump->stream);
}

static void show_prefixes_of(struct dump *dump, const struct ishare_view *table)
{
	struct dump_prefix shown = { 0 };
	struct ishare_prefix prefix;
	enum ishare_status status =
		ishare_prefix_first(table, dump->sb.xattr_prefix_count, &prefix);

	shown.prefix = &prefix;
	for (; status == ISHARE_OK;
	     status = ishare_prefix_next(table, dump->sb.xattr_prefix_count, &prefix)) {
		shown.offset = ishare_prefix_start(&dump->sb) + prefix.pos;
		shown.infix = (struct ishare_view){ table->data + prefix.infix, prefix.infix_size };
		shown.fingerprint =
			ishare_has_compat(&dump->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) &&
			dump->sb.ishare_xattr_prefix_id == prefix.index;
		dump->format->prefix(&dump->stream, &shown);
	}
	if (status == ISHARE_MALFORMED)
		miss(dump, "the prefix table cannot be decoded to its end");
}

/* The largest table there can be: 255 records of 258 bytes, each padded. */
enum { PREFIX_TABLE_MAX = 255 * 260 };

static void show_prefixes(struct dump *dump)
{
	uint64_t start = ishare_prefix_start(&dump->sb), size = ishare_image_size(dump->image);
	struct ishare_view table = { NULL, 0 };
	uint8_t *bytes;

	if (dump->sb.xattr_prefix_count == 0)
		return;
	if (ishare_prefix_space(&dump->sb) != ISHARE_PREFIX_IN_IMAGE || start >= size) {
		miss(dump,
		     start >= size
			     ? "the prefix table lies past the image's end"
			     : "the prefix table lies in the data of an inode and is not shown");
		return;
	}
	table.size = size - start < PREFIX_TABLE_MAX ? (size_t)(size - start) : PREFIX_TABLE_MAX;
	table.data = bytes = allocate(table.size, 1);
	dump->format->list(&dump->stream, "prefixes");
	if (ishare_image_read(dump->image, start, bytes, table.size) == ISHARE_DONE)
		show_prefixes_of(dump, &table);
	else
		miss(dump, ishare_image_error(dump->image));
	dump->format->list_end(&dump->stream);
	free(bytes);
}

static void end_inode(struct dump *dump)
{
	if (dump->in_inode)
		dump->format->inode_end(&dump->stream);
	dump->in_inode = false;
}

static void take_inode(void *context, const struct ishare_inode_event *event)
{
	struct dump *dump = context;

	stop_if_unwritten();
	end_inode(dump);
	dump->format->inode(&dump->stream, event);
	dump->in_inode = true;
}

static void take_xattr(void *context, const struct ishare_xattr_event *event)
{
	struct dump *dump = context;

	if (dump->in_inode)
		dump->format->xattr(&dump->stream, event);
}

static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	char *words = unexamined_words(unexamined);

	miss(context, words);
	free(words);
}

/* A check whose findings nobody hears, for the sake of what else the sink hears. */
static void walk(struct dump *dump, const struct ishare_sink *sink)
{
	struct ishare_domain *domain = allocated(ishare_domain_new());
	struct ishare_options check = { .digests = false };
	struct ishare_summary summary = { 0 };

	ishare_profile_by_name(default_profile(), &check.profile);
	if (ishare_check(dump->image, &check, sink, domain, &summary) != ISHARE_DONE)
		miss(dump, ishare_image_error(dump->image));
	else if (summary.findings[ISHARE_ERROR])
		miss(dump,
		     "it breaks rules, so that this may not be all: run `erofs-ishare check`");
	ishare_domain_free(domain);
}

static void show_inodes(struct dump *dump)
{
	struct ishare_sink sink = {
		.context = dump,
		.unexamined = take_unexamined,
		.inode = take_inode,
		.xattr = take_xattr,
	};

	dump->format->list(&dump->stream, "inodes");
	walk(dump, &sink);
	end_inode(dump);
	dump->format->list_end(&dump->stream);
}

static bool has_magic(struct dump *dump)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE];
	struct ishare_view view = { bytes, sizeof(bytes) };

	return ishare_image_read(dump->image, ISHARE_SUPERBLOCK_OFFSET, bytes, sizeof(bytes)) ==
		       ISHARE_DONE &&
	       ishare_superblock_decode(&view, &dump->sb) == ISHARE_OK && sb_magic(&dump->sb);
}

static void show(struct dump *dump)
{
	if (!has_magic(dump)) {
		walk(dump, &(struct ishare_sink){ 0 }); /* to hear what is wrong */
		return;
	}
	dump->format->begin(&dump->stream, dump->image);
	show_superblock(dump);
	show_devices(dump);
	show_prefixes(dump);
	show_inodes(dump);
	dump->format->end(&dump->stream, dump->status == STATUS_CONFORMS);
}

int cmd_dump(int argc, char **argv)
{
	struct dump dump = { .format = &dump_text, .stream.out = stdout };

	dump.devices = allocate((size_t)argc, sizeof(char *));
	argp_parse(&dump_argp, argc, argv, 0, NULL, &dump);
	if (open_image(dump.path, dump.devices, dump.device_count, &dump.image) == ISHARE_DONE)
		show(&dump);
	else
		miss(&dump, ishare_image_error(dump.image));
	ishare_image_close(dump.image);
	free(dump.devices);
	return dump.status;
}
