// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: escape VICTIM=VALUE...
 *
 * Is run in the place of User-Mode Linux, and tries what somebody could who has taken over a
 * guest's kernel. Prints what it tried, and what of that it could do. Without confinement, and as
 * root, all of it can be done: see kernel/uml/locked.t, which makes the victims. With a
 * datagram=SOCKET, it tries to make run-guest talk to that instead of to a guest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"

#define MUCH (8ul << 30) /* bytes; the guest has 256 MiB */
#define MANY_MEGABYTES 320 /* the guest has some more than 256 */
#define MANY_PROCESSES 2000
#define MANY_FILES 5000

static char **arguments;

/* NAME=VALUE of the command line: the VALUE */
static const char *victim(const char *name)
{
	size_t length = strlen(name);

	for (char **at = arguments; *at; at++)
		if (!strncmp(*at, name, length) && (*at)[length] == '=')
			return *at + length + 1;
	fprintf(stderr, "escape: no %s\n", name);
	exit(2);
}

/* ---- Files ---- */

static bool reads_host(void)
{
	return can_open(victim("secret"), O_RDONLY);
}

static bool writes_host(void)
{
	return can_open(victim("secret"), O_WRONLY);
}

static bool writes_shown(void)
{
	return can_open(victim("shown"), O_WRONLY);
}

static bool changes_mode(void)
{
	return !chmod(victim("shown"), 0666);
}

static bool creates_beside_shown(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.new", victim("shown"));
	return can_open(path, O_WRONLY | O_CREAT) && !unlink(path);
}

static bool creates_elsewhere(void)
{
	return can_open("/tmp/escape-new", O_WRONLY | O_CREAT) && !unlink("/tmp/escape-new");
}

static bool reads_kernel_log(void)
{
	return can_open("/dev/kmsg", O_RDONLY);
}

static bool makes_device(void)
{
	return !mknod("device", S_IFCHR | 0600, makedev(1, 3)) && can_open("device", O_RDONLY);
}

static bool has_directory(void)
{
	struct stat status;

	for (int fd = 3; fd < 1024; fd++)
		if (!fstat(fd, &status) && S_ISDIR(status.st_mode))
			return true;
	return false;
}

/* ---- Processes ---- */

static pid_t process(void)
{
	return atoi(victim("process"));
}

static bool signals_one(void)
{
	return !kill(process(), SIGUSR1);
}

static bool signals_all(void)
{
	return !kill(-1, 0);
}

static bool traces(void)
{
	return !ptrace(PTRACE_ATTACH, process(), NULL, NULL) &&
	       waitpid(process(), NULL, __WALL) > 0 &&
	       !ptrace(PTRACE_DETACH, process(), NULL, NULL);
}

static bool reads_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 },
		     there = { (void *)strtoul(victim("address"), NULL, 0), 1 };

	return process_vm_readv(process(), &here, 1, &there, 1, 0) == 1;
}

static bool reads_environment(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", process());
	return can_open(path, O_RDONLY);
}

static bool attaches_memory(void)
{
	return shmat(atoi(victim("shm")), NULL, SHM_RDONLY) != (void *)-1;
}

/* ---- Networks ---- */

static bool connects(const struct sockaddr *to, socklen_t size)
{
	int fd = socket(to->sa_family, SOCK_STREAM, 0);

	return fd >= 0 && !connect(fd, to, size);
}

static bool connects_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(victim("port"))),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connects((struct sockaddr *)&to, sizeof(to));
}

static bool connects_abstract(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int n = snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "%s", victim("abstract"));

	return connects((struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

static bool connects_path(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", victim("socket"));
	return connects((struct sockaddr *)&to, sizeof(to));
}

static bool opens_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

static bool opens_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

/* ---- Rights ---- */

static bool becomes_root(void)
{
	return !setresuid(0, 0, 0);
}

static bool becomes_group_root(void)
{
	return !setresgid(0, 0, 0);
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {};

	return !syscall(SYS_capget, &header, has) &&
	       (has[0].permitted || has[1].permitted || prctl(PR_CAPBSET_READ, 0, 0, 0, 0) > 0);
}

static bool can_gain(void)
{
	return !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static bool mounts(void)
{
	return !mount("none", ".", "tmpfs", 0, NULL) && !umount(".");
}

static bool remounts(void)
{
	return !mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static bool makes_namespace(void)
{
	pid_t child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	int status;

	if (!child)
		_exit(0);
	return child > 0 && waitpid(child, &status, 0) == child;
}

static bool loads_program(void)
{
	/* Nothing that is valid: what matters is who says so. */
	return syscall(SYS_bpf, -1, NULL, 0) && errno == EINVAL;
}

/* ---- Resources ---- */

static bool takes_memory(void)
{
	return mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0) != MAP_FAILED;
}

static bool makes_big_file(void)
{
	int fd = open("big", O_RDWR | O_CREAT, 0600);

	signal(SIGXFSZ, SIG_IGN);
	return fd >= 0 && !ftruncate(fd, MUCH);
}

static bool fills_disk(void)
{
	static char block[1 << 20];
	char name[16];

	for (int i = 0; i < MANY_MEGABYTES; i++) {
		int fd;

		snprintf(name, sizeof(name), "part%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block))
			return false;
		close(fd);
	}
	return true;
}

static bool starts_many(void)
{
	int n = 0, ends[2];
	char byte;

	if (pipe(ends))
		return false;
	for (; n < MANY_PROCESSES; n++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (!child) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1));
		}
	}
	close(ends[0]);
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return n == MANY_PROCESSES;
}

static bool opens_many(void)
{
	struct rlimit limit = { MANY_FILES + 100, MANY_FILES + 100 };
	int n = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	while (n < MANY_FILES && dup(0) >= 0)
		n++;
	close_range(3, ~0u, 0);
	return n == MANY_FILES;
}

static bool dumps_core(void)
{
	struct rlimit limit = { 1, 1 };

	return !setrlimit(RLIMIT_CORE, &limit);
}

/* Those that leave something behind come last. */
static const struct attempt attempts[] = {
	{ "reads-shadow", reads_shadow },
	{ "reads-host", reads_host },
	{ "writes-host", writes_host },
	{ "lists-host", lists_host },
	{ "writes-shown", writes_shown },
	{ "changes-mode", changes_mode },
	{ "creates-beside-shown", creates_beside_shown },
	{ "creates-elsewhere", creates_elsewhere },
	{ "reads-kernel-log", reads_kernel_log },
	{ "makes-device", makes_device },
	{ "has-directory", has_directory },
	{ "signals-one", signals_one },
	{ "signals-all", signals_all },
	{ "traces", traces },
	{ "reads-memory", reads_memory },
	{ "reads-environment", reads_environment },
	{ "attaches-memory", attaches_memory },
	{ "connects-tcp", connects_tcp },
	{ "connects-abstract", connects_abstract },
	{ "connects-path", connects_path },
	{ "opens-raw", opens_raw },
	{ "opens-netlink", opens_netlink },
	{ "becomes-root", becomes_root },
	{ "becomes-group-root", becomes_group_root },
	{ "has-capabilities", has_capabilities },
	{ "can-gain", can_gain },
	{ "mounts", mounts },
	{ "remounts", remounts },
	{ "makes-namespace", makes_namespace },
	{ "loads-program", loads_program },
	{ "takes-memory", takes_memory },
	{ "makes-big-file", makes_big_file },
	{ "fills-disk", fills_disk },
	{ "starts-many", starts_many },
	{ "opens-many", opens_many },
	{ "dumps-core", dumps_core },
};

#define COUNT (sizeof(attempts) / sizeof(*attempts))

/* run-guest asks a guest that hangs where it does, at a socket; this one leads to another. */
static void mislead(const char *socket)
{
	if (mkdir("guest", 0755) || symlink(socket, "guest/mconsole"))
		exit(2);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	bool done[COUNT];

	(void)argc;
	arguments = argv;
	if (*victim("datagram"))
		mislead(victim("datagram"));
	make_attempts(attempts, COUNT, done);
	printf("user: %u %u\n", getuid(), getgid());
	print_attempts(attempts, COUNT, done);
	return 0;
}
