// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* How much of an image may be examined. */
#include "image/image.h"

/*
 * Grants more than the image can need even if its metadata is small and its devices were not given;
 * but no more than some images need altogether, so that many small ones are not much work.
 */
#define FREE_WORK (1024u * 1024u)
#define FREE_WORK_OF_ALL (16u * FREE_WORK)

void work_start(struct work *work, const struct volume *volume, uint64_t used)
{
	uint64_t left = used < FREE_WORK_OF_ALL ? FREE_WORK_OF_ALL - used : 0;

	work->free = left < FREE_WORK ? left : FREE_WORK;
	work->left = work->free + held_bytes(volume);
}

bool spend(struct work *work, uint64_t bytes)
{
	if (bytes > work->left)
		return false;
	work->left -= bytes;
	return true;
}

uint64_t work_extra(const struct work *work)
{
	return work->left < work->free ? work->free - work->left : 0;
}
