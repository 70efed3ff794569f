/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* `erofs-ishare check`: what its command line asks for, and the run that does it. */
#ifndef REQUEST_H
#define REQUEST_H

#include "writer.h"

struct request {
	struct source *images;
	size_t image_count;
	bool has_input; /* one of them is standard input */
	char **devices; /* of all images, in their order */
	size_t device_count;
	const char *early_option,
		*early_value; /* the last --device or --offset before all images */
	char **globs; /* of --rule */
	size_t glob_count;
	bool domain; /* all images form one trust domain */
	bool trust_opaque;
	uint64_t budget; /* bytes */
	bool has_budget; /* the user has named one */
	enum ishare_severity least; /* severity to judge */
	bool has_profile; /* the user has named one */
	uint64_t limit; /* of findings to show; 0: none */
	bool has_limit; /* the user has named one */
	bool quiet; /* no report, whatever its format */
	bool rules[ISHARE_RULE_COUNT];
	struct ishare_options options; /* without the budget, which is made for the run */
	struct writer writer; /* without its state */
};

/* check_options.c: reads the command line into a request, which is zero; releases that. */
void parse_request(struct request *request, int argc, char **argv);
void release_request(struct request *request);

/* check_run.c: checks the images, writes the report, and returns the exit status. */
int run_request(const struct request *request);

#endif
