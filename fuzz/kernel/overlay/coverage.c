// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Coverage of fs/erofs, which calls these functions at each branch and at each comparison, for
 * AFL++'s map. A failed comparison counts as well, by the number of equal leading bytes: one more
 * is progress, so that a long value is found byte by byte. Now and then the mutator is told what
 * was compared, so that it need not search at all for what lies in the input.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "fuzz.h"

/* Together, as each branch needs them */
static struct {
	bool watching;
	bool telling; /* the mutator, what was compared */
	bool noting; /* places, for a report on lines */
	unsigned int previous;
	struct task_struct *task;
	unsigned char *map;
} state;

#define TOLD 8 /* of how many inputs, one: AFL++ tries many that are made of the same */

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

void fuzz_coverage_start(const u8 *input, size_t size)
{
	state.previous = 0;
	state.task = NULL;
	state.map = fuzz_map;
	state.noting = fuzz_shared->want_places && fuzz_shared->phase == FUZZ_RUNNING;
	state.telling = fuzz_answers && fuzz_shared->runs % TOLD == 0;
	if (state.telling) {
		memset(fuzz_answers, 0, sizeof(*fuzz_answers));
		fuzz_answers->sum = fuzz_sum(input, size);
	}
	state.watching = true;
}

void fuzz_coverage_stop(void)
{
	state.watching = false;
}

/* Interrupts and RCU callbacks come at any time: they would be noise. */
static __always_inline bool watching(void)
{
	return state.watching && in_task();
}

static __always_inline unsigned int hash(unsigned long pc)
{
	return (u32)pc * 2654435761u / (U32_MAX / FUZZ_MAP_SIZE + 1);
}

static noinline notrace void note_place(unsigned long pc)
{
	unsigned long at = pc - FUZZ_TEXT;

	if (at < FUZZ_TEXT_SIZE)
		fuzz_shared->places[at / 8] |= 1 << at % 8;
}

void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned int here;
	unsigned char *count;

	if (!watching())
		return;
	/* Edges go from one place of a task to another place of the same task. */
	if (unlikely(current != state.task)) {
		state.task = current;
		state.previous = 0;
	}
	here = hash(_RET_IP_);
	/* So that 256 times is not never, 1 follows 255. */
	count = &state.map[here ^ state.previous];
	*count += 1 + (*count == U8_MAX);
	state.previous = here >> 1;
	if (unlikely(state.noting))
		note_place(_RET_IP_);
}

static noinline notrace void tell(unsigned long pc, u64 wanted, u64 found)
{
	unsigned int at = hash(pc ^ found << 8) % FUZZ_OPERANDS;

	fuzz_answers->operands[at] = (struct fuzz_operands){ pc, wanted, found };
}

/* a: the constant, if one is */
static __always_inline void compare(unsigned long pc, u64 a, u64 b, unsigned int bits)
{
	if (!watching() || a == b)
		return;
	/* Pointers, which are different each time, say nothing. */
	if (bits == 64 && (virt_addr_valid((void *)a) || virt_addr_valid((void *)b)))
		return;
	/*
	 * fls64: the first bit that differs, from the low end. For one byte, the branch suffices.
	 */
	if (bits > 8)
		state.map[hash(pc + 1 + ((unsigned int)(fls64(a ^ b) + 7) / 8 << 20))] = 1;
	if (unlikely(state.telling))
		tell(pc, a, b);
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
		compare(_RET_IP_ + i, cases[2 + i], value, cases[1]);
}
