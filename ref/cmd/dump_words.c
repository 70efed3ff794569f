// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Names and numbers for both formats of a dump. */
#include <string.h>
#include <sys/stat.h>

#include "dump.h"

const char *layout_word(const struct ishare_inode *inode)
{
	static const char *const words[] = { "flat-plain", "compressed-full", "flat-inline",
					     "compressed-compact", "chunk-based" };

	return inode->data_layout < sizeof(words) / sizeof(words[0]) ? words[inode->data_layout]
								     : "invalid";
}

const char *file_type_word(const struct ishare_inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		return "regular file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symbolic link";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	case S_IFIFO:
		return "FIFO";
	case S_IFSOCK:
		return "socket";
	default:
		return "invalid type";
	}
}

bool field_is_number(const struct ishare_field *field)
{
	return !strchr(field->type, '[');
}

uint64_t field_number(const struct ishare_field *field, const uint8_t *bytes)
{
	switch (field->size) {
	case 1:
		return bytes[0];
	case 2:
		return ishare_le16(bytes);
	case 4:
		return ishare_le32(bytes);
	default:
		return ishare_le64(bytes);
	}
}
