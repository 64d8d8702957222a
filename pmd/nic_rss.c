/* SPDX-License-Identifier: BSD-2-Clause */
#include <pmd/rss.h>
#include <rt/assert.h>

const uint8_t nic_rss_key[NIC_RSS_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* For each bit of the tuple that is set, the 32 bits of the key that begin at its place. */
uint32_t nic_rss_hash(const uint8_t *tuple, uint32_t bytes)
{
    uint64_t window = 0; /* of the key, its first bit on top */
    uint32_t hash = 0;

    RT_ASSERT_LE(bytes, (uint32_t)NIC_RSS_TUPLE_BYTES_MAX);
    for (uint32_t i = 0; i < sizeof(window); i++)
        window = window << 8 | nic_rss_key[i];
    for (uint32_t i = 0; i < bytes; i++) {
        const uint32_t ahead = i + (uint32_t)sizeof(window);

        for (uint32_t bit = 8; bit-- > 0; window <<= 1)
            hash ^= (uint32_t)(window >> 32) & (0 - (tuple[i] >> bit & 1u));
        window |= ahead < NIC_RSS_KEY_BYTES ? nic_rss_key[ahead] : 0;
    }
    return hash;
}
