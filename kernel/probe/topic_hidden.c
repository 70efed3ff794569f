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

#define MOST (4 << 20) /* bytes of one file */
#define READABLE (S_IRUSR | S_IRGRP | S_IROTH)

/* mounts, mountinfo and mountstats, of process 1 */
#define SHOWING 3

static const char *secret;
/*
 * Files: searched to the end, with the secret, with the image that is mounted, with nothing to
 * read, and those that failed.
 */
static unsigned long searched, found, showing, without, failed;

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

/*
 * Reads a file to its end, or fails. Neighbouring pieces overlap, so that the secret is found
 * across their border.
 */
static int search_open(int fd, bool *secret_there, bool *image_there)
{
	static char text[(64 << 10) + 256];
	const char *image = image_path("inline");
	size_t length = strlen(secret), kept = 0, total = 0;
	ssize_t n;

	while ((n = read(fd, text + kept, 64 << 10)) > 0) {
		size_t size = kept + (size_t)n;

		*secret_there |= memmem(text, size, secret, length) != NULL;
		*image_there |= memmem(text, size, image, strlen(image)) != NULL;
		kept = size < length ? size : length - 1;
		memmove(text, text + size - kept, kept);
		total += (size_t)n;
		if (total >= MOST)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

/* Kernel threads have no memory, which the files about it say by this error. */
static void search_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	bool secret_there = false, image_there = false;
	int error = fd < 0 ? -errno : search_open(fd, &secret_there, &image_there);

	if (fd >= 0)
		close(fd);
	if (!error) {
		searched++;
	} else if (error == -ESRCH) {
		without++;
	} else {
		failed++;
		diag("not searched to its end: %s: %s", path, strerror(-error));
	}
	showing += image_there;
	if (secret_there) {
		found++;
		diag("%s", path);
	}
}

/* Files without read permission are for writing: writing to them has side effects. */
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
		else if (S_ISREG(st.st_mode) && st.st_mode & READABLE)
			search_file(path);
	}
	if (entries)
		closedir(entries);
}

static void start_search(void)
{
	searched = found = showing = without = failed = 0;
}

/* The kernel's lists of mounts name the image: finding it there shows that the search works. */
static void expect_hidden(const char *when)
{
	start_search();
	search("/proc");
	search("/sys");
	ok(!found, "%s: in no file of /proc and /sys", when);
	ok(!failed, "%s: all files were searched to their end", when);
	ok(showing >= SHOWING, "%s: the same search finds the image in the lists of mounts", when);
	diag("%lu files searched, %lu of them with the image; %lu of kernel threads have nothing to read",
	     searched, showing, without);
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

		ok(error && !strstr(log, secret), "a mount refused for %s does not name it",
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

/* A text that is there is found. */
static void try_search(void)
{
	char *name = strdup(secret);

	secret = "erofs";
	start_search();
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
