/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32 of IEEE 802.3 (the one of zlib and gzip), to name the contents of boot modules. */
#ifndef RT_X86_CRC32_H
#define RT_X86_CRC32_H

#include <rt/base.h>

/* Of a whole block. Core 0 (the first call makes the tables). */
uint32_t crc32_ieee(const void *data, size_t bytes);

#endif
