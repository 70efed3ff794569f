// SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
/* What the judges share. */
#include "check/judges.h"

enum ishare_answer answer(bool yes)
{
	return yes ? ISHARE_YES : ISHARE_NO;
}

enum verdict verdict_so_far(const struct check *check)
{
	return check->report.state == REPORT_OPEN ? JUDGED : ENDED;
}

enum verdict unusable(const struct check *check)
{
	return verdict_so_far(check) == ENDED ? ENDED : UNUSABLE;
}

bool afford(struct check *check, enum ishare_part part, uint64_t bytes)
{
	if (spend(&check->work[part], bytes))
		return true;
	not_examined(&check->report, part, ISHARE_REASON_OVERLAP);
	return false;
}

struct place inode_place(const struct file *file)
{
	return place_struct(file->space,
			    file->inode.extended ? ISHARE_STRUCT_INODE_EXTENDED
						 : ISHARE_STRUCT_INODE_COMPACT,
			    file->offset);
}
