// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Observes EROFS page cache sharing from user space, as PID 1 of a guest.
 *
 * Environment, as run-guest passes it on; none of it is on the kernel's command line:
 *	TOPIC		one of topics.c
 *	IMAGES		the directory that make-images filled, as the guest sees it
 *	UBD		names of what ubda, ubdb... are, separated by commas
 *	DOMAIN_FILE	a file that holds the domain of the topic hidden
 *	CYCLES		of each process in the topic races
 *	REMOUNTS	set: all of them, in the topics remount and finding-remount-feature
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "host.h"
#include "mounts.h"
#include "tap.h"
#include "topics.h"

void leave_guest(void)
{
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void must(int result, const char *what)
{
	if (result)
		give_up(what, -errno);
}

static void make_directories(void)
{
	static const char *const directories[] = { "dev", "a", "b", "c", "p" };
	char path[64];

	for (unsigned int i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		snprintf(path, sizeof(path), WORK "/%s", directories[i]);
		must(mkdir(path, 0755), path);
	}
}

static void set_up_guest(void)
{
	if (mount("proc", "/proc", "proc", 0, NULL) && errno != EBUSY)
		must(-1, "/proc");
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) && errno != EBUSY && errno != ENODEV)
		must(-1, "/sys");
	must(mount("work", WORK, "ramfs", 0, NULL), WORK);
	make_directories();
}

static void run_topic(const char *name)
{
	for (const struct topic *topic = topics; topic->name; topic++)
		if (name && !strcmp(name, topic->name)) {
			topic->run();
			return;
		}
	ok(false, "no topic %s", name ? name : "(TOPIC is not set)");
}

int main(int argc, char **argv)
{
	if (getpid() != 1)
		return host_main(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up_guest();
	run_topic(getenv("TOPIC"));
	done();
	leave_guest();
}
