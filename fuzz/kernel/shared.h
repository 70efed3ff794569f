/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * A file that launcher and guest both map: the guest's state and its last inputs, so that a crash
 * that needs several inputs can be reproduced.
 */
#ifndef FUZZ_SHARED_H
#define FUZZ_SHARED_H

#if defined(__KERNEL__) && !defined(__UM_HOST__)
#include <linux/types.h>
#else
#include <stdint.h>
#endif

#define FUZZ_INPUT_MAX 131072
#define FUZZ_RING 256
#define FUZZ_NO_RUN UINT64_MAX /* of a slot that has no input */
#define FUZZ_MAP_SIZE 65536u /* of coverage; AFL++ looks at all of it each time */

struct fuzz_slot {
	uint64_t run;
	uint32_t size;
	uint8_t data[FUZZ_INPUT_MAX];
};

/* The kernel's code, and fs/erofs with it, is within this. */
#define FUZZ_TEXT 0x60000000ul
#define FUZZ_TEXT_SIZE 0x1000000ul

/*
 * Failed comparisons of one run: in the input, the mutator replaces the found value by the wanted
 * one. A slot holds its last comparison.
 */
#define FUZZ_OPERANDS 1024

struct fuzz_operands {
	uint64_t place; /* in the kernel; 0: none */
	uint64_t wanted, found;
};

struct fuzz_answers {
	uint64_t sum; /* of the input, by fuzz_sum() */
	struct fuzz_operands operands[FUZZ_OPERANDS];
};

static inline uint64_t fuzz_sum(const uint8_t *data, uint32_t size)
{
	uint64_t sum = size;
	uint32_t i;

	for (i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3ull;
	return sum;
}

/* What must not grow */
struct fuzz_census {
	uint64_t run;
	uint64_t free_pages;
	uint64_t slab_pages;
	uint64_t inodes;
	uint64_t mounts;
};

/* What came of the inputs */
struct fuzz_counts {
	uint64_t mounted, refused, shared;
	uint64_t open; /* mounts of which it is not known who shares */
	uint64_t lost; /* pclusters: finding failed-mount-leak */
	uint64_t mended; /* folios: finding metadata-over-pcluster */
};

/*
 * The guest's state and, if it dies, what its launcher must report to afl-fuzz in its place.
 */
enum fuzz_phase {
	FUZZ_BOOTING,
	FUZZ_WARMING_UP, /* it runs inputs that nobody has asked for */
	FUZZ_WAITING, /* for an input */
	FUZZ_RUNNING, /* it has one: what came of it is to be told */
	FUZZ_RETIRED, /* it ends by itself, so that the next one has memory again */
};

struct fuzz_shared {
	uint32_t announced; /* whether afl-fuzz knows which process runs the next input */
	uint32_t phase; /* enum fuzz_phase */
	uint64_t runs; /* of this guest, without those that warm it up */
	struct fuzz_counts counts;
	struct fuzz_census first, last;
	uint8_t want_places; /* asked for by whoever made the file */
	uint8_t places[FUZZ_TEXT_SIZE / 8]; /* a bit for each address that coverage has seen */
	struct fuzz_slot ring[FUZZ_RING]; /* input n is in slot n % FUZZ_RING */
};

/*
 * In the environment: the paths of memory that these processes have open; FUZZ_BARE_ENV is "1" for
 * the loop without extras. What FUZZ_WARM_UP_ENV names holds, for each input, its size (32 bits)
 * and its bytes.
 */
#define FUZZ_SHARED_ENV "KERNEL_FUZZ_SHARED"
#define FUZZ_ANSWERS_ENV "KERNEL_FUZZ_ANSWERS"
#define FUZZ_WARM_UP_ENV "KERNEL_FUZZ_WARM_UP"
#define FUZZ_BARE_ENV "KERNEL_FUZZ_BARE"
#define FUZZ_SELF_ENV "KERNEL_FUZZ_SELF" /* the process that afl-fuzz has to end to end the guest */

/* AFL++'s fork server: the pipes for its requests and for results */
#define FUZZ_CONTROL_FD 198
#define FUZZ_STATUS_FD 199

#endif
