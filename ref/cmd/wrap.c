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

/* The cursor is at a column; further lines begin at column indent. */
static void put_hanging(const char *text, size_t length, size_t column, size_t indent,
			size_t columns)
{
	size_t room = columns > column ? columns - column : 1, part;

	while ((part = line_length(text, length, room)) < length) {
		printf("%.*s\n%*s", (int)part, text, (int)indent, "");
		text += part + 1;
		length -= part + 1;
		room = columns > indent ? columns - indent : 1;
	}
	printf("%.*s\n", (int)length, text);
}

void put_wrapped(const char *text, size_t length, size_t indent, size_t columns)
{
	put_hanging(text, length, indent, indent, columns);
}

struct line {
	const char *text; /* after its indent */
	size_t indent, length;
};

static struct line take_line(const char **text)
{
	struct line line = { .indent = strspn(*text, " ") };

	line.text = *text + line.indent;
	line.length = strcspn(line.text, "\n");
	*text = line.text + line.length;
	*text += **text == '\n';
	return line;
}

/* Where the second column of a table begins in a line, after two blanks or more; 0: there is none.
 */
static size_t second_column(const struct line *line)
{
	for (size_t i = 2; i < line->length; i++)
		if (line->text[i] != ' ' && line->text[i - 1] == ' ' && line->text[i - 2] == ' ')
			return i;
	return 0;
}

void put_lines(const char *text, size_t columns)
{
	while (*text) {
		struct line line = take_line(&text);

		printf("%*s", (int)line.indent, "");
		put_hanging(line.text, line.length, line.indent, line.indent + second_column(&line),
			    columns);
	}
}

/* ---- Text that was wrapped before ---- */

enum {
	CODE = 4, /* the least indent of code, and how much further in a long line of it goes on */
	ITEM = 2, /* the same for an item of a list */
};

/* Lines that one long line was wrapped to. */
struct paragraph {
	struct text whole;
	size_t indent;
	size_t columns; /* of the last of these lines */
	bool open;
	bool is_item; /* of a list: further lines are further in */
};

/* Whether the line was broken off the paragraph's last one, for want of room. */
static bool goes_on(const struct paragraph *paragraph, const struct line *line, size_t width)
{
	size_t word = strcspn(line->text, " \n");

	if (!paragraph->open)
		return false;
	if (paragraph->is_item)
		return line->indent > paragraph->indent;
	if (paragraph->indent < CODE)
		return line->indent == paragraph->indent;
	return line->indent == paragraph->indent + CODE && paragraph->columns + 1 + word > width;
}

static void end_paragraph(struct paragraph *paragraph, size_t columns)
{
	size_t further = paragraph->is_item ? ITEM : paragraph->indent < CODE ? 0 : CODE;
	char *whole;

	if (!paragraph->open)
		return;
	paragraph->open = false;
	whole = text_end(&paragraph->whole);
	printf("%*s", (int)paragraph->indent, "");
	put_hanging(whole, strlen(whole), paragraph->indent, paragraph->indent + further, columns);
	free(whole);
}

/* The line after one with a smaller indent, but not in code, begins a list. */
static void begin_paragraph(struct paragraph *paragraph, const struct line *line, size_t columns)
{
	bool is_list = paragraph->is_item || (paragraph->open && paragraph->indent < CODE &&
					      line->indent > paragraph->indent);

	end_paragraph(paragraph, columns);
	paragraph->is_item = is_list;
	paragraph->indent = line->indent;
	paragraph->open = true;
	text_begin(&paragraph->whole);
}

static void put_filled(const char *text, size_t width, size_t columns)
{
	struct paragraph paragraph = { 0 };

	while (*text) {
		struct line line = take_line(&text);

		if (!line.length) {
			end_paragraph(&paragraph, columns);
			paragraph.is_item = false;
			putchar('\n');
			continue;
		}
		if (goes_on(&paragraph, &line, width))
			fputc(' ', paragraph.whole.out);
		else
			begin_paragraph(&paragraph, &line, columns);
		fwrite(line.text, 1, line.length, paragraph.whole.out);
		paragraph.columns = line.indent + line.length;
	}
	end_paragraph(&paragraph, columns);
}

void put_rewrapped(const char *text, size_t width, size_t columns)
{
	if (columns < width)
		put_filled(text, width, columns);
	else
		fputs(text, stdout);
}
