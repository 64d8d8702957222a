/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Toeplitz hash (7.1.2.8) of every frame, by a table: what four input bits at one place add,
 * for each of their values. Registers can be plain memory, written unseen: the key that the
 * table is of is compared each time.
 */
#include "x82599_frame.h"

#include <string.h>

/* Bits `at` to `at` + 31 of the key, bit 0 first; zeros behind it. */
static uint32_t window(const uint8_t *key, uint32_t at)
{
    uint64_t bits = 0;

    RT_ASSERT_LT(at, 8u * RSS_KEY_BYTES);
    for (uint32_t i = 0; i < 5; i++)
        bits = bits << 8 | (at / 8 + i < RSS_KEY_BYTES ? key[at / 8 + i] : 0);
    return (uint32_t)(bits >> (8 - at % 8));
}

static void build(struct rss_table *table, const uint32_t *key)
{
    memcpy(table->key, key, sizeof(table->key));
    for (uint32_t n = 0; n < 2 * RSS_INPUT_MAX; n++)
        for (uint32_t value = 0; value < 16; value++) {
            uint32_t sum = 0;

            for (uint32_t bit = 0; bit < 4; bit++)
                if ((value & (8u >> bit)) != 0)
                    sum ^= window((const uint8_t *)key, 4 * n + bit);
            table->add[n][value] = sum;
        }
    table->built = true;
}

uint32_t x82599_toeplitz(const struct x82599 *dev, const uint8_t *input, uint32_t bytes)
{
    struct rss_table *table = dev->rss;
    const uint32_t *key = dev->reg + R_RSSRK(0) / 4; /* byte 0 is the low byte of the first */
    uint32_t hash = 0;

    RT_ASSERT_LE(bytes, (uint32_t)RSS_INPUT_MAX);
    if (!table->built || memcmp(table->key, key, sizeof(table->key)) != 0)
        build(table, key);
    for (uint32_t i = 0; i < bytes; i++)
        hash ^= table->add[2 * i][input[i] >> 4] ^ table->add[2 * i + 1][input[i] & 15];
    return hash;
}
