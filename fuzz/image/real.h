/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * What the harness's wrapper of a function of the core calls: the function itself, or in sanitized
 * builds the function that first checks its contract (see proofs/proofs.mk).
 */
#ifndef FUZZ_REAL_H
#define FUZZ_REAL_H

#ifdef CHECK_CONTRACTS
#define REAL(function) checked_##function
#else
#define REAL(function) __real_##function
#endif

#endif
