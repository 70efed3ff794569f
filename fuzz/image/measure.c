// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Measures the cost of a check. The linker's --wrap redirects libishare's calls of the functions
 * below to this file, and -finstrument-function-entry-bare calls it at the start of each function.
 *
 * With ASan, a view of a space is a copy of exactly that size, which ends with the next view of the
 * same space: so ASan detects a read of one byte too many, or of an old view.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "image/image.h"
#include "crc.h"
#include "measure.h"
#include "real.h"

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
enum read_result __real_space_view(struct reader *reader, const struct space *space,
				   uint64_t offset, size_t size, struct ishare_view *view);
void __real_reader_release(struct reader *reader);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
enum read_result __wrap_space_view(struct reader *reader, const struct space *space,
				   uint64_t offset, size_t size, struct ishare_view *view);
void __wrap_reader_release(struct reader *reader);
uint32_t REAL(ishare_crc32c)(uint32_t crc, const struct ishare_view *v);
uint32_t __wrap_ishare_crc32c(uint32_t crc, const struct ishare_view *v);
uint64_t __wrap_hash_seed(void);
struct space __real_file_space(const struct file *file, const char *name);
struct space __wrap_file_space(const struct file *file, const char *name);
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
 * ASan maps and unmaps large blocks, which is slow. A check has two, always of the same size: the
 * harness's own thread keeps them when they are freed, and uses after free are still detected.
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

/*
 * The second check, without ASan, allocates from this arena, one block after the other, and frees
 * everything at its end. Old contents remain: no result may depend on them.
 */
#define ARENA (1024u * 1024)
#define ALIGN 16u

static _Alignas(ALIGN) uint8_t arena[ARENA];
static size_t arena_used;
static bool from_arena;

static bool in_arena(const void *p)
{
	return (const uint8_t *)p >= arena && (const uint8_t *)p < arena + ARENA;
}

/* A block has its size before it. NULL: there is no room. */
static void *arena_take(size_t size)
{
	size_t room = ALIGN + (size + ALIGN - 1) / ALIGN * ALIGN;
	uint8_t *block = arena + arena_used + ALIGN;

	if (size > ARENA || room > ARENA - arena_used)
		return NULL;
	memcpy(block - ALIGN, &size, sizeof(size));
	arena_used += room;
	return block;
}

static void *arena_grow(void *p, size_t size)
{
	void *grown = arena_take(size);
	size_t old;

	grown = grown ? grown : __real_malloc(size);
	if (grown && p) {
		memcpy(&old, (uint8_t *)p - ALIGN, sizeof(old));
		memcpy(grown, p, old < size ? old : size);
	}
	return grown;
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
	void *p = from_arena ? arena_take(size) : NULL;

	if (p)
		return p;
	if (EXACT && own_thread && size >= LARGE)
		p = reuse(size);
	return took(p ? p : __real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *p = from_arena && size && count < ARENA / size ? arena_take(count * size) : NULL;

	return p ? memset(p, 0, count * size) : took(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (in_arena(p) || (from_arena && !p))
		return arena_grow(p, size);
	gives(p);
	return took(__real_realloc(p, size));
}

void __wrap_free(void *p)
{
	size_t size;

	if (!p || in_arena(p))
		return;
	size = gives(p);
	if (!EXACT || !own_thread || size < LARGE || !keep(p, size))
		__real_free(p);
}

#if EXACT
const char *__asan_default_options(void);

/* Recording the origin of each block would take most of the time. */
const char *__asan_default_options(void)
{
	return "malloc_context_size=4:quarantine_size_mb=8:max_malloc_fill_size=0";
}
#endif

/* ---- Views ---- */

/* A check has two readers, the judgement of a domain three. */
#define READERS 4

/*
 * Each has a buffer where its copies follow one another: so the use of an old copy is detected for
 * long.
 */
#define ROOM (64u * 1024)
#define GAP 16u

static struct exact {
	const struct reader *reader;
	struct copies {
		_Alignas(GAP) uint8_t room[ROOM];
		uint8_t *now; /* NULL: none */
		size_t size;
		size_t used; /* of the room */
	} copies[SPACES];
} exact[READERS];

static struct exact *exact_of(const struct reader *reader)
{
	for (size_t i = 0; i < READERS; i++)
		if (exact[i].reader == reader)
			return &exact[i];
	return NULL;
}

static struct copies *copies_of(const struct reader *reader, enum space_id space)
{
	struct exact *e = exact_of(reader);

	e = e ? e : exact_of(NULL);
	if (!e)
		broken("memory", "more than %d readers", READERS);
	e->reader = reader;
	return &e->copies[space];
}

static void end_copy(struct copies *copies)
{
	if (copies->now >= copies->room && copies->now < copies->room + ROOM)
		ASAN_POISON_MEMORY_REGION(copies->now, copies->size);
	else
		__real_free(copies->now);
	copies->now = NULL;
}

/* Ends the last copy and makes the next one, whose bytes are filled in later. */
static uint8_t *next_copy(struct copies *copies, size_t size)
{
	end_copy(copies);
	copies->size = size;
	if (size > ROOM / 2) {
		copies->now = __real_malloc(size);
		return copies->now;
	}
	if (!copies->used)
		ASAN_POISON_MEMORY_REGION(copies->room, ROOM);
	if (!copies->used || ROOM - copies->used < size + GAP)
		copies->used = GAP;
	copies->now = copies->room + copies->used;
	copies->used += (size + GAP - 1) / GAP * GAP + GAP;
	ASAN_UNPOISON_MEMORY_REGION(copies->now, size);
	return copies->now;
}

void __wrap_reader_release(struct reader *reader)
{
	struct exact *e = exact_of(reader);

	for (size_t what = 0; e && what < SPACES; what++)
		end_copy(&e->copies[what]);
	if (e)
		e->reader = NULL;
	__real_reader_release(reader);
}

enum read_result __wrap_space_view(struct reader *reader, const struct space *space,
				   uint64_t offset, size_t size, struct ishare_view *view)
{
	enum read_result result = __real_space_view(reader, space, offset, size, view);
	uint8_t *copy;

	if (result != READ_OK || !EXACT || !measuring)
		return result;
	copy = next_copy(copies_of(reader, space->id), size);
	if (!copy)
		return READ_FAILED;
	memcpy(copy, view->data, size);
	view->data = copy;
	return READ_OK;
}

/* ---- Core's answers ---- */

bool denied[ISHARE_RULE_COUNT];

bool answered(enum ishare_rule_id rule, bool holds)
{
	if (measuring && !holds)
		denied[rule] = true;
	return holds;
}

/* ---- Places ---- */

struct file listed;

/* The check of a directory begins with a space for places in it. */
struct space __wrap_file_space(const struct file *file, const char *name)
{
	if (strcmp(name, "directory data") == 0)
		listed = *file;
	return __real_file_space(file, name);
}

/* ---- The checksum ---- */

/* Now and then core must agree. */
uint32_t __wrap_ishare_crc32c(uint32_t crc, const struct ishare_view *v)
{
	static uint32_t calls;
	uint32_t sum;

	if (!has_fast_crc32c())
		return REAL(ishare_crc32c)(crc, v);
	sum = fast_crc32c(crc, v);
	if (calls++ % 256 == 0 && sum != REAL(ishare_crc32c)(crc, v))
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

void second_start(void)
{
	arena_used = 0;
	from_arena = true;
}

void second_stop(void)
{
	from_arena = false;
}

void measure_start(void)
{
	steps = 0;
	held = most = 0;
	memset(denied, 0, sizeof(denied));
	own_thread = measuring = true;
}

struct cost measure_stop(void)
{
	measuring = false;
	return (struct cost){ .steps = steps, .memory = most };
}
