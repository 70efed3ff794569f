/* SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 */
/* CRC-32C (Castagnoli), as sb.checksum uses it: "Checksum" in the superblock chapter. */
#ifndef ISHARE_CRC32C_H
#define ISHARE_CRC32C_H

#include "bytes.h"

/*
 * The state after the bytes of v, when crc is the state before them. Nothing is inverted before or
 * after: the format starts from all ones and stores the state as it stands.
 */
/*@ requires view: view_ok(v);
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures value: \result == crc32c(crc, v->data, v->size); */
uint32_t ishare_crc32c(uint32_t crc, const struct ishare_view *v);

#endif
