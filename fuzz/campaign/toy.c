/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * What the tests of fuzz/campaign/run-campaign attack: paths to find one by one; with CRASH,
 * crashes behind two bytes and four, and a hang.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void defect(const uint8_t *data)
{
	static volatile int depth;

	if (memcmp(data, "HANG", 4) == 0)
		for (;;)
			pause();
	if (memcmp(data, "BAD!", 4) == 0)
		abort();
	if (data[0] == 'C') {
		depth++;
		if (data[1] == 'R')
			abort();
	}
}

static int classify(const uint8_t *data, size_t size)
{
	static const char word[] = "erofs-fuzz";
	int matched = 0;

	for (size_t i = 0; i < size && i < sizeof(word); i++)
		if (data[i] == (uint8_t)word[i])
			matched++;
	switch (matched) {
	case 1:
		return 10;
	case 3:
		return 30;
	case 5:
		return 50;
	}
	return matched;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile int result;

	if (size < 4)
		return 0;
#ifdef CRASH
	defect(data);
#else
	(void)defect;
#endif
	result = classify(data, size);
	(void)result;
	return 0;
}
