// SPDX-License-Identifier: GPL-2.0-or-later
#include "readers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "mounts.h"
#include "tap.h"

#define CHUNK (256ul << 10)

static uint8_t buffer[CHUNK];
static char problem[256];
static int64_t wrong_at = -1;

int64_t wrong_byte(void)
{
	return wrong_at;
}

static const char *failed(const char *what)
{
	wrong_at = -1;
	snprintf(problem, sizeof(problem), "%s: %s", what, strerror(errno));
	return problem;
}

static const char *compare(const struct file *file, uint64_t offset, const uint8_t *data,
			   size_t size)
{
	size_t at = content_differs(file->seed, offset, data, size);

	if (at == size)
		return NULL;
	wrong_at = (int64_t)(offset + at);
	snprintf(problem, sizeof(problem), "byte %llu of %llu is 0x%02x",
		 (unsigned long long)(offset + at), (unsigned long long)file->size, data[at]);
	return problem;
}

static const char *ends_at(const struct file *file, uint64_t offset)
{
	if (offset == file->size)
		return NULL;
	wrong_at = -1;
	snprintf(problem, sizeof(problem), "ends after %llu of %llu bytes",
		 (unsigned long long)offset, (unsigned long long)file->size);
	return problem;
}

const char *read_plainly(int fd, const struct file *file)
{
	uint64_t offset = 0;
	const char *wrong = NULL;
	ssize_t n;

	while (!wrong && (n = read(fd, buffer, sizeof(buffer))) > 0) {
		wrong = compare(file, offset, buffer, (size_t)n);
		offset += (uint64_t)n;
	}
	if (wrong)
		return wrong;
	return n < 0 ? failed("read") : ends_at(file, offset);
}

/* Pieces that are no multiple of anything, from the end to the start. */
static const char *read_at_odd_places(int fd, const struct file *file)
{
	const size_t piece = 10007;
	uint64_t end = file->size;
	const char *wrong = NULL;

	while (end && !wrong) {
		size_t n = end < piece ? end : piece;

		end -= n;
		if (pread(fd, buffer, piece, (off_t)end) < (ssize_t)n)
			return failed("pread");
		wrong = compare(file, end, buffer, n);
	}
	return wrong;
}

static const char *read_vectors(int fd, const struct file *file)
{
	struct iovec parts[] = { { buffer, 1 }, { buffer + 1, 4097 }, { buffer + 4098, 30000 } };
	uint64_t offset = 0;
	const char *wrong = NULL;
	ssize_t n;

	while (!wrong && (n = preadv2(fd, parts, 3, (off_t)offset, 0)) > 0) {
		wrong = compare(file, offset, buffer, (size_t)n);
		offset += (uint64_t)n;
	}
	if (wrong)
		return wrong;
	return n < 0 ? failed("preadv2") : ends_at(file, offset);
}

static const char *compare_mapping(int fd, const struct file *file, int flags)
{
	const char *wrong;
	uint8_t *map;

	if (!file->size)
		return NULL;
	map = mmap(NULL, file->size, PROT_READ, flags, fd, 0);
	if (map == MAP_FAILED)
		return failed("mmap");
	wrong = compare(file, 0, map, file->size);
	for (uint64_t i = file->size; !wrong && i % PAGE; i++)
		if (map[i])
			wrong = "the page that holds the end goes on with something else than zeros";
	munmap(map, file->size);
	return wrong;
}

const char *read_private_mapping(int fd, const struct file *file)
{
	return compare_mapping(fd, file, MAP_PRIVATE);
}

const char *read_shared_mapping(int fd, const struct file *file)
{
	return compare_mapping(fd, file, MAP_SHARED);
}

static const char *read_populated_mapping(int fd, const struct file *file)
{
	return compare_mapping(fd, file, MAP_SHARED | MAP_POPULATE);
}

static const char *splice_pipe(int fd, const struct file *file, const int ends[2])
{
	uint64_t offset = 0;
	const char *wrong = NULL;
	ssize_t n;

	while (!wrong && (n = splice(fd, NULL, ends[1], NULL, 64 << 10, 0)) > 0)
		for (ssize_t got; !wrong && n; n -= got) {
			got = read(ends[0], buffer, (size_t)n);
			if (got <= 0)
				return failed("pipe");
			wrong = compare(file, offset, buffer, (size_t)got);
			offset += (uint64_t)got;
		}
	if (wrong)
		return wrong;
	return n < 0 ? failed("splice") : ends_at(file, offset);
}

static const char *read_by_splice(int fd, const struct file *file)
{
	const char *wrong;
	int ends[2];

	if (pipe(ends))
		return failed("pipe");
	wrong = splice_pipe(fd, file, ends);
	close(ends[0]);
	close(ends[1]);
	return wrong;
}

static const char *read_by_sendfile(int fd, const struct file *file)
{
	int out = open(WORK "/sent", O_RDWR | O_CREAT | O_TRUNC, 0600);
	const char *wrong = NULL;
	ssize_t n;

	while ((n = sendfile(out, fd, NULL, CHUNK)) > 0)
		continue;
	if (n < 0)
		wrong = failed("sendfile");
	else if (lseek(out, 0, SEEK_SET) == 0)
		wrong = read_plainly(out, file);
	close(out);
	unlink(WORK "/sent");
	return wrong;
}

/* What was only asked for arrives soon. */
static const char *wait_for_pages(int fd, const struct file *file)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	for (int i = 0; i < 1000; i++) {
		if (resident(fd) >= pages(file->size))
			return NULL;
		nanosleep(&moment, NULL);
	}
	snprintf(problem, sizeof(problem), "%ld of %ld pages after two seconds", resident(fd),
		 pages(file->size));
	return problem;
}

/*
 * One call of readahead(2) may bring in less than it was asked for, so ask for a little at a time.
 */
static const char *read_ahead(int fd, const struct file *file)
{
	for (uint64_t at = 0; at < file->size; at += 64 << 10)
		if (readahead(fd, (off64_t)at, 64 << 10))
			return failed("readahead");
	return wait_for_pages(fd, file);
}

static const char *advise_file(int fd, const struct file *file)
{
	for (uint64_t at = 0; at < file->size; at += 64 << 10) {
		errno = posix_fadvise(fd, (off_t)at, 64 << 10, POSIX_FADV_WILLNEED);
		if (errno)
			return failed("posix_fadvise");
	}
	return wait_for_pages(fd, file);
}

static const char *advise_mapping(int fd, const struct file *file)
{
	uint8_t *map;
	int error = 0;

	if (!file->size)
		return NULL;
	map = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return failed("mmap");
	for (uint64_t at = 0; !error && at < file->size; at += 64 << 10) {
		uint64_t left = file->size - at;

		error = madvise(map + at, left < 64 << 10 ? left : 64 << 10, MADV_WILLNEED);
	}
	munmap(map, file->size);
	return error ? failed("madvise") : wait_for_pages(fd, file);
}

const struct reader readers[] = {
	{ "read", read_plainly },
	{ "pread at odd places", read_at_odd_places },
	{ "preadv2", read_vectors },
	{ "private mapping", read_private_mapping },
	{ "shared mapping", read_shared_mapping },
	{ "populated mapping", read_populated_mapping },
	{ "splice", read_by_splice },
	{ "sendfile", read_by_sendfile },
	{ "readahead", read_ahead },
	{ "posix_fadvise(WILLNEED)", advise_file },
	{ "madvise(WILLNEED)", advise_mapping },
	{ NULL, NULL },
};

long pages(uint64_t size)
{
	return (long)((size + PAGE - 1) / PAGE);
}

long resident(int fd)
{
	struct stat st;
	unsigned char *vector;
	long n = 0, all;
	void *map;

	if (fstat(fd, &st))
		return -1;
	all = pages((uint64_t)st.st_size);
	if (!all)
		return 0;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	vector = calloc((size_t)all, 1);
	if (mincore(map, (size_t)st.st_size, vector))
		n = -1;
	else
		for (long i = 0; i < all; i++)
			n += vector[i] & 1;
	free(vector);
	munmap(map, (size_t)st.st_size);
	return n;
}

int open_at(const char *directory, const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags);
}

long resident_at(const char *directory, const char *name)
{
	int fd = open_at(directory, name, O_RDONLY);
	long n = fd < 0 ? -1 : resident(fd);

	if (fd >= 0)
		close(fd);
	return n;
}

const char *read_at(const struct reader *reader, const char *directory, const struct file *file)
{
	int fd = open_at(directory, file->name, O_RDONLY);
	const char *wrong;

	if (fd < 0)
		return failed("open");
	wrong = reader->read(fd, file);
	close(fd);
	return wrong;
}

bool ok_content(const char *directory, const struct file *file, const char *when)
{
	const char *wrong = NULL;
	const struct reader *reader;

	for (reader = readers; reader->name && !wrong; reader++)
		wrong = read_at(reader, directory, file);
	ok(!wrong, "%s/%s has its own content, %s", directory, file->name, when);
	if (wrong)
		diag("%s: %s", reader[-1].name, wrong);
	return !wrong;
}

bool ok_resident(bool wanted, const char *directory, const struct file *file, const char *why)
{
	long got = resident_at(directory, file->name), all = wanted ? pages(file->size) : 0;

	ok(got == all, "%s/%s is %s memory: %s", directory, file->name, wanted ? "in" : "not in",
	   why);
	if (got != all)
		diag("%ld of %ld pages are", got, pages(file->size));
	return got == all;
}

const char *const sharing_names[] = { "not shared", "shared", "partly shared" };

enum sharing shares(const char *a, const char *b, const struct file *file)
{
	const char *wrong = read_at(&readers[0], a, file);
	long n;

	if (wrong) {
		diag("%s/%s: %s", a, file->name, wrong);
		return FAILED;
	}
	n = resident_at(b, file->name);
	if (n < 0) {
		diag("%s/%s: %s", b, file->name, strerror(errno));
		return FAILED;
	}
	if (n && n != pages(file->size))
		diag("%s/%s: %ld of %ld pages in memory", b, file->name, n, pages(file->size));
	return !n ? APART : n == pages(file->size) ? SHARED : PARTLY;
}

bool ok_shares(enum sharing wanted, const char *a, const char *b, const struct file *file,
	       const char *format, ...)
{
	enum sharing got = shares(a, b, file);
	char words[512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	ok(got == wanted, "%s", words);
	if (got != wanted && got != FAILED)
		diag("%s of %s and %s: %s", file->name, a, b, sharing_names[got]);
	return got == wanted;
}
