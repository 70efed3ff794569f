// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* erofs-ishare check: checks images against every rule. */
#include "request.h"

int cmd_check(int argc, char **argv)
{
	struct request request = { 0 };
	int status;

	parse_request(&request, argc, argv);
	status = run_request(&request);
	release_request(&request);
	return status;
}
