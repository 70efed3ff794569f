// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Judges where the data of a file is, without reading it: inode.chunk-range, inode.data-bounds,
 * -device, -merge.
 */
#include <inttypes.h>

#include "check/judges.h"

/* The first place where a file's data breaks a rule about where it may be. */
struct fault {
	enum ishare_rule_id rule; /* ISHARE_RULE_COUNT: nowhere */
	uint64_t pos; /* in the file */
};

/*
 * Sorted by start, and not overlapping, only the last extent that does not start behind the run and
 * the one after it can hold a part of it.
 */
static bool is_on_one_device(const struct device_map *map, const struct ishare_run *run)
{
	struct ishare_extent blocks = { run->start, run->blocks };
	const struct indexed_extent *e = last_extent(map, run->start);

	if (run->device_id || !e)
		return true;
	if (e->device && !inode_data_device(&blocks, &e->extent))
		return false;
	return e + 1 == map->sorted + map->sorted_count || inode_data_device(&blocks, &e[1].extent);
}

/* Whole blocks: where a device ends within one, Linux cannot read it. */
static enum read_result judge_run(const struct volume *volume, const struct run *run,
				  const struct ishare_run *before, struct fault *fault)
{
	uint64_t size = run->blocks.blocks << volume->sb.blkszbits;
	enum read_result result = run_read_result(volume, run, size);

	if (!is_on_one_device(&volume->map, &run->blocks))
		fault->rule = ISHARE_RULE_INODE_DATA_DEVICE;
	else if (before->blocks && !inode_data_merge(before, &run->blocks))
		fault->rule = ISHARE_RULE_INODE_DATA_MERGE;
	else if (result == READ_OUTSIDE)
		fault->rule = ISHARE_RULE_INODE_DATA_BOUNDS;
	return result;
}

/*
 * Goes from run to run; *holes: bytes of holes before the fault, or the end. Without a fault,
 * returns whether the data can be read: READ_NO_DEVICE if part of it cannot.
 */
static enum read_result judge_runs(struct reader *reader, const struct file *file,
				   struct fault *fault, uint64_t *holes)
{
	enum read_result result, worst = READ_OK;
	struct ishare_run before = { 0 };
	uint32_t apart = 0;
	struct run run;

	for (fault->pos = 0; fault->pos < file->inode.size; fault->pos += run.size) {
		result = map_run(reader, file, fault->pos, &run);
		if (result == READ_OUTSIDE || result == READ_CORRUPT)
			fault->rule = reader->rule;
		if (result != READ_OK)
			return result;
		apart |= run.kind == RUN_HOLE;
		*holes += run.kind == RUN_HOLE ? run.size : 0;
		if (run.kind != RUN_DEVICE)
			continue;
		run.blocks.apart = apart;
		result = judge_run(reader->volume, &run, &before, fault);
		if (fault->rule != ISHARE_RULE_COUNT)
			return result;
		worst = result == READ_OK ? worst : result;
		before = run.blocks;
		apart = 0;
	}
	return worst;
}

/* What says where the data is: the record of a chunk, or the inode. */
static struct place data_place(const struct volume *volume, const struct file *file, uint64_t pos)
{
	uint64_t record;

	if (file->inode.data_layout != ISHARE_INODE_CHUNK_BASED)
		return inode_place(file);
	record = chunk_record(volume, file, pos);
	if ((file->inode.u & ISHARE_CHUNK_FORMAT_INDEXES) != 0)
		return place_struct(file->space, ISHARE_STRUCT_CHUNK_INDEX, record);
	return place_bytes(file->space, record, ISHARE_BLOCK_MAP_SIZE);
}

static void report_fault(struct check *check, const struct file *file, const struct fault *fault)
{
	const char *what = "lies beyond the end of its device";

	if (fault->rule == ISHARE_RULE_INODE_DATA_DEVICE)
		what = "begins on one device and goes on in the range of another";
	else if (fault->rule == ISHARE_RULE_INODE_DATA_MERGE)
		what = "has a block number that continues the chunk before it, but lies elsewhere";
	else if (fault->rule == ISHARE_RULE_INODE_CHUNK_RANGE)
		what = "is in a chunk whose block numbers pass the largest one";
	report(&check->report, fault->rule, data_place(check->volume, file, fault->pos),
	       "its data from byte %" PRIu64 " of %" PRIu64 " on %s", fault->pos, file->inode.size,
	       what);
}

void check_data_place(struct check *check, const struct file *file, struct data_place *data)
{
	struct fault fault = { .rule = ISHARE_RULE_COUNT };
	enum read_result result = judge_runs(&check->reader, file, &fault, &data->holes);

	/* Data in a forbidden place can still be read. */
	if (fault.rule == ISHARE_RULE_COUNT || fault.rule == ISHARE_RULE_INODE_DATA_BOUNDS)
		data->state = result;
	if (fault.rule != ISHARE_RULE_COUNT)
		report_fault(check, file, &fault);
	else if (result != READ_NO_DEVICE || !check->volume->map.lost) /* else: dev.table-bounds */
		not_readable(&check->report, ISHARE_PART_DATA, result, check->reader.error);
}
