// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What is known about an image as a whole: its superblock, and the inodes that hold metadata. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static struct space unread_space(enum space_id id, const char *name)
{
	return (struct space){ .id = id, .name = name, .state = READ_NOTHING };
}

void volume_reset(struct volume *volume, bool flat)
{
	free(volume->map.extents);
	free(volume->map.sorted);
	free(volume->prefixes.items);
	free(volume->prefixes.bytes);
	memset(&volume->sb, 0, sizeof(volume->sb));
	memset(&volume->ext, 0, sizeof(volume->ext));
	memset(&volume->prefixes, 0, sizeof(volume->prefixes));
	volume->map = (struct device_map){ .flat = flat && volume->device_count == 1 };
	volume->image = (struct space){
		.id = SPACE_IMAGE,
		.name = "image",
		.size = volume->device_count ? volume->devices[0].size : 0,
	};
	volume->metabox = unread_space(SPACE_METABOX, "metabox");
	volume->packed = unread_space(SPACE_PACKED, "packed inode");
}

enum read_result superblock_view(struct reader *reader, const struct volume *volume,
				 struct ishare_view *view)
{
	uint64_t size = volume->image.size;

	*view = (struct ishare_view){ 0 };
	if (size <= ISHARE_SUPERBLOCK_OFFSET)
		return READ_OK;
	size -= ISHARE_SUPERBLOCK_OFFSET;
	if (size > ISHARE_CHECKSUM_SIZE_MAX)
		size = ISHARE_CHECKSUM_SIZE_MAX;
	return space_view(reader, &volume->image, ISHARE_SUPERBLOCK_OFFSET, (size_t)size, view);
}

enum read_result read_superblock(struct reader *reader, struct volume *volume)
{
	struct ishare_view view;

	if (superblock_view(reader, volume, &view) != READ_OK)
		return READ_FAILED;
	if (ishare_superblock_read(&view, volume->image.size, &volume->sb, &volume->ext) !=
	    ISHARE_OK)
		return rule_broken(reader, READ_OUTSIDE, ISHARE_RULE_SB_SIZE);
	if (!sb_magic(&volume->sb))
		return rule_broken(reader, READ_CORRUPT, ISHARE_RULE_SB_MAGIC);
	return READ_OK;
}

void not_erofs(enum ishare_rule_id rule, const char *recognised, char *sentence, size_t size)
{
	snprintf(sentence, size, "not an EROFS image: %s (%s)%s",
		 rule == ISHARE_RULE_SB_SIZE ? "too short to hold a superblock"
					     : "no superblock magic",
		 ishare_rules[rule].name, recognised);
}

bool has_packed_inode(const struct volume *volume)
{
	return ishare_has_incompat(&volume->sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS) &&
	       volume->sb.packed_nid && sb_packed_nid(&volume->sb);
}

bool has_metabox(const struct volume *volume)
{
	return ishare_has_incompat(&volume->sb, ISHARE_FEATURE_INCOMPAT_METABOX);
}

enum read_result find_metabox(struct reader *reader, struct volume *volume)
{
	struct space *metabox = &volume->metabox;

	metabox->state = READ_CORRUPT; /* until open_space() has found more */
	metabox->rule = ISHARE_RULE_COUNT;
	if (!sb_metabox_slot(&volume->sb))
		metabox->rule = ISHARE_RULE_SB_METABOX_SLOT;
	else if (!sb_metabox_self(&volume->sb, &volume->ext))
		metabox->rule = ISHARE_RULE_SB_METABOX_SELF;
	else
		return READ_OK;
	return rule_broken(reader, metabox->state, metabox->rule);
}

/* Why the data of an inode cannot be a space, or READ_OK. */
static enum read_result usable(struct reader *reader, const struct ishare_inode *inode)
{
	enum ishare_rule_id fault = broken_form_rule(inode);

	if (fault == ISHARE_RULE_COUNT)
		fault = broken_data_rule(inode);
	if (fault == ISHARE_RULE_COUNT && !inode_compression(&reader->volume->sb, inode))
		fault = ISHARE_RULE_INODE_COMPRESSION;
	if (fault == ISHARE_RULE_COUNT && !inode_internal(inode))
		fault = ISHARE_RULE_INODE_INTERNAL;
	if (fault != ISHARE_RULE_COUNT)
		return rule_broken(reader, READ_CORRUPT, fault);
	return ishare_inode_is_compressed(inode) ? READ_UNSUPPORTED : READ_OK;
}

enum read_result open_space(struct reader *reader, struct space *space, uint64_t nid)
{
	space->state = read_inode(reader, nid, &space->file);
	if (space->state == READ_OUTSIDE)
		space->state = READ_CORRUPT;
	if (space->state == READ_OK)
		space->state = usable(reader, &space->file.inode);
	if (space->state == READ_OK || space->state == READ_UNSUPPORTED)
		space->size = space->file.inode.size;
	space->rule = reader->rule;
	return space->state;
}
