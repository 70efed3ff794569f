// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Which images the findings in kernels concern that specc has read. Section "Profiles". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"

/* Whether the image has a name for fingerprints, without which Linux shares none of its files. */
static bool is_shared(const struct volume *volume)
{
	return ishare_has_compat(&volume->sb, ISHARE_FEATURE_COMPAT_ISHARE_XATTRS) &&
	       volume->sb.ishare_xattr_prefix_id < volume->prefixes.count;
}

/* To walk through the index of such a file takes minutes, blocks being of 4 KiB. */
#define HUGE_FILE (1ull << 40)

static bool is_of_kind(const struct ishare_image *image, enum ishare_images kind,
		       const struct ishare_profile *profile, char *because)
{
	const struct volume *volume = &image->volume;

	switch (kind) {
	case ISHARE_IMAGES_SHARED:
		snprintf(because, ISHARE_BECAUSE_SIZE, "with fingerprints");
		return is_shared(volume);
	case ISHARE_IMAGES_SMALL_BLOCKS:
		if (!is_shared(volume) || volume->sb.blkszbits >= profile->page_bits)
			return false;
		snprintf(because, ISHARE_BECAUSE_SIZE, "%u-byte blocks",
			 1u << volume->sb.blkszbits);
		return true;
	case ISHARE_IMAGES_METABOX:
		snprintf(because, ISHARE_BECAUSE_SIZE, "with a metabox");
		return ishare_has_incompat(&volume->sb, ISHARE_FEATURE_INCOMPAT_METABOX);
	case ISHARE_IMAGES_HUGE_FILES:
		snprintf(because, ISHARE_BECAUSE_SIZE, "with a file of %" PRIu64 " bytes",
			 image->largest_indexed);
		return image->largest_indexed >= HUGE_FILE;
	}
	return false;
}

/* Whether the kernel of a profile, whose name may go on with a page size, is among these. */
static bool is_named(const char *const *kernels, const char *profile)
{
	size_t length = strcspn(profile, "/");

	for (; *kernels; kernels++)
		if (strlen(*kernels) == length && strncmp(*kernels, profile, length) == 0)
			return true;
	return false;
}

bool ishare_advisory_concerns(const struct ishare_advisory *advisory,
			      const struct ishare_image *image, const char *profile,
			      char because[ISHARE_BECAUSE_SIZE])
{
	struct ishare_profile reader;

	return is_named(advisory->kernels, profile) && ishare_profile_by_name(profile, &reader) &&
	       is_of_kind(image, advisory->images, &reader, because);
}
