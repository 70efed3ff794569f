// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare dump: shows the decoded structures of an image. */
#include <stdlib.h>
#include <string.h>

#include "dump.h"

enum {
	OPTION_DEVICE = 256,
	OPTION_OFFSET,
	OPTION_FLAT,
	OPTION_LIMIT,
	OPTION_FORMAT,
};

static const struct argp_option options[] = {
	{ "device", OPTION_DEVICE, "FILE", 0,
	  "Extra device of the image; repeat for more devices, device 1 first", 0 },
	{ "offset", OPTION_OFFSET, "BYTES", 0, "Where the image begins in its file", 0 },
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
	if (!read_number(word, &dump->limit.bytes))
		usage_error(state, "'%s' is not a number of bytes", word);
	dump->limit.given = true;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct dump *dump = state->input;

	switch (key) {
	case OPTION_DEVICE:
		dump->source.devices[dump->source.device_count++] = arg;
		return 0;
	case OPTION_OFFSET:
		set_offset(&dump->source, arg, state);
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
		if (dump->source.path)
			usage_error(state, "takes one image");
		dump->source.path = arg;
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

int cmd_dump(int argc, char **argv)
{
	struct dump dump = { .format = &dump_text, .stream.out = stdout };

	dump.source.devices = allocate((size_t)argc, sizeof(char *));
	parse_arguments(&dump_argp, argc, argv, 0, &dump);
	if (open_image(&dump.source, &dump.image) == ISHARE_DONE)
		dump_volume(&dump);
	else
		dump_miss(&dump, ishare_image_error(dump.image));
	ishare_image_close(dump.image);
	free(dump.source.devices);
	return dump.status;
}
