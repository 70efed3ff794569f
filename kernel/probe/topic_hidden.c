// SPDX-License-Identifier: GPL-2.0-or-later
/* domain_id is nowhere to be seen: not in any file of /proc or /sys, no log line, no message. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "all_topics.h"
#include "klog.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

#define MOST 4096 /* kibibytes of one file */

static const char *secret;
static unsigned long searched, found;

/* Reading these waits, or gives this program's own memory. */
static bool is_left_out(const char *path)
{
	static const char *const paths[] = { "/proc/kmsg",	   "/proc/kcore",     "/proc/self",
					     "/proc/thread-self",  "/proc/kpage",     "/proc/1/mem",
					     "/proc/1/task",	   "/proc/1/pagemap", "/proc/1/cwd",
					     "/proc/1/root",	   "/proc/1/exe",     "/proc/1/fd/",
					     "/proc/1/map_files/", "/proc/sysrq" };

	for (unsigned int i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!strncmp(path, paths[i], strlen(paths[i])))
			return true;
	return false;
}

/* Neighbouring pieces overlap, so that the secret is found across their border. */
static bool holds_secret(int fd)
{
	static char text[(64 << 10) + 256];
	size_t length = strlen(secret), kept = 0;
	ssize_t n;

	for (int i = 0; i < MOST / 64 && (n = read(fd, text + kept, 64 << 10)) > 0; i++) {
		size_t size = kept + (size_t)n;

		if (memmem(text, size, secret, length))
			return true;
		kept = size < length ? size : length - 1;
		memmove(text, text + size - kept, kept);
	}
	return false;
}

static void search_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return;
	searched++;
	if (holds_secret(fd)) {
		found++;
		diag("%s", path);
	}
	close(fd);
}

static void search(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	char path[4096];
	struct stat st;

	while (entries && (entry = readdir(entries))) {
		if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >=
			    (int)sizeof(path) ||
		    entry->d_name[0] == '.' || is_left_out(path) || lstat(path, &st))
			continue;
		if (strstr(path, secret)) {
			found++;
			diag("%s", path);
		}
		if (S_ISDIR(st.st_mode))
			search(path);
		else if (S_ISREG(st.st_mode))
			search_file(path);
	}
	if (entries)
		closedir(entries);
}

static void expect_hidden(const char *when)
{
	searched = found = 0;
	search("/proc");
	search("/sys");
	ok(!found && searched > 200, "%s: in no file of /proc and /sys", when);
	diag("%lu files", searched);
	ok(!klog_has(secret), "%s: not in the kernel's log", when);
}

/* Requests that fail, and their messages. */
static void try_failures(void)
{
	static const char *const options[] = { "inode_share,dax", "nonsense",
					       "inode_share,cache_strategy=none",
					       "device=/none,inode_share",
					       "fsoffset=1,inode_share" };
	char log[4096];

	for (unsigned int i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int error = erofs_mount_log(image_path("inline"), WORK "/p", secret, options[i],
					    log, sizeof(log));

		ok(error && !strstr(log, secret), "a mount refused for %s does not tell",
		   options[i]);
	}
	ok(erofs_remount(WORK "/a", secret, "inode_share") == 0, "remount with the same domain");
	ok(erofs_remount(WORK "/a", secret, "nonsense") < 0, "remount that is refused");
}

static char *first_line(const char *path)
{
	char *text = path ? slurp(path) : NULL;

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The text that search() looks for is found where it is. */
static void try_search(void)
{
	char *name = strdup(secret);

	secret = "erofs";
	searched = found = 0;
	search_file("/proc/filesystems");
	ok(found == 1 && searched == 1, "the search finds what is there");
	secret = name;
}

void topic_hidden(void)
{
	int fd;

	secret = first_line(getenv("DOMAIN_FILE"));
	if (!secret || !*secret) {
		ok(false, "DOMAIN_FILE names a file with a domain");
		return;
	}
	try_search();
	share("inline", WORK "/a", secret);
	share("other", WORK "/b", secret);
	ok_shares(SHARED, WORK "/a", WORK "/b", tree_file("5000"),
		  "two images of the domain share");
	fd = open_at(WORK "/a", "mib", O_RDONLY);
	try_failures();
	expect_hidden("with two mounts, an open file, and requests that were refused");
	close(fd);
	unmount(WORK "/b");
	unmount(WORK "/a");
	ok(!klog_has(secret), "unmounted: not in the kernel's log");
}
