/* SPDX-License-Identifier: BSD-2-Clause */
/* Rewriting addresses; see the header. */
#include "forward.h"

#include <cpuid.h>
#include <rt/assert.h>

_Static_assert(BUF_HEADROOM_BYTES + 16 <= BUF_ROOM_BYTES, "16 bytes fit behind any offset");

/* The first 16 bytes of a frame in one register. */
typedef uint8_t head_bytes __attribute__((vector_size(16), may_alias, aligned(1)));

/* Frames have no alignment and no type: memcpy of a constant size is one instruction. */
RT_INLINE uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

RT_INLINE uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

RT_INLINE void store_addresses(uint8_t *frame, uint64_t first8, uint32_t last4)
{
    __builtin_memcpy(frame, &first8, sizeof(first8));
    __builtin_memcpy(frame + 8, &last4, sizeof(last4));
}

struct l2fwd_rewrite l2fwd_rewrite_make(uint32_t port, const uint8_t port_mac[6])
{
    const uint8_t bytes[12] = {
        2, 0, 0, 0, 0, (uint8_t)port, /* locally administered, as DPDK's l2fwd */
        port_mac[0], port_mac[1], port_mac[2], port_mac[3], port_mac[4], port_mac[5],
    };

    RT_ASSERT_LE(port, (uint32_t)UINT8_MAX);
    return (struct l2fwd_rewrite){.first8 = load64(bytes), .last4 = load32(bytes + 8)};
}

void l2fwd_rewrite(const struct l2fwd_rewrite *rewrite, struct buf_batch *batch,
                   uint32_t first)
{
    const uint64_t first8 = rewrite->first8; /* stores below could alias *rewrite */
    const uint32_t last4 = rewrite->last4;
    struct buf **b = batch->buf + first;
    uint32_t left = batch->count - first;

    RT_INVARIANT(first <= batch->count);
    for (; left >= 4; left -= 4, b += 4) { /* four at a time: half of the loop's own cost */
        store_addresses(buf_data(b[0]), first8, last4);
        store_addresses(buf_data(b[1]), first8, last4);
        store_addresses(buf_data(b[2]), first8, last4);
        store_addresses(buf_data(b[3]), first8, last4);
    }
    for (; left > 0; left--, b++)
        store_addresses(buf_data(*b), first8, last4);
}

void l2fwd_swap(struct buf_batch *batch, uint32_t first)
{
    struct buf **end = batch->buf + batch->count;

    RT_INVARIANT(first <= batch->count);
    for (struct buf **b = batch->buf + first; b != end; b++) {
        uint8_t *frame = buf_data(*b);
        uint64_t first8 = load64(frame);    /* d0 d1 d2 d3 d4 d5 s0 s1 */
        uint64_t last4 = load32(frame + 8); /* s2 s3 s4 s5 */
        uint64_t source = first8 >> 48 | last4 << 16;

        store_addresses(frame, source | first8 << 48, (uint32_t)(first8 >> 16));
    }
}

#define WITH_SSSE3 __attribute__((target("ssse3")))

WITH_SSSE3 RT_INLINE void shuffle_head(const struct buf *b)
{
    head_bytes *head = (head_bytes *)(void *)buf_data(b);

    *head = __builtin_shufflevector(*head, *head, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13,
                                    14, 15);
}

WITH_SSSE3 static void swap_ssse3(struct buf_batch *batch, uint32_t first)
{
    struct buf **b = batch->buf + first;
    uint32_t left = batch->count - first;

    RT_INVARIANT(first <= batch->count);
    for (; left >= 4; left -= 4, b += 4) {
        shuffle_head(b[0]);
        shuffle_head(b[1]);
        shuffle_head(b[2]);
        shuffle_head(b[3]);
    }
    for (; left > 0; left--, b++)
        shuffle_head(*b);
}

l2fwd_swap_fn *l2fwd_swap_best(void)
{
    unsigned a, b, c = 0, d;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0 ? swap_ssse3 : l2fwd_swap;
}

void l2fwd_restore_vlan(struct buf_batch *batch, uint32_t first)
{
    for (uint32_t i = first; i < batch->count; i++) {
        if ((batch->buf[i]->flags & BUF_RX_VLAN) != 0)
            batch->buf[i]->flags |= BUF_TX_VLAN;
    }
}

enum l2fwd_mode l2fwd_mode_of(const struct l2fwd_options *options)
{
    RT_ASSERT_LE(options->mode, (uint32_t)L2FWD_TXONLY);
    if (options->mode == L2FWD_MAC && !options->mac_update)
        return L2FWD_IO;
    return (enum l2fwd_mode)options->mode;
}
