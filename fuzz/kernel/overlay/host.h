/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * Between host_user.c, which is compiled for the host's libc, and the rest, which
 * is compiled for the kernel.
 */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include "shared.h"

extern unsigned char *fuzz_map;
extern struct fuzz_shared *fuzz_shared;
extern struct fuzz_answers *fuzz_answers; /* or NULL */
extern struct fuzz_counts *fuzz_counts;
int fuzz_host_start(void);
int fuzz_host_bare(void);
int fuzz_host_next_seed(const unsigned char **data, unsigned int *size);
int fuzz_host_next(const unsigned char **data, unsigned int *size);
void fuzz_host_done(int retires);
void fuzz_host_write(const char *text, unsigned long size);
void fuzz_hang(void); /* loop.c; called by a signal handler */

#endif
