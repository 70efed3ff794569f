/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
#ifndef FUZZ_BROKEN_H
#define FUZZ_BROKEN_H

/* Says which property (or rule) is broken and how, and ends the program as a crash. */
void broken(const char *property, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif
