// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 of a guest: tries, as the guest's root, to get at the host's files. Prints what it tried,
 * and what of that it could do.
 *
 * Environment:
 *	SECRET	a file of the host's that the guest does not see
 *	SHOWN	one that it sees
 *	PROCESS	a process of the host's
 *	PORT	where something listens on the host
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempts.h"

#define HOST "/mnt" /* where other parts of the host are mounted */

static bool can_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	bool good = fd >= 0 && write(fd, "guest", 5) == 5;

	if (fd >= 0)
		close(fd);
	return good;
}

static bool reads_secret(void)
{
	return can_open(getenv("SECRET"), O_RDONLY);
}

/* The guest's own kernel may let it: what counts is what can be written then. */
static bool remount(void)
{
	return !mount(NULL, "/", NULL, MS_REMOUNT, NULL);
}

static bool writes_shown(void)
{
	return remount() && can_append(getenv("SHOWN"));
}

static bool creates_beside_shown(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.new", getenv("SHOWN"));
	return remount() && can_open(path, O_WRONLY | O_CREAT);
}

static bool creates_in_root(void)
{
	const char *path = "/tmp/prisoner-new";

	return remount() && can_open(path, O_WRONLY | O_CREAT) && !unlink(path);
}

/* Mounts a part of the host, if there is one. */
static bool reaches(const char *part, bool (*what)(void))
{
	bool good;

	if (mount("none", HOST, "hostfs", 0, part))
		return false;
	good = what();
	umount(HOST);
	return good;
}

static bool shadow_is_there(void)
{
	return can_open(HOST "/shadow", O_RDONLY);
}

static bool secret_is_written(void)
{
	char path[4096];

	snprintf(path, sizeof(path), HOST "%s", getenv("SECRET"));
	return can_append(path);
}

static bool mounts_etc(void)
{
	return reaches("/etc", shadow_is_there);
}

static bool mounts_above(void)
{
	return reaches("/../../../etc", shadow_is_there);
}

static bool mounts_and_writes(void)
{
	return reaches("/", secret_is_written);
}

static bool kills(void)
{
	pid_t process = atoi(getenv("PROCESS"));

	return !kill(process, SIGKILL);
}

static bool connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(getenv("PORT"))),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static const struct attempt attempts[] = {
	{ "reads-shadow", reads_shadow },
	{ "reads-secret", reads_secret },
	{ "lists-host", lists_host },
	{ "writes-shown", writes_shown },
	{ "creates-beside-shown", creates_beside_shown },
	{ "creates-in-root", creates_in_root },
	{ "mounts-etc", mounts_etc },
	{ "mounts-above", mounts_above },
	{ "mounts-and-writes", mounts_and_writes },
	{ "kills", kills },
	{ "connects", connects },
};

#define COUNT (sizeof(attempts) / sizeof(*attempts))

int main(void)
{
	bool done[COUNT];

	/* Outside of a guest this would be the end of the host. */
	if (getpid() != 1)
		return 1;
	make_attempts(attempts, COUNT, done);
	printf("shown: %s\n", can_open(getenv("SHOWN"), O_RDONLY) ? "yes" : "no");
	print_attempts(attempts, COUNT, done);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
