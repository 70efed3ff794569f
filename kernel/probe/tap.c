// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned int points;

static void point(bool passed, const char *format, va_list args)
{
	printf("%sok %u - ", passed ? "" : "not ", ++points);
	vprintf(format, args);
}

bool ok(bool passed, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	point(passed, format, args);
	va_end(args);
	putchar('\n');
	return passed;
}

bool ok_known(const char *finding, bool symptom, bool passed, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	point(passed, format, args);
	va_end(args);
	printf(passed || symptom ? " # TODO finding %s\n" : "\n", finding);
	return passed;
}

static const char *error_name(int error)
{
	return error ? strerrorname_np(-error) : "success";
}

bool ok_errno(int result, int wanted, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	point(result == wanted, format, args);
	va_end(args);
	printf(": %s\n", error_name(wanted));
	if (result != wanted)
		diag("got %s", error_name(result));
	return result == wanted;
}

void skip(const char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	point(true, format, args);
	va_end(args);
	printf(" # SKIP %s\n", why);
}

void diag(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

void at_risk(const char *finding, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# at risk: ");
	vprintf(format, args);
	va_end(args);
	printf(" # TODO finding %s\n", finding);
}

void done(void)
{
	printf("1..%u\n", points);
}
