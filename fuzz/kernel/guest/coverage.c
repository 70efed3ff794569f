// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Coverage of fs/erofs, which calls these functions at each branch and at each
 * comparison, for AFL++'s map. A comparison that fails counts as well, by the
 * number of leading bits that are equal, and by that of bits that are: one more
 * is progress, so that a value of many bits is found bit by bit.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "fuzz.h"

bool fuzz_watching;
static unsigned int previous;
static struct task_struct *task;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_cmp1(u8 a, u8 b);
void __sanitizer_cov_trace_cmp2(u16 a, u16 b);
void __sanitizer_cov_trace_cmp4(u32 a, u32 b);
void __sanitizer_cov_trace_cmp8(u64 a, u64 b);
void __sanitizer_cov_trace_const_cmp1(u8 a, u8 b);
void __sanitizer_cov_trace_const_cmp2(u16 a, u16 b);
void __sanitizer_cov_trace_const_cmp4(u32 a, u32 b);
void __sanitizer_cov_trace_const_cmp8(u64 a, u64 b);
void __sanitizer_cov_trace_switch(u64 value, u64 *cases);

void fuzz_coverage_start(void)
{
	previous = 0;
	task = NULL;
}

/* Interrupts and RCU callbacks come when they like: they would be noise. */
static __always_inline bool watching(void)
{
	return fuzz_watching && in_task();
}

static __always_inline unsigned int hash(unsigned long pc)
{
	return (u32)pc * 2654435761u / (U32_MAX / FUZZ_MAP_SIZE + 1);
}

/* For a report on lines */
static noinline notrace void note_place(unsigned long pc)
{
	unsigned long at = pc - FUZZ_TEXT;

	if (at < FUZZ_TEXT_SIZE)
		fuzz_shared->places[at / 8] |= 1 << at % 8;
}

void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned int here;

	if (!watching())
		return;
	/* Edges go from one place of a task to another place of the same task. */
	if (unlikely(current != task)) {
		task = current;
		previous = 0;
	}
	here = hash(_RET_IP_);
	fuzz_map[here ^ previous]++;
	previous = here >> 1;
	if (unlikely(fuzz_shared->want_places))
		note_place(_RET_IP_);
}

static __always_inline void compare(unsigned long pc, u64 a, u64 b, unsigned int bits)
{
	unsigned int differ;

	if (!watching() || a == b)
		return;
	/* Pointers, which are different each time, say nothing. */
	if (bits == 64 && (virt_addr_valid((void *)a) || virt_addr_valid((void *)b)))
		return;
	differ = fls64(a ^ b); /* the first bit that does, from the low end */
	fuzz_map[hash(pc + 1 + (differ << 20))] = 1;
	fuzz_map[hash(pc + 1 + (hweight64(a ^ b) << 20) + BIT(27))] = 1;
}

#define COMPARE(name, type, bits)              \
	void notrace name(type a, type b)      \
	{                                      \
		compare(_RET_IP_, a, b, bits); \
	}

COMPARE(__sanitizer_cov_trace_cmp1, u8, 8)
COMPARE(__sanitizer_cov_trace_cmp2, u16, 16)
COMPARE(__sanitizer_cov_trace_cmp4, u32, 32)
COMPARE(__sanitizer_cov_trace_cmp8, u64, 64)
COMPARE(__sanitizer_cov_trace_const_cmp1, u8, 8)
COMPARE(__sanitizer_cov_trace_const_cmp2, u16, 16)
COMPARE(__sanitizer_cov_trace_const_cmp4, u32, 32)
COMPARE(__sanitizer_cov_trace_const_cmp8, u64, 64)

/* cases: their number, their width in bits, then each */
void notrace __sanitizer_cov_trace_switch(u64 value, u64 *cases)
{
	u64 i;

	for (i = 0; i < cases[0]; i++)
		compare(_RET_IP_ + i, value, cases[2 + i], cases[1]);
}
