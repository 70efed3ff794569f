// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define LOOP_MAJOR 7
#define UBD_MAJOR 98
#define UBD_MINORS 16
#define LOOPS 64

const char *const backing_names[BACKINGS] = { "file", "loop", "ubd" };

static int loops;

void give_up(const char *what, int error)
{
	ok(false, "%s: %s", what, strerror(-error));
	done();
	leave_guest();
}

const char *image_path(const char *name)
{
	static char paths[8][512];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s%s", getenv("IMAGES"), name,
		 strchr(name, '.') ? "" : ".erofs");
	return path;
}

/* A loop device with the file, read-only. */
static const char *loop_source(const char *file)
{
	static char paths[4][64];
	char *path = paths[loops % 4];
	int image = open(file, O_RDONLY), device = -1, error = -1;
	struct loop_config config = { .fd = (uint32_t)image };

	config.info.lo_flags = LO_FLAGS_READ_ONLY;
	snprintf(path, sizeof(paths[0]), WORK "/dev/loop%d", loops);
	mknod(path, S_IFBLK | 0600, makedev(LOOP_MAJOR, loops));
	device = open(path, O_RDONLY);
	if (image >= 0 && device >= 0)
		error = ioctl(device, LOOP_CONFIGURE, &config);
	if (image >= 0)
		close(image);
	if (device >= 0)
		close(device);
	if (error)
		return NULL;
	loops++;
	return path;
}

void release_loops(void)
{
	while (loops) {
		char path[64];
		int device;

		snprintf(path, sizeof(path), WORK "/dev/loop%d", --loops);
		device = open(path, O_RDONLY);
		if (device < 0)
			continue;
		ioctl(device, LOOP_CLR_FD);
		close(device);
	}
}

/* UBD is a list of names separated by commas: what ubda, ubdb... were given. */
static const char *ubd_source(const char *name)
{
	static char path[4][64];
	static unsigned int next;
	const char *list = getenv("UBD");
	size_t length = strlen(name);

	for (int i = 0; list && *list; i++) {
		size_t n = strcspn(list, ",");

		if (n == length && !strncmp(list, name, n)) {
			char *node = path[next++ % 4];

			snprintf(node, sizeof(path[0]), WORK "/dev/ubd%c", 'a' + i);
			mknod(node, S_IFBLK | 0600, makedev(UBD_MAJOR, i * UBD_MINORS));
			return access(node, R_OK) ? NULL : node;
		}
		list += n + (list[n] == ',');
	}
	return NULL;
}

const char *image_source(enum backing backing, const char *name)
{
	switch (backing) {
	case ON_LOOP:
		return loop_source(image_path(name));
	case ON_UBD:
		return ubd_source(name);
	default:
		return image_path(name);
	}
}

const char *why_no_backing(enum backing backing)
{
	return backing == ON_LOOP ? "no loop device (CONFIG_BLK_DEV_LOOP)"
				  : "the guest was started without this UBD device";
}

const char *source_or_skip(enum backing backing, const char *name)
{
	const char *source = image_source(backing, name);

	if (!source)
		skip(why_no_backing(backing), "%s on %s", name, backing_names[backing]);
	return source;
}

static int set_string(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) ? -errno : 0;
}

static int set_option(int fs, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0) ? -errno : 0;
	*value++ = '\0';
	return set_string(fs, option, value);
}

static int set_options(int fs, const char *domain, const char *options)
{
	char *copy = strdup(options), *rest = copy, *option;
	int error = domain ? set_string(fs, "domain_id", domain) : 0;

	while (!error && (option = strsep(&rest, ",")))
		if (*option)
			error = set_option(fs, option);
	free(copy);
	return error;
}

#define FSCONFIG_MOST 255

/* @flags: MS_REMOUNT or 0. */
static int mount_old(const char *source, const char *at, const char *domain, const char *options,
		     unsigned long flags)
{
	char data[4096];

	snprintf(data, sizeof(data), "domain_id=%s%s%s", domain, *options ? "," : "", options);
	return mount(source, at, "erofs", MS_RDONLY | flags, data) ? -errno : 0;
}

static void read_log(int fs, char *log, unsigned int size)
{
	unsigned int used = 0;
	ssize_t n;

	if (!log)
		return;
	while (used + 1 < size && (n = read(fs, log + used, size - used - 1)) > 0)
		used += (unsigned int)n;
	log[used] = '\0';
}

int erofs_mount_log(const char *source, const char *at, const char *domain, const char *options,
		    char *log, unsigned int size)
{
	int fs = fsopen("erofs", FSOPEN_CLOEXEC), mount = -1, error;

	if (fs < 0)
		return -errno;
	error = set_string(fs, "source", source);
	if (!error && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0))
		error = -errno;
	if (!error)
		error = set_options(fs, domain, options);
	if (!error && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		error = -errno;
	if (!error) {
		mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
		if (mount < 0 || move_mount(mount, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH))
			error = -errno;
	}
	read_log(fs, log, size);
	if (mount >= 0)
		close(mount);
	close(fs);
	return error;
}

int erofs_mount(const char *source, const char *at, const char *domain, const char *options)
{
	if (domain && strlen(domain) > FSCONFIG_MOST)
		return mount_old(source, at, domain, options, 0);
	return erofs_mount_log(source, at, domain, options, NULL, 0);
}

int erofs_remount(const char *at, const char *domain, const char *options)
{
	int fs, error;

	if (domain && strlen(domain) > FSCONFIG_MOST)
		return mount_old(NULL, at, domain, options, MS_REMOUNT);
	fs = fspick(AT_FDCWD, at, FSPICK_CLOEXEC);
	if (fs < 0)
		return -errno;
	error = fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) ? -errno : 0;
	if (!error)
		error = set_options(fs, domain, options);
	if (!error && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		error = -errno;
	close(fs);
	return error;
}

void share_on(enum backing backing, const char *name, const char *at, const char *domain)
{
	const char *source = image_source(backing, name);
	char what[128];
	int error = source ? erofs_mount(source, at, domain, "inode_share") : -ENODEV;

	snprintf(what, sizeof(what), "mount %s (%s) at %s", name, backing_names[backing], at);
	if (error)
		give_up(what, error);
}

void share(const char *name, const char *at, const char *domain)
{
	share_on(ON_FILE, name, at, domain);
}

int plain_mount(const char *source, const char *at, const char *type, const char *options)
{
	return mount(source, at, type, MS_RDONLY, options) ? -errno : 0;
}

void mount_overlay(void)
{
	int error = plain_mount("overlay", WORK "/p", "overlay", "lowerdir=" WORK "/a:" WORK "/c");

	if (error)
		give_up("overlay", error);
}

void unmount(const char *at)
{
	if (umount2(at, 0))
		give_up(at, -errno);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

void drop_caches(void)
{
	sync();
	if (!write_text("/proc/sys/vm/drop_caches", "3"))
		give_up("/proc/sys/vm/drop_caches", -errno);
}

bool mount_shows(const char *at, const char *option)
{
	char *mounts = slurp("/proc/self/mounts"), *rest = mounts, *line;
	char where[128];
	bool shows = false;

	snprintf(where, sizeof(where), " %s erofs ", at);
	while (mounts && (line = strsep(&rest, "\n")))
		if (strstr(line, where))
			shows = strstr(strstr(line, where), option) != NULL;
	free(mounts);
	return shows;
}

long count_inodes(void)
{
	char *text = slurp("/proc/sys/fs/inode-nr");
	long inodes = text ? atol(text) : -1;

	free(text);
	return inodes;
}

char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && (n = read(fd, text + size, room - size - 1)) > 0) {
		size += (size_t)n;
		if (room - size < room / 2)
			text = realloc(text, room *= 2);
	}
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = sendfile(out, in, NULL, 1 << 20)) > 0)
		continue;
	close(in);
	close(out);
	return n < 0 ? -errno : 0;
}
