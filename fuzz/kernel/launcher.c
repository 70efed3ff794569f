// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * usage: launcher GUEST
 *
 * AFL++'s fork server for a kernel in User-Mode Linux. The guest, a directory of build/kernel,
 * takes inputs and answers by itself, like a program in persistent mode; the launcher reports only
 * if the guest has died, and starts the next. The data on a crash is kept in $KERNEL_FUZZ_CRASHES
 * (else build/fuzz/kernel/crashes): a directory for each title and stack.
 *
 *	$KERNEL_FUZZ_HANG	milliseconds that an input may take, 5000 if not set
 *	$KERNEL_FUZZ_BARE	the loop without oracle, options and second image
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "share_memory.h"
#include "shared.h"

/*
 * The fork server's greeting: options follow, namely the map size minus one, and test cases in
 * shared memory
 */
#define HELLO (0x80000001u | 0x40000000u | 0x01000000u | (FUZZ_MAP_SIZE - 1) << 1)
#define TICK 50 /* milliseconds */
#define GRACE 3000 /* milliseconds for a stack, before a hung guest is killed */
#define PATIENCE 10000 /* milliseconds for afl-fuzz's next message, if it has read the last one */

/*
 * A guest: its memory, the limits on its own directory and on address space, and its user if root
 * starts it
 */
#define MEGABYTES 192
#define ROOM 16
#define ADDRESSES 2048
#define NOBODY 65534

/* Its private directory, in memory */
#define OWN "/tmp/fuzz"

/* What a log says */
#define PANIC "Kernel panic - not syncing: "
#define RIP "RIP: 0033:"
#define TRACE "Call Trace:"
#define CALL ">] ? "

/* A directory's name */
#define TITLE_MAX 100
#define FRAMES 3
#define FUNCTION_MAX 48
#define STACK_MAX 256
#define PANIC_MAX 512

/* afl-fuzz looks for this in a target: it is instrumented, in its way. */
__attribute__((used)) static const char signature[] = "__AFL_SHM_ID";

static struct fuzz_shared *shared;
static int log_fd; /* what the guest says, in memory */
static const char *crashes;
static unsigned long hang_ms = 5000;

/* ---- Warming up ---- */

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static void add_file(int to, const char *directory, const char *name)
{
	static uint8_t data[FUZZ_INPUT_MAX];
	uint32_t size;
	char path[4096 + 300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, data, sizeof(data));
	if (n < 0)
		err(1, "%s", path);
	close(fd);
	size = n;
	if (write(to, &size, sizeof(size)) != sizeof(size) || write(to, data, size) != n)
		err(1, "no memory for inputs to warm up with");
}

/*
 * A kernel does some things only once: it loads decompressors, and its buffers grow. So that this
 * does not count as coverage of the first input, each guest first runs the seeds, which are beside
 * this program.
 */
static void gather_seeds(const char *self)
{
	const char *slash = strrchr(self, '/'), *bare = getenv(FUZZ_BARE_ENV) ? "-bare" : "";
	char directory[4096], own[32];
	struct dirent **entries;
	int fd = memfd_create("kernel-fuzz-warm-up", 0), i, n;

	snprintf(directory, sizeof(directory), "%.*sseeds%s", slash ? (int)(slash - self + 1) : 0,
		 self, bare);
	n = fd < 0 ? -1 : scandir(directory, &entries, is_visible, alphasort);
	if (n < 0)
		err(1, "%s", directory);
	for (i = 0; i < n; i++) {
		add_file(fd, directory, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	setenv(FUZZ_WARM_UP_ENV, own, 1);
}

/* ---- Directories ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static void remove_directory(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- A guest ---- */

/* KASAN takes 16 TiB of addresses. */
static bool has_kasan(const char *directory)
{
	char path[4096], text[128];
	bool found = false;
	FILE *config;

	snprintf(path, sizeof(path), "%s/.config", directory);
	config = fopen(path, "re");
	while (config && !found && fgets(text, sizeof(text), config))
		found = !strcmp(text, "CONFIG_KASAN=y\n");
	if (config)
		fclose(config);
	return found;
}

/*
 * The file descriptor in a path that fuzz_share() has made, as an option for confine; an empty one
 * if there is none.
 */
static char *stays_open(const char *variable)
{
	const char *path = getenv(variable), *slash = path ? strrchr(path, '/') : NULL;
	char *option = NULL;

	if (asprintf(&option, slash ? "--fd=%s" : "--fd=2", slash ? slash + 1 : "") < 0)
		err(1, "no memory");
	return option;
}

/* A guest gets only the environment variables meant for it. */
static void keep_environment(void)
{
	static const char *const kept[] = {
		FUZZ_SHARED_ENV, FUZZ_ANSWERS_ENV, FUZZ_WARM_UP_ENV,
		FUZZ_BARE_ENV,	 "__AFL_SHM_ID",   "__AFL_SHM_FUZZ_ID"
	};
	const char *values[sizeof(kept) / sizeof(*kept)];
	char self[32];
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		values[i] = getenv(kept[i]);
	clearenv();
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (values[i])
			setenv(kept[i], values[i], 1);
	snprintf(self, sizeof(self), "%d", getpid());
	setenv(FUZZ_SELF_ENV, self, 1);
	setenv("TMPDIR", OWN, 1);
	setenv("HOME", OWN, 1);
}

/* A panic in User-Mode Linux signals its whole process group. Its consoles are the log. */
static void leave_launcher(pid_t launcher)
{
	int null = open("/dev/null", O_RDONLY);

	signal(SIGALRM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != launcher)
		_exit(127);
	setsid();
	dup2(null, 0);
	dup2(log_fd, 1);
	dup2(log_fd, 2);
}

/*
 * build/kernel/confine replaces this process, confines the guest, and ends all of its processes
 * when it ends.
 */
static void become_guest(const char *directory, pid_t launcher)
{
	char *shared_fd = stays_open(FUZZ_SHARED_ENV), *answers_fd = stays_open(FUZZ_ANSWERS_ENV),
	     *warm_up_fd = stays_open(FUZZ_WARM_UP_ENV);
	char confine[4096 + 16], program[4096 + 16], name[32], size[32], memory[32];

	snprintf(confine, sizeof(confine), "%s/../confine", directory);
	snprintf(program, sizeof(program), "%s/linux", directory);
	snprintf(name, sizeof(name), "umid=fuzz-%d", launcher);
	snprintf(size, sizeof(size), "--size=%lu", (MEGABYTES + ROOM) * 1048576ul);
	snprintf(memory, sizeof(memory), "--memory=%lu",
		 has_kasan(directory) ? ~0ul : (MEGABYTES + ADDRESSES) * 1048576ul);
	leave_launcher(launcher);
	keep_environment();
	/* init_on_alloc: the content of uninitialised memory must not matter. */
	execl(confine, confine, "--own=" OWN, size, memory, "--share-ipc", "--fd=198", "--fd=199",
	      shared_fd, answers_fd, warm_up_fd, "--", program, "mem=192M", "init_on_alloc=1",
	      "con=null", "con0=null", "console=fuzz", "loglevel=5", "oops=panic", "panic=-1",
	      "kasan.fault=panic", "uml_dir=" OWN "/", name, NULL);
	dprintf(2, "%s: %s\n", confine, strerror(errno));
	_exit(127);
}

static unsigned long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ul + t.tv_nsec / 1000000;
}

struct watch {
	uint64_t run;
	unsigned long since;
	bool asked;
};

static bool is_busy(void)
{
	return shared->phase == FUZZ_WARMING_UP || shared->phase == FUZZ_RUNNING;
}

/*
 * The signal makes the guest panic, so that the log has the stack of the hang. If the panic hangs
 * as well, the stack is lost; a second signal would truncate it. confine sends the signal to the
 * guest's first thread and not to the process: otherwise the kernel's timer signal, which has its
 * own stack, could be handled around it.
 */
static void watch(pid_t guest, struct watch *w)
{
	unsigned long ms = now_ms() - w->since;

	if (!is_busy() || shared->runs != w->run) {
		*w = (struct watch){ .run = shared->runs, .since = now_ms() };
	} else if (ms > hang_ms + GRACE) {
		kill(guest, SIGTERM);
	} else if (ms > hang_ms && !w->asked) {
		w->asked = true;
		kill(guest, SIGUSR2);
	}
}

static int wait_for(pid_t guest)
{
	struct watch w = { .since = now_ms() };
	int status;

	while (waitpid(guest, &status, 0) < 0 && errno == EINTR)
		watch(guest, &w);
	return status;
}

/* ---- A crash ---- */

static const char *read_log(void)
{
	static char text[131072];
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const char *last_of(const char *text, const char *words)
{
	const char *found = NULL;

	for (text = strstr(text, words); text; text = strstr(text + 1, words))
		found = text;
	return found;
}

/*
 * The cause of death in the log. After a complaint, a guest dies only at the end of the input; the
 * panic repeats the complaint, because those around it may be known ones. NULL: the log has no
 * cause.
 */
static const char *find_cause(const char *text)
{
	const char *panic = last_of(text, PANIC), *first;
	char line[PANIC_MAX];

	if (!panic)
		return NULL;
	panic += strlen(PANIC);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(panic, "\n"), panic);
	first = strstr(text, line);
	if (first < panic)
		return first;
	return last_of(text, "BUG: KASAN: ") ?: last_of(text, "BUG: failure at ") ?: panic;
}

/* The log from the line with the cause on; of a fault, from the registers on, which come before */
static const char *from_cause(const char *text, const char *cause)
{
	const char *rip = last_of(text, RIP);

	if (!cause)
		return text;
	if (rip && rip < cause && strstr(rip, TRACE) > cause)
		cause = rip;
	while (cause > text && cause[-1] != '\n')
		cause--;
	return cause;
}

static size_t number_length(const char *text)
{
	return strncmp(text, "0x", 2) ? strspn(text, "0123456789")
				      : 2 + strspn(text + 2, "0123456789abcdef");
}

/*
 * A title that is the same for the same cause: numbers become N, except for source lines.
 */
static void make_title(const char *at, char *title)
{
	bool line = false;
	size_t n = 0;

	/* Behind a + are offsets. */
	while (*at && !strchr("\n+", *at) && n < TITLE_MAX - 1) {
		size_t digits;
		char c;

		line = isdigit(*at) && (line || (n > 2 && !strncmp(at - 3, ".c:", 3)));
		digits = line ? 0 : number_length(at);
		c = digits ? 'N' : isalnum((unsigned char)*at) || strchr("._", *at) ? *at : '-';
		if (!n || title[n - 1] != c || line || (c != 'N' && c != '-'))
			title[n++] = c;
		at += digits ?: 1;
	}
	title[n] = '\0';
}

/*
 * The functions of fs/erofs, recognised by their names, on the first stack that has any. User-Mode
 * Linux prints every stack word that points to code: one without an offset is no call, and others
 * may be left over from earlier calls.
 */
static size_t find_stack(const char *text, const char **functions)
{
	const char *at, *end;
	size_t n = 0;

	for (text = strstr(text, TRACE); text && !n; text = end) {
		end = strstr(text + 1, TRACE);
		for (at = strstr(text, CALL); at && n < STACK_MAX && (!end || at < end);
		     at = strstr(at, CALL)) {
			const char *offset, *in;

			at += strlen(CALL);
			offset = at + strcspn(at, "+\n");
			in = strstr(at, "erofs");
			if (in && in < offset && strncmp(offset, "+0x0/", 5) &&
			    strncmp(at, "erofs_test_", 11))
				functions[n++] = at;
		}
	}
	return n;
}

/* The name ends with a +. Return: whether the function was not in it; an address is none. */
static bool add_function(char *name, const char *function)
{
	char word[FUNCTION_MAX];
	int length = strspn(function, "abcdefghijklmnopqrstuvwxyz0123456789_");

	snprintf(word, sizeof(word) - 1, "+%.*s", length, function);
	strcat(word, "+");
	if (!length || isdigit(*function) || strstr(name, word))
		return false;
	strcat(name, word + 1);
	return true;
}

/*
 * Crashes with the same title are distinguished by the innermost functions, hangs by the outermost:
 * the innermost depend on where the loop was interrupted.
 */
static void add_functions(const char *text, const char *cause, char *name)
{
	bool hangs = !strncmp(cause, "hang", strlen("hang"));
	const char *functions[STACK_MAX], *rip = last_of(text, RIP),
					  *task = strstr(text, "] task:");
	size_t n, i, added = 0;

	if (!strncmp(cause, "disagreement", strlen("disagreement")))
		return;
	n = find_stack(hangs && task ? task : cause, functions);
	strcat(name, "+");
	if (rip && !hangs)
		added += add_function(name, rip + strlen(RIP));
	for (i = 0; i < n && added < FRAMES; i++)
		added += add_function(name, functions[hangs ? n - 1 - i : i]);
	name[strlen(name) - 1] = '\0';
}

static bool write_file(const char *directory, const char *name, const void *data, size_t size)
{
	char path[4096 + 300];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "wbe");
	good = file && fwrite(data, 1, size, file) == size;
	if (file)
		good &= !fclose(file);
	if (!good)
		warn("cannot write %s", path);
	return good;
}

/*
 * The input in progress or, if the guest died while it waited for one, the last input. NULL: there
 * was none yet.
 */
static const struct fuzz_slot *last_input(void)
{
	uint64_t run = shared->runs;
	const struct fuzz_slot *slot = &shared->ring[run % FUZZ_RING];

	if (slot->run != run && !run)
		return NULL;
	if (slot->run != run)
		slot = &shared->ring[--run % FUZZ_RING];
	return slot->run == run && slot->size <= FUZZ_INPUT_MAX ? slot : NULL;
}

/* The last inputs, in their order */
static bool write_ring(const char *directory)
{
	uint64_t run = shared->runs < FUZZ_RING ? 0 : shared->runs - FUZZ_RING + 1;
	bool good = true;
	char name[32];

	for (; run <= shared->runs && good; run++) {
		struct fuzz_slot *slot = &shared->ring[run % FUZZ_RING];

		if (slot->run != run || slot->size > FUZZ_INPUT_MAX)
			continue;
		snprintf(name, sizeof(name), "ring/%012llu", (unsigned long long)run);
		good = write_file(directory, name, slot->data, slot->size);
	}
	return good;
}

/*
 * Saves all data on a crash. A guest that died before its first input would do so with any. Return:
 * whether everything was saved.
 */
static bool write_all(const char *directory, const char *guest, const char *text, const char *cause)
{
	const struct fuzz_slot *last = last_input();
	char ring[4096 + 8];

	snprintf(ring, sizeof(ring), "%s/ring", directory);
	if (mkdir(directory, 0755) || mkdir(ring, 0755)) {
		warn("%s", ring);
		return false;
	}
	return write_file(directory, "guest", guest, strlen(guest)) &&
	       write_file(directory, "log", text, strlen(text)) &&
	       write_file(directory, "cause", cause, strlen(cause)) &&
	       write_file(directory, "input", last ? last->data : NULL, last ? last->size : 0) &&
	       write_ring(directory);
}

/*
 * A directory gets its name when it is complete: afl-fuzz may end this program at any time, and the
 * disk may be full.
 */
static void keep(const char *guest)
{
	const char *text = read_log(), *found = find_cause(text);
	const char *cause = found ?: "died without a word";
	char name[TITLE_MAX + 1 + FRAMES * FUNCTION_MAX], directory[4096], new[4096];

	make_title(cause, name);
	add_functions(text, cause, name);
	snprintf(directory, sizeof(directory), "%s/%s", crashes, name);
	snprintf(new, sizeof(new), "%s/.new-%d", crashes, getpid());
	if (!access(directory, F_OK))
		return;
	/* Another launcher may have been quicker. */
	if (!write_all(new, guest, text, from_cause(text, found)) || rename(new, directory))
		remove_directory(new);
}

/* ---- The fork server ---- */

static bool say(uint32_t word)
{
	return write(FUZZ_STATUS_FD, &word, sizeof(word)) == sizeof(word);
}

static void greet(void)
{
	uint32_t word;

	if (!getenv("__AFL_SHM_FUZZ_ID") || !say(HELLO) ||
	    read(FUZZ_CONTROL_FD, &word, sizeof(word)) != sizeof(word))
		errx(1, "this is for afl-fuzz or drive to start, with test cases in shared memory");
}

static pid_t start(const char *directory)
{
	pid_t launcher = getpid(), guest;

	lseek(log_fd, 0, SEEK_SET);
	guest = ftruncate(log_fd, 0) ? -1 : fork();
	if (guest < 0)
		err(1, "fork");
	if (!guest)
		become_guest(directory, launcher);
	return guest;
}

/* Gives shared memory that root has created to the guest's user. */
static void give_memory(const char *variable)
{
	const char *id = getenv(variable);
	struct shmid_ds memory;

	if (!id || geteuid())
		return;
	if (shmctl(atoi(id), IPC_STAT, &memory))
		err(1, "%s", variable);
	memory.shm_perm.uid = NOBODY;
	if (shmctl(atoi(id), IPC_SET, &memory))
		err(1, "%s", variable);
}

/* A guest that ended before its first input: its log is the only information. */
static void cannot_boot(const char *directory)
{
	errx(1, "%s does not boot:\n%s", directory, read_log());
}

/* Whether the guest died of a warm-up input, before its first own input. */
static bool died_of_seeds(void)
{
	return shared->phase == FUZZ_WARMING_UP || (shared->phase == FUZZ_WAITING && !shared->runs);
}

/*
 * A guest that died just before it reported a result, or just after it took an input, looks as if
 * it waited for one.
 */
static bool afl_fuzz_waits(void)
{
	struct pollfd next = { .fd = FUZZ_CONTROL_FD, .events = POLLIN };
	unsigned long end = now_ms() + PATIENCE;

	while (poll(&next, 1, TICK) <= 0)
		if (now_ms() > end)
			return true;
	return false;
}

/*
 * Sends the reports that the guest could not send. A guest that dies while it waits for an input,
 * because of an earlier one, has nothing to report, and the next guest takes that input. Return:
 * whether afl-fuzz reads it
 */
static bool answer_for_guest(int status)
{
	if (shared->phase != FUZZ_RUNNING && (shared->phase != FUZZ_WAITING || !afl_fuzz_waits()))
		return true;
	shared->announced = 0;
	return say(WIFSIGNALED(status) ? (uint32_t)status : SIGABRT);
}

/*
 * Runs guests until afl-fuzz ends; the guest then ends by itself. If a guest dies of the seeds, the
 * next ones do not warm up.
 */
static void serve(const char *directory)
{
	int status;

	do {
		shared->phase = FUZZ_BOOTING;
		shared->runs = 0;
		status = wait_for(start(directory));
		if (shared->phase == FUZZ_BOOTING ||
		    (died_of_seeds() && status && !getenv(FUZZ_WARM_UP_ENV)))
			cannot_boot(directory);
		if (!status && shared->phase == FUZZ_RETIRED)
			continue;
		if (!status && shared->phase == FUZZ_WAITING)
			break;
		keep(directory);
		if (died_of_seeds())
			unsetenv(FUZZ_WARM_UP_ENV);
	} while (answer_for_guest(status));
}

static void make_directories(const char *path)
{
	char part[4096];
	size_t i;

	for (i = 1; path[i - 1] && i < sizeof(part); i++) {
		memcpy(part, path, i);
		part[i] = '\0';
		if (path[i] == '/' || !path[i])
			mkdir(part, 0755);
	}
	if (access(path, W_OK))
		err(1, "%s", path);
}

static void tick(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	struct itimerval timer = { .it_interval.tv_usec = TICK * 1000,
				   .it_value.tv_usec = TICK * 1000 };
	struct sigaction action = { .sa_handler = tick };
	char guest[PATH_MAX];

	if (argc < 2)
		errx(1, "usage: launcher GUEST");
	if (!realpath(argv[1], guest))
		err(1, "%s", argv[1]);
	crashes = getenv("KERNEL_FUZZ_CRASHES") ?: "build/fuzz/kernel/crashes";
	if (getenv("KERNEL_FUZZ_HANG"))
		hang_ms = strtoul(getenv("KERNEL_FUZZ_HANG"), NULL, 10);
	make_directories(crashes);
	/* drive has created it already, to read it. */
	shared = fuzz_share(FUZZ_SHARED_ENV, sizeof(*shared));
	log_fd = memfd_create("kernel-fuzz-log", MFD_CLOEXEC);
	if (!shared || log_fd < 0)
		err(1, "no memory to share with the guest");
	gather_seeds(argv[0]);
	signal(SIGPIPE, SIG_IGN);
	greet();
	give_memory("__AFL_SHM_ID");
	give_memory("__AFL_SHM_FUZZ_ID");
	/* From here on, signals only interrupt the wait for a guest. */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	serve(guest);
	return 0;
}
