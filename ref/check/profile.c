// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/*
 * Readers of images: what each knows of feature bits, and its page size. Section "Profiles" of the
 * introduction.
 */
#include <string.h>

#include "ishare.h"

struct kernel {
	const char *name;
	uint32_t unknown_compat;
	uint32_t unknown_incompat;
};

/* The bits that each header of a kernel, fs/erofs/erofs_fs.h, does not define. */
static const struct kernel kernels[] = {
	{ "linux-6.12", 0xfffffff8u, 0xffffff80u },
	{ "linux-7.3", 0xffffffc0u, 0xfffffe00u },
};

const char *const ishare_profile_names[] = {
	"linux-6.12/64k", "linux-6.12/16k", "linux-6.12/4k", "linux-6.12", "linux-7.3/64k",
	"linux-7.3/16k",  "linux-7.3/4k",   "linux-7.3",     NULL,
};

/* 0: no such page size. */
static uint32_t page_bits(const char *suffix)
{
	if (!*suffix || !strcmp(suffix, "/4k"))
		return 12;
	if (!strcmp(suffix, "/16k"))
		return 14;
	return strcmp(suffix, "/64k") ? 0 : 16;
}

bool ishare_profile_by_name(const char *name, struct ishare_profile *profile)
{
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++) {
		size_t length = strlen(kernels[i].name);

		if (strncmp(name, kernels[i].name, length) != 0 || !page_bits(name + length))
			continue;
		profile->page_bits = page_bits(name + length);
		profile->unknown_compat = kernels[i].unknown_compat;
		profile->unknown_incompat = kernels[i].unknown_incompat;
		return true;
	}
	return false;
}
