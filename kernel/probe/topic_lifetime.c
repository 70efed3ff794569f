// SPDX-License-Identifier: GPL-2.0-or-later
/* How long shared pages live, and that data can be read as long as anything can ask for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "all_topics.h"
#include "content.h"
#include "mounts.h"
#include "readers.h"
#include "tap.h"

static const struct file *file;

static void mount_both(void)
{
	share("inline", WORK "/a", "d");
	share("other", WORK "/b", "d");
}

static bool mapped_right(const uint8_t *map)
{
	return content_is(file->seed, 0, map, file->size);
}

static uint8_t *map_at(const char *directory)
{
	int fd = open_at(directory, file->name, O_RDONLY);
	uint8_t *map = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	return map;
}

/* Drops the pages by way of one image, so that a mapping through the other has to ask for them. */
static void drop_pages(const char *directory)
{
	int fd = open_at(directory, file->name, O_RDONLY);

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static void try_close(void)
{
	mount_both();
	read_at(&readers[0], WORK "/a", file);
	ok_resident(true, WORK "/b", file, "the reader has closed");
	ok_resident(true, WORK "/a", file, "the reader has closed");
	unmount(WORK "/a");
	unmount(WORK "/b");
}

static void try_unmount_order(const char *first, const char *second)
{
	mount_both();
	read_at(&readers[0], WORK "/a", file);
	resident_at(WORK "/b", file->name);
	unmount(first);
	ok_resident(true, second, file, "the other is unmounted");
	ok_content(second, file, "the other is unmounted");
	drop_pages(second);
	ok_content(second, file, "the other is unmounted and the pages were dropped");
	unmount(second);
}

/* The other has been looked up last, so it serves; then it goes. */
static void try_server_goes(void)
{
	int fd;

	mount_both();
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	resident_at(WORK "/b", file->name);
	ok(!read_private_mapping(fd, file), "served by the other");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	unmount(WORK "/b");
	ok(!read_private_mapping(fd, file),
	   "the serving image was unmounted: its own image serves");
	close(fd);
	unmount(WORK "/a");
}

static void try_unlink(void)
{
	if (copy_file(image_path("inline"), WORK "/copy.erofs"))
		give_up("copy", -errno);
	if (erofs_mount(WORK "/copy.erofs", WORK "/a", "d", "inode_share"))
		give_up(WORK "/copy.erofs", -EINVAL);
	share("other", WORK "/b", "d");
	unlink(WORK "/copy.erofs");
	ok_shares(SHARED, WORK "/a", WORK "/b", file, "an image that was unlinked shares");
	ok_content(WORK "/a", file, "its image was unlinked");
	unmount(WORK "/b");
	ok_content(WORK "/a", file, "its image was unlinked, the other unmounted");
	unmount(WORK "/a");
}

static void try_busy(void)
{
	uint8_t *map;

	mount_both();
	map = map_at(WORK "/a");
	ok(umount2(WORK "/a", 0) && errno == EBUSY, "a mapping keeps its mount: EBUSY");
	unmount(WORK "/b");
	ok(mapped_right(map), "the mapping has its content without the other image");
	munmap(map, file->size);
	unmount(WORK "/a");
}

static void try_lazy_descriptor(void)
{
	int fd;

	mount_both();
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	resident_at(WORK "/b", file->name);
	ok(!umount2(WORK "/a", MNT_DETACH), "lazy unmount with an open file");
	unmount(WORK "/b");
	drop_caches();
	ok(!read_plainly(fd, file), "the open file has its content");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ok(!read_private_mapping(fd, file), "and still has when the pages were dropped");
	close(fd);
}

/* The other image goes, and the pages: now the mapping's own image has to serve. */
static void lose_other(const uint8_t *map, const char *what)
{
	drop_pages(WORK "/b");
	unmount(WORK "/b");
	drop_caches();
	ok(mapped_right(map), "%s, the other image gone", what);
}

static void try_lazy_mapping(void)
{
	uint8_t *map;

	mount_both();
	map = map_at(WORK "/a");
	umount2(WORK "/a", MNT_DETACH);
	drop_caches();
	ok(mapped_right(map), "lazy unmount with a mapping: it has its content");
	lose_other(map, "lazy unmount with a mapping");
	munmap(map, file->size);
}

/* Mapped, closed, and nothing else holds the inode. */
static void try_evicted(void)
{
	uint8_t *map;

	share("inline", WORK "/a", "d");
	map = map_at(WORK "/a");
	drop_caches();
	drop_caches();
	ok(mapped_right(map), "a mapping of a closed file after drop_caches");
	drop_pages(WORK "/a");
	munmap(map, file->size);
	unmount(WORK "/a");
}

/* The dentry that the mapping holds is the overlay's, not that of the image. */
static void try_overlay_mapping(void)
{
	uint8_t *map;

	mount_both();
	mount_overlay();
	map = map_at(WORK "/p");
	drop_caches();
	drop_caches();
	ok(mapped_right(map), "a mapping through an overlay after drop_caches");
	lose_other(map, "a mapping through an overlay");
	umount2(WORK "/p", MNT_DETACH);
	umount2(WORK "/a", MNT_DETACH);
	drop_caches();
	drop_caches();
	ok(mapped_right(map), "a mapping through an overlay after lazy unmounts");
	munmap(map, file->size);
}

/* In-memory inodes: what sharing adds goes with the last sharer. */
static void try_released(void)
{
	long before, both, one, none;

	mount_both();
	drop_caches();
	before = count_inodes();
	read_at(&readers[0], WORK "/a", file);
	read_at(&readers[0], WORK "/b", file);
	both = count_inodes();
	ok(both == before + 3, "two real inodes and one shared inode: %ld more", both - before);
	unmount(WORK "/b");
	one = count_inodes();
	unmount(WORK "/a");
	none = count_inodes();
	ok(none < one, "the last unmount releases the shared inode");
	share("inline", WORK "/a", "d");
	ok_resident(false, WORK "/a", file, "with the last sharer the pages went");
	unmount(WORK "/a");
	ok(count_inodes() == none, "a mount leaves no inode behind");
}

/* A shared file keeps the shared inode after its image is gone from the tree. */
static void try_released_late(void)
{
	long before = count_inodes(), held;
	int fd;

	share("inline", WORK "/a", "d");
	fd = open_at(WORK "/a", file->name, O_RDONLY);
	umount2(WORK "/a", MNT_DETACH);
	held = count_inodes();
	close(fd);
	ok(count_inodes() < held, "closing the last file after a lazy unmount releases inodes");
	ok(count_inodes() == before, "all of them");
}

void topic_lifetime(void)
{
	file = tree_file("mib");
	try_close();
	try_unmount_order(WORK "/a", WORK "/b");
	try_unmount_order(WORK "/b", WORK "/a");
	try_server_goes();
	try_unlink();
	try_busy();
	try_lazy_descriptor();
	try_lazy_mapping();
	try_evicted();
	try_overlay_mapping();
	try_released();
	try_released_late();
}
