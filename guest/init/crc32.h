/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_CRC32_H
#define PTDIFF_CRC32_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32 as in IEEE 802.3 and zlib: start with 0, and pass the result again to continue with
 * further bytes.
 */
uint32_t crc32(uint32_t crc, const void *bytes, size_t length);

#endif
