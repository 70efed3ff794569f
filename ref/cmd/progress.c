// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* A progress bar on stderr, for a terminal and long work. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

#define PATIENCE 1.0 /* seconds before a bar appears */
#define PACE 0.1 /* seconds between two of its states */

enum { BAR = 30 };

double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_start(struct progress *progress)
{
	progress->start = seconds();
	progress->terminal = isatty(STDERR_FILENO);
}

/* total comes from the image and may be any number. */
static void draw(const struct progress *progress, uint64_t done, uint64_t total)
{
	double share = total && done < total ? (double)done / (double)total : 1;
	int full = (int)(share * BAR);

	fputc('\r', stderr);
	put_string(stderr, progress->image);
	fputs(": [", stderr);
	for (int i = 0; i < BAR; i++)
		fputc(i < full ? '#' : '-', stderr);
	fprintf(stderr, "] %" PRIu64 " inodes\033[K", done);
	fflush(stderr);
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total)
{
	double now;

	if (!progress->terminal)
		return;
	now = seconds();
	if (now - progress->start < PATIENCE || now - progress->last < PACE)
		return;
	progress->last = now;
	progress->shown = true;
	draw(progress, done, total);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", stderr);
	progress->shown = false;
}
