// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * conform.h: every rule broken on its own; and over all vectors, the same verdict as from the rules
 * one by one.
 */
#include "unit.h"

#include <glob.h>
#include <stdio.h>

#include "crc32c.h"
#include "ishare.h"

#define VECTORS "build/spec/vectors/*/*.erofs"

/* Two records: the fingerprint's name, "user.ab". */
static const uint8_t sound_table[] = { 4, 0, 0, 'f', 'p', 'r', 0, 0, 3, 0, 1, 'a', 'b' };
enum { SECOND = 8 };

/* All that the summary looks at; sound() makes it conform. */
struct subject {
	struct ishare_superblock sb;
	struct ishare_superblock_ext ext;
	struct ishare_profile profile;
	uint64_t image_size;
	uint8_t table[sizeof(sound_table)];
	size_t table_size;
	uint64_t space_size;
	uint32_t wrong_checksum; /* how far off the checksum is */
};

static struct subject sound(void)
{
	struct subject s = {
		.sb = { .magic = ISHARE_SUPERBLOCK_MAGIC,
			.blkszbits = 9,
			.feature_compat = ISHARE_FEATURE_COMPAT_SB_CHKSUM |
					  ISHARE_FEATURE_COMPAT_ISHARE_XATTRS,
			.feature_incompat = ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES,
			.blocks_lo = 6,
			.xattr_prefix_count = 2,
			.xattr_prefix_start = 300 },
		.profile = { .page_bits = 12,
			     .unknown_compat = 0x80000000,
			     .unknown_incompat = 0x80000000 },
		.image_size = 3072,
		.table_size = sizeof(sound_table),
		.space_size = 1200 + sizeof(sound_table),
	};

	memcpy(s.table, sound_table, sizeof(sound_table));
	return s;
}

struct verdict {
	bool superblock, prefixes;
	bool faults[ISHARE_RULE_COUNT];
};

/* The faults by rule. */
static void list_faults(const struct ishare_superblock_faults *faults,
			bool broken[ISHARE_RULE_COUNT])
{
#define LIST(rule, member) broken[rule] = faults->member;
	ISHARE_SUPERBLOCK_FAULTS(LIST)
#undef LIST
}

/* The image from byte 1024, with the checksum as it must be unless it shall be wrong. */
static struct ishare_view encode(const struct subject *s)
{
	struct ishare_superblock sb = s->sb;
	uint8_t bytes[2048] = { 0 };
	struct ishare_view covered = { bytes + 8, 512 - 8 };

	if (sb.sb_extslots)
		ishare_superblock_ext_encode(&s->ext, bytes + ISHARE_SUPERBLOCK_SIZE);
	ishare_superblock_encode(&sb, bytes);
	sb.checksum = ishare_crc32c(ISHARE_CHECKSUM_START, &covered) + s->wrong_checksum;
	ishare_superblock_encode(&sb, bytes);
	return guarded(0, bytes, (size_t)(s->image_size - ISHARE_SUPERBLOCK_OFFSET));
}

/* Asks both functions. */
static struct verdict judge(const struct subject *s)
{
	struct ishare_view v = encode(s), table = guarded(1, s->table, s->table_size);
	struct verdict verdict = { .faults = { false } };
	struct ishare_superblock_faults faults;
	struct ishare_superblock_ext ext;
	struct ishare_superblock sb;

	verdict.superblock =
		ishare_superblock_judge(&v, s->image_size, &s->profile, &sb, &ext, &faults);
	list_faults(&faults, verdict.faults);
	verdict.prefixes = ishare_prefixes_conform(&s->sb, &table, s->space_size);
	return verdict;
}

/* Breaks one rule of the superblock's chapter; false: it is not known how. */
static bool break_superblock(struct subject *s, enum ishare_rule_id rule)
{
	switch (rule) {
	case ISHARE_RULE_SB_SIZE: /* cannot be broken without sb.ext-slots */
		s->image_size = 1151;
		s->sb.blocks_lo = 0;
		return true;
	case ISHARE_RULE_SB_MAGIC:
		s->sb.magic++;
		return true;
	case ISHARE_RULE_SB_BLOCK_SIZE:
		s->sb.blkszbits = 13;
		s->sb.blocks_lo = 0;
		s->sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_SB_CHKSUM;
		return true;
	case ISHARE_RULE_SB_DIR_BLOCK_BITS:
		s->sb.dirblkbits = 1;
		return true;
	case ISHARE_RULE_SB_CHECKSUM:
		s->wrong_checksum = 1;
		return true;
	case ISHARE_RULE_SB_FEATURE_INCOMPAT:
		s->sb.feature_incompat |= 0x80000000;
		return true;
	case ISHARE_RULE_SB_FEATURE_COMPAT:
		s->sb.feature_compat |= 0x80000000;
		return true;
	case ISHARE_RULE_SB_COMPR_ALGS:
		s->sb.feature_incompat |= ISHARE_FEATURE_INCOMPAT_COMPR_CFGS;
		s->sb.compr_algs = 0x10;
		return true;
	case ISHARE_RULE_SB_EXT_SLOTS:
		s->sb.sb_extslots = 121;
		return true;
	case ISHARE_RULE_SB_METABOX_SLOT:
		s->sb.feature_incompat |= ISHARE_FEATURE_INCOMPAT_METABOX;
		return true;
	case ISHARE_RULE_SB_METABOX_SELF:
		s->sb.feature_incompat |= ISHARE_FEATURE_INCOMPAT_METABOX;
		s->sb.sb_extslots = 1;
		s->ext.metabox_nid = ISHARE_NID_METABOX;
		return true;
	case ISHARE_RULE_SB_PACKED_NID:
		s->sb.feature_incompat |= ISHARE_FEATURE_INCOMPAT_FRAGMENTS;
		s->sb.packed_nid = ISHARE_NID_METABOX;
		return true;
	case ISHARE_RULE_SB_BLOCKS:
		s->sb.blocks_lo = 7;
		return true;
	case ISHARE_RULE_SB_PREFIX_COUNT:
		s->sb.xattr_prefix_count = 129;
		return true;
	case ISHARE_RULE_SB_PREFIX_FEATURE:
		s->sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_ISHARE_XATTRS;
		s->sb.feature_incompat &= ~ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES;
		return true;
	case ISHARE_RULE_SB_ISHARE_NEEDS_PREFIXES: /* nor this without sb.prefix-feature here */
		s->sb.feature_incompat &= ~ISHARE_FEATURE_INCOMPAT_XATTR_PREFIXES;
		return true;
	case ISHARE_RULE_SB_ISHARE_PREFIX_ID:
		s->sb.ishare_xattr_prefix_id = 2;
		return true;
	case ISHARE_RULE_SB_ISHARE_PREFIX_ID_UNUSED:
		s->sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_ISHARE_XATTRS;
		s->sb.ishare_xattr_prefix_id = 2;
		return true;
	case ISHARE_RULE_SB_FILTER_RESERVED:
		s->sb.xattr_filter_reserved = 1;
		return true;
	case ISHARE_RULE_SB_RESERVED_ZERO:
		s->sb.reserved2 = 1;
		return true;
	default:
		return false;
	}
}

/* The same of the prefixes' chapter. */
static bool break_prefixes(struct subject *s, enum ishare_rule_id rule)
{
	switch (rule) {
	case ISHARE_RULE_PREFIX_LOCATION:
		s->space_size = 1200;
		return true;
	case ISHARE_RULE_PREFIX_RECORD_BOUNDS:
		s->table_size--;
		return true;
	case ISHARE_RULE_PREFIX_LENGTH:
		put_le16(s->table + SECOND, 0);
		return true;
	case ISHARE_RULE_PREFIX_BASE_INDEX:
		s->table[SECOND + 2] = 7;
		return true;
	case ISHARE_RULE_PREFIX_PADDING_ZERO:
		s->table[SECOND - 1] = 1;
		return true;
	case ISHARE_RULE_PREFIX_DUPLICATE:
		memcpy(s->table + SECOND, "\3\0\1ab", 5);
		memcpy(s->table, "\3\0\1ab\0\0", 8);
		return true;
	case ISHARE_RULE_PREFIX_ISHARE_INFIX_NUL:
		s->table[4] = 0;
		return true;
	case ISHARE_RULE_PREFIX_ISHARE_NAME_LENGTH:
		put_le16(s->table + SECOND, 1);
		s->sb.ishare_xattr_prefix_id = 1;
		return true;
	default:
		return false;
	}
}

static bool of_chapter(const struct ishare_rule *rule, const char *chapter)
{
	return strcmp(rule->chapter, chapter) == 0 && rule->id != ISHARE_RULE_SB_ROOT_INODE;
}

static bool counts(const struct ishare_rule *rule, const char *chapter)
{
	return of_chapter(rule, chapter) && rule->severity == ISHARE_ERROR;
}

static void sound_ones_conform(void **state)
{
	struct subject s = sound();
	struct verdict verdict = judge(&s);

	(void)state;
	assert_true(verdict.superblock && verdict.prefixes);
}

/* Broken rules of severity error matter to the part that they are about, others to none. */
static void each_rule_of_severity_error_counts(void **state)
{
	unsigned int superblock = 0, prefixes = 0;

	(void)state;
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++) {
		const struct ishare_rule *rule = &ishare_rules[i];
		bool of_superblock = of_chapter(rule, "superblock");
		bool of_prefixes = of_chapter(rule, "prefixes");
		struct subject s = sound();
		struct verdict verdict;

		if (!of_superblock && !of_prefixes)
			continue;
		if (!(of_superblock ? break_superblock(&s, i) : break_prefixes(&s, i)))
			fail_msg("nothing breaks %s", rule->name);
		verdict = judge(&s);
		if (of_superblock && !verdict.faults[i])
			fail_msg("%s is no fault", rule->name);
		if (verdict.superblock == counts(rule, "superblock"))
			fail_msg("%s: of the superblock %d", rule->name, verdict.superblock);
		if (verdict.prefixes == counts(rule, "prefixes") &&
		    rule->id != ISHARE_RULE_SB_PREFIX_COUNT) /* the records are not there */
			fail_msg("%s: of the prefixes %d", rule->name, verdict.prefixes);
		superblock += of_superblock;
		prefixes += of_prefixes;
	}
	assert_true(superblock && prefixes);
}

static void no_table_conforms(void **state)
{
	struct subject s = sound();

	(void)state;
	s.sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_ISHARE_XATTRS;
	s.sb.xattr_prefix_count = 0;
	s.table_size = 0;
	s.space_size = 0;
	assert_true(judge(&s).superblock && judge(&s).prefixes);
}

/* What is wrong with the fingerprint's name is not wrong with another. */
static void other_records_spell_what_they_like(void **state)
{
	struct subject s = sound();

	(void)state;
	s.table[4] = 0;
	s.sb.ishare_xattr_prefix_id = 1;
	assert_true(judge(&s).prefixes);
	s.sb.ishare_xattr_prefix_id = 0;
	assert_false(judge(&s).prefixes);
	s.sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_ISHARE_XATTRS;
	assert_true(judge(&s).prefixes);
	s = sound();
	put_le16(s.table + SECOND, 1);
	assert_true(judge(&s).prefixes);
}

/* A fingerprint's name beyond the table is for sb.ishare-prefix-id alone. */
static void a_record_that_is_not_there_spells_nothing(void **state)
{
	struct subject s = sound();

	(void)state;
	s.sb.ishare_xattr_prefix_id = 255;
	assert_true(judge(&s).prefixes);
	assert_false(judge(&s).superblock);
}

/* A block size that the reader cannot have is not used to find the end of the checksum. */
static void block_size_comes_first(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits <= 255; bits++)
		for (uint32_t page_bits = 12; page_bits <= 16; page_bits++) {
			struct subject s = sound();

			s.sb.feature_compat &= ~ISHARE_FEATURE_COMPAT_SB_CHKSUM;
			s.sb.blocks_lo = 0;
			s.sb.blkszbits = bits;
			s.profile.page_bits = page_bits;
			assert_int_equal(judge(&s).superblock, bits >= 9 && bits <= page_bits);
			s.sb.feature_compat |= ISHARE_FEATURE_COMPAT_SB_CHKSUM;
			assert_int_equal(judge(&s).superblock, bits == 9);
		}
}

/* What ishare_check reports about one image. */
struct reported {
	bool broken[ISHARE_RULE_COUNT];
};

static void note_finding(void *context, const struct ishare_finding *finding)
{
	struct reported *reported = context;

	reported->broken[finding->rule->id] = true;
}

static bool any_counts(const struct reported *reported, const char *chapter)
{
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++)
		if (reported->broken[i] && counts(&ishare_rules[i], chapter))
			return true;
	return false;
}

static uint8_t *read_whole(struct ishare_image *image, size_t size)
{
	uint8_t *bytes = malloc(size + 1);

	assert_non_null(bytes);
	assert_int_equal(ishare_image_read(image, 0, bytes, size), ISHARE_DONE);
	return bytes;
}

/* The bytes from start on, none if there are none. */
static struct ishare_view rest(const uint8_t *bytes, size_t size, uint64_t start)
{
	size_t skip = start < size ? (size_t)start : size;

	return (struct ishare_view){ bytes + skip, size - skip };
}

struct tally {
	bool broken[ISHARE_RULE_COUNT]; /* by any vector */
	unsigned int images, conforming, table_elsewhere;
};

/* Holds what core finds against what was reported about the image. */
static void compare(const char *path, const uint8_t *bytes, size_t size,
		    const struct ishare_profile *profile, const struct reported *reported,
		    bool whole, struct tally *tally)
{
	struct ishare_view v = rest(bytes, size, ISHARE_SUPERBLOCK_OFFSET), table;
	bool superblock = !any_counts(reported, "superblock");
	bool prefixes = !any_counts(reported, "prefixes");
	bool broken[ISHARE_RULE_COUNT] = { false };
	struct ishare_superblock_faults faults;
	struct ishare_superblock_ext ext;
	struct ishare_superblock sb;

	if (ishare_superblock_judge(&v, size, profile, &sb, &ext, &faults) != superblock)
		fail_msg("%s: conforms, says one: the superblock", path);
	list_faults(&faults, broken);
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++)
		if (of_chapter(&ishare_rules[i], "superblock") && broken[i] != reported->broken[i])
			fail_msg("%s: broken, says one: %s", path, ishare_rules[i].name);
	if (faults.sb_size)
		return;
	if (ishare_prefix_space(&sb) != ISHARE_PREFIX_IN_IMAGE) {
		tally->table_elsewhere++;
		return;
	}
	table = rest(bytes, size, ishare_prefix_start(&sb));
	if (whole && ishare_prefixes_conform(&sb, &table, size) != prefixes)
		fail_msg("%s: conform, says one: the prefixes", path);
	tally->conforming += superblock && prefixes;
}

static void try_image(const char *path, struct tally *tally)
{
	struct ishare_options options = { 0 };
	struct ishare_summary summary = { 0 };
	struct reported reported = { { false } };
	struct ishare_sink sink = { .context = &reported, .finding = note_finding };
	struct ishare_image *image;
	enum ishare_result result;
	uint8_t *bytes;
	size_t size;

	assert_true(ishare_profile_by_name("linux-7.3", &options.profile));
	assert_int_equal(ishare_image_open(path, &image), ISHARE_DONE);
	result = ishare_check(image, &options, &sink, NULL, &summary);
	size = (size_t)ishare_image_size(image);
	bytes = read_whole(image, size);
	compare(path, bytes, size, &options.profile, &reported, result == ISHARE_DONE, tally);
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++)
		tally->broken[i] |= reported.broken[i];
	tally->images++;
	free(bytes);
	ishare_image_close(image);
}

/*
 * A table in a metabox or packed inode is out of this test's reach: such images are held to the
 * superblock's half.
 */
static void vectors_conform_as_their_rules_say(void **state)
{
	struct tally tally = { .images = 0 };
	glob_t found;

	(void)state;
	assert_int_equal(glob(VECTORS, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		try_image(found.gl_pathv[i], &tally);
	globfree(&found);
	print_message("# %u images, %u conform, of %u without their table\n", tally.images,
		      tally.conforming, tally.table_elsewhere);
	assert_true(tally.conforming && tally.table_elsewhere < tally.images / 2);
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++)
		if (!tally.broken[i] && (counts(&ishare_rules[i], "superblock") ||
					 counts(&ishare_rules[i], "prefixes")))
			fail_msg("no vector breaks %s", ishare_rules[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_ones_conform),
		cmocka_unit_test(each_rule_of_severity_error_counts),
		cmocka_unit_test(no_table_conforms),
		cmocka_unit_test(other_records_spell_what_they_like),
		cmocka_unit_test(a_record_that_is_not_there_spells_nothing),
		cmocka_unit_test(block_size_comes_first),
		cmocka_unit_test(vectors_conform_as_their_rules_say),
	};

	return report_tests(tests);
}
