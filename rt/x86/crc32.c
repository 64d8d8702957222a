/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <rt/assert.h>

#include "crc32.h"

#define CRC32_POLYNOMIAL UINT32_C(0xedb88320) /* reflected */
#define SLICES 8 /* bytes a step: modules may be hundreds of MiB */

static uint32_t table[SLICES][256];

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC32_POLYNOMIAL : 0);
        table[0][i] = crc;
    }
    for (unsigned s = 1; s < SLICES; s++) {
        for (unsigned i = 0; i < 256; i++)
            table[s][i] = table[s - 1][i] >> 8 ^ table[0][table[s - 1][i] & 0xff];
    }
}

uint32_t crc32_ieee(const void *data, size_t bytes)
{
    const uint8_t *p = data;
    uint32_t crc = UINT32_MAX;

    RT_ASSERT(data != NULL || bytes == 0);
    if (table[0][1] == 0)
        make_tables();
    for (; bytes >= SLICES; bytes -= SLICES, p += SLICES) {
        uint32_t low, high;

        memcpy(&low, p, sizeof(low));
        memcpy(&high, p + 4, sizeof(high));
        low ^= crc;
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    for (; bytes > 0; bytes--)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}
