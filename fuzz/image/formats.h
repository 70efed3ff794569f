/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
#ifndef FUZZ_FORMATS_H
#define FUZZ_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Checks the image again, and its reports; thorough: with digests and SARIF
 */
void check_formats(const uint8_t *data, size_t size, uint64_t errors, bool thorough);

#endif
