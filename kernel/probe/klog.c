// SPDX-License-Identifier: GPL-2.0-or-later
#include "klog.h"

#include <string.h>
#include <stdlib.h>
#include <sys/klog.h>

#define READ_ALL 3
#define CLEAR 5
#define SIZE_BUFFER 10

bool klog_has(const char *text)
{
	int size = klogctl(SIZE_BUFFER, NULL, 0);
	char *log = size > 0 ? malloc((size_t)size + 1) : NULL;
	int n = log ? klogctl(READ_ALL, log, size) : -1;
	bool found;

	if (n >= 0)
		log[n] = '\0';
	found = n >= 0 && strstr(log, text);
	free(log);
	return found;
}

void klog_clear(void)
{
	klogctl(CLEAR, NULL, 0);
}
