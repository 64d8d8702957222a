/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receive loop, in line: a driver's data path file compiles it with its format as
 * constants.
 *
 * Two hand-overs a frame, each checked against the owner array: NIC -> STACK for what came,
 * POOL -> NIC for what takes its place. The loop first tests everything that makes a frame
 * plain, then changes things; at the first frame that is not plain it stops.
 *
 * Bytes 16..31 of a buffer's header are the write-back, masked; bytes 32..47 are a template and
 * the length, which lies in the same lane in both.
 */
#ifndef PMD_RX_RUN_H
#define PMD_RX_RUN_H

#include "ring.h"

/* Constants of a driver. */
struct nic_rx_format {
    uint64_t errors; /* bits of a status that make a frame odd */
    uint64_t sums;   /* ... that say something else about sums than the flags in their places */
    /* which of q->sums a status with one of `sums` stands for; `address` is the other word */
    uint32_t (*says)(uint64_t address, uint64_t status);
    void (*odd)(struct nic_rx_ring *q, struct buf_batch *out); /* the next descriptor */
};

/* A plain frame: DD and EOP set, no error, length 1..2048: one compare after the length went
 * down by one (0 borrows and becomes the largest). */
#define NIC_RX_PLAIN (NIC_RXD_DD | NIC_RXD_EOP)
#define NIC_RX_LENGTH_ONE (UINT64_C(1) << NIC_RXD_LENGTH_SHIFT)
#define NIC_RX_LENGTH_OVER (UINT64_C(0xf800) << NIC_RXD_LENGTH_SHIFT)
_Static_assert(BUF_ROOM_BYTES == 0x800, "length - 1 with a bit of 0xf800 exceeds the room");

#define HEADER_RESULTS offsetof(struct buf, rss_type)
#define HEADER_SHAPE offsetof(struct buf, next)
_Static_assert(offsetof(struct buf, flags) - HEADER_RESULTS ==
                   offsetof(struct nic_rx_desc, status),
               "status lands in flags");
static const nic_vec nic_rx_to_data = {sizeof(struct buf) + BUF_HEADROOM_BYTES, 0};
static const nic_vec nic_rx_length_lane = {0, NIC_RXD_LENGTH};

RT_INLINE nic_vec *nic_rx_header(struct buf *b, size_t offset)
{
    return (nic_vec *)(void *)((char *)b + offset);
}

/* A wrong sum takes a load and two operations: an attacker must not choose our speed. */
RT_INLINE void nic_rx_fix_flags(const struct nic_rx_ring *q, struct buf *b, uint32_t says)
{
    b->flags = (b->flags & q->sums[says].keep) | q->sums[says].set;
}

/* Descriptor and shadow entry of a frame lie at twice the offset of its place in the batch. */
_Static_assert(sizeof(struct nic_rx_desc) == 2 * sizeof(struct buf *) &&
                   sizeof(struct buf_ref) == 2 * sizeof(struct buf *),
               "one index for three arrays");

/*
 * At most `limit` plain frames from consecutive descriptors; returns how many. The pool holds
 * at least `limit` replacements, and the ring does not wrap within `limit`. *odd: it stopped at
 * a frame, one that is not plain; looking again later could take one that just came for it.
 *
 * One index counts up to zero for descriptors, shadow and batch, from their ends: two additions
 * and a jump a frame, where three pointers and a comparison would be five instructions.
 */
RT_INLINE uint32_t nic_rx_run(struct nic_rx_ring *q, const struct nic_rx_format *format,
                              struct buf **out, uint32_t limit, bool *odd)
{
    const uint64_t mask = NIC_RX_PLAIN | format->errors | NIC_RX_LENGTH_OVER;
    const struct buf_ref *fresh = pool_fresh(q->head.pool);
    char *const out_end = (char *)(out + limit);
    char *const desc_end = (char *)(q->desc + q->next + limit);
    char *const slot_end = (char *)(q->shadow + q->next + limit);
    const nic_vec keep = q->keep, header = q->header;
    nic_vec sum = {0, 0};
    ptrdiff_t i = -(ptrdiff_t)(limit * sizeof(*out));
    uint64_t status = 0;
    uint32_t n;

    for (; i != 0; i += (ptrdiff_t)sizeof(*out), fresh--) {
        nic_vec *desc = (nic_vec *)(void *)(desc_end + 2 * i);
        struct buf_ref *slot = (struct buf_ref *)(void *)(slot_end + 2 * i);
        nic_vec written, results, length, next;
        uint8_t *owner, *next_owner;
        struct buf *got;

        written = *(volatile nic_vec *)desc; /* once: what is checked is what is used */
        status = written[1];
        if (RT_UNLIKELY(((status - NIC_RX_LENGTH_ONE) & mask) != NIC_RX_PLAIN))
            break;
        RT_COMPILER_BARRIER(); /* the rest is valid once DD was seen */
        owner = slot->owner;
        next_owner = fresh->owner;
        if (RT_UNLIKELY(*owner != BUF_NIC) || RT_UNLIKELY(*next_owner != BUF_POOL))
            break;
        got = slot->buf;
        next = *(const nic_vec *)(const void *)fresh;
        *owner = BUF_STACK;
        *next_owner = BUF_NIC;
        RT_PREFETCH((char *)got + sizeof(struct buf) + BUF_HEADROOM_BYTES);
        results = written & keep;
        length = results & nic_rx_length_lane;
        sum += length;
        buf_unpoison(got);
        *nic_rx_header(got, HEADER_RESULTS) = results;
        *nic_rx_header(got, HEADER_SHAPE) = header | length;
        if (format->sums != 0 && RT_UNLIKELY((status & format->sums) != 0))
            nic_rx_fix_flags(q, got, format->says(written[0], status));
        *(nic_vec *)(void *)slot = next;
        *desc = (nic_vec){hal_phys((void *)next[0]).v, 0} + nic_rx_to_data;
        *(struct buf **)(void *)(out_end + i) = got;
    }
    n = (uint32_t)(limit + i / (ptrdiff_t)sizeof(*out));
    *odd = n != limit && (status & NIC_RXD_DD) != 0;
    pool_took(q->head.pool, n);
    q->head.stats.packets += n;
    q->head.stats.bytes += sum[1] >> NIC_RXD_LENGTH_SHIFT;
    return n;
}

/* The first of two: full, without an end; errors are valid in the last descriptor only. */
#define NIC_RX_FIRST_MASK (NIC_RXD_DD | NIC_RXD_EOP | NIC_RXD_LENGTH)
#define NIC_RX_FIRST (NIC_RXD_DD | (uint64_t)BUF_ROOM_BYTES << NIC_RXD_LENGTH_SHIFT)

/* The places of one descriptor, and the buffers that change hands there. */
struct nic_rx_swap {
    nic_vec *desc, *slot;
    nic_vec next;
    struct buf *got;
    uint8_t *owner, *next_owner;
};
RT_INLINE struct nic_rx_swap nic_rx_swap_of(nic_vec *desc, struct buf_ref *slot,
                                            const struct buf_ref *fresh)
{
    return (struct nic_rx_swap){desc,        (nic_vec *)(void *)slot,
                                *(const nic_vec *)(const void *)fresh,
                                slot->buf,   slot->owner,
                                fresh->owner};
}
RT_INLINE bool nic_rx_may_swap(const struct nic_rx_swap *swap)
{
    return *swap->owner == BUF_NIC && *swap->next_owner == BUF_POOL;
}
RT_INLINE void nic_rx_do_swap(const struct nic_rx_swap *swap)
{
    *swap->owner = BUF_STACK;
    *swap->next_owner = BUF_NIC;
    *swap->slot = swap->next;
    *swap->desc = (nic_vec){hal_phys((void *)swap->next[0]).v, 0} + nic_rx_to_data;
    buf_unpoison(swap->got);
}

/* At most `limit` frames of two buffers each from consecutive descriptors; returns how many. The
 * pool holds replacements, and the ring does not wrap within them. The second's write-back tells
 * of the whole frame; the first's, that it is full. One index counts up to zero, as above. */
RT_INLINE uint32_t nic_rx_pairs(struct nic_rx_ring *q, const struct nic_rx_format *format,
                                struct buf **out, uint32_t limit)
{
    const uint64_t mask = NIC_RX_PLAIN | format->errors | NIC_RX_LENGTH_OVER;
    const uint64_t second_max = (uint64_t)(q->bytes_max - BUF_ROOM_BYTES)
                                << NIC_RXD_LENGTH_SHIFT;
    const struct buf_ref *fresh = pool_fresh(q->head.pool);
    char *const out_end = (char *)(out + limit);
    char *const desc_end = (char *)(q->desc + q->next + 2 * limit);
    char *const slot_end = (char *)(q->shadow + q->next + 2 * limit);
    const nic_vec keep = q->keep, header = q->header;
    const nic_vec room = {0, (uint64_t)BUF_ROOM_BYTES << NIC_RXD_LENGTH_SHIFT};
    const nic_vec first_header = header + room + (nic_vec){0, UINT64_C(1) << 16}; /* segments */
    ptrdiff_t i = -(ptrdiff_t)(limit * sizeof(*out));
    nic_vec sum = {0, 0};
    uint32_t n;

    for (; i != 0; i += (ptrdiff_t)sizeof(*out), fresh -= 2) {
        nic_vec *desc = (nic_vec *)(void *)(desc_end + 4 * i);
        struct buf_ref *slot = (struct buf_ref *)(void *)(slot_end + 4 * i);
        uint64_t first = *(volatile uint64_t *)((uint64_t *)(void *)desc + 1);
        nic_vec written = *(volatile nic_vec *)&desc[1];
        nic_vec results, length;
        struct nic_rx_swap one, two;
        struct buf *b, *last;

        if ((first & NIC_RX_FIRST_MASK) != NIC_RX_FIRST ||
            ((written[1] - NIC_RX_LENGTH_ONE) & mask) != NIC_RX_PLAIN)
            break;
        RT_COMPILER_BARRIER(); /* the rest is valid once DD was seen */
        one = nic_rx_swap_of(&desc[0], &slot[0], &fresh[0]);
        two = nic_rx_swap_of(&desc[1], &slot[1], &fresh[-1]);
        if (RT_UNLIKELY((written[1] & NIC_RXD_LENGTH) > second_max) ||
            RT_UNLIKELY(!nic_rx_may_swap(&one)) || RT_UNLIKELY(!nic_rx_may_swap(&two)))
            break;
        nic_rx_do_swap(&one);
        nic_rx_do_swap(&two);
        b = one.got;
        last = two.got;
        RT_PREFETCH((char *)b + sizeof(struct buf) + BUF_HEADROOM_BYTES);
        results = written & keep;
        length = results & nic_rx_length_lane;
        sum += length;
        *nic_rx_header(last, HEADER_RESULTS) = length;
        *nic_rx_header(last, HEADER_SHAPE) = header | length;
        *nic_rx_header(b, HEADER_RESULTS) = (results ^ length) | room;
        *nic_rx_header(b, HEADER_SHAPE) = (first_header + length) | (nic_vec){(uintptr_t)last, 0};
        if (format->sums != 0 && RT_UNLIKELY((written[1] & format->sums) != 0))
            nic_rx_fix_flags(q, b, format->says(written[0], written[1]));
        *(struct buf **)(void *)(out_end + i) = b;
    }
    n = (uint32_t)(limit + i / (ptrdiff_t)sizeof(*out));
    pool_took(q->head.pool, 2 * n);
    q->unposted = (uint16_t)(q->unposted + 2 * n);
    q->next = nic_ring_wrap(q->next + 2 * n, q->descs);
    q->head.stats.packets += n;
    q->head.stats.bytes += (sum[1] >> NIC_RXD_LENGTH_SHIFT) + (uint64_t)n * BUF_ROOM_BYTES;
    return n;
}

/* What a driver's function is made of, apart from each other so that each has registers of its
 * own: most polls need one run. */
struct nic_rx_parts {
    uint32_t (*pairs)(struct nic_rx_ring *q, struct buf **out, uint32_t limit);
    void (*more)(struct nic_rx_ring *q, struct buf_batch *out, uint32_t left, bool odd);
};

/* Frames that are not in one buffer: those in two, else the next descriptor alone. Returns what
 * that was of `left`. */
RT_INLINE uint32_t nic_rx_not_one(struct nic_rx_ring *q, const struct nic_rx_format *format,
                                  const struct nic_rx_parts *parts, struct buf_batch *out,
                                  uint32_t left)
{
    uint32_t limit = RT_MIN(left, ((uint32_t)q->descs - q->next) / 2), n = 0;

    if (!q->mid_frame && q->bytes_max > BUF_ROOM_BYTES)
        n = parts->pairs(q, &out->buf[out->count],
                         RT_MIN(limit, pool_ready(q->head.pool) / 2));
    out->count += n;
    if (n != 0)
        return n;
    format->odd(q, out);
    return 1;
}

/* One run behind what is in the batch, of `left` frames at most, and the books of it. *whole:
 * it ended where it had to, not for want of a frame. */
RT_INLINE uint32_t nic_rx_take(struct nic_rx_ring *q, const struct nic_rx_format *format,
                               struct buf_batch *out, uint32_t left, bool *odd, bool *whole)
{
    uint32_t first = out->count, next = q->next, descs = q->descs;
    uint32_t run = RT_MIN(left, descs - next), n;

    run = RT_UNLIKELY(q->mid_frame) ? 0 : RT_MIN(run, pool_ready(q->head.pool));
    n = nic_rx_run(q, format, &out->buf[first], run, odd);
    out->count = first + n;
    q->unposted = (uint16_t)(q->unposted + n);
    q->next = nic_ring_wrap(next + n, q->descs);
    *whole = n == run;
    return n;
}

/* After a run that was not the last: the ring wrapped, or the next frame is not plain. */
RT_INLINE void nic_rx_more(struct nic_rx_ring *q, const struct nic_rx_format *format,
                           const struct nic_rx_parts *parts, struct buf_batch *out,
                           uint32_t left, bool odd)
{
    while (left > 0) {
        bool whole = false;
        uint32_t n = 0;

        if (odd) {
            left -= nic_rx_not_one(q, format, parts, out, left);
            odd = false;
            continue;
        }
        n = nic_rx_take(q, format, out, left, &odd, &whole);
        left -= n;
        if (n == 0 && whole) /* in the middle of a frame, or the pool is empty */
            odd = nic_rx_pending(q);
        if (!odd && (n == 0 || !whole))
            break;
    }
}

#define NIC_RX_AHEAD_FROM 8 /* frames: the next poll will find about as many */
#define NIC_RX_AHEAD_LINES 7
/* Lines of the descriptors behind the next one, all at once: one by one each is waited for. Past
 * the ring's end it does no harm. In line: gcc takes a function that only prefetches for one
 * without an effect, and leaves out the call. */
RT_INLINE void nic_rx_read_ahead(const struct nic_rx_ring *q)
{
    const char *desc = (const char *)&q->desc[q->next];

#pragma GCC unroll 8
    for (uint32_t i = 1; i <= NIC_RX_AHEAD_LINES; i++)
        RT_PREFETCH(desc + (size_t)i * RT_CACHE_LINE);
}

/* A poll that found something. Most need one run, and that is straight code. */
RT_INLINE uint32_t nic_rx_some(struct nic_rx_ring *q, const struct nic_rx_format *format,
                               const struct nic_rx_parts *parts, struct buf_batch *out,
                               uint32_t max)
{
    uint32_t before = out->count, left, n;
    bool odd = false, whole = false;

    RT_ASSERT_LE(before, (uint32_t)BUF_BATCH_MAX);
    RT_INVARIANT(q->head.core == hal_core_id());
    left = RT_MIN(max, BUF_BATCH_MAX - before);
    if (q->found >= NIC_RX_AHEAD_FROM)
        nic_rx_read_ahead(q);
    n = nic_rx_take(q, format, out, left, &odd, &whole);
    if (RT_UNLIKELY(n != left) && (odd || whole)) {
        parts->more(q, out, left - n, odd);
        n = out->count - before;
    }
    q->head.stats.batches += n != 0;
    q->found = (uint16_t)n;
    if (q->unposted >= q->post_at)
        nic_rx_post(q);
    return n;
}

/* The receive function `name` for one format. An empty poll ends in it before any register is
 * saved: most polls of a quiet port are. */
#define NIC_RX_FUNCTION(name, format)                                                          \
    static __attribute__((noinline)) uint32_t name##_pairs(                                    \
        struct nic_rx_ring *q, struct buf **out, uint32_t limit)                               \
    {                                                                                          \
        return nic_rx_pairs(q, &(format), out, limit);                                         \
    }                                                                                          \
    static void name##_more(struct nic_rx_ring *q, struct buf_batch *out, uint32_t left,       \
                            bool odd);                                                         \
    static const struct nic_rx_parts name##_parts = {name##_pairs, name##_more};               \
    static __attribute__((noinline)) void name##_more(                                         \
        struct nic_rx_ring *q, struct buf_batch *out, uint32_t left, bool odd)                 \
    {                                                                                          \
        nic_rx_more(q, &(format), &name##_parts, out, left, odd);                              \
    }                                                                                          \
    static __attribute__((noinline)) uint32_t name##_some(struct nic_rx_ring *q,               \
                                                          struct buf_batch *out, uint32_t max) \
    {                                                                                          \
        return nic_rx_some(q, &(format), &name##_parts, out, max);                             \
    }                                                                                          \
    uint32_t name(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)                    \
    {                                                                                          \
        struct nic_rx_ring *q = nic_rx_ring_of(rxq);                                           \
                                                                                               \
        return RT_UNLIKELY(nic_rx_pending(q)) ? name##_some(q, out, max) : 0;                  \
    }

#endif
