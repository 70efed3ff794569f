// SPDX-License-Identifier: GPL-2.0-or-later
#include "topics.h"

#include <stddef.h>

#include "all_topics.h"

const struct topic topics[] = {
	{ "read", "share.content share.splice share.mmap share.fadvise",
	  "every way to read, through two images", topic_read, NULL },
	{ "conditions", "share.domain share.key share.size-match share.option-needs-feature",
	  "who shares with whom", topic_conditions, NULL },
	{ "layouts", "share.data-path-match share.block-size",
	  "layouts, algorithms and block sizes, on files", topic_layouts, NULL },
	{ "backings", "share.data-path-match", "files, loop devices and disks", topic_backings, NULL },
	{ "options", "share.option-needs-domain share.option-needs-feature share.dax share.domain",
	  "every combination of mount options", topic_options, NULL },
	{ "remount", "share.remount share.option-needs-feature", "every remount from every state",
	  topic_remount, NULL },
	{ "decided", "share.when-decided", "what is in memory stays as it is", topic_decided, NULL },
	{ "mmap", "share.mmap", "mappings: pages, names, protection, end of file", topic_mmap, NULL },
	{ "fadvise", "share.fadvise", "advice and drop_caches", topic_fadvise, NULL },
	{ "pressure", "share.content", "a large file and too little memory", topic_pressure,
	  "128M" },
	{ "lifetime", "share.backing-lifetime share.unmount", "close, unlink, unmount, eviction",
	  topic_lifetime, NULL },
	{ "direct-io", "share.direct-io share.dax", "O_DIRECT, directio, dax", topic_direct_io, NULL },
	{ "program", "share.mmap", "what a program sees beside the data", topic_program, NULL },
	{ "content", "share.content", "fingerprints that lie", topic_content, NULL },
	{ "io-error", "share.io-error", "a serving image that fails", topic_io_error, NULL },
	{ "splice", "share.splice", "data in pipes outlives its origin", topic_splice, NULL },
	{ "hidden", "share.domain-hidden", "domain_id is nowhere to be seen", topic_hidden, NULL },
	{ "stacked", "share.mmap share.backing-lifetime", "overlays and idmapped mounts above",
	  topic_stacked, NULL },
	{ "accounting", "share.accounting", "who pays for pages", topic_accounting, NULL },
	{ "races", "share.backing-lifetime share.when-decided", "many at once, then nothing is left",
	  topic_races, NULL },
	{ "finding-block-size", "share.block-size", "blocks smaller than pages on block devices",
	  topic_finding_block_size, NULL },
	{ "finding-unmount", "share.unmount", "unmounting the image that serves",
	  topic_finding_unmount, NULL },
	{ "finding-remount", "share.remount", "sharing without a domain", topic_finding_remount, NULL },
	{ "finding-remount-domain", "share.remount", "a domain that comes with a remount",
	  topic_finding_remount_domain, NULL },
	{ "finding-remount-feature", "share.remount", "sharing without fingerprints",
	  topic_finding_remount_feature, NULL },
	{ .name = NULL },
};
