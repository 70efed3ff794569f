// SPDX-License-Identifier: GPL-2.0-or-later
/* Who pays for a page: one memory control group, that of the task that brought it in. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "all_topics.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define GROUPS WORK "/groups"

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

static bool make_groups(void)
{
	mkdir(GROUPS, 0755);
	return !mount("cgroup2", GROUPS, "cgroup2", 0, NULL) &&
	       write_to(GROUPS "/cgroup.subtree_control", "+memory") &&
	       !mkdir(GROUPS "/one", 0755) && !mkdir(GROUPS "/two", 0755);
}

/* Reads a file in a task of that group. */
static void read_in(const char *group, const char *directory, const struct file *file)
{
	char path[128];
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		snprintf(path, sizeof(path), GROUPS "/%s/cgroup.procs", group);
		_exit(!write_to(path, "0") || read_at(&readers[0], directory, file));
	}
	waitpid(child, NULL, 0);
}

/* Bytes of page cache that a group pays for. */
static long pays(const char *group)
{
	char path[128], *text, *line;
	long bytes = -1;

	snprintf(path, sizeof(path), GROUPS "/%s/memory.stat", group);
	text = slurp(path);
	line = text ? strstr(text, "file ") : NULL;
	if (line)
		bytes = atol(line + 5);
	free(text);
	return bytes;
}

void topic_accounting(void)
{
	const struct file *file = tree_file("mib");
	long one, two, size = pages(file->size) * 4096;

	if (!make_groups()) {
		skip("no memory control groups (CONFIG_MEMCG)", "who pays for shared pages");
		return;
	}
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
	read_in("one", WORK "/a", file);
	read_in("two", WORK "/b", file);
	one = pays("one");
	two = pays("two");
	diag("one %ld bytes, two %ld bytes of %ld", one, two, size);
	ok(one >= size / 2, "the group that brought the pages in pays for them");
	ok(two < size / 2, "the group that finds them there does not");
	ok_content(WORK "/b", file, "read in two groups");
	drop_caches();
	read_in("two", WORK "/b", file);
	ok(pays("two") >= size / 2, "after they were dropped, who brings them in again pays");
	unmount(WORK "/a");
	unmount(WORK "/b");
}
