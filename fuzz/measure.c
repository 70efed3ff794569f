// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * What a check costs. The linker's --wrap sends libishare's calls of the functions below here, and
 * the compiler's -finstrument-function-entry-bare calls us at the head of each function.
 *
 * With ASan, what the readers hand out is a copy of exactly that size, freed with the reader's next
 * call: so that reading a byte too many, or a view for too long, is seen.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "crc.h"
#include "image.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXACT 1
#endif
#endif
#ifndef EXACT
#define EXACT 0
#endif

#if EXACT
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void)(p))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p))
#endif

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
bool __real_reader_view(struct reader *reader, uint32_t device, uint64_t offset, size_t size,
			struct ishare_view *view);
bool __real_reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
			size_t size);
uint8_t *__real_reader_buffer(struct reader *reader, size_t size);
void __real_reader_release(struct reader *reader);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
bool __wrap_reader_view(struct reader *reader, uint32_t device, uint64_t offset, size_t size,
			struct ishare_view *view);
bool __wrap_reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
			size_t size);
uint8_t *__wrap_reader_buffer(struct reader *reader, size_t size);
void __wrap_reader_release(struct reader *reader);
uint32_t __real_ishare_crc32c(uint32_t crc, const struct ishare_view *v);
uint32_t __wrap_ishare_crc32c(uint32_t crc, const struct ishare_view *v);
uint64_t __wrap_hash_seed(void);
void __cyg_profile_func_enter_bare(void);

static uint64_t seed;
static uint64_t steps;
static bool measuring;
static size_t held, most;

__attribute__((no_instrument_function)) void __cyg_profile_func_enter_bare(void)
{
	steps++;
}

/* ---- Memory ---- */

/*
 * ASan maps and unmaps large blocks, which takes long. A check has two, always of the same size: in
 * the harness's own thread they are kept when they are freed, and a use after that is still seen.
 */
#define LARGE (32u * 1024)
#define SPARES 4

static _Thread_local bool own_thread;
static struct spare {
	void *block;
	size_t size;
} spares[SPARES];

static void *reuse(size_t size)
{
	for (size_t i = 0; i < SPARES; i++)
		if (spares[i].block && spares[i].size == size) {
			void *block = spares[i].block;

			spares[i].block = NULL;
			ASAN_UNPOISON_MEMORY_REGION(block, size);
			return block;
		}
	return NULL;
}

static bool keep(void *block, size_t size)
{
	for (size_t i = 0; i < SPARES; i++)
		if (!spares[i].block) {
			spares[i] = (struct spare){ block, size };
			ASAN_POISON_MEMORY_REGION(block, size);
			return true;
		}
	return false;
}

static void *took(void *p)
{
	if (measuring && p) {
		held += malloc_usable_size(p);
		most = held > most ? held : most;
	}
	return p;
}

static size_t gives(void *p)
{
	size_t size = p ? malloc_usable_size(p) : 0;

	if (measuring)
		held -= size;
	return size;
}

void *__wrap_malloc(size_t size)
{
	void *p = EXACT && own_thread && size >= LARGE ? reuse(size) : NULL;

	return took(p ? p : __real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return took(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	gives(p);
	return took(__real_realloc(p, size));
}

void __wrap_free(void *p)
{
	size_t size = gives(p);

	if (!EXACT || !own_thread || size < LARGE || !keep(p, size))
		__real_free(p);
}

#if EXACT
const char *__asan_default_options(void);

/* Most of the time would otherwise go into remembering where each block came from. */
const char *__asan_default_options(void)
{
	return "malloc_context_size=4:quarantine_size_mb=8:max_malloc_fill_size=0";
}
#endif

/* ---- Views ---- */

enum copy { OF_VIEW, OF_BUFFER, COPIES };

/* A check has two readers, the judgement of a domain three. */
#define READERS 4

static struct exact {
	const struct reader *reader;
	uint8_t *copies[COPIES];
} exact[READERS];

static struct exact *exact_of(const struct reader *reader)
{
	for (size_t i = 0; i < READERS; i++)
		if (exact[i].reader == reader)
			return &exact[i];
	return NULL;
}

/* Frees the last copy and returns the place for the next one. */
static uint8_t **renew(const struct reader *reader, enum copy what)
{
	struct exact *e = exact_of(reader);

	e = e ? e : exact_of(NULL);
	if (!e)
		broken("memory", "more than %d readers", READERS);
	e->reader = reader;
	__real_free(e->copies[what]);
	e->copies[what] = NULL;
	return &e->copies[what];
}

void __wrap_reader_release(struct reader *reader)
{
	struct exact *e = exact_of(reader);

	for (size_t what = 0; e && what < COPIES; what++)
		__real_free(e->copies[what]);
	if (e)
		memset(e, 0, sizeof(*e));
	__real_reader_release(reader);
}

bool __wrap_reader_view(struct reader *reader, uint32_t device, uint64_t offset, size_t size,
			struct ishare_view *view)
{
	uint8_t **copy;

	if (!__real_reader_view(reader, device, offset, size, view))
		return false;
	if (!EXACT || !measuring)
		return true;
	copy = renew(reader, OF_VIEW);
	*copy = __real_malloc(size);
	if (!*copy)
		return false;
	memcpy(*copy, view->data, size);
	view->data = *copy;
	return true;
}

bool __wrap_reader_copy(struct reader *reader, uint32_t device, uint64_t offset, void *buffer,
			size_t size)
{
	if (EXACT && measuring)
		renew(reader, OF_VIEW);
	return __real_reader_copy(reader, device, offset, buffer, size);
}

uint8_t *__wrap_reader_buffer(struct reader *reader, size_t size)
{
	uint8_t **copy;

	if (!EXACT || !measuring)
		return __real_reader_buffer(reader, size);
	copy = renew(reader, OF_BUFFER);
	*copy = __real_malloc(size);
	return *copy;
}

/* ---- The checksum ---- */

/* Now and then core must agree. */
uint32_t __wrap_ishare_crc32c(uint32_t crc, const struct ishare_view *v)
{
	static uint32_t calls;
	uint32_t sum;

	if (!has_fast_crc32c())
		return __real_ishare_crc32c(crc, v);
	sum = fast_crc32c(crc, v);
	if (calls++ % 256 == 0 && sum != __real_ishare_crc32c(crc, v))
		broken("sb.checksum", "the processor computes another one than core");
	return sum;
}

/* ---- For the harness ---- */

void set_hash_seed(uint64_t value)
{
	seed = value;
}

uint64_t __wrap_hash_seed(void)
{
	return seed;
}

void measure_start(void)
{
	steps = 0;
	held = most = 0;
	own_thread = measuring = true;
}

struct cost measure_stop(void)
{
	measuring = false;
	return (struct cost){ .steps = steps, .memory = most };
}
