/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmit, in line: runs of frames in two buffers, headers and what is behind them. */
#ifndef PMD_TX_PAIRS_H
#define PMD_TX_PAIRS_H

#include "tx_ask.h"

/* Of a frame in two buffers, both ours: the second is the last, the lengths what they say. */
RT_INLINE bool nic_tx_is_two(const struct nic_tx_kind *kind, const struct buf *b,
                             const struct buf *last, uint64_t first, uint64_t second)
{
    const uint64_t whole = first + second;

    return RT_LIKELY(first >= kind->first_min) && RT_LIKELY(second != 0) &&
           RT_LIKELY(whole == b->pkt_len) && RT_LIKELY(whole <= kind->whole_max) &&
           RT_LIKELY(last->next == NULL);
}

/*
 * At most `limit` frames of two buffers each and of one kind into consecutive descriptors; returns
 * how many. As nic_tx_run(); a zero-copy frame of a stack is one, its second buffer a header for
 * bytes that lie elsewhere.
 */
RT_INLINE uint32_t nic_tx_pairs(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                struct buf *const *from, uint32_t limit, bool known)
{
    const struct nic_tx_kind *kind = known ? &q->offload : &q->plain;
    const uint64_t per_byte = format->counts_bytes ? q->per_byte : 1;
    const uint64_t command = known ? kind->command - kind->header_bytes * (per_byte - 1)
                                   : format->command;
    const uint64_t room_bytes = q->room_bytes;
    const char *const from_end = (const char *)(from + limit);
    char *const desc_end = (char *)(q->desc + q->next + 2 * limit);
    char *const slot_end = (char *)(q->shadow + q->next + 2 * limit);
    ptrdiff_t i = -(ptrdiff_t)(limit * sizeof(*from));
    uint64_t bytes = 0;
    uint32_t n;

    for (; i != 0; i += (ptrdiff_t)sizeof(*from)) {
        struct nic_tx_desc *desc = (struct nic_tx_desc *)(void *)(desc_end + 4 * i);
        struct buf_ref *slot = (struct buf_ref *)(void *)(slot_end + 4 * i);
        struct buf *b = *(struct buf *const *)(const void *)(from_end + i), *last;
        uint8_t *owner = b->owner, *last_owner;
        uint64_t first, second, whole, offset;
        const char *start;

        if (RT_UNLIKELY(!buf_is_mine_inside(owner)))
            break;
        if (RT_UNLIKELY(known ? !nic_tx_is_known(q, b) : (b->flags & BUF_TX_OFFLOADS) != 0))
            break;
        last = b->next;
        if (RT_UNLIKELY(b->segments != 2) || RT_UNLIKELY(last == NULL))
            break;
        last_owner = last->owner;
        if (RT_UNLIKELY(!buf_is_mine(last_owner)))
            break;
        first = b->data_len;
        second = last->data_len;
        whole = first + second;
        offset = b->data_off;
        if (RT_UNLIKELY(first + offset > room_bytes) ||
            RT_UNLIKELY(!nic_tx_is_two(kind, b, last, first, second)))
            break;
        desc[0].address = hal_phys((char *)b + sizeof(struct buf) + offset).v;
        offset = last->data_off;
        start = (char *)last + sizeof(struct buf) + offset;
        if (RT_UNLIKELY(*last_owner == BUF_EXT))
            start = last->outside;
        else if (RT_UNLIKELY(second + offset > room_bytes))
            break;
        RT_INVARIANT(pool_contains(b->pool, b));
        RT_INVARIANT(pool_contains(last->pool, last));
        bytes += whole;
        whole = command + (format->counts_bytes ? whole * q->per_byte : whole);
        desc[0].command = whole - NIC_TXD_EOP - second;
        desc[1].address = hal_phys(start).v;
        desc[1].command = whole - first;
        buf_to_nic(owner);
        buf_to_nic(last_owner);
        slot[0].buf = b;
        slot[0].owner = owner;
        slot[1].buf = last;
        slot[1].owner = last_owner;
        nic_tx_poison(b, owner);
        nic_tx_poison(last, last_owner);
    }
    n = (uint32_t)(limit + i / (ptrdiff_t)sizeof(*from));
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    q->used = (uint16_t)(q->used + 2 * n);
    q->next = nic_ring_wrap(q->next + 2 * n, q->descs);
    return n;
}

/* At most `count` frames of two buffers like the first, as far as the ring neither wraps nor
 * fills. */
RT_INLINE uint32_t nic_tx_alike_pairs(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                      struct buf *const *from, uint32_t count)
{
    const uint32_t limit = RT_MIN(count, nic_tx_limit(q, 2 * count) / 2);
    const struct buf *b = *from;

    if (limit == 0 || !buf_is_mine_inside(b->owner) || b->segments != 2)
        return 0;
    if ((b->flags & BUF_TX_OFFLOADS) == 0)
        return nic_tx_pairs(q, format, from, limit, false);
    return nic_tx_is_known(q, b) ? nic_tx_pairs(q, format, from, limit, true) : 0;
}

#endif
