/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/*
 * An input: how to mount, then one image or two. The guest reads it and the mutator makes it, both
 * byte by byte.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#define FUZZ_HEADER 16

/* The header's bytes. Each image has a byte of options, and a domain. */
enum {
	FUZZ_FIRST, /* FUZZ_MOUNT_* */
	FUZZ_SECOND,
	FUZZ_ACTIONS, /* FUZZ_DO_* */
	FUZZ_REMOUNTS, /* four times two bits, enum fuzz_remount */
	FUZZ_SIZE, /* of the first image, 4 bytes, little-endian; the second is the rest */
	FUZZ_SIZE_END = FUZZ_SIZE + 4
	/* the rest is not used */
};

#define FUZZ_MOUNT_SHARE 0x01 /* inode_share */
#define FUZZ_MOUNT_BLOCK 0x02 /* from a block device, not a file */
#define FUZZ_MOUNT_MEND 0x04 /* make the superblock's checksum right first */
#define FUZZ_MOUNT_NOACL 0x08
#define FUZZ_MOUNT_CACHE 0x30 /* cache_strategy */
#define FUZZ_MOUNT_DOMAIN 0xc0 /* none, a, b, or a long one */

#define FUZZ_DO_SECOND 0x01 /* mount a second image */
#define FUZZ_DO_TWIN 0x02 /* which is the first one again */
#define FUZZ_DO_MAP 0x04
#define FUZZ_DO_SPLICE 0x08
#define FUZZ_DO_FADVISE 0x10
#define FUZZ_DO_DIRECT 0x20
#define FUZZ_DO_FIRST_GOES 0x40 /* unmount the first one first, and read the other again */

enum fuzz_remount {
	FUZZ_REMOUNT_NONE,
	FUZZ_REMOUNT_SHARE,
	FUZZ_REMOUNT_PLAIN, /* neither inode_share nor acl */
	FUZZ_REMOUNT_OTHER, /* the second image: inode_share */
};

#endif
