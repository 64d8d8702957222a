/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transmit and reclaim, in line: a driver's data path file compiles them with its format as
 * constants.
 *
 * Two hand-overs a frame, each checked against the owner array: to the NIC when it is queued,
 * NIC -> POOL when the chip is done with it. The loop first tests everything that makes a frame
 * one of its kind (one buffer, no requests or the ones the chip knows), then changes things; at
 * the first frame that is not it stops.
 */
#ifndef PMD_TX_RUN_H
#define PMD_TX_RUN_H

#include "ring.h"

#define NIC_TX_RECLAIM_BLOCKS 8 /* a call looks at no more completed blocks than this */

/* Constants of a driver. */
struct nic_tx_format {
    uint64_t command;  /* of a frame in one descriptor without requests, but for its length */
    bool counts_bytes; /* q->per_byte is not one: the command has a length of the whole, too */
    enum nic_tx_fate (*odd)(struct nic_tx_ring *q, struct buf *b_owned);
};

/* Descriptor and shadow entry of a frame lie at twice the offset of its place in the batch. */
_Static_assert(sizeof(struct nic_tx_desc) == 2 * sizeof(struct buf *) &&
                   sizeof(struct buf_ref) == 2 * sizeof(struct buf *),
               "one index for three arrays");

/*
 * At most `limit` frames of one buffer and one kind into consecutive descriptors; returns how
 * many. Compiled twice, with `known` constant: frames without requests, and with those of
 * q->offload. One index counts up to zero for all three arrays: an addition and a jump a frame.
 */
RT_INLINE uint32_t nic_tx_run(struct nic_tx_ring *q, const struct nic_tx_format *format,
                              struct buf *const *from, uint32_t limit, bool known)
{
    const struct nic_tx_kind *kind = known ? &q->offload : &q->plain;
    const uint32_t bytes_min = known ? kind->bytes_min : NIC_TX_BYTES_MIN;
    const uint32_t over_min = kind->over_min, offset_max = kind->offset_max;
    /* read, not a constant: one multiplication, no shifts and additions */
    const uint64_t per_byte = format->counts_bytes ? q->per_byte : 1;
    const uint64_t command = known ? kind->command - kind->header_bytes * (per_byte - 1)
                                   : format->command;
    const char *const from_end = (const char *)(from + limit);
    char *const desc_end = (char *)(q->desc + q->next + limit);
    char *const slot_end = (char *)(q->shadow + q->next + limit);
    ptrdiff_t i = -(ptrdiff_t)(limit * sizeof(*from));
    uint64_t bytes = 0;
    uint32_t n;

    for (; i != 0; i += (ptrdiff_t)sizeof(*from)) {
        struct nic_tx_desc *desc = (struct nic_tx_desc *)(void *)(desc_end + 2 * i);
        struct buf *b = *(struct buf *const *)(const void *)(from_end + i);
        uint8_t *owner = b->owner;
        uint32_t length, offset;

        if (RT_UNLIKELY(!buf_is_mine_inside(owner)))
            break;
        if (known ? RT_UNLIKELY(!nic_tx_is_known(q, b))
                  : RT_UNLIKELY((b->flags & BUF_TX_OFFLOADS) != 0))
            break;
        length = b->data_len;
        offset = b->data_off;
        if (RT_UNLIKELY(b->segments != 1) ||
            RT_UNLIKELY(length - bytes_min > over_min) ||
            RT_UNLIKELY(offset > offset_max))
            break;
        RT_INVARIANT(pool_contains(b->pool, b));
        RT_INVARIANT(buf_is_inside(b));
        buf_to_nic(owner);
        bytes += length;
        desc->address = hal_phys((char *)b + sizeof(struct buf) + offset).v;
        desc->command = command + length * per_byte;
        *(struct buf_ref *)(void *)(slot_end + 2 * i) = (struct buf_ref){b, owner};
        nic_tx_poison(b, owner);
    }
    n = (uint32_t)(limit + i / (ptrdiff_t)sizeof(*from));
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    q->used = (uint16_t)(q->used + n);
    q->next = nic_ring_wrap(q->next + n, q->descs);
    return n;
}

/* Of a frame in two buffers: both ours, each inside its room, the lengths what they say. */
RT_INLINE bool nic_tx_is_pair(const struct nic_tx_ring *q, const struct nic_tx_kind *kind,
                              const struct buf *b, const struct buf *last)
{
    const uint32_t headers = kind->header_bytes; /* 0: not TSO, which cuts up what is behind */

    return last != NULL && buf_is_mine(last->owner) && last->next == NULL &&
           last->data_len != 0 && buf_is_inside(last) &&
           b->data_len >= (headers != 0 ? headers : kind->bytes_min) &&
           (uint32_t)b->data_off + b->data_len <= BUF_HEADROOM_BYTES + BUF_ROOM_BYTES &&
           b->pkt_len == (uint32_t)b->data_len + last->data_len &&
           (b->pkt_len <= q->bytes_max || headers != 0);
}

/* Into the next descriptor, which is behind no end of the ring. */
RT_INLINE void nic_tx_put_next(struct nic_tx_ring *q, struct buf *b, uint64_t command)
{
    uint8_t *owner = b->owner;

    q->desc[q->next] = (struct nic_tx_desc){hal_phys(buf_start(b)).v, command + b->data_len};
    buf_to_nic(owner);
    q->shadow[q->next++] = (struct buf_ref){b, owner};
    nic_tx_poison(b, owner);
}

/* At most `limit` frames of two buffers and one kind; returns how many. Every zero-copy frame
 * of a stack is one: its headers, and a payload elsewhere. */
RT_INLINE uint32_t nic_tx_pairs(struct nic_tx_ring *q, struct buf *const *from, uint32_t limit,
                                bool known)
{
    const struct nic_tx_kind *kind = known ? &q->offload : &q->plain;
    uint64_t bytes = 0;
    uint32_t n;

    for (n = 0; n < limit; n++) {
        struct buf *b = from[n], *last;
        uint64_t command = kind->command;

        if (!buf_is_mine_inside(b->owner) || b->segments != 2 ||
            (known ? !nic_tx_is_known(q, b) : (b->flags & BUF_TX_OFFLOADS) != 0))
            break;
        last = b->next;
        if (RT_UNLIKELY(!nic_tx_is_pair(q, kind, b, last)))
            break;
        bytes += b->pkt_len;
        command += (uint64_t)(b->pkt_len - kind->header_bytes) * (q->per_byte - 1);
        nic_tx_put_next(q, b, command & ~NIC_TXD_EOP);
        nic_tx_put_next(q, last, command);
    }
    q->next = nic_ring_wrap(q->next, q->descs);
    q->used = (uint16_t)(q->used + 2 * n);
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    return n;
}

/* How many frames a run can have: the ring neither wraps nor fills. */
RT_INLINE uint32_t nic_tx_limit(const struct nic_tx_ring *q, uint32_t count)
{
    uint32_t run = RT_MIN(count, (uint32_t)q->descs - q->next);

    return RT_MIN(run, nic_tx_room(q));
}

/* A descriptor that reports is done, and all before it with it. */
RT_INLINE uint32_t nic_tx_reclaim_blocks(struct nic_tx_ring *q, uint32_t blocks)
{
    uint32_t total = 0;

    for (; blocks > 0 && q->report_count > 0; blocks--) {
        uint32_t last = q->reports[q->report_first];
        uint32_t end = last >= q->clean ? last + 1 : q->descs;
        uint32_t count = end - q->clean;

        if ((*(volatile uint64_t *)&q->desc[last].command & NIC_TXD_DD) == 0)
            break;
        pool_take_back(q->head.pool, &q->shadow[q->clean], count);
        if (end != last + 1) {
            pool_take_back(q->head.pool, &q->shadow[0], last + 1);
            count += last + 1;
        }
        RT_INVARIANT(count <= q->used);
        q->clean = nic_ring_wrap(last + 1, q->descs);
        q->report_first = nic_ring_wrap(q->report_first + 1u, q->descs);
        q->report_count--;
        q->used = (uint16_t)(q->used - count);
        total += count;
    }
    return total;
}

/* `count` new descriptors to the chip. Not every call asks for a report: at low load that would
 * be a write-back a frame, and a cache miss to read it. What waits for its report stays in the
 * ring, at most report_every - 1 descriptors. */
RT_INLINE void nic_tx_post(struct nic_tx_ring *q, uint32_t count)
{
    q->unreported = (uint16_t)(q->unreported + count);
    if (q->unreported >= q->report_every) {
        uint32_t last = q->next == 0 ? q->descs - 1u : q->next - 1u;
        uint32_t slot = (uint32_t)q->report_first + q->report_count;

        q->desc[last].command |= NIC_TXD_RS;
        q->reports[slot < q->descs ? slot : slot - q->descs] = (uint16_t)last;
        q->report_count++;
        q->unreported = 0;
    }
    q->head.stats.batches++;
    hal_write32(&q->mmio, q->tail_reg, q->next);
}

/* Frames that are not what the last run was for: one kind after the other, in one buffer or
 * two. Returns how many were queued; 0: there is no room, or the next frame is odd. */
RT_INLINE uint32_t nic_tx_other(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                struct buf *const *from, uint32_t count)
{
    const struct buf *b = *from;
    uint32_t descs;
    bool requests;

    if (!buf_is_mine_inside(b->owner))
        return 0; /* the rest of its header may be somebody else's */
    requests = (b->flags & BUF_TX_OFFLOADS) != 0;
    if (requests && !nic_tx_is_known(q, b))
        return 0; /* new ones are odd: no run is begun for nothing */
    descs = nic_tx_limit(q, 2 * count);
    if (b->segments != 1)
        return requests ? nic_tx_pairs(q, from, RT_MIN(count, descs / 2), true) :
                          nic_tx_pairs(q, from, RT_MIN(count, descs / 2), false);
    return requests ? nic_tx_run(q, format, from, RT_MIN(count, descs), true) :
                      nic_tx_run(q, format, from, RT_MIN(count, descs), false);
}

/* From frame `i` of a batch on: the ring wrapped or is full, or the frame is not plain. */
RT_INLINE void nic_tx_more(struct nic_tx_ring *q, const struct nic_tx_format *format,
                           struct buf_batch *batch, uint32_t i)
{
    while (i < batch->count) {
        struct buf **from = &batch->buf[i];
        uint32_t n = nic_tx_other(q, format, from, batch->count - i);

        i += n;
        if (n != 0)
            continue;
        if (nic_tx_room(q) == 0 || format->odd(q, *from) == NIC_TX_NO_ROOM)
            break;
        i++;
    }
    q->head.stats.ring_full += batch->count - i;
    for (uint32_t k = i; k < batch->count; k++)
        batch->buf[k - i] = batch->buf[k];
    batch->count -= i;
}

/* What a driver's functions are made of, apart from each other so that each has registers of its
 * own: most transmit calls are one run of plain frames, at low load with nothing to reclaim. */
struct nic_tx_parts {
    uint32_t (*reclaim)(struct nic_tx_ring *q, uint32_t blocks);
    void (*more)(struct nic_tx_ring *q, struct buf_batch *batch, uint32_t i);
};

/* One transmit call. */
RT_INLINE void nic_tx_call(struct nic_tx_ring *q, const struct nic_tx_format *format,
                           const struct nic_tx_parts *parts, struct buf_batch *batch)
{
    uint32_t count = batch->count, used_before, n;

    RT_ASSERT_LE(count, (uint32_t)BUF_BATCH_MAX);
    RT_INVARIANT(q->head.core == hal_core_id());
    if (q->report_count != 0)
        (void)parts->reclaim(q, NIC_TX_RECLAIM_BLOCKS);
    used_before = q->used;
    n = nic_tx_run(q, format, batch->buf, nic_tx_limit(q, count), false);
    if (RT_LIKELY(n == count)) {
        batch->count = 0;
    } else {
        parts->more(q, batch, n);
        n = (uint32_t)q->used - used_before;
    }
    if (RT_LIKELY(n != 0))
        nic_tx_post(q, n);
}

/* The transmit function `name` and its reclaim for one format. */
#define NIC_TX_FUNCTION(name, format)                                                          \
    static __attribute__((noinline)) uint32_t name##_blocks(struct nic_tx_ring *q,             \
                                                            uint32_t blocks)                   \
    {                                                                                          \
        return nic_tx_reclaim_blocks(q, blocks);                                               \
    }                                                                                          \
    static __attribute__((noinline)) void name##_more(struct nic_tx_ring *q,                   \
                                                      struct buf_batch *batch, uint32_t i)     \
    {                                                                                          \
        nic_tx_more(q, &(format), batch, i);                                                   \
    }                                                                                          \
    static const struct nic_tx_parts name##_parts = {name##_blocks, name##_more};              \
    void name(struct nic_txq *txq, struct buf_batch *batch)                                    \
    {                                                                                          \
        nic_tx_call(nic_tx_ring_of(txq), &(format), &name##_parts, batch);                     \
    }                                                                                          \
    uint32_t name##_reclaim(struct nic_txq *txq)                                               \
    {                                                                                          \
        struct nic_tx_ring *q = nic_tx_ring_of(txq);                                           \
                                                                                               \
        return name##_blocks(q, q->descs);                                                     \
    }

#endif
