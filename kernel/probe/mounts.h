/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting images. Functions that return int return 0 or a negative errno. */
#ifndef PROBE_MOUNTS_H
#define PROBE_MOUNTS_H

#include <stdbool.h>

enum backing { ON_FILE, ON_LOOP, ON_UBD, BACKINGS };

extern const char *const backing_names[BACKINGS];

/*
 * Where the guest may write: a ramfs, made before any topic runs. It has the mount points a, b, c
 * and p, and a file on it can back a mount.
 */
#define WORK "/mnt"

/*
 * Images go by the name of their file, without ".erofs": "lz4", but "blob.blob". The path is valid
 * until the eighth call from here.
 */
const char *image_path(const char *name);

/*
 * What to mount @name from: its file, a loop device, or a UBD device. NULL if the guest has no such
 * device; why_no_backing says why.
 */
const char *image_source(enum backing backing, const char *name);
const char *why_no_backing(enum backing backing);
void release_loops(void);

/* The same, or skips a point and returns NULL. */
const char *source_or_skip(enum backing backing, const char *name);

/*
 * Mounts @source at @at. @domain is domain_id, or NULL. @options are separated by commas. fsopen(2)
 * and its kin take a domain with commas, but of 255 bytes at most; a longer one goes by way of
 * mount(2).
 */
int erofs_mount(const char *source, const char *at, const char *domain, const char *options);

/* The same with a message of the kernel's mount interface, if there was one. */
int erofs_mount_log(const char *source, const char *at, const char *domain, const char *options,
		    char *log, unsigned int size);

int erofs_remount(const char *at, const char *domain, const char *options);

/* Mounts an image, sharing in @domain, or ends the topic as failed. */
void share(const char *name, const char *at, const char *domain);
void share_on(enum backing backing, const char *name, const char *at, const char *domain);

/* Bind mounts, overlays and all that is not EROFS. */
int plain_mount(const char *source, const char *at, const char *type, const char *options);

/* An overlay of a and the empty c at p, or ends the topic as failed. */
void mount_overlay(void);

/* Unmounts, or ends the topic as failed. */
void unmount(const char *at);

/* Drops all unused inodes and pages. */
void drop_caches(void);

/* The line of /proc/mounts on @at. */
bool mount_shows(const char *at, const char *option);

/* In-memory inodes of all filesystems. */
long count_inodes(void);

/* The whole of a small file, NUL-terminated; NULL if it cannot be read. To be freed. */
char *slurp(const char *path);

/* Ends the topic: something failed that has to work for the rest to make sense. */
void give_up(const char *what, int error) __attribute__((noreturn));

int copy_file(const char *from, const char *to);

#endif
