// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Arrays that grow. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

/* The pointer at array may be of any type: hence the copies. */
bool array_make_room(void *array, size_t *room, size_t count, size_t size)
{
	size_t more = count / 2 + 16;
	void *items;

	if (count <= *room)
		return true;
	if (count > SIZE_MAX - more || count + more > SIZE_MAX / size)
		return false;
	memcpy(&items, array, sizeof(items));
	items = realloc(items, (count + more) * size);
	if (!items)
		return false;
	memcpy(array, &items, sizeof(items));
	*room = count + more;
	return true;
}
