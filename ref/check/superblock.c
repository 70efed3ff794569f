// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Checks an image against the rules of the chapter "Superblock". Core reads the superblock and
 * decides; here, each fault that it finds is put into words.
 */
#include <inttypes.h>

#include "crc32c.h"
#include "check/judges.h"

#define SB_PLACE(field) place_superblock(fault->volume, ISHARE_SUPERBLOCK_##field##_OFFSET)

/* A rule that does not hold, with what its message shows. */
struct fault {
	struct report *report;
	enum ishare_rule_id rule;
	const struct volume *volume;
	const struct ishare_superblock *sb;
	const struct ishare_profile *profile;
	/* The image from the superblock on, as core has judged it. */
	const struct ishare_view *view;
	const char *recognised; /* see recognise(); "" if it has a superblock */
};

static struct place whole_superblock(const struct fault *fault)
{
	return place_struct(&fault->volume->image, ISHARE_STRUCT_SUPERBLOCK,
			    ISHARE_SUPERBLOCK_OFFSET);
}

static void report_size(const struct fault *fault)
{
	report(fault->report, fault->rule, whole_superblock(fault),
	       "the image is too short: it has %" PRIu64
	       " byte%s, but a superblock ends at byte %u%s",
	       fault->volume->image.size, plural(fault->volume->image.size),
	       ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_SIZE, fault->recognised);
}

static void report_magic(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(MAGIC),
	       "magic is 0x%08" PRIx32 ", not 0x%08x%s", fault->sb->magic, ISHARE_SUPERBLOCK_MAGIC,
	       fault->recognised);
}

static void report_block_size(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(BLKSZBITS),
	       "blkszbits is %" PRIu32 "; this reader takes 9 to %" PRIu32
	       ", as its pages have %u bytes",
	       fault->sb->blkszbits, fault->profile->page_bits, 1u << fault->profile->page_bits);
}

static uint32_t computed_checksum(const struct ishare_view *view, uint32_t size)
{
	uint32_t skip = ISHARE_SUPERBLOCK_CHECKSUM_OFFSET + ISHARE_SUPERBLOCK_CHECKSUM_WIDTH;
	struct ishare_view rest = { view->data + skip, size - skip };

	return ishare_crc32c(ISHARE_CHECKSUM_START, &rest);
}

static void report_checksum(const struct fault *fault)
{
	uint32_t size = ishare_checksum_size(fault->sb);

	if (fault->view->size < size)
		report(fault->report, fault->rule, SB_PLACE(CHECKSUM),
		       "the checksum covers %" PRIu32 " bytes, of which the image holds only %zu",
		       size, fault->view->size);
	else
		report(fault->report, fault->rule, SB_PLACE(CHECKSUM),
		       "checksum 0x%08" PRIx32 " is not that of the %" PRIu32
		       " bytes it covers, 0x%08" PRIx32,
		       fault->sb->checksum, size, computed_checksum(fault->view, size));
}

static void report_feature_incompat(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(FEATURE_INCOMPAT),
	       "feature_incompat is 0x%08" PRIx32
	       ", of which the reader does not know 0x%08" PRIx32,
	       fault->sb->feature_incompat,
	       fault->sb->feature_incompat & fault->profile->unknown_incompat);
}

static void report_feature_compat(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(FEATURE_COMPAT),
	       "feature_compat is 0x%08" PRIx32 ", of which the reader does not know 0x%08" PRIx32,
	       fault->sb->feature_compat,
	       fault->sb->feature_compat & fault->profile->unknown_compat);
}

static void report_compr_algs(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(COMPR_ALGS),
	       "compr_algs is 0x%04" PRIx32 ", of which 0x%04" PRIx32 " is no known algorithm",
	       fault->sb->compr_algs, fault->sb->compr_algs & ISHARE_COMPR_ALGS_UNKNOWN);
}

static void report_dir_block_bits(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(DIRBLKBITS), "dirblkbits is %" PRIu32 ", not 0",
	       fault->sb->dirblkbits);
}

static void report_ext_slots(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(SB_EXTSLOTS),
	       "sb_extslots is %" PRIu32 ": the superblock would end at byte %" PRIu32,
	       fault->sb->sb_extslots,
	       ISHARE_SUPERBLOCK_EXT_OFFSET + fault->sb->sb_extslots * ISHARE_SUPERBLOCK_SLOT);
}

static void report_metabox_slot(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(SB_EXTSLOTS),
	       "METABOX is set, but sb_extslots is %" PRIu32 ": metabox_nid has no place",
	       fault->sb->sb_extslots);
}

static void report_metabox_self(const struct fault *fault)
{
	report(fault->report, fault->rule,
	       place_field(&fault->volume->image, ISHARE_STRUCT_SUPERBLOCK_EXT,
			   ISHARE_SUPERBLOCK_EXT_OFFSET, ISHARE_SUPERBLOCK_EXT_METABOX_NID_OFFSET),
	       "metabox_nid 0x%" PRIx64 " says that the metabox inode is in the metabox",
	       fault->volume->ext.metabox_nid);
}

static void report_packed_nid(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(PACKED_NID),
	       "packed_nid 0x%" PRIx64 " says that the packed inode is in the metabox",
	       fault->sb->packed_nid);
}

static void report_blocks(const struct fault *fault)
{
	uint64_t blocks = ishare_primary_blocks(fault->sb), size = ishare_block_size(fault->sb);

	report(fault->report, fault->rule, SB_PLACE(BLOCKS_LO),
	       "the image is cut short: it has %" PRIu64
	       " bytes, but the superblock counts %" PRIu64 " block%s of %" PRIu64 " byte%s",
	       fault->volume->image.size, blocks, plural(blocks), size, plural(size));
}

/* The first of the reserved fields that is not 0. */
static void report_reserved_zero(const struct fault *fault)
{
	if (fault->sb->reserved)
		report(fault->report, fault->rule, SB_PLACE(RESERVED),
		       "the reserved bytes at 0x%02x of the superblock are not zero",
		       ISHARE_SUPERBLOCK_RESERVED_OFFSET);
	else if (fault->sb->reserved2)
		report(fault->report, fault->rule, SB_PLACE(RESERVED2),
		       "the reserved bytes at 0x%02x of the superblock are not zero",
		       ISHARE_SUPERBLOCK_RESERVED2_OFFSET);
	else
		report(fault->report, fault->rule,
		       place_field(&fault->volume->image, ISHARE_STRUCT_SUPERBLOCK_EXT,
				   ISHARE_SUPERBLOCK_EXT_OFFSET,
				   ISHARE_SUPERBLOCK_EXT_RESERVED3_OFFSET),
		       "the reserved bytes of the superblock's first extension slot are not zero");
}

static void report_prefix_count(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(XATTR_PREFIX_COUNT),
	       "xattr_prefix_count is %" PRIu32 "; entries can name only 128 prefixes",
	       fault->sb->xattr_prefix_count);
}

static void report_prefix_feature(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(FEATURE_INCOMPAT),
	       "xattr_prefix_count is %" PRIu32
	       ", but XATTR_PREFIXES is not set in feature_incompat",
	       fault->sb->xattr_prefix_count);
}

static void report_ishare_needs_prefixes(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(FEATURE_COMPAT),
	       "ISHARE_XATTRS is set in feature_compat, but XATTR_PREFIXES is not in feature_incompat");
}

static void report_ishare_prefix_id(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(ISHARE_XATTR_PREFIX_ID),
	       "ishare_xattr_prefix_id is %" PRIu32 ", but the prefix table has %" PRIu32 " %s",
	       fault->sb->ishare_xattr_prefix_id, fault->sb->xattr_prefix_count,
	       fault->sb->xattr_prefix_count == 1 ? "entry" : "entries");
}

static void report_ishare_prefix_id_unused(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(ISHARE_XATTR_PREFIX_ID),
	       "ishare_xattr_prefix_id is %" PRIu32 ", but ISHARE_XATTRS is not set",
	       fault->sb->ishare_xattr_prefix_id);
}

static void report_filter_reserved(const struct fault *fault)
{
	report(fault->report, fault->rule, SB_PLACE(XATTR_FILTER_RESERVED),
	       "xattr_filter_reserved is %" PRIu32 ": readers ignore all name filters",
	       fault->sb->xattr_filter_reserved);
}

/*
 * In the order of findings: that an image is cut short comes before what follows from it. `make`
 * names a rule that is missing.
 */
static const struct {
	enum ishare_rule_id rule;
	void (*report)(const struct fault *fault);
} wordings[] = {
	{ ISHARE_RULE_SB_SIZE, report_size },
	{ ISHARE_RULE_SB_MAGIC, report_magic },
	{ ISHARE_RULE_SB_BLOCK_SIZE, report_block_size },
	{ ISHARE_RULE_SB_BLOCKS, report_blocks },
	{ ISHARE_RULE_SB_CHECKSUM, report_checksum },
	{ ISHARE_RULE_SB_FEATURE_INCOMPAT, report_feature_incompat },
	{ ISHARE_RULE_SB_FEATURE_COMPAT, report_feature_compat },
	{ ISHARE_RULE_SB_COMPR_ALGS, report_compr_algs },
	{ ISHARE_RULE_SB_DIR_BLOCK_BITS, report_dir_block_bits },
	{ ISHARE_RULE_SB_EXT_SLOTS, report_ext_slots },
	{ ISHARE_RULE_SB_METABOX_SLOT, report_metabox_slot },
	{ ISHARE_RULE_SB_METABOX_SELF, report_metabox_self },
	{ ISHARE_RULE_SB_PACKED_NID, report_packed_nid },
	{ ISHARE_RULE_SB_RESERVED_ZERO, report_reserved_zero },
	{ ISHARE_RULE_SB_PREFIX_COUNT, report_prefix_count },
	{ ISHARE_RULE_SB_PREFIX_FEATURE, report_prefix_feature },
	{ ISHARE_RULE_SB_ISHARE_NEEDS_PREFIXES, report_ishare_needs_prefixes },
	{ ISHARE_RULE_SB_ISHARE_PREFIX_ID, report_ishare_prefix_id },
	{ ISHARE_RULE_SB_ISHARE_PREFIX_ID_UNUSED, report_ishare_prefix_id_unused },
	{ ISHARE_RULE_SB_FILTER_RESERVED, report_filter_reserved },
};

#define NOTE(rule, member) found[rule] = faults->member;

static void report_faults(struct check *check, const struct ishare_superblock_faults *faults,
			  const struct ishare_view *view, const char *recognised)
{
	struct fault fault = { .report = &check->report,
			       .volume = check->volume,
			       .sb = &check->volume->sb,
			       .profile = &check->report.options->profile,
			       .view = view,
			       .recognised = recognised };
	bool found[ISHARE_RULE_COUNT] = { false };

	ISHARE_SUPERBLOCK_FAULTS(NOTE)
	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
		fault.rule = wordings[i].rule;
		if (found[fault.rule])
			wordings[i].report(&fault);
	}
}

#undef NOTE

static enum ishare_result not_an_image(struct check *check,
				       const struct ishare_superblock_faults *faults,
				       const char *recognised)
{
	struct ishare_image *image = check->report.image;

	not_erofs(faults->sb_size ? ISHARE_RULE_SB_SIZE : ISHARE_RULE_SB_MAGIC, recognised,
		  image->error, sizeof(image->error));
	return ISHARE_NOT_EROFS;
}

enum ishare_result check_superblock(struct check *check)
{
	struct volume *volume = check->volume;
	char recognised[RECOGNISED_ROOM] = "";
	struct ishare_superblock_faults faults;
	struct ishare_view view;

	if (superblock_view(&check->reader, volume, &view) != READ_OK) {
		report_failure(&check->report, check->reader.error);
		return ISHARE_IO_ERROR;
	}
	check->conformance.superblock = answer(
		ishare_superblock_judge(&view, volume->image.size, &check->report.options->profile,
					&volume->sb, &volume->ext, &faults));
	if (faults.sb_size || faults.sb_magic)
		recognise(&check->reader, recognised);
	report_faults(check, &faults, &view, recognised);
	if (faults.sb_size || faults.sb_magic)
		return not_an_image(check, &faults, recognised);
	if (!ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS))
		check->report.summary->images_without_fingerprints++;
	return ishare_has_block_size(&volume->sb) ? ISHARE_DONE : ISHARE_CUT_SHORT;
}
