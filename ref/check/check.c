// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The order of a check: superblock, devices, special inodes, prefix table, tree. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "domain/domain.h"

/* 1 MiB of windows for the walk: more cost more than they save (measured). A few to show. */
#define WALK_LINES 256u
#define ROW_LINES 4u

/*
 * Grants more than the image can need even if its metadata is small and its devices were not given;
 * but no more than some images need altogether, so that many small ones are not much work.
 */
#define FREE_WORK (1024u * 1024u)
#define FREE_WORK_OF_ALL (16u * FREE_WORK)

bool spend(struct check *check, enum unexamined_thing thing, uint64_t bytes)
{
	if (bytes <= check->budget) {
		check->budget -= bytes;
		return true;
	}
	not_examined(check, thing, OVERLAPS);
	return false;
}

static bool check_internal(struct check *check, const struct file *file, const char *name)
{
	if (inode_internal(&file->inode))
		return true;
	report(check, ISHARE_RULE_INODE_INTERNAL,
	       place_field(file->space, ISHARE_STRUCT_INODE_COMPACT, file->offset,
			   ISHARE_INODE_COMPACT_I_MODE_OFFSET),
	       "the %s has i_mode 0%06" PRIo32 ": not a regular file", name, file->inode.mode);
	return false;
}

/* The data of an inode that is itself metadata. */
static void open_space(struct check *check, struct space *space, const char *name, uint64_t nid)
{
	check->fixed_path = name;
	space->name = name;
	space->lost = true;
	if (check_inode(check, nid, &space->file) && check_internal(check, &space->file, name)) {
		space->encoded = ishare_inode_is_compressed(&space->file.inode);
		space->readable = !space->encoded;
		space->lost = false;
		space->size = space->file.inode.size;
	}
	check->fixed_path = NULL;
}

/* As a kernel does: the packed inode first, and both before the prefix table is known. */
void check_special_inodes(struct check *check)
{
	struct ishare_image *image = check->image;
	const struct ishare_superblock *sb = &image->sb;

	if (ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_FRAGMENTS) && sb->packed_nid &&
	    sb_packed_nid(sb))
		open_space(check, &image->packed, "packed inode", sb->packed_nid);
	if (!ishare_has_incompat(sb, ISHARE_FEATURE_INCOMPAT_METABOX))
		return;
	if (sb_metabox_slot(sb) && sb_metabox_self(sb, &image->ext))
		open_space(check, &image->metabox, "metabox", image->ext.metabox_nid);
	else
		image->metabox.lost = true;
}

static void reset_image(struct ishare_image *image)
{
	memset(&image->sb, 0, sizeof(image->sb));
	memset(&image->ext, 0, sizeof(image->ext));
	memset(&image->metabox, 0, sizeof(image->metabox));
	memset(&image->packed, 0, sizeof(image->packed));
	free(image->extents);
	free(image->sorted);
	free(image->prefixes.items);
	free(image->prefixes.bytes);
	memset(&image->prefixes, 0, sizeof(image->prefixes));
	image->extents = NULL;
	image->extent_count = 0;
	image->sorted = NULL;
	image->sorted_count = 0;
	image->extents_lost = false;
	image->flat = false;
	tree_release(&image->tree);
	image->space = (struct space){ .name = "image",
				       .size = ishare_image_size(image),
				       .readable = true,
				       .is_image = true };
	image->metabox.name = "metabox";
	image->packed.name = "packed inode";
}

static uint64_t free_work(const struct check *check)
{
	uint64_t used = check->summary->extra_work;
	uint64_t left = used < FREE_WORK_OF_ALL ? FREE_WORK_OF_ALL - used : 0;

	return left < FREE_WORK ? left : FREE_WORK;
}

/* What is held is spent first. */
static void count_extra_work(struct check *check)
{
	uint64_t granted = free_work(check);

	if (check->budget < granted)
		check->summary->extra_work += granted - check->budget;
}

static bool check_init(struct check *check)
{
	bool ready;

	check->directory = NO_DIRECTORY;
	check->seed = check->seen.seed = hash_seed();
	check->budget = free_work(check);
	for (uint32_t i = 0; i < check->image->device_count; i++)
		check->budget += check->image->devices[i].held;
	ready = reader_init(&check->reader, check->image, WALK_LINES);
	return reader_init(&check->rows, check->image, ROW_LINES) && ready;
}

static void check_release(struct check *check)
{
	reader_release(&check->reader);
	reader_release(&check->rows);
	seen_release(&check->seen);
	ishare_budget_free(check->own_budget);
	free(check->block);
	free(check->area);
	free(check->names);
}

static bool start_digests(struct check *check)
{
	struct ishare_budget *budget = check->options->budget;

	if (!budget)
		budget = check->own_budget = ishare_budget_new(ISHARE_BUDGET_BYTES);
	if (!budget) {
		check_no_memory(check);
		return false;
	}
	check->digests = digest_start(check->image, budget, check->options->threads);
	return check->digests;
}

static void check_files(struct check *check)
{
	if (check->options->digests && !start_digests(check)) {
		check->failed = true;
		return;
	}
	check_tree(check);
	if (check->digests)
		digest_finish(check->digests, check);
}

/*
 * Behind that, a block device made of the image reads as zeros, and a mount of the file as an
 * error.
 */
static void end_with_last_sector(struct space *space)
{
	space->size -= space->size % ISHARE_SECTOR_SIZE;
}

/*
 * A read that failed where nothing could be said of it counts, too, such as one of bytes that a
 * finding shows.
 */
static void end_check(struct check *check)
{
	if (check->stopped)
		return;
	if (!check->failed && check->reader.error[0])
		check_failed(check, &check->reader);
	if (!check->failed && check->rows.error[0])
		check_failed(check, &check->rows);
	tell_omitted(check);
	tell_hidden(check);
	tell_unexamined(check);
}

static enum ishare_result run_check(struct check *check)
{
	enum ishare_result result;

	if (check_superblock(check, &result)) {
		end_with_last_sector(&check->image->space);
		check_devices(check);
		if (!check->failed)
			check_special_inodes(check);
		if (!check->failed)
			check_prefixes(check);
		if (!check->failed)
			check_files(check);
	}
	end_check(check);
	if (check->stopped)
		return ISHARE_STOPPED;
	if (check->failed)
		return ISHARE_IO_ERROR;
	return check->cut_short ? ISHARE_CUT_SHORT : result;
}

enum ishare_result ishare_check(struct ishare_image *image, const struct ishare_options *options,
				const struct ishare_sink *sink, struct ishare_domain *domain,
				struct ishare_summary *summary)
{
	struct check check = { .image = image,
			       .options = options,
			       .sink = sink,
			       .domain = domain,
			       .summary = summary };
	enum ishare_result result;

	if (!image->device_count)
		return ISHARE_IO_ERROR;
	image->error[0] = '\0';
	reset_image(image);
	image->flat = options->flat && image->device_count == 1;
	if (check_init(&check))
		result = run_check(&check);
	else
		result = image_error(image, ISHARE_IO_ERROR, "out of memory");
	count_extra_work(&check);
	check_release(&check);
	return result;
}
