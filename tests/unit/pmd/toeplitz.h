/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Toeplitz hash as its definition says it (Microsoft, "RSS hashing functions"): bit i of the
 * input, when set, adds bits i..i+31 of the key. Shares no line with the software card.
 */
#ifndef TESTS_TOEPLITZ_H
#define TESTS_TOEPLITZ_H

#include <rt/base.h>

RT_INLINE uint32_t toeplitz_bit(const uint8_t *bytes, uint32_t bit)
{
    return (uint32_t)bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* The key is 40 bytes, the input at most 36. */
RT_INLINE uint32_t toeplitz(const uint8_t *key, const uint8_t *input, uint32_t bytes)
{
    uint32_t hash = 0;

    for (uint32_t out = 0; out < 32; out++) {
        uint32_t parity = 0;

        for (uint32_t in = 0; in < 8 * bytes; in++)
            parity ^= toeplitz_bit(input, in) & toeplitz_bit(key, in + out);
        hash = hash << 1 | parity;
    }
    return hash;
}

#endif
