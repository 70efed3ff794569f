// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Preloaded into erofs-ishare by tests/faults.t: makes the Nth call of one kind fail, or all from
 * the Nth on, and counts the calls of each kind. Functions are interposed; system calls, which libc
 * makes where nothing can be interposed, are trapped by seccomp.
 *
 *	FAULTS_COUNTS	file of KINDS 64-bit numbers: the calls so far, in the order of enum kind
 *	FAULTS_KIND	the kind that fails, by its name; or none
 *	FAULTS_FIRST	the first call that fails, from 1 on
 *	FAULTS_LAST	the last one
 *	FAULTS_HOW	what a system call returns: minus errno, or 0 for the end of the file; or
 *			"short"
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <openssl/evp.h>

#ifndef __x86_64__
#error "traps of system calls are written for x86-64"
#endif

enum kind { MEMORY, THREAD, DIGEST, READ, STAT, OPEN, WRITE, CLOSE, KINDS };

static const char *const kind_names[KINDS] = { "memory", "thread", "digest", "read",
					       "stat",	 "open",   "write",  "close" };

enum { SHORT = 1 }; /* of how: one byte, not what was asked for */

static _Atomic uint64_t before_start[KINDS];
static _Atomic uint64_t *counts = before_start;
static int failing = -1; /* the kind */
static uint64_t first, last;
static long how;

static bool fails(enum kind kind)
{
	uint64_t n = atomic_fetch_add(&counts[kind], 1) + 1;

	return (int)kind == failing && n >= first && n <= last;
}

/* ---- Functions ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool no_memory(void)
{
	if (!fails(MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return no_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return no_memory() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return no_memory() ? NULL : __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
	return aligned_alloc(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	*memory = aligned_alloc(alignment, size);
	return *memory ? 0 : ENOMEM;
}

/* The function that this one stands before. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
		   void *argument)
{
	return fails(THREAD) ? EAGAIN : NEXT(pthread_create)(thread, attributes, start, argument);
}

EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties)
{
	return fails(DIGEST) ? NULL : NEXT(EVP_MD_fetch)(library, algorithm, properties);
}

EVP_MD_CTX *EVP_MD_CTX_new(void)
{
	return fails(DIGEST) ? NULL : NEXT(EVP_MD_CTX_new)();
}

int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine)
{
	return fails(DIGEST) ? 0 : NEXT(EVP_DigestInit_ex)(context, type, engine);
}

int EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *type, const OSSL_PARAM *parameters)
{
	return fails(DIGEST) ? 0 : NEXT(EVP_DigestInit_ex2)(context, type, parameters);
}

int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t size)
{
	return fails(DIGEST) ? 0 : NEXT(EVP_DigestUpdate)(context, bytes, size);
}

int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size)
{
	return fails(DIGEST) ? 0 : NEXT(EVP_DigestFinal_ex)(context, digest, size);
}

/* ---- System calls ---- */

static const struct trap {
	int number;
	enum kind kind;
} traps[] = {
	{ SYS_read, READ },	  { SYS_pread64, READ }, { SYS_fstat, STAT },
	{ SYS_newfstatat, STAT }, { SYS_lseek, STAT },	 { SYS_open, OPEN },
	{ SYS_openat, OPEN },	  { SYS_write, WRITE },	 { SYS_writev, WRITE },
	{ SYS_close, CLOSE },
};

enum { TRAPS = sizeof(traps) / sizeof(traps[0]) };

/* The only place from which the filter lets every system call pass. */
long pass(long number, long a, long b, long c, long d, long e);
extern const char passed[];
__asm__(".text\n"
	"pass:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	syscall\n"
	"passed:\n"
	"	ret\n");

static enum kind kind_of(int number)
{
	for (size_t i = 0; i < TRAPS; i++)
		if (traps[i].number == number)
			return traps[i].kind;
	abort();
}

static void on_trap(int signal_number, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	enum kind kind = kind_of(info->si_syscall);
	bool fail = fails(kind);

	(void)signal_number;
	if (fail && how != SHORT) {
		r[REG_RAX] = how;
		if (kind == CLOSE) /* it is closed all the same */
			pass(SYS_close, r[REG_RDI], 0, 0, 0, 0);
		return;
	}
	r[REG_RAX] = pass(info->si_syscall, r[REG_RDI], r[REG_RSI],
			  fail && r[REG_RDX] ? 1 : r[REG_RDX], r[REG_R10], r[REG_R8]);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define JUMP_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

/* No process that loads this has system calls of another architecture. */
static void trap_system_calls(void)
{
	uint64_t place = (uint64_t)(uintptr_t)passed;
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sock_filter filter[7 + TRAPS + 2] = {
		LOAD(instruction_pointer),
		JUMP_EQUAL((uint32_t)place, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		JUMP_EQUAL((uint32_t)(place >> 32), 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
	};
	struct sock_fprog program = { .filter = filter };
	size_t n = 6;

	for (size_t i = 0; i < TRAPS; i++)
		filter[n++] = (struct sock_filter)JUMP_EQUAL((uint32_t)traps[i].number,
							     (uint8_t)(TRAPS - i), 0);
	filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_TRAP);
	program.len = (unsigned short)n;
	if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		abort();
}

/* ---- The beginning ---- */

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

/* The file's pages outlive any end of the process. */
static void share_counts(void)
{
	int fd = open(setting("FAULTS_COUNTS"), O_RDWR | O_CLOEXEC);
	void *shared = mmap(NULL, sizeof(before_start), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		abort();
	close(fd);
	counts = shared;
}

__attribute__((constructor)) static void start(void)
{
	const char *kind = setting("FAULTS_KIND"), *word = setting("FAULTS_HOW");

	share_counts();
	trap_system_calls();
	first = strtoull(setting("FAULTS_FIRST"), NULL, 10);
	last = strtoull(setting("FAULTS_LAST"), NULL, 10);
	how = strcmp(word, "short") == 0 ? SHORT : strtol(word, NULL, 10);
	for (int i = 0; i < KINDS; i++)
		if (strcmp(kind, kind_names[i]) == 0)
			failing = i;
}
