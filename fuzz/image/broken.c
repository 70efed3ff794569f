// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* How each part of the harness ends the program. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "broken.h"

void broken(const char *property, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "broken: %s: ", property);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
