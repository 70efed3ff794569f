// SPDX-License-Identifier: GPL-2.0-or-later
#include "topics.h"

#include <stddef.h>

#include "all_topics.h"

const struct topic topics[] = {
	{ "read", "share.content share.splice share.mmap share.fadvise",
	  "every way to read, through two images", topic_read },
	{ "conditions", "share.domain share.key share.size-match share.option-needs-feature",
	  "who shares with whom", topic_conditions },
	{ NULL, NULL, NULL, NULL },
};
