// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare dump: shows an image's structures, decoded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

/*
 * Inodes may share large xattrs, and paths may be long: what a small image has to show is any
 * number of times its size. Of images that nobody has made for that, it is less than 2 times
 * (measured).
 */
#define SHOWN_FREE (128u * 1024u)
#define SHOWN_FACTOR 24u

enum { INODE_BYTES = 256, XATTR_BYTES = 256 }; /* about what one takes besides its path or name */
enum { FINDINGS_LIMIT = 1000 }; /* of a rule: each keeps something from being shown */

enum {
	OPTION_DEVICE = 256,
	OPTION_FLAT,
	OPTION_LIMIT,
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
	bool in_directory; /* and is a directory */
	bool has_limit; /* the user has named one */
	uint64_t limit; /* of bytes of inodes, 0: none */
	uint64_t bytes; /* of inodes, about, also of those that were left out */
	uint64_t left_out; /* inodes and xattrs */
	bool flat; /* as in struct ishare_options */
	int status;
};

static const struct argp_option options[] = {
	{ "device", OPTION_DEVICE, "FILE", 0,
	  "Extra device of the image; repeat for more devices, device 1 first", 0 },
	{ "flat", OPTION_FLAT, NULL, 0,
	  "The image contains its extra devices, as Linux assumes without device=", 0 },
	{ "limit", OPTION_LIMIT, "BYTES", 0,
	  "Show about this much of inodes; 0: all (default: 128 KiB plus 24 times the image)", 0 },
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
	usage_error(state, "'%s' is not a format: use text or json", name);
}

static void set_limit(struct dump *dump, const char *word, struct argp_state *state)
{
	if (!read_number(word, &dump->limit))
		usage_error(state, "'%s' is not a number of bytes", word);
	dump->has_limit = true;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct dump *dump = state->input;

	switch (key) {
	case OPTION_DEVICE:
		dump->devices[dump->device_count++] = arg;
		return 0;
	case OPTION_FLAT:
		dump->flat = true;
		return 0;
	case OPTION_LIMIT:
		set_limit(dump, arg, state);
		return 0;
	case OPTION_FORMAT:
		set_format(dump, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (dump->path)
			usage_error(state, "dump takes one image");
		dump->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		usage_error(state, "no image given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp dump_argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "IMAGE",
	.doc = "Shows the decoded structures of IMAGE with their offsets; checks nothing.\v"
	       "Exit status: 0 everything was shown, 2 something could not be shown.",
	.children = common_options,
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
	uint32_t count = ishare_device_count(&dump->sb);

	if (!count)
		return;
	dump->format->list(&dump->stream, "devices");
	for (uint32_t i = 1; i <= count; i++, offset += sizeof(bytes))
		if (!show_structure(dump, ISHARE_STRUCT_DEVICESLOT, i, offset, bytes))
			break;
	dump->format->list_end(&dump->stream);
}

/* What the check has read of the prefix table, wherever it lies. */
static void show_prefixes(struct dump *dump)
{
	bool named = ishare_has_compat(&dump->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS);
	uint32_t count = ishare_image_prefix_count(dump->image);

	if (!count)
		return;
	dump->format->list(&dump->stream, "prefixes");
	for (uint32_t i = 0; i < count; i++) {
		struct dump_prefix prefix = { .index = i };

		prefix.fingerprint = named && dump->sb.ishare_xattr_prefix_id == i;
		ishare_image_prefix(dump->image, i, &prefix.name, &prefix.space, &prefix.offset);
		dump->format->prefix(&dump->stream, &prefix);
	}
	dump->format->list_end(&dump->stream);
}

static void end_inode(struct dump *dump)
{
	if (dump->in_inode)
		dump->format->inode_end(&dump->stream);
	dump->in_inode = false;
}

/* Whether there is room for something more that takes about so many bytes. */
static bool has_room(struct dump *dump, uint64_t bytes)
{
	dump->bytes += bytes;
	if (!dump->limit || dump->bytes <= dump->limit)
		return true;
	dump->left_out++;
	return false;
}

static bool stop(void *context)
{
	(void)context;
	return is_unwritten();
}

static void take_inode(void *context, const struct ishare_inode_event *event)
{
	struct dump *dump = context;

	end_inode(dump);
	if (!has_room(dump, INODE_BYTES + strlen(event->path)))
		return;
	dump->format->inode(&dump->stream, event);
	dump->in_inode = true;
	dump->in_directory = ishare_inode_is_directory(event->inode);
}

static void take_xattr(void *context, const struct ishare_xattr_event *event)
{
	struct dump *dump = context;
	uint64_t name = event->name ? event->name->bytes.size : 0;

	if (has_room(dump, XATTR_BYTES + ISHARE_ESCAPED_MAX * name) && dump->in_inode)
		dump->format->xattr(&dump->stream, event);
}

/* What files contain is not shown. */
static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	char *words;

	if (unexamined->content)
		return;
	words = unexamined_words(unexamined);
	miss(context, words);
	free(words);
}

/* Whether an image that breaks the rule keeps something from being shown. */
static bool hides(const struct dump *dump, const struct ishare_rule *rule)
{
	switch (rule->id) {
	case ISHARE_RULE_SB_BLOCK_SIZE:
	case ISHARE_RULE_SB_METABOX_SLOT:
	case ISHARE_RULE_SB_METABOX_SELF:
	case ISHARE_RULE_SB_ROOT_INODE:
	case ISHARE_RULE_INODE_FORMAT:
	case ISHARE_RULE_INODE_LAYOUT:
	case ISHARE_RULE_INODE_MODE:
	case ISHARE_RULE_INODE_INTERNAL:
	case ISHARE_RULE_INODE_SIZE:
	case ISHARE_RULE_INODE_CHUNK_FORMAT:
		return true;
	case ISHARE_RULE_INODE_INLINE_TAIL:
	case ISHARE_RULE_INODE_DATA_BOUNDS:
		return dump->in_directory; /* the data of others is not shown anyway */
	default:
		return rule->malformed;
	}
}

static void take_finding(void *context, const struct ishare_finding *finding)
{
	struct dump *dump = context;
	struct text text;
	char *reason;

	if (!hides(dump, finding->rule))
		return;
	text_begin(&text);
	fputs("not shown: ", text.out);
	if (finding->path) {
		put_text(text.out, finding->path);
		fputs(": ", text.out);
	}
	fprintf(text.out, "%s: %s", finding->rule->name, finding->message);
	reason = text_end(&text);
	miss(dump, reason);
	free(reason);
}

/* They might have been about directories. */
static void take_omitted(void *context, const struct ishare_omitted *omitted)
{
	struct dump *dump = context;
	char reason[100];

	dump->in_directory = true;
	if (!hides(dump, omitted->rule))
		return;
	snprintf(reason, sizeof(reason), "not shown: %" PRIu64 " times more: %s", omitted->count,
		 omitted->rule->name);
	miss(dump, reason);
}

/* A reader from whom nothing is hidden: it has the largest pages, and no feature is unknown. */
static const struct ishare_profile all_knowing = { .page_bits = ISHARE_BLOCK_BITS_MAX };

/* A check for the sake of what its sink hears. */
static void walk(struct dump *dump, const struct ishare_sink *sink)
{
	struct ishare_domain *domain = allocated(ishare_domain_new());
	struct ishare_options check = { .profile = all_knowing,
					.limit = FINDINGS_LIMIT,
					.flat = dump->flat };
	struct ishare_summary summary = { 0 };
	enum ishare_result result = ishare_check(dump->image, &check, sink, domain, &summary);

	if (result == ISHARE_NOT_EROFS || result == ISHARE_IO_ERROR)
		miss(dump, ishare_image_error(dump->image));
	ishare_domain_free(domain);
}

static void miss_left_out(struct dump *dump)
{
	char reason[100];

	if (!dump->left_out)
		return;
	snprintf(reason, sizeof(reason),
		 "not shown: %" PRIu64 " inodes and xattrs beyond %" PRIu64 " bytes (--limit)",
		 dump->left_out, dump->limit);
	miss(dump, reason);
}

static void set_default_limit(struct dump *dump)
{
	uint64_t held = ishare_image_held(dump->image);

	if (!dump->has_limit)
		dump->limit = SHOWN_FREE + SHOWN_FACTOR * held;
}

static void show_inodes(struct dump *dump)
{
	struct ishare_sink sink = {
		.context = dump,
		.finding = take_finding,
		.omitted = take_omitted,
		.unexamined = take_unexamined,
		.inode = take_inode,
		.xattr = take_xattr,
		.stop = stop,
	};

	set_default_limit(dump);
	dump->format->list(&dump->stream, "inodes");
	walk(dump, &sink);
	end_inode(dump);
	dump->format->list_end(&dump->stream);
	miss_left_out(dump);
}

/* Reads the superblock of an image that is long enough for one; says why if it cannot. */
static bool read_superblock(struct dump *dump, uint8_t *bytes)
{
	if (ishare_image_read(dump->image, ISHARE_SUPERBLOCK_OFFSET, bytes,
			      ISHARE_SUPERBLOCK_SIZE) == ISHARE_DONE)
		return true;
	miss(dump, ishare_image_error(dump->image));
	return false;
}

/* Whether there is anything to show; says why not. */
static bool is_erofs(struct dump *dump)
{
	uint8_t bytes[ISHARE_SUPERBLOCK_SIZE];
	struct ishare_view view = { bytes, sizeof(bytes) };

	if (ishare_image_size(dump->image) >= ISHARE_SUPERBLOCK_OFFSET + sizeof(bytes)) {
		if (!read_superblock(dump, bytes))
			return false;
		if (ishare_superblock_decode(&view, &dump->sb) == ISHARE_OK && sb_magic(&dump->sb))
			return true;
	}
	walk(dump, &(struct ishare_sink){ 0 }); /* to hear what is wrong */
	if (dump->status == STATUS_CONFORMS)
		miss(dump, "the superblock has changed while it was read");
	return false;
}

static void show(struct dump *dump)
{
	if (!is_erofs(dump))
		return;
	dump->format->begin(&dump->stream, dump->image);
	show_superblock(dump);
	show_devices(dump);
	show_inodes(dump);
	show_prefixes(dump);
	dump->format->end(&dump->stream, dump->status == STATUS_CONFORMS);
}

int cmd_dump(int argc, char **argv)
{
	struct dump dump = { .format = &dump_text, .stream.out = stdout };

	dump.devices = allocate((size_t)argc, sizeof(char *));
	parse_arguments(&dump_argp, argc, argv, 0, &dump);
	if (open_image(dump.path, dump.devices, dump.device_count, &dump.image) == ISHARE_DONE)
		show(&dump);
	else
		miss(&dump, ishare_image_error(dump.image));
	ishare_image_close(dump.image);
	free(dump.devices);
	return dump.status;
}
