// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * A faster fork server than AFL++'s. There, a process that runs many inputs stops itself with a
 * signal after each one; this wakes its parent, which reports to afl-fuzz: most of the time goes
 * into context switches. Here the process itself reports to afl-fuzz, with the same protocol, and
 * waits for the next input; its parent acts only if it dies.
 *
 * The linker's --wrap redirects the calls of fork() and raise() in AFL++'s runtime to this file.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where AFL++ puts its ends of two pipes; the runtime closes the child's after fork(). */
#define CONTROL 198
#define STATUS 199

/* How many milliseconds afl-fuzz may take to answer if it has read the last message. */
#define PATIENCE 10000

int __real_raise(int sig);
pid_t __real_fork(void);
int __wrap_raise(int sig);
pid_t __wrap_fork(void);

static int control, status;
static int32_t self;

/* Shared by parent and child: afl-fuzz knows how the last input ended, and has sent no new one. */
static volatile bool *told;

static bool tell(int fd, const void *words, size_t size)
{
	return write(fd, words, size) == (ssize_t)size;
}

/* Waits for an input. Ignores whether afl-fuzz killed the last process, which is known already. */
static bool wait_for_input(int fd)
{
	int32_t word;

	return read(fd, &word, sizeof(word)) == sizeof(word);
}

/* The child has run an input: reports that it stopped, and which process runs the next. */
int __wrap_raise(int sig)
{
	const int32_t words[] = { SIGSTOP << 8 | 0x7f, self };

	if (sig != SIGSTOP || !told)
		return __real_raise(sig);
	*told = true;
	if (!tell(status, words, sizeof(words)) || !wait_for_input(control))
		_exit(0);
	*told = false;
	return 0;
}

/*
 * The child died in a run, or between two runs, when afl-fuzz killed it for a run that had just
 * ended. If it was killed before its report, afl-fuzz is still waiting.
 */
static bool died_in_run(void)
{
	struct pollfd next = { .fd = CONTROL, .events = POLLIN };

	return !*told || poll(&next, 1, PATIENCE) == 0;
}

/* Returns in each child; the parent stays. */
pid_t __wrap_fork(void)
{
	bool known = false; /* afl-fuzz knows which process runs the next input, although it died */
	int how;

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	control = fcntl(CONTROL, F_DUPFD_CLOEXEC, STATUS + 1);
	status = fcntl(STATUS, F_DUPFD_CLOEXEC, STATUS + 1);
	if (told == MAP_FAILED || control < 0 || status < 0)
		_exit(1);
	do {
		pid_t child;

		*told = false;
		child = __real_fork();
		if (child == 0) {
			self = getpid();
			if (!known && !tell(status, &self, sizeof(self)))
				_exit(1);
			return 0;
		}
		if (child < 0 || waitpid(child, &how, 0) != child)
			_exit(1);
		known = !died_in_run();
		if (!known && !tell(STATUS, &how, sizeof(how)))
			_exit(1);
	} while (wait_for_input(CONTROL));
	_exit(0);
}
