// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * AFL++'s interface to mutate.c for the kernel: options (input.h), then one image or two.
 * AFL_CUSTOM_MUTATOR_LIBRARY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "afl.h"
#include "input.h"
#include "mutate.h"
#include "share_memory.h"
#include "shared.h"

#define QUESTIONS 512
#define OFTEN 4 /* a place is asked about */
#define TRIES 256 /* of a question */

/* A comparison that failed, and the input in which it occurred */
struct question {
	struct fuzz_operands operands;
	uint8_t *input; /* NULL: there is no question, or all is tried */
	size_t size, at; /* before at, all is tried */
	unsigned int tries;
};

struct mutator {
	uint64_t random;
	const struct fuzz_answers *answers; /* which the guest fills in; NULL without it */
	uint64_t sum; /* of the last output; 0: learnt from */
	size_t size; /* of the last output */
	struct question questions[QUESTIONS];
	unsigned int asked[4096]; /* by place */
	uint8_t output[FUZZ_INPUT_MAX];
	uint8_t image[FUZZ_INPUT_MAX];
};

void *afl_custom_init(void *afl, unsigned int seed)
{
	struct mutator *mutator = calloc(1, sizeof(*mutator));

	(void)afl;
	if (mutator) {
		mutator->random = random_from(seed);
		/* The guest gets them through the launcher, which AFL++ starts after this. */
		mutator->answers = fuzz_share(FUZZ_ANSWERS_ENV, sizeof(*mutator->answers));
	}
	return mutator;
}

static size_t first_size(const uint8_t *input, size_t size)
{
	uint32_t first = 0;
	int i;

	for (i = 3; i >= 0; i--)
		first = first << 8 | input[FUZZ_SIZE + i];
	return first < size - FUZZ_HEADER ? first : size - FUZZ_HEADER;
}

static void set_first_size(uint8_t *input, uint32_t first)
{
	int i;

	for (i = 0; i < 4; i++)
		input[FUZZ_SIZE + i] = first >> 8 * i;
}

/* One bit of one option, or a combination of remounts */
static void mutate_options(uint8_t *header, uint64_t *random)
{
	unsigned int byte = mutate_random(random) % FUZZ_SIZE;

	if (byte == FUZZ_REMOUNTS)
		header[byte] = mutate_random(random);
	else
		header[byte] ^= 1u << mutate_random(random) % 8;
}

/* ---- Values that the kernel has compared ---- */

/* Bytes that a number has in an input */
static unsigned int width_of(uint64_t a, uint64_t b)
{
	uint64_t both = a | b;

	return both >> 32 ? 8 : both >> 16 ? 4 : both >> 8 ? 2 : 1;
}

static unsigned int *asked_at(struct mutator *mutator, uint64_t place)
{
	return &mutator->asked[place * 0x9e3779b97f4a7c15ull >> 52];
}

/*
 * The comparisons of the last input, if the guest recorded them: for rare places, it is worth
 * trying each byte that may have been compared.
 */
static void learn(struct mutator *mutator)
{
	unsigned int i;

	if (!mutator->answers || mutator->answers->sum != mutator->sum)
		return;
	mutator->sum = 0;
	for (i = 0; i < FUZZ_OPERANDS; i++) {
		const struct fuzz_operands *o = &mutator->answers->operands[i];
		struct question *q;

		if (!o->place || o->wanted == o->found || *asked_at(mutator, o->place) >= OFTEN)
			continue;
		q = &mutator->questions[mutate_random(&mutator->random) % QUESTIONS];
		/* A new place is more important than a known one. */
		if (q->input && *asked_at(mutator, o->place))
			continue;
		if (q->input)
			--*asked_at(mutator, q->operands.place);
		free(q->input);
		q->input = malloc(mutator->size);
		if (!q->input)
			return;
		memcpy(q->input, mutator->output, mutator->size);
		q->size = mutator->size;
		q->at = FUZZ_HEADER;
		q->tries = 0;
		q->operands = *o;
		++*asked_at(mutator, o->place);
	}
}

/* New ones first, so that values that lead to further comparisons come early */
static struct question *choose(struct mutator *mutator)
{
	struct question *best = NULL;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		struct question *q =
			&mutator->questions[mutate_random(&mutator->random) % QUESTIONS];

		if (q->input && (!best || q->tries < best->tries))
			best = q;
	}
	return best;
}

/*
 * The next input for a comparison: replaces the next occurrence of the found value by the wanted
 * one. Little-endian, like this machine. Return: its size; 0: none
 */
static size_t answer(struct mutator *mutator, size_t max)
{
	struct question *q = choose(mutator);
	unsigned int width;

	if (!q || q->size > max)
		return 0;
	width = width_of(q->operands.wanted, q->operands.found);
	for (; q->at + width <= q->size && q->tries < TRIES; q->at++) {
		if (memcmp(q->input + q->at, &q->operands.found, width))
			continue;
		memcpy(mutator->output, q->input, q->size);
		q->tries++;
		memcpy(mutator->output + q->at++, &q->operands.wanted, width);
		return q->size;
	}
	free(q->input);
	q->input = NULL;
	return 0;
}

/* ---- All of it ---- */

/* Copies the image to a buffer where it can grow, and changes it, but not the bytes around it. */
static size_t mutate_one(struct mutator *mutator, size_t at, size_t size, size_t total, size_t max,
			 const uint8_t *other, size_t other_size)
{
	size_t behind = total - at - size, room = max - at - behind, now;

	memcpy(mutator->image, mutator->output + at, size);
	now = splice_image(mutator->image, size, room, other, other_size, &mutator->random);
	memmove(mutator->output + at + now, mutator->output + at + size, behind);
	memcpy(mutator->output + at, mutator->image, now);
	return now;
}

static size_t mutate_input(struct mutator *mutator, const uint8_t *input, size_t size,
			   const uint8_t *other, size_t other_size, size_t max)
{
	size_t first;

	size = size < max ? size : max;
	memcpy(mutator->output, input, size);
	if (size <= FUZZ_HEADER)
		return size;
	if (other_size > FUZZ_HEADER) {
		other += FUZZ_HEADER;
		other_size -= FUZZ_HEADER;
	}
	first = first_size(input, size);
	if (mutate_random(&mutator->random) % 8 == 0) {
		mutate_options(mutator->output, &mutator->random);
		/* Images that are sound alone may conflict in one domain. */
		if (mutate_random(&mutator->random) % 2)
			return size;
	}
	if (size - FUZZ_HEADER > first && mutate_random(&mutator->random) % 2) {
		size_t second = size - FUZZ_HEADER - first;

		return FUZZ_HEADER + first +
		       mutate_one(mutator, FUZZ_HEADER + first, second, size, max, other,
				  other_size);
	}
	size -= first;
	first = mutate_one(mutator, FUZZ_HEADER, first, size + first, max, other, other_size);
	set_first_size(mutator->output, first);
	return size + first;
}

size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **output, uint8_t *other,
		       size_t other_size, size_t max)
{
	struct mutator *mutator = data;

	max = max < FUZZ_INPUT_MAX ? max : FUZZ_INPUT_MAX;
	*output = mutator->output;
	learn(mutator);
	mutator->size = mutate_random(&mutator->random) % 2 ? 0 : answer(mutator, max);
	if (!mutator->size)
		mutator->size = mutate_input(mutator, input, size, other, other_size, max);
	if (mutator->answers)
		mutator->sum = fuzz_sum(mutator->output, mutator->size);
	return mutator->size;
}

void afl_custom_deinit(void *data)
{
	struct mutator *mutator = data;
	unsigned int i;

	for (i = 0; i < QUESTIONS; i++)
		free(mutator->questions[i].input);
	free(mutator);
}
