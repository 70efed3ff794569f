// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * usage: drive [-a] [-k] [-n RUNS] [-s SECONDS] GUEST INPUT...
 *
 * Gives a guest (a directory of build/kernel) the inputs, in their order, repeatedly for the given
 * number of runs or seconds, or else once, until the guest dies (-k: go on if it dies), and prints
 * the result as JSON; with -a, the executed addresses in fs/erofs. It replaces afl-fuzz, and uses
 * the same launcher, which is beside this program.
 *
 * Exit status: 0 if the guest survived, 1 if it died, 2 if that is unknown.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "share_memory.h"
#include "shared.h"

/* Seconds. Booting with KASAN takes longest; the launcher ends guests that hang. */
#define PATIENCE 300

static struct fuzz_shared *shared;
static unsigned char *map;
static uint32_t *test_case;
static int control, status; /* pipes */
static pid_t launcher;

static void *make_memory(const char *variable, size_t size)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
	void *memory = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	char text[16];

	if (memory == (void *)-1)
		err(2, "no shared memory");
	/* It goes with the last process that has it; Linux lets others attach it until then. */
	shmctl(id, IPC_RMID, NULL);
	snprintf(text, sizeof(text), "%d", id);
	setenv(variable, text, 1);
	return memory;
}

/* ---- The other side of the fork server ---- */

/*
 * Ends the launcher, too: it would keep the output open, for whose end the reader waits. confine
 * ends the guest.
 */
static void give_up(const char *why)
{
	kill(launcher, SIGKILL);
	errx(2, "%s", why);
}

static uint32_t hear(void)
{
	struct pollfd next = { .fd = status, .events = POLLIN };
	uint32_t word;

	if (!poll(&next, 1, PATIENCE * 1000))
		give_up("the launcher does not answer");
	if (read(status, &word, sizeof(word)) != sizeof(word))
		give_up("the launcher has gone");
	return word;
}

static void say(uint32_t word)
{
	if (write(control, &word, sizeof(word)) != sizeof(word))
		give_up("the launcher has gone");
}

static void start_launcher(const char *self, const char *guest)
{
	const char *slash = strrchr(self, '/');
	int to[2], from[2];
	char path[4096];

	snprintf(path, sizeof(path), "%.*slauncher", slash ? (int)(slash - self + 1) : 0, self);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		err(2, "pipe");
	signal(SIGPIPE, SIG_IGN);
	launcher = fork();
	if (launcher < 0)
		err(2, "fork");
	if (!launcher) {
		dup2(to[0], FUZZ_CONTROL_FD);
		dup2(from[1], FUZZ_STATUS_FD);
		execl(path, path, guest, NULL);
		warn("%s", path);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	control = to[1];
	status = from[0];
	say(hear());
}

struct input {
	uint32_t size;
	void *data;
};

static struct input read_input(const char *path)
{
	static uint8_t data[FUZZ_INPUT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof(data));
	struct input in = { .size = size, .data = malloc(size > 0 ? size : 1) };

	if (size < 0 || !in.data)
		err(2, "%s", path);
	close(fd);
	memcpy(in.data, data, size);
	return in;
}

/* Return: whether the guest survived */
static bool run(const struct input *in)
{
	*test_case = in->size;
	memcpy(test_case + 1, in->data, in->size);
	say(0);
	hear();
	return !hear();
}

/* ---- What came of it ---- */

static void print_census(const char *name, const struct fuzz_census *c)
{
	printf("\"%s\": {\"run\": %llu, \"free_pages\": %llu, \"slab_pages\": %llu, \"inodes\": %llu, \"mounts\": %llu}",
	       name, (unsigned long long)c->run, (unsigned long long)c->free_pages,
	       (unsigned long long)c->slab_pages, (unsigned long long)c->inodes,
	       (unsigned long long)c->mounts);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned int places(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < FUZZ_MAP_SIZE; i++)
		n += !!map[i];
	return n;
}

/*
 * Of launcher and guests, including their boot: more meaningful than wall time on a busy machine
 */
static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void print_result(unsigned long deaths, unsigned long runs, double seconds)
{
	const struct fuzz_counts *c = &shared->counts;

	/* The first run is not in the seconds: see main(). */
	printf("{\"deaths\": %lu, \"runs\": %lu, \"seconds\": %.3f, \"runs_per_second\": %.0f,\n",
	       deaths, runs, seconds, runs > 1 ? (runs - 1) / seconds : 0);
	printf(" \"cpu_seconds\": %.3f, \"places\": %u,\n", cpu_seconds(), places());
	printf(" \"mounted\": %llu, \"refused\": %llu, \"shared\": %llu, \"open\": %llu, \"lost\": %llu, \"mended\": %llu,\n ",
	       (unsigned long long)c->mounted, (unsigned long long)c->refused,
	       (unsigned long long)c->shared, (unsigned long long)c->open,
	       (unsigned long long)c->lost, (unsigned long long)c->mended);
	print_census("first", &shared->first);
	printf(",\n ");
	print_census("last", &shared->last);
	printf("}\n");
}

static void print_places(void)
{
	unsigned long at;

	for (at = 0; at < FUZZ_TEXT_SIZE; at++)
		if (shared->places[at / 8] >> at % 8 & 1)
			printf("0x%lx\n", FUZZ_TEXT + at);
}

static unsigned long read_number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !n)
		errx(2, "'%s' is not a number from 1 on", text);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long wanted = 0, runs = 0, deaths = 0;
	double seconds = 0, start;
	bool go_on = false, addresses = false;
	struct input *inputs;
	int c, i, count;

	while ((c = getopt(argc, argv, "akn:s:")) != -1) {
		if (c == 'a')
			addresses = true;
		else if (c == 'k')
			go_on = true;
		else if (c == 'n')
			wanted = read_number(optarg);
		else if (c == 's')
			seconds = read_number(optarg);
		else
			return 2;
	}
	if (argc - optind < 2)
		errx(2, "usage: drive [-a] [-k] [-n RUNS] [-s SECONDS] GUEST INPUT...");
	count = argc - optind - 1;
	if (!wanted)
		wanted = seconds ? ~0ul : (unsigned long)count;
	inputs = calloc(count, sizeof(*inputs));
	if (!inputs)
		errx(2, "no memory");
	for (i = 0; i < count; i++)
		inputs[i] = read_input(argv[optind + 1 + i]);
	map = make_memory("__AFL_SHM_ID", FUZZ_MAP_SIZE);
	test_case = make_memory("__AFL_SHM_FUZZ_ID", FUZZ_INPUT_MAX + sizeof(*test_case));
	shared = fuzz_share(FUZZ_SHARED_ENV, sizeof(*shared));
	if (!shared)
		err(2, "no memory to share with the guest");
	shared->want_places = addresses;
	start_launcher(argv[0], argv[optind]);
	start = now();
	while ((!deaths || go_on) && runs < wanted && (!seconds || now() - start < seconds)) {
		deaths += !run(&inputs[runs % count]);
		/* The first answer comes when the guest has booted. */
		if (!runs++)
			start = now();
	}
	seconds = now() - start;
	close(control);
	waitpid(launcher, NULL, 0);
	if (addresses)
		print_places();
	else
		print_result(deaths, runs, seconds);
	return deaths ? 1 : 0;
}
