/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transmit and reclaim, in line: a driver's data path file compiles them with its format as
 * constants.
 *
 * Two hand-overs a frame, each checked against the owner array: to the NIC when it is queued,
 * NIC -> POOL when the chip is done with it. The loop first tests everything that makes a frame
 * one of its kind (one buffer, no requests or the ones the chip knows), then changes things; at
 * the first frame that is not it stops. Frames of different kinds in turn have a loop of their
 * own, which writes the contexts that they need.
 */
#ifndef PMD_TX_RUN_H
#define PMD_TX_RUN_H

#include "tx_pairs.h"

#define NIC_TX_RECLAIM_REPORTS 8u /* a transmit call looks at no more than these */

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
    const uint64_t over_min = kind->over_min;
    const int32_t offset_max = kind->offset_max;
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
        uint64_t length;
        int32_t offset;

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
        RT_INVARIANT(b->next == NULL); /* nobody would have it */
        RT_INVARIANT(pool_contains(b->pool, b));
        RT_INVARIANT(buf_is_inside(b));
        buf_to_nic(owner);
        bytes += length;
        desc->address = hal_phys((char *)b + sizeof(struct buf) + (uint32_t)offset).v;
        /* from memory, not a constant or a copy: one multiplication */
        desc->command = command + (format->counts_bytes ? length * q->per_byte : length);
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

/* ---- frames of any kind, in turn ---- */

#define NIC_TX_FRAME_DESCS 3 /* a context and two buffers: what one takes at most */

/* Its bytes lie in its room: of every pool, else of its own. */
RT_INLINE bool nic_tx_is_inside(const struct nic_tx_ring *q, const struct buf *b)
{
    return (uint32_t)b->data_off + b->data_len <= q->room_bytes || buf_is_inside(b);
}

/* Of a frame in two buffers: both ours, each inside its room, the lengths what they say. */
RT_INLINE bool nic_tx_is_pair(const struct nic_tx_ring *q, const struct nic_tx_kind *kind,
                              const struct buf *b, const struct buf *last)
{
    return buf_is_mine(last->owner) && last->next == NULL &&
           last->data_len != 0 && (*last->owner == BUF_EXT || nic_tx_is_inside(q, last)) &&
           b->data_len >= kind->first_min && b->pkt_len <= kind->whole_max &&
           b->pkt_len == (uint32_t)b->data_len + last->data_len;
}

/* It has one buffer or two, within the limits of its kind. */
RT_INLINE bool nic_tx_fits(const struct nic_tx_ring *q, const struct nic_tx_kind *kind,
                           const struct buf *b)
{
    if (RT_UNLIKELY(!nic_tx_is_inside(q, b)))
        return false;
    if (b->segments == 1)
        return b->data_len - kind->bytes_min <= kind->over_min;
    return b->segments == 2 && b->next != NULL && nic_tx_is_pair(q, kind, b, b->next);
}

/* A frame that fits, for which there is room. Returns its bytes. */
RT_INLINE uint32_t nic_tx_put_fitting(struct nic_tx_place *at, uint64_t per_byte,
                                      const struct nic_tx_kind *kind, struct buf *b)
{
    const bool pair = b->segments != 1;
    uint32_t bytes = pair ? b->pkt_len : b->data_len;
    uint64_t command = kind->command + (uint64_t)(bytes - kind->header_bytes) * (per_byte - 1);
    struct buf *last = b->next;

    if (!pair) {
        nic_tx_put_buf(at, b, buf_data(b), command);
        return bytes;
    }
    nic_tx_put_buf(at, b, buf_data(b), command & ~NIC_TXD_EOP);
    nic_tx_put_buf(at, last, buf_start(last), command);
    return bytes;
}

/* The kind of a frame with requests that are not known, behind its context; false: it is odd. */
RT_INLINE bool nic_tx_new_kind(struct nic_tx_ring *q, const struct nic_tx_format *format,
                               struct nic_tx_place *at, const struct buf *b)
{
    struct nic_tx_ask ask;
    struct nic_tx_kind kind;

    if (format->ask == NULL || (b->flags & BUF_TX_TSO) != 0 || !format->ask(q, b, &ask))
        return false;
    kind = nic_tx_kind_of(q, &ask);
    if (!nic_tx_fits(q, &kind, b))
        return false;
    nic_tx_put_context(q, at, &ask);
    nic_tx_remember(q, b, &ask, &kind);
    return true;
}

/* At most `count` frames of one buffer or two, with any requests or none; returns how many: up
 * to one that is odd, or for which the room may not do. That requests change from frame to frame
 * costs little: an attacker must not choose our speed. */
RT_INLINE uint32_t nic_tx_mixed(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                struct buf *const *from, uint32_t count)
{
    const uint64_t per_byte = format->counts_bytes ? q->per_byte : 1;
    struct nic_tx_place at = nic_tx_begin(q);
    uint64_t bytes = 0;
    uint32_t n;

    count = RT_MIN(count, nic_tx_room(q) / NIC_TX_FRAME_DESCS);
    for (n = 0; n < count; n++) {
        const struct nic_tx_kind *kind = &q->plain;
        struct buf *b = from[n];

        if (!buf_is_mine_inside(b->owner))
            break; /* the rest of its header may be somebody else's */
        if ((b->flags & BUF_TX_OFFLOADS) != 0) {
            kind = &q->offload;
            if (nic_tx_is_known(q, b) ? !nic_tx_fits(q, kind, b)
                                      : !nic_tx_new_kind(q, format, &at, b))
                break;
        } else if (!nic_tx_fits(q, kind, b)) {
            break;
        }
        bytes += nic_tx_put_fitting(&at, per_byte, kind, b);
    }
    nic_tx_end(q, &at);
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    return n;
}

/* The report at place `at` of the fifo, of descriptor `last`, is done, and all before it with it:
 * `reports` of them. Returns how many descriptors. */
RT_INLINE uint32_t nic_tx_reclaim_to(struct nic_tx_ring *q, uint32_t reports, uint32_t at,
                                     uint32_t last)
{
    const uint32_t end = last >= q->clean ? last + 1 : q->descs;
    uint32_t count = end - q->clean;

    pool_take_back(q->head.pool, &q->shadow[q->clean], count);
    if (end != last + 1) {
        pool_take_back(q->head.pool, &q->shadow[0], last + 1);
        count += last + 1;
    }
    RT_INVARIANT(count <= q->used);
    q->clean = nic_ring_wrap(last + 1, q->descs);
    q->report_first = nic_ring_wrap(at + 1, q->descs);
    q->report_count = (uint16_t)(q->report_count - reports);
    q->used = (uint16_t)(q->used - count);
    return count;
}

/* How many reports a transmit call looks at; not at the `last` ones, which it has just asked
 * for. */
RT_INLINE uint32_t nic_tx_reports(const struct nic_tx_ring *q, uint32_t last)
{
    RT_INVARIANT(q->report_count >= last);
    return RT_MIN(q->report_count - last, NIC_TX_RECLAIM_REPORTS);
}

/* What the first `reports` of those that wait say is done; if they do not, the first half of
 * them, and so on: many small calls come home in one stretch. Returns how many descriptors; 0:
 * the oldest report is not done. */
RT_INLINE uint32_t nic_tx_reclaim_some(struct nic_tx_ring *q, uint32_t reports)
{
    for (; reports > 0; reports /= 2) {
        uint32_t at = q->report_first + reports - 1, last;

        at = at < q->descs ? at : at - q->descs;
        last = q->reports[at];
        if ((*(volatile uint64_t *)&q->desc[last].command & NIC_TXD_DD) != 0)
            return nic_tx_reclaim_to(q, reports, at, last);
    }
    return 0;
}

/* New descriptors to the chip. The last one of each call reports: what is sent comes back without
 * waiting for other traffic. A value whose last header stayed on a quiet queue would never be
 * released, and a kept segment that was lost could not be sent again. */
RT_INLINE void nic_tx_post(struct nic_tx_ring *q)
{
    const uint32_t last = q->next == 0 ? q->descs - 1u : q->next - 1u;
    const uint32_t slot = (uint32_t)q->report_first + q->report_count;

    q->desc[last].command |= NIC_TXD_RS;
    q->reports[slot < q->descs ? slot : slot - q->descs] = (uint16_t)last;
    q->report_count++;
    q->head.stats.batches++;
    hal_write32(&q->mmio, q->tail_reg, q->next);
}

/* At most `limit` frames of one buffer like the first: no requests, or known ones. */
RT_INLINE uint32_t nic_tx_alike(struct nic_tx_ring *q, const struct nic_tx_format *format,
                                struct buf *const *from, uint32_t limit)
{
    const struct buf *b = *from;

    if (!buf_is_mine_inside(b->owner) || b->segments != 1)
        return 0;
    if ((b->flags & BUF_TX_OFFLOADS) == 0)
        return nic_tx_run(q, format, from, limit, false);
    return nic_tx_is_known(q, b) ? nic_tx_run(q, format, from, limit, true) : 0;
}

/* What a driver's functions are made of, apart from each other so that each has registers of its
 * own: most transmit calls are one run of plain frames, at low load with nothing to reclaim. */
struct nic_tx_parts {
    uint32_t (*reclaim)(struct nic_tx_ring *q, uint32_t reports);
    uint32_t (*alike)(struct nic_tx_ring *q, struct buf *const *from, uint32_t limit);
    uint32_t (*pairs)(struct nic_tx_ring *q, struct buf *const *from, uint32_t count);
    uint32_t (*mixed)(struct nic_tx_ring *q, struct buf *const *from, uint32_t count);
    uint32_t (*more)(struct nic_tx_ring *q, struct buf_batch *batch, uint32_t i);
};

/* From frame `i` of a batch on, before which one descriptor each was queued: the ring wrapped or
 * is full, or the frame is not plain. Returns how many descriptors the call queued. */
RT_INLINE uint32_t nic_tx_more(struct nic_tx_ring *q, const struct nic_tx_format *format,
                               const struct nic_tx_parts *parts, struct buf_batch *batch,
                               uint32_t i)
{
    uint32_t limit = 0, n = 0, home = 0;
    const uint32_t used_before = q->used - i;

    if (nic_tx_room(q) < NIC_TX_FRAME_DESCS * (batch->count - i))
        home = parts->reclaim(q, nic_tx_reports(q, 0));
    do { /* all like the first, but for the ring's end */
        limit = nic_tx_limit(q, batch->count - i);
        n = parts->alike(q, &batch->buf[i], limit);
        i += n;
    } while (i < batch->count && n == limit && n != 0);
    while (i < batch->count) {
        n = parts->pairs(q, &batch->buf[i], batch->count - i);
        if (n == 0)
            n = parts->mixed(q, &batch->buf[i], batch->count - i);
        i += n;
        if (n != 0)
            continue;
        if (nic_tx_room(q) != 0 && format->odd(q, format, batch->buf[i]) != NIC_TX_NO_ROOM) {
            i++;
            continue;
        }
        n = parts->reclaim(q, q->report_count);
        if (n == 0)
            break;
        home += n;
    }
    q->head.stats.ring_full += batch->count - i;
    for (uint32_t k = i; k < batch->count; k++)
        batch->buf[k - i] = batch->buf[k];
    batch->count -= i;
    return q->used + home - used_before;
}

/* One transmit call. */
RT_INLINE void nic_tx_call(struct nic_tx_ring *q, const struct nic_tx_format *format,
                           const struct nic_tx_parts *parts, struct buf_batch *batch)
{
    const uint32_t count = batch->count;
    uint32_t n;

    RT_ASSERT_LE(count, (uint32_t)BUF_BATCH_MAX);
    RT_INVARIANT(q->head.core == hal_core_id());
    RT_PREFETCH(&q->desc[q->next] - 1); /* which the last call reports with */
    n = nic_tx_run(q, format, batch->buf, nic_tx_limit(q, count), false);
    if (RT_LIKELY(n == count))
        batch->count = 0;
    else
        n = parts->more(q, batch, n);
    if (RT_LIKELY(n != 0))
        nic_tx_post(q);
    /* Behind the doorbell: by now the line with the report has come, and the chip has begun. */
    if (q->used - n >= q->reclaim_from)
        (void)parts->reclaim(q, nic_tx_reports(q, n != 0));
}

/* The transmit function `name` and its reclaim for one format. */
#define NIC_TX_FUNCTION(name, format)                                                          \
    static __attribute__((noinline)) uint32_t name##_some(struct nic_tx_ring *q,               \
                                                          uint32_t reports)                    \
    {                                                                                          \
        return nic_tx_reclaim_some(q, reports);                                                \
    }                                                                                          \
    static __attribute__((noinline)) uint32_t name##_alike(                                    \
        struct nic_tx_ring *q, struct buf *const *from, uint32_t limit)                        \
    {                                                                                          \
        return nic_tx_alike(q, &(format), from, limit);                                        \
    }                                                                                          \
    static __attribute__((noinline)) uint32_t name##_pairs(                                    \
        struct nic_tx_ring *q, struct buf *const *from, uint32_t count)                        \
    {                                                                                          \
        return nic_tx_alike_pairs(q, &(format), from, count);                                  \
    }                                                                                          \
    static __attribute__((noinline)) uint32_t name##_mixed(                                    \
        struct nic_tx_ring *q, struct buf *const *from, uint32_t count)                        \
    {                                                                                          \
        return nic_tx_mixed(q, &(format), from, count);                                        \
    }                                                                                          \
    static uint32_t name##_more(struct nic_tx_ring *q, struct buf_batch *batch, uint32_t i);   \
    static const struct nic_tx_parts name##_parts = {name##_some, name##_alike, name##_pairs,  \
                                                     name##_mixed, name##_more};               \
    static __attribute__((noinline)) uint32_t name##_more(                                     \
        struct nic_tx_ring *q, struct buf_batch *batch, uint32_t i)                            \
    {                                                                                          \
        return nic_tx_more(q, &(format), &name##_parts, batch, i);                             \
    }                                                                                          \
    void name(struct nic_txq *txq, struct buf_batch *batch)                                    \
    {                                                                                          \
        nic_tx_call(nic_tx_ring_of(txq), &(format), &name##_parts, batch);                     \
    }                                                                                          \
    uint32_t name##_reclaim(struct nic_txq *txq)                                               \
    {                                                                                          \
        struct nic_tx_ring *q = nic_tx_ring_of(txq);                                           \
        uint32_t total = 0, n;                                                                 \
                                                                                               \
        while ((n = name##_some(q, q->report_count)) != 0)                                     \
            total += n;                                                                        \
        return total;                                                                          \
    }

#endif
