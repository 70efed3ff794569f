// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Images and their devices: opening, closing, and error messages. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"

enum ishare_result image_error(struct ishare_image *image, enum ishare_result result,
			       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(image->error, sizeof(image->error), format, args);
	va_end(args);
	return result;
}

void image_begin(struct ishare_image *image, bool flat)
{
	image->error[0] = '\0';
	volume_reset(&image->volume, flat);
	tree_release(&image->tree);
	image->largest_indexed = 0;
}

static const char *refusal(mode_t mode)
{
	if (S_ISDIR(mode))
		return "is a directory, not an image";
	return "is neither a regular file nor a block device";
}

/*
 * A compressing filesystem holds a file in fewer blocks than it has, though hardly ever in less
 * than a sixteenth; one that reports no blocks at all does not know.
 */
static uint64_t held_by(const struct stat *st, uint64_t size)
{
	uint64_t most = (uint64_t)st->st_blocks * 512 * 16;

	return S_ISREG(st->st_mode) && st->st_blocks && most < size ? most : size;
}

static bool has_right_type(struct ishare_image *image, const struct stat *st)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return true;
	image_error(image, ISHARE_IO_ERROR, "%s", refusal(st->st_mode));
	return false;
}

/* Fills *device from its open descriptor. */
static enum ishare_result measure(struct ishare_image *image, struct device *device)
{
	struct stat st;
	off_t end;

	if (fstat(device->fd, &st) != 0)
		return image_error(image, ISHARE_IO_ERROR, "cannot stat: %s", strerror(errno));
	if (!has_right_type(image, &st))
		return ISHARE_IO_ERROR;
	end = lseek(device->fd, 0, SEEK_END);
	if (end < 0)
		return image_error(image, ISHARE_IO_ERROR, "cannot determine its size: %s",
				   strerror(errno));
	device->size = (uint64_t)end;
	device->held = held_by(&st, device->size);
	return ISHARE_DONE;
}

/*
 * Opening some devices has side effects, so the type is checked first, and again afterwards.
 * O_NONBLOCK: if a FIFO has taken the file's place meanwhile, it is refused, not waited for.
 */
static int open_path(struct ishare_image *image, const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0 && !has_right_type(image, &st))
		return -1;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		image_error(image, ISHARE_IO_ERROR, "cannot open: %s", strerror(errno));
	return fd;
}

/* Room for one more device, which does not count yet; NULL: no memory. */
static struct device *next_device(struct ishare_image *image)
{
	struct device *devices =
		realloc(image->volume.devices, (image->volume.device_count + 1) * sizeof(*devices));

	if (!devices) {
		image_error(image, ISHARE_IO_ERROR, "out of memory");
		return NULL;
	}
	image->volume.devices = devices;
	return &devices[image->volume.device_count];
}

/* Takes the descriptor, also if it fails. */
static enum ishare_result add_file(struct ishare_image *image, int fd)
{
	struct device *device = next_device(image);
	enum ishare_result result = ISHARE_IO_ERROR;

	if (device) {
		*device = (struct device){ .fd = fd };
		result = measure(image, device);
	}
	if (result == ISHARE_DONE)
		image->volume.device_count++;
	else
		close(fd);
	return result;
}

static enum ishare_result add_device(struct ishare_image *image, const char *path)
{
	int fd = open_path(image, path);

	return fd < 0 ? ISHARE_IO_ERROR : add_file(image, fd);
}

enum ishare_result ishare_image_add_memory(struct ishare_image *image, const void *bytes,
					   size_t size)
{
	struct device *device = next_device(image);

	if (!device)
		return ISHARE_IO_ERROR;
	*device = (struct device){ .fd = -1, .bytes = bytes, .size = size, .held = size };
	image->volume.device_count++;
	return ISHARE_DONE;
}

static struct ishare_image *new_image(const char *path)
{
	struct ishare_image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->volume.path = strdup(path);
	if (image->volume.path)
		return image;
	free(image);
	return NULL;
}

enum ishare_result ishare_image_open(const char *path, struct ishare_image **image)
{
	*image = new_image(path);
	return *image ? add_device(*image, path) : ISHARE_IO_ERROR;
}

enum ishare_result ishare_image_open_memory(const char *name, const void *bytes, size_t size,
					    struct ishare_image **image)
{
	*image = new_image(name);
	return *image ? ishare_image_add_memory(*image, bytes, size) : ISHARE_IO_ERROR;
}

enum ishare_result ishare_image_open_fd(const char *name, int fd, struct ishare_image **image)
{
	*image = new_image(name);
	if (*image)
		return add_file(*image, fd);
	close(fd);
	return ISHARE_IO_ERROR;
}

enum ishare_result ishare_image_begin_at(struct ishare_image *image, uint64_t offset)
{
	struct device *file = image->volume.devices;

	if (offset > ishare_image_size(image))
		return image_error(image, ISHARE_IO_ERROR,
				   "no image can begin at byte %" PRIu64 " of %" PRIu64, offset,
				   ishare_image_size(image));
	file->start += offset;
	file->size -= offset;
	if (file->held > file->size)
		file->held = file->size;
	if (file->bytes)
		file->bytes += offset;
	return ISHARE_DONE;
}

/* An error of an extra device names it; those of the image itself need no name. */
enum ishare_result ishare_image_add_device(struct ishare_image *image, const char *path)
{
	enum ishare_result result = add_device(image, path);
	char reason[sizeof(image->error)], shown[ISHARE_ESCAPED_MAX * sizeof(reason) + 1];

	if (result == ISHARE_DONE)
		return result;
	memcpy(reason, image->error, sizeof(reason));
	ishare_escape(shown, path, strnlen(path, sizeof(reason)));
	return image_error(image, result, "%s: %s", shown, reason);
}

const char *ishare_image_error(const struct ishare_image *image)
{
	return image->error;
}

const char *ishare_image_path(const struct ishare_image *image)
{
	return image->volume.path;
}

uint64_t ishare_image_size(const struct ishare_image *image)
{
	return image->volume.device_count ? image->volume.devices[0].size : 0;
}

uint64_t ishare_image_held(const struct ishare_image *image)
{
	return image->volume.device_count ? image->volume.devices[0].held : 0;
}

enum ishare_result ishare_image_read(struct ishare_image *image, uint64_t offset, void *buffer,
				     size_t size)
{
	enum ishare_result result = ISHARE_DONE;
	struct reader reader;

	if (offset > ishare_image_size(image) || size > ishare_image_size(image) - offset)
		return image_error(image, ISHARE_IO_ERROR,
				   "reading %zu byte%s at offset %" PRIu64 ": past the end", size,
				   size == 1 ? "" : "s", offset);
	if (!reader_init(&reader, &image->volume, 1))
		return image_error(image, ISHARE_IO_ERROR, "out of memory");
	if (reader_copy(&reader, 0, offset, buffer, size) != READ_OK)
		result = image_error(image, ISHARE_IO_ERROR, "%s", reader.error);
	reader_release(&reader);
	return result;
}

void ishare_image_close(struct ishare_image *image)
{
	if (!image)
		return;
	for (uint32_t i = 0; i < image->volume.device_count; i++)
		if (image->volume.devices[i].fd >= 0)
			close(image->volume.devices[i].fd);
	tree_release(&image->tree);
	volume_reset(&image->volume, false);
	free(image->volume.devices);
	free(image->volume.path);
	free(image);
}
