// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* The input, as an image. */
#include <string.h>

#include "broken.h"
#include "input.h"

/* The names of the second copy begin with "true_". */
#define SECOND(type, function, ...) extern type true_##function(__VA_ARGS__)
SECOND(enum ishare_result, ishare_image_open_memory, const char *, const void *, size_t,
       struct ishare_image **);
SECOND(enum ishare_result, ishare_image_add_memory, struct ishare_image *, const void *, size_t);
SECOND(void, ishare_image_close, struct ishare_image *);
SECOND(enum ishare_result, ishare_check, struct ishare_image *, const struct ishare_options *,
       const struct ishare_sink *, struct ishare_domain *, struct ishare_summary *);
SECOND(enum ishare_result, ishare_domain_judge, struct ishare_domain *,
       const struct ishare_options *, const struct ishare_sink *, struct ishare_summary *);
SECOND(struct ishare_domain *, ishare_domain_new, void);
SECOND(void, ishare_domain_free, struct ishare_domain *);

const struct library first_library = {
	ishare_image_open_memory, ishare_image_add_memory, ishare_image_close, ishare_check,
	ishare_domain_judge,	  ishare_domain_new,	   ishare_domain_free,
};

const struct library second_library = {
	true_ishare_image_open_memory, true_ishare_image_add_memory,
	true_ishare_image_close,       true_ishare_check,
	true_ishare_domain_judge,      true_ishare_domain_new,
	true_ishare_domain_free,
};

/*
 * An image with one extra device and an odd UUID is its own device, so that devices are read, too,
 * although the input is one image.
 */
static bool is_its_own_device(const uint8_t *data, size_t size)
{
	size_t start = size < ISHARE_SUPERBLOCK_OFFSET ? size : ISHARE_SUPERBLOCK_OFFSET;
	struct ishare_view view = { data + start, size - start };
	struct ishare_superblock sb;

	return ishare_superblock_decode(&view, &sb) == ISHARE_OK && ishare_device_count(&sb) == 1 &&
	       data[ISHARE_SUPERBLOCK_OFFSET + ISHARE_SUPERBLOCK_UUID_OFFSET] % 2;
}

struct ishare_image *open_input(const struct library *library, const uint8_t *data, size_t size)
{
	struct ishare_image *image;

	if (library->open("input", data, size, &image) != ISHARE_DONE ||
	    (is_its_own_device(data, size) && library->add(image, data, size) != ISHARE_DONE))
		broken("input", "it cannot be opened");
	return image;
}
