/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * For arch/um/kernel/stacktrace.c. KASAN wants a stack at each allocation, and
 * User-Mode Linux asks of each word on the stack whether it points to code: all
 * code that matters is the kernel's own, between two symbols.
 */
#include <linux/kernel.h>
#include <asm/sections.h>

#define __kernel_text_address(addr) \
	((addr) >= (unsigned long)_stext && (addr) < (unsigned long)_etext)
