// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Which device has a block: see that section of the chapter "Devices". */
#include "image/image.h"

const struct indexed_extent *last_extent(const struct device_map *map, uint64_t block)
{
	uint32_t low = 0, high = map->sorted_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (map->sorted[middle].extent.start <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &map->sorted[low - 1] : NULL;
}

void find_device(const struct volume *volume, struct ishare_run *run)
{
	const struct indexed_extent *e = last_extent(&volume->map, run->start);

	run->device = 0;
	run->address = run->start;
	if (volume->map.flat) {
		if (run->device_id)
			run->address += volume->map.extents[run->device_id - 1].start;
	} else if (run->device_id) {
		run->device = run->device_id;
	} else if (e && e->device && ishare_extent_has(&e->extent, run->start)) {
		run->device = e->device;
		run->address -= e->extent.start;
	}
}
