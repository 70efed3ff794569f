// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Text written to memory. */
#include "cmd.h"

void text_begin(struct text *text)
{
	text->out = allocated(open_memstream(&text->bytes, &text->size));
}

/* A stream in memory fails for want of it. */
char *text_end(struct text *text)
{
	bool failed = ferror(text->out);

	failed = fclose(text->out) != 0 || failed;
	return allocated(failed ? NULL : text->bytes);
}
