// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Functions for all commands that take images. */
#include "cmd.h"

enum ishare_result open_image(const char *path, char **devices, size_t device_count,
			      struct ishare_image **image)
{
	enum ishare_result result = ishare_image_open(path, image);

	allocated(*image);
	for (size_t i = 0; i < device_count && result == ISHARE_DONE; i++)
		result = ishare_image_add_device(*image, devices[i]);
	return result;
}

const char *default_profile(void)
{
	size_t count = 0;

	while (ishare_profile_names[count])
		count++;
	return ishare_profile_names[count - 1];
}
