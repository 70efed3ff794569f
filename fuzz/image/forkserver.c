// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * A faster fork server than AFL++'s. There, a process that runs many inputs stops itself by a
 * signal after each one, and its parent, which this wakes, tells afl-fuzz: most of the time goes
 * into waking one another. Here the process itself tells afl-fuzz, in the same words, and waits for
 * the next input; the parent comes in when it dies.
 *
 * The linker's --wrap sends the calls that AFL++'s runtime makes of fork() and raise() here.
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

/* How long, in milliseconds, afl-fuzz may take for its next word if it did hear the last one. */
#define PATIENCE 10000

int __real_raise(int sig);
pid_t __real_fork(void);
int __wrap_raise(int sig);
pid_t __wrap_fork(void);

static int control, status;
static int32_t self;

/* Shared by parent and child: afl-fuzz has been told how the last input ended, and gave no next. */
static volatile bool *told;

static bool tell(int fd, const void *words, size_t size)
{
	return write(fd, words, size) == (ssize_t)size;
}

/* Waits for an input. What afl-fuzz says with it, whether it killed the last process, is known. */
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
 * The child died: in a run; or between two, killed by afl-fuzz for a run that it ended just then.
 * If it was killed before it could speak, afl-fuzz waits still.
 */
static bool died_in_run(void)
{
	struct pollfd next = { .fd = CONTROL, .events = POLLIN };

	return !*told || poll(&next, 1, PATIENCE) == 0;
}

/* Returns in each child; the parent stays. */
pid_t __wrap_fork(void)
{
	bool known = false; /* afl-fuzz has been told who runs the next input, though it died */
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
