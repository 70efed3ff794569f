// SPDX-License-Identifier: GPL-2.0-or-later
#include "topics.h"

#include <stddef.h>

#include "all_topics.h"

const struct topic topics[] = {
	{ "read", "share.content share.splice share.mmap share.fadvise",
	  "every way to read, through two images", topic_read },
	{ "conditions", "share.domain share.key share.size-match share.option-needs-feature",
	  "who shares with whom", topic_conditions },
	{ "layouts", "share.data-path-match share.block-size",
	  "layouts, algorithms and block sizes, on files", topic_layouts },
	{ "backings", "share.data-path-match", "files, loop devices and disks", topic_backings },
	{ "options", "share.option-needs-domain share.option-needs-feature share.dax share.domain",
	  "every combination of mount options", topic_options },
	{ "remount", "share.remount share.option-needs-feature", "every remount from every state",
	  topic_remount },
	{ "decided", "share.when-decided", "what is in memory stays as it is", topic_decided },
	{ "mmap", "share.mmap", "mappings: pages, names, protection, end of file", topic_mmap },
	{ "fadvise", "share.fadvise", "advice and drop_caches", topic_fadvise },
	{ "pressure", "share.content", "a large file and too little memory", topic_pressure },
	{ "lifetime", "share.backing-lifetime share.unmount", "close, unlink, unmount, eviction",
	  topic_lifetime },
	{ "direct-io", "share.direct-io share.dax", "O_DIRECT, directio, dax", topic_direct_io },
	{ "program", "share.mmap", "what a program sees beside the data", topic_program },
	{ "content", "share.content", "fingerprints that lie", topic_content },
	{ "io-error", "share.io-error", "a serving image that fails", topic_io_error },
	{ "splice", "share.splice", "data in pipes outlives its origin", topic_splice },
	{ "hidden", "share.domain-hidden", "domain_id is nowhere to be seen", topic_hidden },
	{ "stacked", "share.mmap share.backing-lifetime", "overlays and idmapped mounts above",
	  topic_stacked },
	{ "accounting", "share.accounting", "who pays for pages", topic_accounting },
	{ "races", "share.backing-lifetime share.when-decided", "many at once, then nothing is left",
	  topic_races },
	{ "finding-block-size", "share.block-size", "blocks smaller than pages on block devices",
	  topic_finding_block_size },
	{ "finding-unmount", "share.unmount", "unmounting the image that serves",
	  topic_finding_unmount },
	{ "finding-remount", "share.remount", "sharing without a domain", topic_finding_remount },
	{ "finding-remount-domain", "share.remount", "a domain that comes with a remount",
	  topic_finding_remount_domain },
	{ "finding-remount-feature", "share.remount", "sharing without fingerprints",
	  topic_finding_remount_feature },
	{ NULL, NULL, NULL, NULL },
};
