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

struct feature {
	const char *field;
	uint32_t bit;
	const char *word;
};

#define COMPAT(name)                                                  \
	{                                                             \
		"feature_compat", ISHARE_FEATURE_COMPAT_##name, #name \
	}
#define INCOMPAT(name)                                                    \
	{                                                                 \
		"feature_incompat", ISHARE_FEATURE_INCOMPAT_##name, #name \
	}

const char *feature_word(const struct ishare_field *field, uint32_t bit)
{
	static const struct feature features[] = {
		COMPAT(SB_CHKSUM),	  COMPAT(MTIME),
		COMPAT(XATTR_FILTER),	  COMPAT(SHARED_EA_IN_METABOX),
		COMPAT(PLAIN_XATTR_PFX),  COMPAT(ISHARE_XATTRS),
		INCOMPAT(LZ4_0PADDING),	  INCOMPAT(COMPR_CFGS),
		INCOMPAT(CHUNKED_FILE),	  INCOMPAT(DEVICE_TABLE),
		INCOMPAT(ZTAILPACKING),	  INCOMPAT(FRAGMENTS),
		INCOMPAT(XATTR_PREFIXES), INCOMPAT(48BIT),
		INCOMPAT(METABOX),
	};

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].bit == bit && strcmp(features[i].field, field->name) == 0)
			return features[i].word;
	return NULL;
}

bool field_is_number(const struct ishare_field *field)
{
	return !strchr(field->type, '[');
}

uint64_t field_number(const struct ishare_field *field, const uint8_t *bytes)
{
	struct ishare_view view = { bytes, field->size };

	return ishare_number(&view);
}
