// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Checks callers of the core: see requires.h.
 *
 * With ISHARE_CALLS=FILE in the environment, a program appends to FILE at its end how often it
 * called each function.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "requires.h"

/*
 * Of the sanitizer's runtime. clang's header that declares them is in a package of its own, which
 * its compiler package does not bring along.
 */
void *__asan_region_is_poisoned(void *start, size_t size);
void __sanitizer_print_stack_trace(void);

void called(struct counter *counter)
{
	__atomic_fetch_add(&counter->calls, 1, __ATOMIC_RELAXED);
}

/*
 * The sanitizer knows which bytes of the heap, of frames and of variables are valid. About other
 * addresses it knows nothing: an access to the first and the last byte shows whether they exist.
 */
bool readable(const void *start, integer size)
{
	const volatile uint8_t *bytes = start;

	if (size <= 0)
		return true;
	if (!start || size > PTRDIFF_MAX || __asan_region_is_poisoned((void *)start, (size_t)size))
		return false;
	(void)bytes[0];
	(void)bytes[size - 1];
	return true;
}

/* No other thread uses what a caller has to be written to. */
bool writable(const void *start, integer size)
{
	volatile uint8_t *bytes = (uint8_t *)start;

	if (!readable(start, size))
		return false;
	if (size > 0) {
		bytes[0] = bytes[0];
		bytes[size - 1] = bytes[size - 1];
	}
	return true;
}

static bool apart(const struct region *a, const struct region *b)
{
	integer start_a = (uintptr_t)a->start, start_b = (uintptr_t)b->start;

	return a->size <= 0 || b->size <= 0 || start_a + a->size <= start_b ||
	       start_b + b->size <= start_a;
}

bool separated(const struct region *regions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (!apart(&regions[i], &regions[j]))
				return false;
	return true;
}

void violated(const char *function, const char *clause)
{
	fprintf(stderr, "broken: contract: %s: %s\n", function, clause);
	__sanitizer_print_stack_trace();
	abort();
}

/* All in one write, since programs that run at the same time append to the same file. */
static void append(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size || close(fd) != 0) {
		perror(path);
		abort();
	}
}

__attribute__((destructor)) static void write_calls(void)
{
	const char *path = getenv("ISHARE_CALLS");
	size_t size = 0;
	char *text = NULL;
	FILE *out = path ? open_memstream(&text, &size) : NULL;

	if (!out)
		return;
	for (size_t i = 0; i < counter_count; i++)
		if (counters[i].calls)
			fprintf(out, "%s %llu\n", counters[i].name,
				(unsigned long long)counters[i].calls);
	fclose(out);
	append(path, text, size);
	free(text);
}
