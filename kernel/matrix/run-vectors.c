// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts images and reports what happens: the first process of a User-Mode Linux guest whose root
 * is the host's tree.
 *
 * Environment:
 *
 *	LIST	a file with one image a line: its path, and after tabs those of its extra devices
 *	FROM	number of the first line to try, from 0
 *	TO	number of the line to end before
 *	LOG	if set, the results contain what the kernel logged
 *	CONSOLE	if set, what the kernel logs comes on its console as well, and {"step":STEP} tells
 *		what is tried next: "access" or "sharing"
 *
 * On stdout: {"kernel":RELEASE}, one line of JSON for each image, in the order of the list, and
 * {"done":true,"seconds_alone":SECONDS}, the time that the first mounts of all took, with walk and
 * unmount. So the reader knows the image when the guest dies.
 *
 * Each image is mounted alone first, to see what can be read; then twice in one domain, to see
 * which files share pages. Nothing is remounted, and nothing unmounted while a read is under way:
 * either can stop Linux 7.3.4 whatever the image is (kernel/findings/remount-unchecked, unmount).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* A mount point that no image can be below: results must not depend on where the images are. */
#define SCRATCH "/dev"
#define ALONE SCRATCH "/alone"
#define FIRST SCRATCH "/first"
#define SECOND SCRATCH "/second"

/* Sizes come from the image: whatever they are, an image takes only this much time. */
#define INODES_MAX 2000
#define DEPTH_MAX 48
#define PAGES_MAX 64
#define ERRORS_MAX 100
#define FILES_MAX 200
#define LOG_TOLD 1500

#define PAGE 4096

enum { KLOG_READ_CLEAR = 4, KLOG_CLEAR = 5, KLOG_CONSOLE_LEVEL = 8 };

/* A regular file whose first page could be read. */
struct file {
	char path[PATH_MAX];
	uint64_t nid, sum;
};

static struct file files[FILES_MAX];
static unsigned int file_count, inode_count, error_count;
static bool log_wanted;
static double seconds_alone;

/* ---- JSON ---- */

static char line[1 << 20];
static size_t line_size;

static void put(const char *format, ...)
{
	size_t room = sizeof(line) - line_size;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(line + line_size, room, format, arguments);
	va_end(arguments);
	if (size > 0)
		line_size += (size_t)size < room ? (size_t)size : room - 1;
}

/* Bytes that are not ASCII become the characters of the same number. */
static void put_string(const char *text, size_t size)
{
	put("\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = text[i];

		if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			put("\\u%04x", byte);
		else
			put("%c", byte);
	}
	put("\"");
}

static const char *error_name(int error)
{
	return error ? strerrorname_np(error) : "";
}

static void put_error(const char *path, const char *what, const char *detail, int error)
{
	if (error_count++ >= ERRORS_MAX)
		return;
	put("%s[", error_count > 1 ? "," : "");
	put_string(path, strlen(path));
	put(",\"%s\",", what);
	put_string(detail, strlen(detail));
	put(",\"%s\"]", error_name(error));
}

/* ---- One mount alone ---- */

static uint64_t checksum(const unsigned char *data, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;

	while (size--)
		sum = (sum ^ *data++) * 0x100000001b3;
	return sum;
}

/* Reads a page into `data`; returns its size or -1. Readahead would leave reads under way. */
static ssize_t read_page(int fd, off_t offset, unsigned char *data)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	return pread(fd, data, PAGE, offset);
}

static void remember_file(const char *path, uint64_t nid, const unsigned char *data, size_t size)
{
	if (file_count >= FILES_MAX)
		return;
	snprintf(files[file_count].path, sizeof(files[0].path), "%s", path);
	files[file_count].nid = nid;
	files[file_count++].sum = checksum(data, size);
}

static void try_read(const char *root, const char *path, const struct stat *st)
{
	static unsigned char data[PAGE];
	off_t last = st->st_size > 0 ? (st->st_size - 1) / PAGE : -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	if (fd < 0) {
		put_error(path + strlen(root), "open", "", errno);
		return;
	}
	for (off_t page = 0; page <= last; page++) {
		ssize_t size = read_page(fd, page * PAGE, data);

		if (size < 0) {
			put_error(path + strlen(root), "read", "", errno);
			break;
		}
		if (!page && size > 0)
			remember_file(path + strlen(root), st->st_ino, data, size);
		if (page == PAGES_MAX && last > page)
			page = last - 1;
	}
	close(fd);
}

/* Names for which the VFS asks no filesystem, whatever the image says. */
static bool vfs_refuses(const char *name, const struct stat *st)
{
	bool file_or_directory = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);

	if (!strncmp(name, "user.", 5))
		return !name[5] || !file_or_directory;
	if (!strncmp(name, "trusted.", 8))
		return !name[8];
	if (!strncmp(name, "security.", 9))
		return !name[9];
	if (S_ISLNK(st->st_mode))
		return true;
	return strcmp(name, "system.posix_acl_access") && strcmp(name, "system.posix_acl_default");
}

static void try_xattrs(const char *root, const char *path, const struct stat *st)
{
	static char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t size = llistxattr(path, names, sizeof(names));

	if (size < 0)
		put_error(path + strlen(root), "listxattr", "", errno);
	for (ssize_t i = 0; i < size; i += strlen(names + i) + 1) {
		if (vfs_refuses(names + i, st))
			continue;
		if (lgetxattr(path, names + i, value, sizeof(value)) < 0)
			put_error(path + strlen(root), "getxattr", names + i, errno);
	}
	/* A name that is not there is searched for to the end. */
	if (lgetxattr(path, "trusted.none", value, sizeof(value)) < 0 && errno != ENODATA)
		put_error(path + strlen(root), "getxattr", "trusted.none", errno);
}

static void try_inode(const char *root, const char *path, unsigned int depth);

static void try_directory(const char *root, const char *path, unsigned int depth)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	char child[PATH_MAX];

	if (!directory) {
		put_error(path + strlen(root), "open", "", errno);
		return;
	}
	while (errno = 0, (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (inode_count >= INODES_MAX || depth >= DEPTH_MAX)
			break;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) <
		    (int)sizeof(child))
			try_inode(root, child, depth + 1);
	}
	if (!entry && errno)
		put_error(path + strlen(root), "readdir", "", errno);
	closedir(directory);
}

static void try_inode(const char *root, const char *path, unsigned int depth)
{
	char target[PATH_MAX];
	struct stat st;

	inode_count++;
	if (lstat(path, &st)) {
		put_error(path + strlen(root), "stat", "", errno);
		return;
	}
	try_xattrs(root, path, &st);
	if (S_ISREG(st.st_mode))
		try_read(root, path, &st);
	else if (S_ISDIR(st.st_mode))
		try_directory(root, path, depth);
	else if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof(target)) < 0)
		put_error(path + strlen(root), "readlink", "", errno);
}

static int mount_image(const char *image, const char *where, const char *options)
{
	return mount(image, where, "erofs", MS_RDONLY, options) ? errno : 0;
}

/* Announces the next step, to show how far a guest came. */
static void tell_step(const char *step)
{
	if (!getenv("CONSOLE"))
		return;
	printf("{\"step\":\"%s\"}\n", step);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

static void unmount(const char *where)
{
	if (umount2(where, 0))
		put(",\"unmount\":\"%s\"", error_name(errno));
}

static void try_alone(const char *image, const char *devices)
{
	int error = mount_image(image, ALONE, devices);

	file_count = inode_count = error_count = 0;
	put(",\"mount\":\"%s\"", error_name(error));
	if (error)
		return;
	tell_step("access");
	put(",\"errors\":[");
	try_inode(ALONE, ALONE, 0);
	put("],\"inodes\":%u", inode_count);
	if (error_count > ERRORS_MAX)
		put(",\"errors_in_all\":%u", error_count);
	unmount(ALONE);
}

/* ---- Two mounts in a domain ---- */

/*
 * Whether the first page is in memory for this file, without reading it. -1: it could not be asked.
 */
static int page_present(const char *path)
{
	unsigned char present = 0;
	int fd = open(path, O_RDONLY), result = -1;
	void *map;

	if (fd < 0)
		return -1;
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED) {
		if (!mincore(map, PAGE, &present))
			result = present & 1;
		munmap(map, PAGE);
	}
	close(fd);
	return result;
}

/*
 * Reads the first page through the first mount. Whether it is what was read without sharing; -1:
 * unreadable.
 */
static int read_first_page(const struct file *file)
{
	static unsigned char data[PAGE];
	char path[PATH_MAX];
	ssize_t size;
	int fd;

	if (snprintf(path, sizeof(path), FIRST "%s", file->path) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	size = read_page(fd, 0, data);
	close(fd);
	return size < 0 ? -1 : checksum(data, size) == file->sum;
}

enum sharing { SHARED, PRIVATE, OTHER_DATA, UNKNOWN, SHARINGS };

static void try_file(struct file *file, unsigned char *marks)
{
	int same = read_first_page(file), present;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), SECOND "%s", file->path) >= (int)sizeof(path))
		same = -1;
	present = same < 0 ? -1 : page_present(path);
	*marks = present < 0 ? 1 << UNKNOWN : 1 << (present ? SHARED : PRIVATE);
	if (!same)
		*marks |= 1 << OTHER_DATA;
}

static void put_files(const char *key, const unsigned char *marks, enum sharing wanted)
{
	const char *comma = "";

	put(",\"%s\":[", key);
	for (unsigned int i = 0; i < file_count; i++) {
		if (!(marks[i] & 1 << wanted))
			continue;
		put("%s", comma);
		put_string(files[i].path, strlen(files[i].path));
		comma = ",";
	}
	put("]");
}

/*
 * Files are not identified by paths: names may be any bytes, and a file may have several.
 */
static void put_nids(void)
{
	put(",\"nids\":{");
	for (unsigned int i = 0; i < file_count; i++) {
		put("%s", i ? "," : "");
		put_string(files[i].path, strlen(files[i].path));
		put(":%ju", (uintmax_t)files[i].nid);
	}
	put("}");
}

static void try_sharing(const char *image, const char *devices)
{
	static const char *const keys[SHARINGS] = { "shared", "private", "other_data", "unknown" };
	unsigned char marks[FILES_MAX];
	char options[PATH_MAX * 2];
	int error;

	tell_step("sharing");
	snprintf(options, sizeof(options), "inode_share,domain_id=matrix%s%s", *devices ? "," : "",
		 devices);
	error = mount_image(image, FIRST, options);
	if (!error) {
		error = mount_image(image, SECOND, options);
		if (error)
			unmount(FIRST);
	}
	put(",\"share_mount\":\"%s\"", error_name(error));
	if (error)
		return;
	for (unsigned int i = 0; i < file_count; i++)
		try_file(&files[i], &marks[i]);
	for (int i = 0; i < SHARINGS; i++)
		put_files(keys[i], marks, i);
	put_nids();
	unmount(SECOND);
	unmount(FIRST);
}

/* ---- The list ---- */

/* The kernel's messages since the last call; if they are long, the first and the last. */
static void put_log(void)
{
	static const char *const alarming[] = { "WARNING: ", "BUG: ", "cut here", "Busy inodes",
						"KASAN" };
	static char text[1 << 16];
	int size = klogctl(KLOG_READ_CLEAR, text, sizeof(text) - 1);

	if (size <= 0)
		return;
	text[size] = '\0';
	for (size_t i = 0; i < sizeof(alarming) / sizeof(*alarming); i++) {
		if (strstr(text, alarming[i])) {
			put(",\"alarm\":");
			put_string(text, size < LOG_TOLD * 4 ? size : LOG_TOLD * 4);
			return;
		}
	}
	if (log_wanted) {
		put(",\"log\":");
		put_string(text, size < LOG_TOLD ? size : LOG_TOLD);
	}
}

/* "image\tdevice\tdevice\n" -> image, and the devices as mount options. */
static void split(char *text, char *options, size_t room)
{
	char *save, *device;
	size_t used = 0;

	text[strcspn(text, "\n")] = '\0';
	strtok_r(text, "\t", &save);
	*options = '\0';
	while ((device = strtok_r(NULL, "\t", &save)) && used < room)
		used += snprintf(options + used, room - used, "%sdevice=%s", used ? "," : "",
				 device);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void try_image(unsigned long number, char *text)
{
	char devices[PATH_MAX];

	split(text, devices, sizeof(devices));
	line_size = 0;
	put("{\"n\":%lu", number);
	seconds_alone -= now();
	try_alone(text, devices);
	seconds_alone += now();
	try_sharing(text, devices);
	put_log();
	put("}\n");
	fwrite(line, 1, line_size, stdout);
	fflush(stdout);
}

static void die(const char *what)
{
	printf("{\"failed\":\"%s: %s\"}\n", what, error_name(errno));
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	exit(1);
}

static unsigned long number_from(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void prepare(void)
{
	static const char *const points[] = { ALONE, FIRST, SECOND };

	if (mount("none", SCRATCH, "tmpfs", 0, ""))
		die("tmpfs");
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		if (mkdir(points[i], 0755))
			die(points[i]);
	/* Consoles are slow. Messages of a panic reach it all the same. */
	if (!getenv("CONSOLE"))
		klogctl(KLOG_CONSOLE_LEVEL, NULL, 1);
	klogctl(KLOG_CLEAR, NULL, 0);
}

int main(void)
{
	unsigned long from = number_from("FROM", 0), to = number_from("TO", ULONG_MAX);
	const char *list = getenv("LIST");
	static char text[PATH_MAX * 8];
	struct utsname name;
	FILE *images;

	/* What follows would be as final on the host. */
	if (getpid() != 1) {
		fputs("run-vectors: I am the first process of a guest, or nothing\n", stderr);
		return 2;
	}
	log_wanted = getenv("LOG");
	prepare();
	images = list ? fopen(list, "r") : NULL;
	if (!images)
		die("LIST");
	if (!uname(&name))
		printf("{\"kernel\":\"%s\"}\n", name.release);
	for (unsigned long n = 0; n < to && fgets(text, sizeof(text), images); n++)
		if (n >= from)
			try_image(n, text);
	printf("{\"done\":true,\"seconds_alone\":%.3f}\n", seconds_alone);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	return 0;
}
