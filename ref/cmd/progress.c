// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A progress bar on stderr, for a terminal and long work. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

#define PATIENCE 1.0 /* seconds before a bar appears */
#define PACE 0.1 /* seconds between two of its states */

/* Columns. */
enum {
	FRAME = 3, /* around a bar */
	LEAST_BAR = 8,
	BAR = 30, /* at most */
	NAME = 12, /* the least part of a name that is shown, with what surrounds it */
};

#define CUT "..." /* for the beginning of a name */

double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, bool wanted)
{
	progress->start = seconds();
	progress->terminal = wanted && isatty(STDERR_FILENO);
}

void progress_image(struct progress *progress, const char *image)
{
	progress->image = image;
	progress->inodes = progress->content = (struct amount){ 0 };
}

/* How much is done; all of it if nobody knows how much there is. */
static double share(struct amount amount)
{
	return amount.done < amount.total ? (double)amount.done / (double)amount.total : 1;
}

/* While inodes are found, more content may become known: what is less far decides. */
static double least_share(const struct progress *progress)
{
	double inodes = share(progress->inodes), content = share(progress->content);

	return inodes < content ? inodes : content;
}

/* "1.25/3.00 GiB": larger units would not move. */
static void put_bytes(FILE *out, struct amount bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
	static const int decimals[] = { 0, 0, 1, 2 };
	double unit = 1;
	size_t i = 0;

	for (; i + 1 < sizeof(units) / sizeof(units[0]) && (double)bytes.total / unit >= 1024; i++)
		unit *= 1024;
	fprintf(out, "%.*f/%.*f %s", decimals[i], (double)bytes.done / unit, decimals[i],
		(double)bytes.total / unit, units[i]);
}

static char *counts_of(const struct progress *progress)
{
	struct text text;

	text_begin(&text);
	put_count(text.out, "", progress->inodes.done, "inode");
	if (progress->content.total) {
		fputs(", ", text.out);
		put_bytes(text.out, progress->content);
	}
	return text_end(&text);
}

static bool continues_character(char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* At most this many columns of a character in printable UTF-8. */
static size_t character_columns(char first)
{
	return (unsigned char)first < 0xe0 ? 1 : 2;
}

/* The last part of a name that fits the columns, and how many it takes at most. */
static const char *end_of_name(const char *name, size_t room, size_t *columns)
{
	const char *end = name + strlen(name), *start = end;

	*columns = 0;
	while (start > name) {
		const char *before = start - 1;

		while (before > name && continues_character(*before))
			before--;
		if (*columns + character_columns(*before) > room)
			break;
		*columns += character_columns(*before);
		start = before;
	}
	return start;
}

/* "NAME: " within the columns, or nothing; returns how many remain. A long name loses its head. */
static size_t put_name(FILE *out, const char *image, size_t room)
{
	char *name = escape_string(image);
	size_t columns = 0;
	const char *shown;

	shown = end_of_name(name, room > 2 ? room - 2 : 0, &columns);
	if (shown != name && room >= NAME)
		shown = end_of_name(name, room - 2 - strlen(CUT), &columns);
	if (shown == name || room >= NAME) {
		fprintf(out, "%s%s: ", shown == name ? "" : CUT, shown);
		room -= columns + 2 + (shown == name ? 0 : strlen(CUT));
	}
	free(name);
	return room;
}

/* "[###---] " within the columns, or nothing. */
static void put_bar(FILE *out, double share, size_t room)
{
	size_t length = room < FRAME + BAR ? room - FRAME : BAR;

	if (room < FRAME + LEAST_BAR)
		return;
	fputc('[', out);
	for (size_t i = 0; i < length; i++)
		fputc((double)(i + 1) <= share * (double)length ? '#' : '-', out);
	fputs("] ", out);
}

/*
 * Written at once, so that nobody sees half of it. The last column stays free: terminals differ in
 * what they do after it.
 */
static void draw(const struct progress *progress)
{
	size_t columns = terminal_columns(STDERR_FILENO) - 1;
	char *counts = counts_of(progress), *line;
	size_t length = strlen(counts), room = columns > length ? columns - length : 0;
	size_t bar = room < FRAME + LEAST_BAR ? 0 : FRAME + LEAST_BAR;
	struct text text;

	text_begin(&text);
	room = put_name(text.out, progress->image, room - bar) + bar;
	put_bar(text.out, least_share(progress), room);
	fprintf(text.out, "%.*s", (int)columns, counts);
	line = text_end(&text);
	fprintf(stderr, "\r%s\033[K", line);
	free(line);
	free(counts);
}

static void update(struct progress *progress)
{
	double now;

	if (!progress->terminal)
		return;
	now = seconds();
	if (now - progress->start < PATIENCE || now - progress->last < PACE)
		return;
	progress->last = now;
	progress->shown = true;
	draw(progress);
}

void progress_inodes(struct progress *progress, struct amount inodes)
{
	progress->inodes = inodes;
	update(progress);
}

void progress_content(struct progress *progress, struct amount content)
{
	progress->content = content;
	update(progress);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	progress->shown = false;
}
