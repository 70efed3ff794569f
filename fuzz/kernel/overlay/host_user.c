// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * The guest is a process, and this is the part of it that uses the host's libc: AFL++'s shared
 * memory and protocol.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "host.h"

static unsigned char nowhere[FUZZ_MAP_SIZE];
static struct fuzz_counts uncounted;
unsigned char *fuzz_map = nowhere;
struct fuzz_shared *fuzz_shared;
struct fuzz_answers *fuzz_answers;
struct fuzz_counts *fuzz_counts = &uncounted;
static const volatile uint32_t *test_case; /* its size, then its bytes */
static int warm_up = -1; /* inputs that come before those that are asked for */
static off_t warmed_up; /* how much of that has been read; another guest has read it before */
static void *afl_map; /* for those that are asked for */
/* The process that afl-fuzz takes for the guest: it does not see the guest's own. */
static uint32_t self;

static void *attach(const char *variable)
{
	const char *id = getenv(variable);
	void *memory = id ? shmat(atoi(id), NULL, 0) : (void *)-1;

	return memory == (void *)-1 ? NULL : memory;
}

/* The paths are below /proc/self/fd, and a guest has no /proc. */
static int passed_on(const char *variable)
{
	const char *path = getenv(variable), *slash = path ? strrchr(path, '/') : NULL;

	return slash ? atoi(slash + 1) : -1;
}

static void *map_file(const char *variable, size_t size)
{
	int fd = passed_on(variable);
	void *memory =
		fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

/*
 * The memory that AFL++ has made is in the host's System V IPC, the only part of it that confine
 * leaves to a guest. There is no other use for that: the guest gives it up before there is any
 * input.
 */
static int leave_ipc(void)
{
	static const int refused[] = { SYS_shmget,   SYS_shmat,	 SYS_shmctl,	 SYS_semget,
				       SYS_semop,    SYS_semctl, SYS_semtimedop, SYS_msgget,
				       SYS_msgsnd,   SYS_msgrcv, SYS_msgctl,	 SYS_mq_open,
				       SYS_mq_unlink };
	struct sock_filter filter[2 * sizeof(refused) / sizeof(*refused) + 2] = { BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog program = { .len = 1, .filter = filter };
	unsigned int i;

	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		filter[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
		filter[program.len++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* The kernel is the first thread; any of the process may get the signal. */
static void hang(int signal)
{
	if (syscall(SYS_gettid) == getpid())
		fuzz_hang();
	else
		syscall(SYS_tgkill, getpid(), getpid(), signal);
}

/* Return: whether there is a launcher */
int fuzz_host_start(void)
{
	struct sigaction action = { .sa_handler = hang };
	const char *process = getenv(FUZZ_SELF_ENV);

	fuzz_shared = map_file(FUZZ_SHARED_ENV, sizeof(*fuzz_shared));
	test_case = attach("__AFL_SHM_FUZZ_ID");
	if (!fuzz_shared || !test_case || !process)
		return 0;
	afl_map = attach("__AFL_SHM_ID");
	self = atoi(process);
	warm_up = passed_on(FUZZ_WARM_UP_ENV);
	return leave_ipc() && !sigaction(SIGUSR2, &action, NULL);
}

int fuzz_host_bare(void)
{
	return getenv(FUZZ_BARE_ENV) != NULL;
}

static int hear(void)
{
	uint32_t word;
	int n;

	do
		n = read(FUZZ_CONTROL_FD, &word, sizeof(word));
	while (n < 0 && errno == EINTR);
	return n == sizeof(word);
}

static void say(const uint32_t *words, size_t size)
{
	while (write(FUZZ_STATUS_FD, words, size) < 0 && errno == EINTR)
		;
}

/*
 * Who will run the next input. Where a guest has said so and then died while it waited, this one
 * takes its place.
 */
static void announce(void)
{
	if (!fuzz_shared->announced)
		say(&self, sizeof(self));
	fuzz_shared->announced = 1;
}

static void remember(const unsigned char *data, unsigned int size)
{
	struct fuzz_slot *slot = &fuzz_shared->ring[fuzz_shared->runs % FUZZ_RING];

	slot->run = fuzz_shared->runs;
	slot->size = size;
	memcpy(slot->data, data, size);
}

static int next_warm_up(const unsigned char **data, unsigned int *size)
{
	static unsigned char input[FUZZ_INPUT_MAX];
	uint32_t n;

	if (pread(warm_up, &n, sizeof(n), warmed_up) != sizeof(n) || n > sizeof(input) ||
	    pread(warm_up, input, n, warmed_up + sizeof(n)) != n)
		return 0;
	warmed_up += sizeof(n) + n;
	*data = input;
	*size = n;
	return 1;
}

/* From here on, what inputs do is for those that ask. */
static void end_warm_up(void)
{
	unsigned int i;

	close(warm_up);
	if (afl_map)
		fuzz_map = afl_map;
	fuzz_answers = map_file(FUZZ_ANSWERS_ENV, sizeof(*fuzz_answers));
	fuzz_counts = &fuzz_shared->counts;
	for (i = 0; i < FUZZ_RING; i++)
		fuzz_shared->ring[i].run = FUZZ_NO_RUN;
	fuzz_shared->runs = 0;
	fuzz_shared->phase = FUZZ_WAITING;
	announce();
}

/* Return: whether there is another input to warm up with */
int fuzz_host_next_seed(const unsigned char **data, unsigned int *size)
{
	if (!next_warm_up(data, size)) {
		end_warm_up();
		return 0;
	}
	remember(*data, *size);
	fuzz_shared->phase = FUZZ_WARMING_UP;
	return 1;
}

/* All of the guest waits here until there is an input. */
int fuzz_host_next(const unsigned char **data, unsigned int *size)
{
	if (!hear())
		return 0;
	fuzz_shared->phase = FUZZ_RUNNING;
	*size = *test_case;
	if (*size > FUZZ_INPUT_MAX)
		*size = FUZZ_INPUT_MAX;
	*data = (const unsigned char *)(test_case + 1);
	remember(*data, *size);
	return 1;
}

/*
 * What came of the input, and who will run the next: in one write, because to wake afl-fuzz takes
 * longer than many an input. The phase comes first: a launcher that finds a guest dead while that
 * waited makes sure that afl-fuzz was told. retires: another guest will run the next one, and will
 * say so when it has booted
 */
void fuzz_host_done(int retires)
{
	const uint32_t words[] = { 0, self };

	if (fuzz_shared->phase == FUZZ_RUNNING) {
		fuzz_shared->announced = !retires;
		fuzz_shared->phase = retires ? FUZZ_RETIRED : FUZZ_WAITING;
		say(words, retires ? sizeof(*words) : sizeof(words));
	}
	fuzz_shared->runs++;
}

void fuzz_host_write(const char *text, unsigned long size)
{
	while (size) {
		long n = write(STDERR_FILENO, text, size);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			size -= n;
		}
	}
}
