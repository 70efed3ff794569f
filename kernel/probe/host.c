// SPDX-License-Identifier: GPL-2.0-or-later
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "files.h"
#include "topics.h"

static int write_file(const char *directory, const struct file *file)
{
	static uint8_t buffer[1 << 20];
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", directory, file->name);
	out = fopen(path, "wb");
	if (!out)
		return -1;
	for (uint64_t at = 0; at < file->size; at += sizeof(buffer)) {
		size_t n = file->size - at < sizeof(buffer) ? file->size - at : sizeof(buffer);

		content_fill(file->seed, at, buffer, n);
		fwrite(buffer, 1, n, out);
	}
	return fclose(out);
}

static int write_tree(const char *directory)
{
	int error = 0;

	for (const struct file *file = tree; file->name && !error; file++)
		error = write_file(directory, file);
	return error;
}

static int write_forged(const char *image, const char *directory)
{
	int error = 0;

	for (const struct forged *f = forged; f->image && !error; f++)
		if (!strcmp(f->image, image))
			error = write_file(directory, &f->file);
	return error;
}

/* IMAGE FILE VALUE, the value in hexadecimal, "-" for none. */
static int list_forged(void)
{
	for (const struct forged *f = forged; f->image; f++) {
		printf("%s %s ", f->image, f->file.name);
		for (size_t i = 0; i < f->fingerprint_size; i++)
			printf("%02x", (unsigned char)f->fingerprint[i]);
		puts(f->fingerprint_size ? "" : "-");
	}
	return 0;
}

static int list_topics(void)
{
	for (const struct topic *topic = topics; topic->name; topic++)
		printf("%s\t%s\t%s\t%s\n", topic->name, topic->memory ? topic->memory : "",
		       topic->rules, topic->what);
	return 0;
}

int host_main(int argc, char **argv)
{
	int error = -1;

	errno = EINVAL;
	if (argc == 2 && !strcmp(argv[1], "topics"))
		error = list_topics();
	else if (argc == 2 && !strcmp(argv[1], "forged"))
		error = list_forged();
	else if (argc == 3 && !strcmp(argv[1], "tree"))
		error = write_tree(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "huge"))
		error = write_file(argv[2], &huge);
	else if (argc == 3 && !strcmp(argv[1], "race"))
		error = write_file(argv[2], &race);
	else if (argc == 4 && !strcmp(argv[1], "forge"))
		error = write_forged(argv[2], argv[3]);
	if (!error)
		return 0;
	fprintf(stderr,
		"probe: %s\n"
		"usage: probe topics | forged | tree DIRECTORY | huge DIRECTORY | race DIRECTORY | forge IMAGE DIRECTORY\n"
		"(as PID 1 of a guest it runs the topic that TOPIC= names)\n",
		strerror(errno));
	return 2;
}
