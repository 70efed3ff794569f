/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
#ifndef FUZZ_BROKEN_H
#define FUZZ_BROKEN_H

/* Prints which property (or rule) is violated and how, and crashes the program. */
void broken(const char *property, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif
