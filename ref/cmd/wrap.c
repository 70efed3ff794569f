// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Text that fits the terminal it is shown on. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"

enum { USUAL_COLUMNS = 80 };

size_t terminal_columns(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return columns && atoi(columns) > 0 ? (size_t)atoi(columns) : USUAL_COLUMNS;
}

size_t output_columns(void)
{
	return isatty(STDOUT_FILENO) ? terminal_columns(STDOUT_FILENO) : SIZE_MAX;
}

/* How much of the text fits in a line: up to a blank, or one word that is longer. */
static size_t line_length(const char *text, size_t length, size_t room)
{
	size_t end = room;

	if (length <= room)
		return length;
	while (end && text[end] != ' ')
		end--;
	if (end)
		return end;
	while (end < length && text[end] != ' ')
		end++;
	return end;
}

void put_wrapped(const char *text, size_t length, size_t indent, size_t columns)
{
	size_t room = columns > indent ? columns - indent : 1, part;

	while ((part = line_length(text, length, room)) < length) {
		printf("%.*s\n%*s", (int)part, text, (int)indent, "");
		text += part + 1;
		length -= part + 1;
	}
	printf("%.*s\n", (int)length, text);
}

void put_lines(const char *text, size_t columns)
{
	while (*text) {
		size_t indent = strspn(text, " "), length = strcspn(text + indent, "\n");

		printf("%*s", (int)indent, "");
		put_wrapped(text + indent, length, indent, columns);
		text += indent + length;
		text += *text == '\n';
	}
}
