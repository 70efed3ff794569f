// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: confine OPTION... PROGRAM [ARGUMENT]...
 *
 * Runs a program (User-Mode Linux) as an unprivileged user without capabilities, who sees no files,
 * processes, networks or System V IPC of the host. If this is not possible, the program does not
 * run.
 *
 *	--file=PATH	a file or a directory of the host's that it sees at the same place,
 *			read-only
 *	--at=PATH	where it sees the --file before this, if that is another place
 *	--own=PATH	the only directory in which it can write; is new, in memory, and is the
 *			current one
 *	--size=BYTES	what there is room for in that
 *	--memory=BYTES	how much address space each of its processes may have; without this, any
 *			amount
 *	--fd=NUMBER	a file descriptor that stays open, besides 0, 1 and 2
 *	--share-ipc	it has the host's System V IPC
 *
 * The program sees itself, the C library, and the files named above. The user is nobody (65534) if
 * root starts this, else the current user. When this program ends, all processes of the other end,
 * too. SIGUSR2 is passed on.
 *
 * Exit status: the program's, or the signal that ended it; 125 and one line on stderr if it could
 * not be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <grp.h>
#include <link.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define MAX_PLACES 128
#define MAX_FDS 32
#define MAX_FILES 4096
#define MAX_PROCESSES 1024
#define OUR_FAULT 125

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define NAMESPACES                                                                  \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP | CLONE_NEWIPC)

/* Something of the host's that the program sees */
struct place {
	const char *from, *at;
	int tree; /* a mount of it that is attached nowhere yet */
	bool is_directory, is_device;
	bool is_own; /* nothing of the host's, but the program's own directory */
};

static struct {
	struct place places[MAX_PLACES];
	size_t place_count;
	int fds[MAX_FDS];
	size_t fd_count;
	const char *own;
	unsigned long long size, memory;
	bool share_ipc;
	bool as_root; /* this program is root's */
	uid_t uid;
	gid_t gid;
	char **command;
} given;

static int line; /* between this program and the first process of the other side */
static pid_t other; /* the process at the other side; over there, the program */

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	const char *reason = errno ? strerror(errno) : NULL;
	va_list arguments;

	fputs("confine: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "%s%s\n", reason ? ": " : "", reason ?: "");
	_exit(OUR_FAULT);
}

static void must(long result, const char *what)
{
	if (result < 0)
		fail("cannot %s", what);
}

/* ---- What is given ---- */

static struct place *add_place(const char *path)
{
	struct place *place = &given.places[given.place_count++];

	errno = 0;
	if (given.place_count > MAX_PLACES)
		fail("more than %d files", MAX_PLACES);
	if (*path != '/' || !path[1])
		fail("%s is not an absolute path below /", path);
	*place = (struct place){ .from = path, .at = path };
	return place;
}

/*
 * User-Mode Linux needs the libraries that this program is linked with, and no other: see
 * build-guest.
 */
static int add_library(struct dl_phdr_info *object, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (*object->dlpi_name == '/')
		add_place(strdup(object->dlpi_name));
	return 0;
}

static unsigned long long number(const char *text)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		fail("%s is not a number", text);
	return n;
}

static void add_fd(int fd)
{
	errno = 0;
	if (given.fd_count == MAX_FDS)
		fail("more than %d file descriptors", MAX_FDS);
	given.fds[given.fd_count++] = fd;
}

enum { FILE_OPTION, AT, OWN, SIZE, MEMORY, FD, SHARE_IPC };

static void take_option(int option)
{
	errno = 0;
	if (option == FILE_OPTION)
		add_place(optarg);
	else if (option == AT && given.place_count)
		given.places[given.place_count - 1].at = optarg;
	else if (option == OWN)
		given.own = optarg;
	else if (option == SIZE)
		given.size = number(optarg);
	else if (option == MEMORY)
		given.memory = number(optarg);
	else if (option == FD)
		add_fd(number(optarg));
	else if (option == SHARE_IPC)
		given.share_ipc = true;
	else
		fail("wrong options");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->at, ((const struct place *)b)->at);
}

static void take_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, FILE_OPTION },
		{ "at", required_argument, NULL, AT },
		{ "own", required_argument, NULL, OWN },
		{ "size", required_argument, NULL, SIZE },
		{ "memory", required_argument, NULL, MEMORY },
		{ "fd", required_argument, NULL, FD },
		{ "share-ipc", no_argument, NULL, SHARE_IPC },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		take_option(option);
	errno = 0;
	if (!given.own || !given.size || optind == argc)
		fail("usage: confine --own=PATH --size=BYTES [OPTION]... PROGRAM [ARGUMENT]...");
	given.command = argv + optind;
	add_place(given.own)->is_own = true;
	add_place(*given.command);
	add_place("/dev/null")->is_device = true;
	add_place("/proc/cpuinfo");
	dl_iterate_phdr(add_library, NULL);
	/* What is in a directory comes after that. */
	qsort(given.places, given.place_count, sizeof(*given.places), by_path);
	given.as_root = geteuid() == 0;
	given.uid = given.as_root ? NOBODY : geteuid();
	given.gid = given.as_root ? NOBODY : getegid();
}

static bool stays_open(int fd)
{
	for (size_t i = 0; i < given.fd_count; i++)
		if (given.fds[i] == fd)
			return true;
	return false;
}

/* One that leads to a directory of the host's would be a way out. */
static void close_others(void)
{
	int last = STDERR_FILENO;

	for (size_t i = 0; i < given.fd_count; i++)
		if (given.fds[i] > last)
			last = given.fds[i];
	for (int fd = STDERR_FILENO + 1; fd < last; fd++)
		if (!stays_open(fd))
			close(fd);
	must(close_range(last + 1, ~0u, 0), "close file descriptors");
}

static void close_passed_on(void)
{
	for (size_t i = 0; i < given.fd_count; i++)
		close(given.fds[i]);
}

/* ---- The other side: its files ---- */

static void restrict_mount(int fd, const char *path, uint64_t attributes, unsigned int flags)
{
	struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };

	if (mount_setattr(fd, path, flags, &attr, sizeof(attr)))
		fail("cannot make %s read-only", *path ? path : "a file");
}

/* Called while the host's files are still there, and root can reach them */
static void take_place(struct place *place)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	struct stat status;

	if (place->is_own)
		return;
	place->tree = open_tree(AT_FDCWD, place->from, flags);
	if (place->tree < 0 || fstat(place->tree, &status))
		fail("cannot give away %s", place->from);
	place->is_directory = S_ISDIR(status.st_mode);
	restrict_mount(place->tree, "", place->is_device ? MOUNT_ATTR_NOSUID : READ_ONLY,
		       AT_EMPTY_PATH | AT_RECURSIVE);
}

/* Makes what is missing of the directories in which it lies. */
static void make_parents(const char *path)
{
	char part[4096];

	errno = ENAMETOOLONG;
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		fail("%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) && errno != EEXIST && errno != EROFS)
			fail("cannot make %s", part);
		*slash = '/';
	}
}

static void make_own(void)
{
	char options[128];

	snprintf(options, sizeof(options), "size=%llu,nr_inodes=1024,mode=700,uid=%u,gid=%u",
		 given.size, given.uid, given.gid);
	mkdir(given.own, 0700);
	if (mount("own", given.own, "tmpfs", MS_NOSUID | MS_NODEV, options))
		fail("cannot mount %s", given.own);
}

static void put_place(const struct place *place)
{
	int fd = -1;

	make_parents(place->at);
	if (place->is_own) {
		make_own();
		return;
	}
	if (place->is_directory)
		mkdir(place->at, 0755);
	else
		fd = open(place->at, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	if (move_mount(place->tree, "", AT_FDCWD, place->at, MOVE_MOUNT_F_EMPTY_PATH))
		fail("cannot show %s", place->at);
	close(place->tree);
}

/*
 * A root with nothing of the host except the given files. Guests mount on these directories.
 */
static void change_root(void)
{
	static const char *const directories[] = { "/dev", "/mnt", "/proc", "/run",
						   "/sys", "/tmp", "/var" };

	must(mount("root", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=755"),
	     "mount a root");
	must(chdir("/tmp"), "enter a root");
	must(syscall(SYS_pivot_root, ".", "."), "change the root");
	must(umount2(".", MNT_DETACH), "leave the host's files");
	must(chdir("/"), "enter a root");
	for (size_t i = 0; i < COUNT(directories); i++)
		must(mkdir(directories[i], 0755), "make directories");
	for (size_t i = 0; i < given.place_count; i++)
		put_place(&given.places[i]);
	restrict_mount(AT_FDCWD, "/", READ_ONLY, 0);
	must(chdir(given.own), "enter a directory");
}

/* ---- The other side: its rights ---- */

/* If the host runs out of memory, these processes are killed first. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		fail("cannot set /proc/self/oom_score_adj");
	close(fd);
}

/* Only a process outside of a user namespace can map its users. */
static void ask_for_ids(void)
{
	char byte = 0;

	must(send(line, &byte, 1, MSG_NOSIGNAL), "ask for a user");
	if (recv(line, &byte, 1, 0) != 1)
		_exit(OUR_FAULT);
}

/*
 * The user namespace is owned by root and has one user, to whom all limits apply separately.
 */
static void become_nobody(void)
{
	must(unshare(CLONE_NEWUSER), "make a user namespace");
	ask_for_ids();
	must(setgroups(0, NULL), "leave groups");
	must(setresgid(given.gid, given.gid, given.gid), "become another group");
	must(setresuid(given.uid, given.uid, given.uid), "become another user");
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "renounce new privileges");
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "drop capabilities");
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "drop capabilities");
	must(syscall(SYS_capset, &header, none), "drop capabilities");
}

static void limit(int resource, rlim_t most)
{
	struct rlimit limit;

	must(getrlimit(resource, &limit), "read a limit");
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(resource, &limit), "set a limit");
}

static void set_limits(void)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, given.size);
	limit(RLIMIT_NOFILE, MAX_FILES);
	limit(RLIMIT_NPROC, MAX_PROCESSES);
	limit(RLIMIT_MEMLOCK, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	if (given.memory)
		limit(RLIMIT_AS, given.memory);
}

/*
 * System calls that User-Mode Linux does not need, most of which have had bugs in the host's
 * kernel. The list names refused calls, not permitted ones, because the calls of User-Mode Linux
 * depend on the C library.
 */
static const int refused[] = {
	SYS_acct,
	SYS_add_key,
	SYS_adjtimex,
	SYS_bpf,
	SYS_chroot,
	SYS_clock_adjtime,
	SYS_clock_settime,
	SYS_delete_module,
	SYS_fanotify_init,
	SYS_finit_module,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fsopen,
	SYS_fspick,
	SYS_init_module,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_io_uring_setup,
	SYS_ioperm,
	SYS_iopl,
	SYS_kexec_file_load,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_mount,
	SYS_mount_setattr,
	SYS_move_mount,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_open_tree,
	SYS_perf_event_open,
	SYS_pidfd_getfd,
	SYS_pivot_root,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_quotactl,
	SYS_quotactl_fd,
	SYS_reboot,
	SYS_request_key,
	SYS_setdomainname,
	SYS_sethostname,
	SYS_setns,
	SYS_settimeofday,
	SYS_swapoff,
	SYS_swapon,
	SYS_syslog,
	SYS_umount2,
	SYS_unshare,
	SYS_userfaultfd,
};

#define X32 0x40000000u /* in the numbers of system calls of another ABI */
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define JUMP(how, value, yes, no) BPF_JUMP(BPF_JMP | BPF_##how | BPF_K, value, yes, no)
#define ANSWER(number) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void append(struct sock_fprog *to, const struct sock_filter *from, size_t count)
{
	memcpy(to->filter + to->len, from, count * sizeof(*from));
	to->len += count;
}

/*
 * The guest's own programs do not come here: User-Mode Linux catches their system calls before.
 * Processes are made by clone(), whose flags can be looked at, as the C library falls back on that;
 * sockets are local ones.
 */
static void filter_calls(void)
{
	static const struct sock_filter this_abi[] = {
		LOAD(arch),	      JUMP(JEQ, AUDIT_ARCH_X86_64, 1, 0),
		ANSWER(ENOSYS),	      LOAD(nr),
		JUMP(JGE, X32, 0, 1), ANSWER(ENOSYS),
	};
	static const struct sock_filter some_flags[] = {
		JUMP(JEQ, SYS_clone3, 0, 1),
		ANSWER(ENOSYS),
		JUMP(JEQ, SYS_clone, 0, 4),
		LOAD(args[0]),
		JUMP(JSET, NAMESPACES, 0, 1),
		ANSWER(EPERM),
		ALLOW,
		JUMP(JEQ, SYS_socket, 0, 3),
		LOAD(args[0]),
		JUMP(JEQ, AF_UNIX, 1, 0),
		ANSWER(EAFNOSUPPORT),
		ALLOW,
	};
	struct sock_filter all[COUNT(this_abi) + 2 * COUNT(refused) + COUNT(some_flags)];
	struct sock_fprog program = { .filter = all };

	append(&program, this_abi, COUNT(this_abi));
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct sock_filter one[] = {
			JUMP(JEQ, refused[i], 0, 1),
			ANSWER(EPERM),
		};

		append(&program, one, COUNT(one));
	}
	append(&program, some_flags, COUNT(some_flags));
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "filter system calls");
}

/* ---- The other side: its processes ---- */

/*
 * The user must be able to read the given files; root does not read them for the user.
 */
static void check_access(void)
{
	for (size_t i = 0; i < given.place_count; i++) {
		const struct place *place = &given.places[i];

		if (access(place->at, place->is_directory ? R_OK | X_OK : R_OK))
			fail("user %u, whom the guest runs as, cannot read %s (try chmod o+r%s)",
			     given.uid, place->from, place->is_directory ? "x" : "");
	}
}

static void pass_on(int number)
{
	/* For the thread and not for the process: only the first thread answers it. */
	if (other)
		syscall(SYS_tgkill, other, other, number);
}

static void end_with_starter(void)
{
	struct pollfd hears = { .fd = line };

	must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "end with another process");
	/* That may have ended already. */
	if (poll(&hears, 1, 0) < 0 || hears.revents & POLLHUP)
		_exit(OUR_FAULT);
}

static void __attribute__((noreturn)) run_program(void)
{
	signal(SIGUSR2, SIG_DFL);
	must(setsid(), "make a session");
	/* It would set this itself, and start itself again, which takes /proc. */
	personality(PER_LINUX | ADDR_NO_RANDOMIZE);
	close(line);
	execv(*given.command, given.command);
	fail("cannot run %s", *given.command);
}

/*
 * The first process, which adopts orphans; when it ends, the kernel ends all others in the
 * namespace.
 */
static void __attribute__((noreturn)) be_first(void)
{
	int status;
	pid_t ended;

	signal(SIGUSR2, pass_on);
	other = fork();
	must(other, "start a process");
	if (!other)
		run_program();
	close_passed_on();
	do
		ended = wait(&status);
	while (ended != other && (ended > 0 || errno == EINTR));
	must(ended, "wait for a process");
	must(send(line, &status, sizeof(status), MSG_NOSIGNAL), "say how a process ended");
	_exit(0);
}

static void __attribute__((noreturn)) be_inside(void)
{
	if (!given.as_root)
		ask_for_ids();
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "leave the host's mounts");
	for (size_t i = 0; i < given.place_count; i++)
		take_place(&given.places[i]);
	go_first();
	change_root();
	if (given.as_root)
		become_nobody();
	set_limits();
	drop_capabilities();
	/* The caller may look for the guest's socket below /proc/PID/root. */
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "show files");
	end_with_starter();
	check_access();
	filter_calls();
	be_first();
}

/* ---- This side ---- */

static bool write_to(pid_t pid, const char *name, const char *text)
{
	char path[64];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

/*
 * One user and one group are known over there. Who is not root may only give his own, and his
 * groups are his for ever.
 */
static void give_ids(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "%u %u 1", given.uid, given.uid);
	snprintf(gid, sizeof(gid), "%u %u 1", given.gid, given.gid);
	if ((!given.as_root && !write_to(other, "setgroups", "deny")) ||
	    !write_to(other, "gid_map", gid) || !write_to(other, "uid_map", uid)) {
		int saved = errno;

		kill(other, SIGKILL);
		errno = saved;
		fail("cannot make a user for the guest");
	}
	send(line, "", 1, MSG_NOSIGNAL);
}

static void end_other(int number)
{
	kill(other, number == SIGUSR2 ? SIGUSR2 : SIGKILL);
}

/* Return: how the program ended, as wait() has it */
static int listen_until_end(void)
{
	int status = 0, said, own;
	bool known = false;
	ssize_t n;

	while ((n = recv(line, &said, sizeof(said), 0)) > 0 || (n < 0 && errno == EINTR)) {
		if (n == 1)
			give_ids();
		if (n == sizeof(said)) {
			status = said;
			known = true;
		}
	}
	while (waitpid(other, &own, 0) < 0 && errno == EINTR)
		;
	return known ? status : own;
}

static void start_other_side(void)
{
	int spaces = NAMESPACES, ends[2];

	if (given.as_root)
		spaces &= ~CLONE_NEWUSER;
	if (given.share_ipc)
		spaces &= ~CLONE_NEWIPC;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a socket");
	other = syscall(SYS_clone, spaces | SIGCHLD, NULL, NULL, NULL, NULL);
	if (other < 0)
		fail("the guest cannot be locked in, so it does not run: allow user namespaces "
		     "(sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces), or be "
		     "root with CAP_SYS_ADMIN (in a container: --privileged)");
	line = ends[other ? 0 : 1];
	close(ends[other ? 1 : 0]);
	if (!other)
		be_inside();
}

static void __attribute__((noreturn)) end_like(int status)
{
	struct rlimit none = {};

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	_exit(OUR_FAULT);
}

int main(int argc, char **argv)
{
	static const int ending[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2 };
	struct sigaction action = { .sa_handler = end_other };

	take_arguments(argc, argv);
	close_others();
	start_other_side();
	close_passed_on();
	for (size_t i = 0; i < COUNT(ending); i++)
		sigaction(ending[i], &action, NULL);
	end_like(listen_until_end());
}
