// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Options come from callers of the library: the core's contracts rely on what is checked here. */
#include "ishare.h"

const char *ishare_options_error(const struct ishare_options *options)
{
	if (options->profile.page_bits < 12 || options->profile.page_bits > 16)
		return "the profile's page_bits are none of 12 to 16";
	if ((unsigned int)options->opaque > ISHARE_OPAQUE_TRUSTED)
		return "opaque is no value of enum ishare_opaque";
	return NULL;
}
