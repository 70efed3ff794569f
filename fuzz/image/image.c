// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Fuzzes an image in memory: core's decoders and rules, called by libishare's walk, and the reports
 * on it. libFuzzer and AFL++'s driver share one entry point.
 *
 * Violations of these properties are crashes, too. On every input:
 *
 *	input		reading from memory does not fail
 *	steps, memory	a check costs no more than a multiple of the image's size and a constant
 *	place		a finding is about bytes of the image, and says where in it they are, or
 *			which are missing
 *	twice		a second check, with other hashes and as built by another compiler, finds
 *			the same
 *	sums		the summary counts what was reported
 *	answers		a rule is reported if, and only if, core's function for it has said no in
 *			the course of the check
 *	fields		what core decodes is what the bytes say, read one by one
 *	sb.*, dev.*	what is reported is what core's functions decide about the bytes
 *	conforms	so is the verdict: core has all these rules in one function
 *
 * and on some inputs, because it is slow:
 *
 *	text, json, sarif	the reports are well-formed and hold each finding
 *
 * A violated property is named on stderr.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "formats.h"
#include "input.h"
#include "measure.h"

/* The kernel that images are judged for. */
#define PROFILE "linux-7.3"
static struct ishare_options options;

/*
 * The most that a check may cost: a constant, and an amount for each byte of the image.
 *
 * Eight million inputs of AFL++ cost up to 183,000 steps and 700,000 bytes. Images made to be
 * expensive cost more. libishare examines 1 MiB and the image's own size, twice if it is its own
 * device: empty xattrs, the worst, take 11 steps and 4 bytes of memory for each byte; a directory
 * that has the same block again and again takes 3. The limits are three times these, for memory
 * four times.
 */
#define STEPS (32u * 1024 * 1024)
#define STEPS_PER_BYTE 64u
#define MEMORY (2u * 1024 * 1024)
#define MEMORY_PER_BYTE 16u

/*
 * One input in this many is reported as text and JSON, and one in this many also as SARIF, which
 * contains the whole catalogue, and with digests, which need a thread. With FUZZ_FORMATS=N in the
 * environment: every input, and one in N.
 */
static uint64_t formats_every = 128;
static uint64_t sarif_every = 4096;

/* Findings that are kept to show where two checks differ. */
#define KEPT 64u

struct kept {
	enum ishare_rule_id rule;
	uint64_t hash; /* of all that the finding says */
};

/* One check and what it found. */
struct pass {
	const struct library *library;
	struct ishare_image *image;
	const uint8_t *data;
	enum ishare_result result;
	struct ishare_summary summary;
	uint64_t hash; /* of all findings and of what was not examined, in their order */
	uint64_t reported[3]; /* findings by severity */
	uint64_t reported_unexamined;
	uint32_t kept_count;
	struct kept kept[KEPT];
	bool broken[ISHARE_RULE_COUNT];
};

static uint64_t hash_string(const char *string, uint64_t seed)
{
	return string ? hash_bytes(string, strlen(string) + 1, seed) : seed * 31 + 1;
}

/* ---- place ---- */

static const struct ishare_struct *struct_by_name(const char *name)
{
	for (uint32_t i = 0; i < ISHARE_STRUCT_COUNT; i++)
		if (strcmp(ishare_structs[i].name, name) == 0)
			return &ishare_structs[i];
	return NULL;
}

static const struct ishare_field *field_of(const struct ishare_place *place)
{
	const struct ishare_struct *s = struct_by_name(place->structure);

	for (uint32_t i = 0; s && i < s->field_count; i++)
		if (strcmp(s->fields[i].name, place->field) == 0)
			return &s->fields[i];
	return NULL;
}

static uint64_t space_size(const struct volume *volume, const char *name, const char *rule)
{
	if (strcmp(name, volume->image.name) == 0)
		return volume->image.size;
	if (strcmp(name, volume->metabox.name) == 0)
		return volume->metabox.size;
	if (strcmp(name, volume->packed.name) == 0)
		return volume->packed.size;
	if (strcmp(name, "directory data") == 0)
		return listed.inode.size;
	broken("place", "%s is about a space that nobody knows: %s", rule, name);
}

static void check_row(const struct pass *pass, const char *rule, const struct ishare_place *place,
		      uint64_t size)
{
	if (!place->row)
		return;
	if (place->row_size > 64 || place->row_offset % 16 ||
	    !ishare_fits(size, place->row_offset, place->row_size))
		broken("place", "%s shows %" PRIu32 " bytes at %" PRIu64 " of %" PRIu64, rule,
		       place->row_size, place->row_offset, size);
	if (strcmp(place->space, "image") == 0 &&
	    memcmp(place->row, pass->data + place->row_offset, place->row_size) != 0)
		broken("place", "%s shows other bytes than those at %" PRIu64, rule,
		       place->row_offset);
}

static void check_field(const char *rule, const struct ishare_place *place, uint64_t size)
{
	const struct ishare_field *field;

	if (!place->field)
		return;
	field = place->structure ? field_of(place) : NULL;
	if (!field || field->offset != place->field_offset)
		broken("place", "%s names a field %s that is not there", rule, place->field);
	if (place->size != field->size && place->offset + place->size != size)
		broken("place", "%s shows %" PRIu32 " bytes of the field %s", rule, place->size,
		       field->name);
}

static bool is_flat(const struct file *file)
{
	return (file->inode.data_layout == ISHARE_INODE_FLAT_PLAIN ||
		file->inode.data_layout == ISHARE_INODE_FLAT_INLINE) &&
	       file->inode.start_block != ISHARE_NULL_BLOCK;
}

/* Whether all bytes of a space that can be read are certainly in the image. */
static bool is_in_image(const struct volume *volume, const char *space)
{
	const struct file *file = &listed;

	if (strcmp(space, volume->metabox.name) == 0)
		file = &volume->metabox.file;
	else if (strcmp(space, volume->packed.name) == 0)
		file = &volume->packed.file;
	return !volume->map.count && !volume->map.lost && is_flat(file) &&
	       (file->space->id == SPACE_IMAGE || is_flat(&file->space->file));
}

static void check_image_offset(const struct pass *pass, const char *rule,
			       const struct ishare_place *place, uint64_t size)
{
	const struct volume *volume = &pass->image->volume;
	uint64_t offset = place->image_offset;
	bool has_byte = place->row && place->offset < size;

	if (strcmp(place->space, volume->image.name) == 0) {
		if (offset != place->offset)
			broken("place", "%s is at %" PRIu64 " of the image, not at %" PRIu64, rule,
			       offset, place->offset);
		return;
	}
	if (offset == UINT64_MAX) {
		if (has_byte && is_in_image(volume, place->space))
			broken("place", "%s does not say where %" PRIu64 " of %s is in the image",
			       rule, place->offset, place->space);
		return;
	}
	if (offset >= volume->devices[0].size)
		broken("place", "%s is at %" PRIu64 " of an image of %" PRIu64 " bytes", rule,
		       offset, volume->devices[0].size);
	if (has_byte && pass->data[offset] != place->row[place->offset - place->row_offset])
		broken("place", "%s is about another byte than that at %" PRIu64 " of the image",
		       rule, offset);
}

/* If there are no bytes at all, as in an empty directory, all are missing. */
static void check_place(const struct pass *pass, const struct ishare_finding *finding)
{
	const struct ishare_place *place = &finding->place;
	const char *rule = finding->rule->name;
	uint64_t size = space_size(&pass->image->volume, place->space, rule);

	if (!ishare_fits(size, place->offset, place->size))
		broken("place", "%s is about %" PRIu32 " bytes at %" PRIu64 " of %" PRIu64, rule,
		       place->size, place->offset, size);
	if (size && place->offset == size && !strpbrk(finding->message, "0123456789"))
		broken("place", "%s does not say which bytes are missing", rule);
	check_field(rule, place, size);
	check_row(pass, rule, place, size);
	check_image_offset(pass, rule, place, size);
}

/* ---- One check ---- */

static void take_finding(void *context, const struct ishare_finding *finding)
{
	const struct ishare_place *place = &finding->place;
	struct pass *pass = context;
	struct kept kept = { .rule = finding->rule->id, .hash = finding->rule->id };
	const uint64_t numbers[] = { place->offset, place->size, place->image_offset,
				     place->field_offset, place->row_offset };

	if (pass->library == &first_library)
		check_place(pass, finding);
	kept.hash = hash_bytes(numbers, sizeof(numbers), kept.hash);
	kept.hash = hash_string(finding->path, kept.hash);
	kept.hash = hash_string(finding->message, kept.hash);
	kept.hash = hash_string(place->space, kept.hash);
	kept.hash = hash_string(place->field, kept.hash);
	kept.hash = hash_string(finding->other_path, kept.hash);
	if (place->row)
		kept.hash = hash_bytes(place->row, place->row_size, kept.hash);
	pass->hash = hash_bytes(&kept.hash, sizeof(kept.hash), pass->hash);
	pass->reported[finding->rule->severity]++;
	pass->broken[kept.rule] = true;
	if (pass->kept_count < KEPT)
		pass->kept[pass->kept_count++] = kept;
}

static void take_unexamined(void *context, const struct ishare_unexamined *unexamined)
{
	struct pass *pass = context;

	pass->reported_unexamined++;
	pass->hash = hash_bytes(&unexamined->count, sizeof(unexamined->count), pass->hash);
	pass->hash = hash_string(unexamined->path, pass->hash);
	pass->hash = hash_bytes(&unexamined->part, sizeof(unexamined->part), pass->hash);
	pass->hash = hash_bytes(&unexamined->reason, sizeof(unexamined->reason), pass->hash);
}

/* The caller closes the image. */
static void run_pass(struct pass *pass, const struct library *library, const uint8_t *data,
		     size_t size)
{
	struct ishare_sink sink = { .context = pass,
				    .finding = take_finding,
				    .unexamined = take_unexamined };
	struct ishare_domain *domain = library->domain_new();

	memset(pass, 0, sizeof(*pass));
	pass->library = library;
	pass->data = data;
	pass->image = open_input(library, data, size);
	pass->result = library->check(pass->image, &options, &sink, domain, &pass->summary);
	if (pass->result == ISHARE_IO_ERROR)
		broken("input", "it cannot be read: %s", ishare_image_error(pass->image));
	if (library->judge(domain, &options, &sink, &pass->summary) != ISHARE_DONE)
		broken("input", "its fingerprints cannot be read");
	library->domain_free(domain);
}

static void check_sums(const struct pass *pass)
{
	const struct ishare_summary *summary = &pass->summary;

	if (memcmp(summary->findings, pass->reported, sizeof(pass->reported)) != 0)
		broken("sums", "of %" PRIu64 " errors, %" PRIu64 " were reported",
		       summary->findings[ISHARE_ERROR], pass->reported[ISHARE_ERROR]);
	if (summary->unexamined != pass->reported_unexamined)
		broken("sums", "of %" PRIu64 " things not examined, %" PRIu64 " were reported",
		       summary->unexamined, pass->reported_unexamined);
	if (pass->result != ISHARE_DONE && !pass->reported[ISHARE_ERROR])
		broken("sums", "the check was cut short, but no error was reported");
}

/* ---- steps, memory ---- */

static void check_cost(struct cost cost, size_t size)
{
	uint64_t steps = STEPS + (uint64_t)STEPS_PER_BYTE * size;
	size_t memory = MEMORY + MEMORY_PER_BYTE * size;

	if (cost.steps > steps)
		broken("steps", "%" PRIu64 " of at most %" PRIu64 " for %zu bytes", cost.steps,
		       steps, size);
	if (cost.memory > memory)
		broken("memory", "%zu bytes of at most %zu for %zu bytes", cost.memory, memory,
		       size);
}

/* ---- twice ---- */

static void compare_passes(const struct pass *a, const struct pass *b)
{
	uint32_t count = a->kept_count < b->kept_count ? a->kept_count : b->kept_count;

	if (a->result != b->result)
		broken("twice", "the check ends with %d, then with %d", a->result, b->result);
	if (a->hash == b->hash && memcmp(&a->summary, &b->summary, sizeof(a->summary)) == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (a->kept[i].rule != b->kept[i].rule || a->kept[i].hash != b->kept[i].hash)
			broken("twice", "finding %" PRIu32 " is of %s, then of %s", i,
			       ishare_rules[a->kept[i].rule].name,
			       ishare_rules[b->kept[i].rule].name);
	if (a->kept_count != b->kept_count)
		broken("twice", "%s is found only once",
		       ishare_rules[(a->kept_count > count ? a : b)->kept[count].rule].name);
	broken("twice", "the summaries differ, or what follows the first %" PRIu32 " findings",
	       count);
}

/* ---- The rules ---- */

/*
 * A rule is reported if, and only if, core's function for it returned false during the check.
 * Exceptions: for data that cannot be decoded, the decoders decide; inode.data-bounds is also
 * called for data on missing devices, and inode.chunk-range also for data on which another rule was
 * reported.
 */
static void compare_answers(const struct pass *pass)
{
	for (uint32_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (!ishare_rules[i].malformed && i != ISHARE_RULE_INODE_DATA_BOUNDS &&
		    i != ISHARE_RULE_INODE_CHUNK_RANGE && pass->broken[i] != denied[i])
			broken("answers", "core said that %s %s, the check %s",
			       ishare_rules[i].name, denied[i] ? "does not hold" : "holds",
			       denied[i] ? "reports nothing" : "reports it");
}

static void expect(const struct pass *pass, enum ishare_rule_id rule, bool holds)
{
	if (pass->broken[rule] == holds)
		broken(ishare_rules[rule].name, "core says that it %s, the check %s",
		       holds ? "holds" : "does not hold",
		       holds ? "reports it" : "does not report it");
}

/* Bytes that metadata can be in: spec, chapter "Inodes". */
static size_t whole_sectors(size_t size)
{
	return size - size % ISHARE_SECTOR_SIZE;
}

#define EXPECT(rule, member) expect(pass, rule, !faults.member);

/*
 * Judges the whole image from its superblock on, not only what a check reads of it; returns whether
 * the superblock conforms.
 */
static bool compare_superblock(const struct pass *pass, size_t size, struct ishare_superblock *sb)
{
	size_t start = size < ISHARE_SUPERBLOCK_OFFSET ? size : ISHARE_SUPERBLOCK_OFFSET;
	struct ishare_view v = { pass->data + start, size - start };
	struct ishare_superblock_faults faults;
	struct ishare_superblock_ext ext;
	bool conforms = ishare_superblock_judge(&v, size, &options.profile, sb, &ext, &faults);

	ISHARE_SUPERBLOCK_FAULTS(EXPECT)
	if (ishare_superblock_found(sb, size) && ishare_has_block_size(sb) &&
	    ishare_device_count(sb))
		expect(pass, ISHARE_RULE_DEV_TABLE_BOUNDS,
		       dev_table_bounds(sb, whole_sectors(size)));
	return conforms;
}

#undef EXPECT

/* Whether no error of a group, such as "sb.", is reported, except about the root's inode. */
static bool none_reported(const struct pass *pass, const char *group)
{
	for (uint32_t i = 0; i < ISHARE_RULE_COUNT; i++)
		if (pass->broken[i] && ishare_rules[i].severity == ISHARE_ERROR &&
		    i != ISHARE_RULE_SB_ROOT_INODE &&
		    strncmp(ishare_rules[i].name, group, strlen(group)) == 0)
			return false;
	return true;
}

/* The space that holds the prefix table, and the table; false if its contents are unknown. */
static bool prefix_table(const struct pass *pass, size_t size, struct ishare_view *table,
			 uint64_t *space_size)
{
	const struct volume *volume = &pass->image->volume;
	enum ishare_prefix_space which = ishare_prefix_space(&volume->sb);
	const struct space *space =
		which == ISHARE_PREFIX_IN_METABOX ? &volume->metabox : &volume->packed;
	uint64_t start = ishare_prefix_start(&volume->sb);

	size = whole_sectors(size);
	*space_size = which == ISHARE_PREFIX_IN_IMAGE ? size : space->size;
	if (which == ISHARE_PREFIX_IN_IMAGE) {
		*table = (struct ishare_view){ pass->data + (start < size ? start : size),
					       start < size ? (size_t)(size - start) : 0 };
		return true;
	}
	*table = (struct ishare_view){ volume->prefixes.bytes, volume->prefixes.size };
	return space->state == READ_OK && (volume->prefixes.bytes || start >= space->size);
}

static void compare_with_core(const struct pass *pass, size_t size)
{
	struct ishare_superblock sb;
	struct ishare_view table;
	uint64_t table_space;
	bool conforms = compare_superblock(pass, size, &sb);

	if (conforms != none_reported(pass, "sb."))
		broken("conforms", "core says %s of the superblock, the check does not",
		       conforms ? "yes" : "no");
	if (!conforms || !sb.xattr_prefix_count || !prefix_table(pass, size, &table, &table_space))
		return;
	conforms = ishare_prefixes_conform(&sb, &table, table_space);
	if (conforms != none_reported(pass, "prefix."))
		broken("conforms", "core says %s of the prefix table, the check does not",
		       conforms ? "yes" : "no");
}

/* ---- The entry point ---- */

static void judge(const uint8_t *data, size_t size)
{
	static struct pass first, second;
	uint64_t chance = hash_bytes(data, size, 0);
	struct cost cost;

	set_hash_seed(1);
	measure_start();
	run_pass(&first, &first_library, data, size);
	cost = measure_stop();
	check_sums(&first);
	check_cost(cost, size);
	compare_answers(&first);
	compare_with_core(&first, size);
	first.library->close(first.image);
	set_hash_seed(2);
	second_start();
	run_pass(&second, &second_library, data, size);
	second.library->close(second.image);
	second_stop();
	compare_passes(&first, &second);
	if (chance % formats_every == 0)
		check_formats(data, size, first.reported[ISHARE_ERROR], chance % sarif_every == 0);
}

static void read_environment(void)
{
	const char *every = getenv("FUZZ_FORMATS");

	if (!every)
		return;
	formats_every = 1;
	sarif_every = strtoull(every, NULL, 10);
	if (!sarif_every)
		broken("input", "FUZZ_FORMATS is %s, not a number from 1", every);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!options.profile.page_bits) {
		read_environment();
		ishare_profile_by_name(PROFILE, &options.profile);
	}
	judge(data, size);
	return 0;
}
