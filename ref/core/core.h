/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* The whole verified core, for those who use it. */
#ifndef ISHARE_CORE_H
#define ISHARE_CORE_H

#include "superblock.h"
#include "device.h"
#include "prefix.h"
#include "conform.h"
#include "inode.h"
#include "chunk.h"
#include "directory.h"
#include "xattr.h"
#include "fingerprint.h"

#endif
