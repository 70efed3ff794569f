// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Mounts sets of images and compares every byte that it reads: the first process of a User-Mode
 * Linux guest.
 *
 * Environment:
 *
 *	LIST	a file that says what the sets are, as tests/promise/judge writes it
 *	FROM	number of sets at its beginning to leave out
 *
 * On stdout, a line of words for each thing that happens:
 *
 *	wrong SET IMAGE NAME CONTENT OFFSET HOW		a byte is not the content's
 *	behind SET IMAGE NAME CONTENT OFFSET HOW	a byte behind the end of the file, in a
 *							mapping, is not 0
 *	alarm SET TEXT					the kernel complained
 *	done SET SHARED MOUNTED IMAGES READS ERRORS WHAT	the set was tried; WHAT says which
 *								errors, or -
 *	end						all sets were tried
 *
 * The images of a set are mounted at once, in one domain. In each of a few rounds all pages and
 * inodes are dropped, the files are looked up in a random order (the last one serves all),
 * and read in random ways through random images. No image is unmounted while a read is under way:
 * that can stop Linux 7.3.4 (kernel/findings/unmount).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define SCRATCH "/dev"
#define PAGE 4096u
#define MAX_CONTENTS 16u
#define MAX_IMAGES 8u
#define MAX_DEVICES 8u
#define MAX_FILES 128u
#define MAX_LOOPS 48
#define MAX_SIZE (1u << 20)
#define ROUNDS 3u
#define WRONG_MOST 12u
#define LOOP_MAJOR 7
#define MISC_MAJOR 10
#define LOOP_CONTROL_MINOR 237

enum { KLOG_READ_CLEAR = 4, KLOG_CLEAR = 5, KLOG_CONSOLE_LEVEL = 8 };

struct content {
	unsigned long offset, size;
};

struct image {
	char path[512], devices[MAX_DEVICES][512];
	unsigned int device_count;
	bool on_block, mounted;
};

struct file {
	unsigned int image;
	int content;
	char name[256], hex[512];
};

static struct {
	unsigned long number;
	uint64_t random;
	uint8_t bytes[MAX_SIZE];
	struct content contents[MAX_CONTENTS];
	unsigned int content_count;
	struct image images[MAX_IMAGES];
	unsigned int image_count;
	struct file files[MAX_FILES];
	unsigned int file_count;
	unsigned int wrong, reads, errors, mounted;
	char error_words[256];
} set;

static int loops;
static uint8_t buffer[MAX_SIZE];

static void leave(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	exit(1);
}

static void die(const char *what)
{
	printf("failed %s: %s\n", what, strerror(errno));
	leave();
}

/* ---- Chance ---- */

static uint64_t below(uint64_t limit)
{
	uint64_t z = set.random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % limit;
}

static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

static void shuffle(unsigned int *numbers, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		numbers[i] = i;
	for (unsigned int i = 1; i < count; i++) {
		unsigned int j = (unsigned int)below(i + 1), k = numbers[i];

		numbers[i] = numbers[j];
		numbers[j] = k;
	}
}

/* ---- What goes wrong ---- */

static void count_error(const char *what)
{
	char words[64];

	snprintf(words, sizeof(words), "%s:%s", what, strerrorname_np(errno));
	set.errors++;
	if (strstr(set.error_words, words) ||
	    strlen(set.error_words) + sizeof(words) > sizeof(set.error_words))
		return;
	if (*set.error_words)
		strcat(set.error_words, ",");
	strcat(set.error_words, words);
}

static void report(const char *kind, const struct file *file, uint64_t offset, const char *how)
{
	if (set.wrong++ < WRONG_MOST)
		printf("%s %lu %u %s %d %ju %s\n", kind, set.number, file->image, file->hex,
		       file->content, (uintmax_t)offset, how);
}

static uint64_t size_of(const struct file *file)
{
	return set.contents[file->content].size;
}

static void compare(const struct file *file, uint64_t offset, const uint8_t *bytes, size_t size,
		    const char *how)
{
	const uint8_t *right = set.bytes + set.contents[file->content].offset + offset;

	set.reads++;
	if (offset + size > size_of(file)) {
		report("wrong", file, size_of(file), how);
		return;
	}
	if (!memcmp(bytes, right, size))
		return;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == right[i])
			continue;
		report("wrong", file, offset + i, how);
		return;
	}
}

/* ---- Ways to read ---- */

static void drop_pages(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void read_from(int fd, const struct file *file, uint64_t offset, size_t piece,
		      const char *how)
{
	ssize_t n = 0;

	while (offset <= size_of(file) && (n = pread(fd, buffer, piece, (off_t)offset)) > 0) {
		compare(file, offset, buffer, (size_t)n, how);
		offset += (uint64_t)n;
	}
	if (n < 0)
		count_error("read");
	else if (offset < size_of(file))
		report("wrong", file, offset, how);
}

static void read_all(int fd, const struct file *file)
{
	static const size_t pieces[] = { 1 << 20, 1 << 16, PAGE, 3 * PAGE, 10007, 1 << 14 };

	read_from(fd, file, 0, pieces[below(sizeof(pieces) / sizeof(*pieces))], "read");
}

static void read_rest(int fd, const struct file *file)
{
	read_from(fd, file, below(size_of(file)), (size_t)below(1 << 15) + 1, "read-rest");
}

static void read_piece(int fd, const struct file *file, uint64_t offset, size_t size,
		       const char *how)
{
	uint64_t left = size_of(file) - offset, end = offset + (size < left ? size : left);
	ssize_t n = 0;

	while (offset < end && (n = pread(fd, buffer, size, (off_t)offset)) > 0) {
		compare(file, offset, buffer, (size_t)n, how);
		offset += (uint64_t)n;
	}
	if (n < 0)
		count_error("pread");
	else if (offset < end)
		report("wrong", file, offset, how);
}

static void read_pieces(int fd, const struct file *file)
{
	for (unsigned int i = 0; i < 3; i++)
		read_piece(fd, file, below(size_of(file)), (size_t)below(3 * PAGE) + 1, "pread");
}

static void read_backwards(int fd, const struct file *file)
{
	for (uint64_t page = (size_of(file) - 1) / PAGE + 1; page--;)
		read_piece(fd, file, page * PAGE, PAGE, "pread-backwards");
}

static void read_one_by_one(int fd, const struct file *file)
{
	unsigned int pages[MAX_SIZE / PAGE], count = (unsigned int)((size_of(file) - 1) / PAGE + 1);

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	shuffle(pages, count);
	for (unsigned int i = 0; i < count; i++)
		read_piece(fd, file, pages[i] * (uint64_t)PAGE, PAGE, "pread-random");
	posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
}

/* A page that cannot be read is a signal in a mapping. */
static sigjmp_buf no_page;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(no_page, 1);
}

static void compare_page(const struct file *file, const uint8_t *map, uint64_t page,
			 const char *how)
{
	uint64_t start = page * PAGE, size = size_of(file);
	size_t n = size - start < PAGE ? size - start : PAGE;

	if (sigsetjmp(no_page, 1)) {
		errno = EFAULT;
		count_error("mmap");
		return;
	}
	compare(file, start, map + start, n, how);
	for (size_t i = n; i < PAGE; i++) {
		if (!map[start + i])
			continue;
		report("behind", file, start + i, how);
		return;
	}
}

static void read_mapping(int fd, const struct file *file, int flags, int advice, const char *how)
{
	unsigned int pages[MAX_SIZE / PAGE], count = (unsigned int)((size_of(file) - 1) / PAGE + 1);
	uint8_t *map = mmap(NULL, size_of(file), PROT_READ, flags, fd, 0);

	if (map == MAP_FAILED) {
		count_error("mmap");
		return;
	}
	madvise(map, size_of(file), advice);
	shuffle(pages, count);
	for (unsigned int i = 0; i < count; i++)
		compare_page(file, map, pages[i], how);
	munmap(map, size_of(file));
}

static void read_mapped(int fd, const struct file *file)
{
	read_mapping(fd, file, MAP_SHARED, MADV_NORMAL, "mmap");
}

static void read_mapped_randomly(int fd, const struct file *file)
{
	read_mapping(fd, file, MAP_PRIVATE, MADV_RANDOM, "mmap-random");
}

/*
 * In Linux 7.3.4, a mapping that is to be populated with a page that cannot be read is never done.
 */
static bool can_be_read(int fd, const struct file *file)
{
	for (uint64_t at = 0; at < size_of(file); at += PAGE)
		if (pread(fd, buffer, 1, (off_t)at) != 1)
			return false;
	return true;
}

static void read_populated(int fd, const struct file *file)
{
	if (!can_be_read(fd, file)) {
		count_error("mmap-populate");
		return;
	}
	drop_pages(fd);
	read_mapping(fd, file, MAP_SHARED | MAP_POPULATE, MADV_NORMAL, "mmap-populate");
}

static void read_by_splice(int fd, const struct file *file)
{
	loff_t offset = (loff_t)below(size_of(file));
	uint64_t at = (uint64_t)offset;
	int ends[2];
	ssize_t n = 0;

	if (pipe(ends))
		die("pipe");
	while (at <= size_of(file) && (n = splice(fd, &offset, ends[1], NULL, 1 << 16, 0)) > 0) {
		for (ssize_t got; n; n -= got) {
			got = read(ends[0], buffer, (size_t)n);
			if (got <= 0)
				die("pipe");
			compare(file, at, buffer, (size_t)got, "splice");
			at += (uint64_t)got;
		}
	}
	if (n < 0)
		count_error("splice");
	else if (at < size_of(file))
		report("wrong", file, at, "splice");
	close(ends[0]);
	close(ends[1]);
}

static void read_ahead(int fd, const struct file *file)
{
	uint64_t offset = below(size_of(file));

	if (chance(50))
		posix_fadvise(fd, (off_t)offset, (off_t)below(1 << 16), POSIX_FADV_WILLNEED);
	else
		readahead(fd, (off64_t)offset, (size_t)below(1 << 16));
	read_from(fd, file, 0, 1 << 16, "readahead");
}

static void (*const ways[])(int, const struct file *) = {
	read_all,	 read_rest,   read_pieces,	    read_backwards,
	read_one_by_one, read_mapped, read_mapped_randomly, read_populated,
	read_by_splice,	 read_ahead,
};

/* ---- Files ---- */

static int open_file(const struct file *file)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), SCRATCH "/%u/%s", file->image, file->name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		count_error("open");
	return fd;
}

/* A file of which nothing is promised: reading it can still do harm to others. */
static void read_unpromised(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (unsigned int i = 0; i < 3; i++)
		if (pread(fd, buffer, PAGE, (off_t)(below((uint64_t)st.st_size) / PAGE * PAGE)) < 0)
			count_error("other");
}

/* All pages of a file, or some: what is read then begins and ends where others are. */
static void drop_some_pages(int fd, const struct file *file)
{
	if (file->content < 0 || chance(50))
		drop_pages(fd);
	else
		posix_fadvise(fd, (off_t)below(size_of(file)), (off_t)below(size_of(file)) + PAGE,
			      POSIX_FADV_DONTNEED);
}

static void read_file(const struct file *file)
{
	int fd = open_file(file);

	if (fd < 0)
		return;
	if (chance(70))
		drop_some_pages(fd, file);
	if (file->content < 0)
		read_unpromised(fd);
	else
		ways[below(sizeof(ways) / sizeof(*ways))](fd, file);
	close(fd);
}

/* Reads what there is once more, so that nothing is under way any longer. */
static void read_at_last(const struct file *file)
{
	int fd = file->content < 0 ? -1 : open_file(file);

	if (fd < 0)
		return;
	read_from(fd, file, 0, sizeof(buffer), "at-last");
	close(fd);
}

static bool is_mounted(const struct file *file)
{
	return set.images[file->image].mounted;
}

/* ---- Rounds ---- */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void drop_caches(const char *what)
{
	write_text(SCRATCH "/proc/sys/vm/drop_caches", what);
}

static void look_up_files(void)
{
	unsigned int order[MAX_FILES];
	struct stat st;
	char path[512];

	shuffle(order, set.file_count);
	for (unsigned int i = 0; i < set.file_count; i++) {
		const struct file *file = &set.files[order[i]];

		snprintf(path, sizeof(path), SCRATCH "/%u/%s", file->image, file->name);
		if (is_mounted(file) && lstat(path, &st))
			count_error("stat");
	}
}

static void do_round(void)
{
	drop_caches(chance(70) ? "3" : "2");
	look_up_files();
	for (unsigned int i = 0; i < set.file_count; i++) {
		const struct file *file = &set.files[below(set.file_count)];

		if (is_mounted(file))
			read_file(file);
	}
}

/* ---- Are pages shared? ---- */

/* Whether the first page is in memory: -1 if that cannot be said. */
static int first_page_present(int fd)
{
	unsigned char present = 0;
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	if (mincore(map, PAGE, &present))
		present = 0xff;
	munmap(map, PAGE);
	return present == 0xff ? -1 : present & 1;
}

/* What is read through one comes into memory for the other, too, and was not there before. */
static bool shares_pages(const struct file *a, const struct file *b)
{
	int first = open_file(a), second = open_file(b);
	bool shares = false;

	if (first >= 0 && second >= 0) {
		drop_pages(first);
		drop_pages(second);
		if (!first_page_present(second) && pread(first, buffer, 1, 0) == 1)
			shares = first_page_present(second) == 1;
	}
	if (first >= 0)
		close(first);
	if (second >= 0)
		close(second);
	return shares;
}

static bool may_share(const struct file *a, const struct file *b)
{
	return a->image != b->image && a->content >= 0 && a->content == b->content &&
	       is_mounted(a) && is_mounted(b) &&
	       set.images[a->image].on_block == set.images[b->image].on_block;
}

static bool set_shares(void)
{
	unsigned int order[MAX_FILES], tries = 0;

	shuffle(order, set.file_count);
	for (unsigned int i = 0; i < set.file_count; i++)
		for (unsigned int j = 0; j < i && tries < 8; j++) {
			const struct file *a = &set.files[order[i]], *b = &set.files[order[j]];

			if (!may_share(a, b))
				continue;
			tries++;
			if (shares_pages(a, b))
				return true;
		}
	return false;
}

/* ---- Mounting ---- */

static const char *loop_path(int number)
{
	static char paths[MAX_LOOPS][32];

	snprintf(paths[number], sizeof(paths[number]), SCRATCH "/loop%d", number);
	return paths[number];
}

static const char *attach(const char *file)
{
	int image = open(file, O_RDONLY), device;
	struct loop_config config = { .fd = (uint32_t)image };

	if (loops >= MAX_LOOPS)
		die("more loop devices are needed");
	device = open(loop_path(loops), O_RDONLY);
	config.info.lo_flags = LO_FLAGS_READ_ONLY;
	if (image < 0 || device < 0 || ioctl(device, LOOP_CONFIGURE, &config))
		die(file);
	close(image);
	close(device);
	return loop_path(loops++);
}

static void detach_all(void)
{
	while (loops) {
		int device = open(loop_path(--loops), O_RDONLY);

		if (device < 0 || ioctl(device, LOOP_CLR_FD))
			die(loop_path(loops));
		close(device);
	}
}

static bool set_string(int fs, const char *key, const char *value)
{
	return !fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static bool set_options(int fs, const struct image *image)
{
	char domain[32];

	snprintf(domain, sizeof(domain), "set-%lu", set.number);
	for (unsigned int i = 0; i < image->device_count; i++)
		if (!set_string(fs, "device",
				image->on_block ? attach(image->devices[i]) : image->devices[i]))
			return false;
	return set_string(fs, "source", image->on_block ? attach(image->path) : image->path) &&
	       set_string(fs, "domain_id", domain) &&
	       !fsconfig(fs, FSCONFIG_SET_FLAG, "inode_share", NULL, 0) &&
	       !fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0);
}

static void mount_image(unsigned int number)
{
	struct image *image = &set.images[number];
	int fs = fsopen("erofs", FSOPEN_CLOEXEC), mount = -1;
	char at[32];

	snprintf(at, sizeof(at), SCRATCH "/%u", number);
	if (fs < 0)
		die("fsopen");
	if (set_options(fs, image) && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	image->mounted =
		mount >= 0 && !move_mount(mount, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH);
	if (image->mounted)
		set.mounted++;
	else
		count_error("mount");
	if (mount >= 0)
		close(mount);
	close(fs);
}

static void mount_images(void)
{
	unsigned int order[MAX_IMAGES];

	shuffle(order, set.image_count);
	for (unsigned int i = 0; i < set.image_count; i++)
		mount_image(order[i]);
}

static void unmount_images(void)
{
	unsigned int order[MAX_IMAGES];
	char at[32];

	shuffle(order, set.image_count);
	for (unsigned int i = 0; i < set.image_count; i++) {
		snprintf(at, sizeof(at), SCRATCH "/%u", order[i]);
		if (set.images[order[i]].mounted && umount2(at, 0))
			die(at);
	}
	detach_all();
}

/* ---- Sets ---- */

static void tell_alarms(void)
{
	static const char *const alarming[] = { "WARNING: ", "BUG: ", "cut here", "Busy inodes",
						"KASAN" };
	static char text[1 << 16];
	int size = klogctl(KLOG_READ_CLEAR, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	for (size_t i = 0; i < sizeof(alarming) / sizeof(*alarming); i++) {
		char *at = strstr(text, alarming[i]);

		if (!at)
			continue;
		printf("alarm %lu %.*s\n", set.number, (int)strcspn(at, "\n"), at);
		return;
	}
}

static void try_set(void)
{
	bool shared;

	mount_images();
	shared = set_shares();
	for (unsigned int i = 0; i < ROUNDS; i++)
		do_round();
	for (unsigned int i = 0; i < set.file_count; i++)
		if (is_mounted(&set.files[i]))
			read_at_last(&set.files[i]);
	unmount_images();
	tell_alarms();
	printf("done %lu %d %u %u %u %u %s\n", set.number, shared, set.mounted, set.image_count,
	       set.reads, set.errors, *set.error_words ? set.error_words : "-");
	fflush(stdout);
}

static void read_contents(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, set.bytes, sizeof(set.bytes)) < 0)
		die(path);
	close(fd);
}

static void take_image(char *words)
{
	struct image *image = &set.images[set.image_count++];
	char *save, *word = strtok_r(words, " \n", &save);

	/* Number, mode, size of a block: for readers of the list. */
	for (unsigned int i = 0; word && i < 3; i++)
		word = strtok_r(NULL, " \n", &save);
	memset(image, 0, sizeof(*image));
	image->on_block = word && !strcmp(word, "block");
	snprintf(image->path, sizeof(image->path), "%s", strtok_r(NULL, " \n", &save));
	while ((word = strtok_r(NULL, " \n", &save)) && image->device_count < MAX_DEVICES)
		snprintf(image->devices[image->device_count++], sizeof(image->devices[0]), "%s",
			 word);
}

static void take_file(const char *words)
{
	struct file *file = &set.files[set.file_count];
	unsigned int byte;
	size_t size = 0;

	if (set.file_count == MAX_FILES ||
	    sscanf(words, "%u %d %510s", &file->image, &file->content, file->hex) != 3)
		return;
	while (size < sizeof(file->name) - 1 && sscanf(file->hex + 2 * size, "%2x", &byte) == 1)
		file->name[size++] = (char)byte;
	file->name[size] = '\0';
	set.file_count++;
}

static void begin_set(const char *words)
{
	memset(&set, 0, offsetof(__typeof__(set), bytes));
	set.content_count = set.image_count = set.file_count = 0;
	set.wrong = set.reads = set.errors = set.mounted = 0;
	set.error_words[0] = '\0';
	if (sscanf(words, "%lu %ju", &set.number, (uintmax_t *)&set.random) != 2)
		die("LIST");
}

/* One line of the list; true if a set is complete. */
static bool take_line(char *line)
{
	struct content *content = &set.contents[set.content_count % MAX_CONTENTS];

	if (!strncmp(line, "set ", 4))
		begin_set(line + 4);
	else if (!strncmp(line, "contents ", 9))
		read_contents(strtok(line + 9, "\n"));
	else if (!strncmp(line, "content ", 8))
		set.content_count +=
			sscanf(line + 8, "%*u %lu %lu", &content->offset, &content->size) == 2;
	else if (!strncmp(line, "image ", 6) && set.image_count < MAX_IMAGES)
		take_image(line + 6);
	else if (!strncmp(line, "file ", 5))
		take_file(line + 5);
	return !strncmp(line, "end", 3);
}

/* ---- The guest ---- */

static void make_loops(void)
{
	int control;

	if (mknod(SCRATCH "/loop-control", S_IFCHR | 0600, makedev(MISC_MAJOR, LOOP_CONTROL_MINOR)))
		die("loop-control");
	control = open(SCRATCH "/loop-control", O_RDWR);
	for (int i = 0; i < MAX_LOOPS; i++) {
		if (ioctl(control, LOOP_CTL_ADD, i) < 0 && errno != EEXIST)
			die("LOOP_CTL_ADD");
		if (mknod(loop_path(i), S_IFBLK | 0600, makedev(LOOP_MAJOR, i)))
			die(loop_path(i));
	}
	close(control);
}

static void prepare(void)
{
	char at[32];

	if (mount("none", SCRATCH, "tmpfs", 0, "") || mkdir(SCRATCH "/proc", 0755) ||
	    mount("none", SCRATCH "/proc", "proc", 0, ""))
		die(SCRATCH);
	for (unsigned int i = 0; i < MAX_IMAGES; i++) {
		snprintf(at, sizeof(at), SCRATCH "/%u", i);
		if (mkdir(at, 0755))
			die(at);
	}
	make_loops();
	signal(SIGBUS, on_bus_error);
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 1);
	klogctl(KLOG_CLEAR, NULL, 0);
}

int main(void)
{
	const char *list = getenv("LIST"), *from = getenv("FROM");
	unsigned long skip = from ? strtoul(from, NULL, 10) : 0;
	static char line[1 << 14];
	FILE *sets;

	/* What follows would be as final on the host. */
	if (getpid() != 1) {
		fputs("guest: I am the first process of a guest, or nothing\n", stderr);
		return 2;
	}
	prepare();
	sets = list ? fopen(list, "r") : NULL;
	if (!sets)
		die("LIST");
	while (fgets(line, sizeof(line), sets)) {
		if (!take_line(line))
			continue;
		if (skip)
			skip--;
		else
			try_set();
	}
	printf("end\n");
	leave();
}
