// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* Advisories in words: on which kernels, why this image, and what happens. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* In the order in which they are named. */
static const char *const page_sizes[] = { "4k", "16k", "64k" };
#define PAGE_SIZES (sizeof(page_sizes) / sizeof(*page_sizes))

/* Profiles on which an advisory concerns an image. */
struct concerned {
	struct text names; /* as in "linux-7.3/16k and linux-7.3/64k" */
	size_t count;
	char because[ISHARE_BECAUSE_SIZE];
};

static void add_name(struct concerned *concerned, const char *kernel, const char *pages)
{
	fprintf(concerned->names.out, "%s%s%s%s", concerned->count++ ? " and " : "", kernel,
		pages ? "/" : "", pages ? pages : "");
}

/* One kernel, with each size of pages; its name alone stands for all of them. */
static void add_kernel(struct concerned *concerned, const struct ishare_advisory *advisory,
		       const struct ishare_image *image, const char *kernel)
{
	bool concerns[PAGE_SIZES];
	size_t count = 0;

	for (size_t i = 0; i < PAGE_SIZES; i++) {
		char profile[32];

		snprintf(profile, sizeof(profile), "%s/%s", kernel, page_sizes[i]);
		concerns[i] =
			ishare_advisory_concerns(advisory, image, profile, concerned->because);
		count += concerns[i];
	}
	if (count == PAGE_SIZES)
		add_name(concerned, kernel, NULL);
	for (size_t i = 0; i < PAGE_SIZES && count < PAGE_SIZES; i++)
		if (concerns[i])
			add_name(concerned, kernel, page_sizes[i]);
}

static void find_concerned(struct concerned *concerned, const struct ishare_advisory *advisory,
			   const struct ishare_image *image, const char *profile)
{
	if (!profile) {
		for (size_t i = 0; advisory->kernels[i]; i++)
			add_kernel(concerned, advisory, image, advisory->kernels[i]);
	} else if (ishare_advisory_concerns(advisory, image, profile, concerned->because)) {
		add_name(concerned, profile, NULL);
	}
}

/* The caller frees it. */
static char *advice_text(const struct concerned *concerned, const char *where, const char *says)
{
	struct text text;

	text_begin(&text);
	fprintf(text.out, "on %s this image (%s) %s", where, concerned->because, says);
	return text_end(&text);
}

void each_advice(const char *name, const struct ishare_image *image, const char *profile,
		 void (*take)(void *context, const struct advice *advice), void *context)
{
	for (const struct ishare_advisory *advisory = ishare_advisories; advisory->name;
	     advisory++) {
		struct concerned concerned = { .count = 0 };
		struct advice advice = { advisory, name, NULL, NULL };

		text_begin(&concerned.names);
		find_concerned(&concerned, advisory, image, profile);
		advice.where = text_end(&concerned.names);
		advice.text = advice_text(&concerned, advice.where, advisory->says);
		if (concerned.count)
			take(context, &advice);
		free(advice.where);
		free(advice.text);
	}
}
