/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe data path: a frame that is one buffer, in bursts; transmit also with the requests of
 * the context in force (checksums, VLAN tag, TSO), which costs no descriptor and no branch out.
 *
 * Budget, gcc -O2, bursts of 32: macswap with the whole loop 102 instructions a frame (`./millrace
 * count --nic ixgbe --args mode=macswap`), an empty poll 16 (`./millrace bench l2fwd`
 * times). No register is read; one RDT and one TDT write a burst. Four hand-overs a frame,
 * each checked against the owner array:
 *
 *     receive  NIC -> STACK     refill   POOL -> NIC
 *     transmit STACK -> NIC     reclaim  NIC -> POOL
 *
 * Each loop first tests everything that makes a frame plain, then changes things. At the first
 * frame that is not plain it stops, and ixgbe_rxtx_odd.c does that one.
 */
#include "ixgbe.h"

#include <mempool/poison.h>

#define TX_RECLAIM_BLOCKS 8 /* a transmit call looks at no more completed blocks than this */

/* A plain frame: DD and EOP set, no error, length 1..2048: one compare after the length went
 * down by one (0 borrows and becomes the largest). */
#define RX_PLAIN_MASK                                                                            \
    (RXD_DD | RXD_EOP | RXD_ERR_FRAME | (UINT64_C(0xf800) << RXD_LENGTH_SHIFT))
/* The chip looks at sums always; with rx_checksum off what it finds concerns nobody. */
#define RX_PLAIN_MASK_CHECKED (RX_PLAIN_MASK | RXD_ERR_L4E | RXD_ERR_IPE)
#define RX_PLAIN (RXD_DD | RXD_EOP)
#define RX_LENGTH_ONE (UINT64_C(1) << RXD_LENGTH_SHIFT)
_Static_assert(BUF_ROOM_BYTES == 0x800, "length - 1 with a bit of 0xf800 exceeds the room");

/* Bytes 16..31 of a header are the write-back, masked; 32..47 are a template and the length,
 * which lies in the same lane in both. */
_Static_assert(offsetof(struct buf, flags) - offsetof(struct buf, rss_type) ==
                   offsetof(struct ixgbe_rx_desc, status),
               "status lands in flags");
_Static_assert((unsigned)BUF_RX_VLAN == RXD_VP &&
                   (unsigned)BUF_RX_L4_GOOD == (RXD_UDPCS | RXD_L4CS) &&
                   (unsigned)BUF_RX_IP_GOOD == RXD_IPCS,
               "flags have the bit positions of the status");
#define HEADER_RESULTS offsetof(struct buf, rss_type)
#define HEADER_SHAPE offsetof(struct buf, next)
static const ixgbe_vec to_data = {sizeof(struct buf) + BUF_HEADROOM_BYTES, 0};
static const ixgbe_vec length_lane = {0, UINT64_C(0xffff) << RXD_LENGTH_SHIFT};

RT_INLINE uint64_t rx_status(const struct ixgbe_rx_desc *d)
{
    return *(const volatile uint64_t *)&d->status;
}

RT_INLINE ixgbe_vec *header_at(struct buf *b, size_t offset)
{
    return (ixgbe_vec *)(void *)((char *)b + offset);
}

/* At most `limit` plain frames from consecutive descriptors; returns how many. The pool holds
 * at least `limit` replacements, and the ring does not wrap within `limit`. *odd: it stopped at a
 * frame, one that is not plain; looking again later could take one that just came for it. `mask`:
 * one of the two above. */
RT_INLINE uint32_t rx_run(struct ixgbe_rxq *q, uint64_t mask, struct buf **out, uint32_t limit,
                          bool *odd)
{
    struct pool *pool = q->head.pool;
    struct ixgbe_rx_desc *d = &q->ring[q->next];
    /* Descriptors and references are of one size: a constant lies between the two of a slot. */
    const ptrdiff_t to_shadow = (char *)&q->shadow[q->next] - (char *)d;
    const struct buf_ref *fresh = &pool->stack[pool->free] - 1;
    const ixgbe_vec keep = q->keep, header = q->header;
    struct buf **const end = out + limit;
    ixgbe_vec sum = {0, 0};
    uint64_t status = 0;
    struct buf **p;
    uint32_t n;

    for (p = out; p < end; p++, d++, fresh--) {
        struct buf_ref *slot = (struct buf_ref *)(void *)((char *)d + to_shadow);
        uint8_t *owner, *next_owner;
        ixgbe_vec written, results, length, next;
        struct buf *got;

        written = *(volatile ixgbe_vec *)(void *)d; /* once: what is checked is what is used */
        status = written[1];
        if (RT_UNLIKELY(((status - RX_LENGTH_ONE) & mask) != RX_PLAIN))
            break;
        RT_COMPILER_BARRIER(); /* the rest is valid once DD was seen */
        owner = slot->owner;
        next_owner = fresh->owner;
        if (RT_UNLIKELY(*owner != BUF_NIC) || RT_UNLIKELY(*next_owner != BUF_POOL))
            break;
        got = slot->buf;
        next = *(const ixgbe_vec *)(const void *)fresh;
        *owner = BUF_STACK;
        *next_owner = BUF_NIC;
        RT_PREFETCH((char *)got + sizeof(struct buf) + BUF_HEADROOM_BYTES);
        results = written & keep;
        length = results & length_lane;
        sum += length;
        buf_unpoison(got);
        *header_at(got, HEADER_RESULTS) = results;
        *header_at(got, HEADER_SHAPE) = header | length;
        *(ixgbe_vec *)(void *)slot = next;
        *(ixgbe_vec *)(void *)d = (ixgbe_vec){hal_phys((void *)next[0]).v, 0} + to_data;
        *p = got;
    }
    n = (uint32_t)(p - out);
    *odd = n != limit && (status & RXD_DD) != 0;
    pool->free -= n;
    q->head.stats.packets += n;
    q->head.stats.bytes += sum[1] >> RXD_LENGTH_SHIFT;
    return n;
}

RT_INLINE uint16_t wrap(uint32_t index, uint16_t descs)
{
    return (uint16_t)(index == descs ? 0 : index);
}

bool ixgbe_rx_pending(const struct ixgbe_rxq *q)
{
    return (rx_status(&q->ring[q->next]) & RXD_DD) != 0;
}

/* RDT stays one behind, so that a full ring and an empty one differ. */
void ixgbe_rx_post(struct ixgbe_rxq *q)
{
    uint32_t tail = q->next == 0 ? q->descs - 1u : q->next - 1u;

    q->unposted = 0;
    hal_write32(&q->mmio, q->tail_reg, tail);
}

RT_INLINE uint32_t rx_bursts(struct ixgbe_rxq *q, uint64_t mask, struct buf_batch *out,
                             uint32_t max)
{
    uint32_t before = out->count;
    uint32_t left;

    RT_ASSERT_LE(before, (uint32_t)BUF_BATCH_MAX);
    left = RT_MIN(max, BUF_BATCH_MAX - before);
    while (left > 0) {
        uint32_t run = RT_MIN(left, (uint32_t)q->descs - q->next);
        bool odd = false;
        uint32_t n;

        run = q->mid_frame ? 0 : RT_MIN(run, q->head.pool->free);
        n = rx_run(q, mask, &out->buf[out->count], run, &odd);
        out->count += n;
        left -= n;
        q->unposted = (uint16_t)(q->unposted + n);
        q->next = wrap(q->next + n, q->descs);
        if (n == run && run != 0)
            continue;
        if (!odd && (run != 0 || !ixgbe_rx_pending(q)))
            break;
        ixgbe_rx_odd(q, out);
        left--;
    }
    q->head.stats.batches += out->count != before;
    if (q->unposted >= q->post_at)
        ixgbe_rx_post(q);
    return out->count - before;
}

/* Apart, so that an empty poll saves no registers. */
__attribute__((noinline)) static uint32_t rx_some(struct ixgbe_rxq *q, struct buf_batch *out,
                                                  uint32_t max)
{
    return rx_bursts(q, RX_PLAIN_MASK, out, max);
}

__attribute__((noinline)) static uint32_t rx_some_checked(struct ixgbe_rxq *q,
                                                          struct buf_batch *out, uint32_t max)
{
    return rx_bursts(q, RX_PLAIN_MASK_CHECKED, out, max);
}

uint32_t ixgbe_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    struct ixgbe_rxq *q = RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head);

    return RT_UNLIKELY(ixgbe_rx_pending(q)) ? rx_some(q, out, max) : 0;
}

uint32_t ixgbe_rx_checked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    struct ixgbe_rxq *q = RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head);

    return RT_UNLIKELY(ixgbe_rx_pending(q)) ? rx_some_checked(q, out, max) : 0;
}

RT_INLINE uint64_t tx_paylen(uint64_t bytes)
{
    return bytes << TXD_PAYLEN_SHIFT;
}

/* At most `limit` frames of one buffer and one kind into consecutive descriptors; returns how
 * many. Inlined twice, with `in_context` constant. */
RT_INLINE uint32_t tx_run(struct ixgbe_txq *q, struct buf *const *from, uint32_t limit,
                          bool in_context)
{
    const struct ixgbe_tx_kind *kind = in_context ? &q->offload : &q->plain;
    const uint32_t bytes_min = in_context ? kind->bytes_min : IXGBE_TX_BYTES_MIN;
    const uint32_t over_min = kind->over_min, offset_max = kind->offset_max;
    const uint64_t command =
        in_context ? kind->command - tx_paylen(kind->header_bytes) : TX_COMMAND;
    const char *const batch = (const char *)from;
    char *const ring = (char *)&q->ring[q->next], *const shadow = (char *)&q->shadow[q->next];
    const size_t end = limit * sizeof(from[0]);
    size_t i = 0;
    uint64_t bytes = 0, length_and_paylen = 1 + tx_paylen(1);
    uint32_t n;

    __asm__("" : "+r"(length_and_paylen)); /* one multiplication, not shifts and adds */
    for (; i < end; i += sizeof(from[0])) {
        struct ixgbe_tx_desc *d = (struct ixgbe_tx_desc *)(void *)(ring + 2 * i);
        struct buf *b = *(struct buf *const *)(const void *)(batch + i);
        uint8_t *owner = b->owner;
        uint64_t length, offset;

        if (RT_UNLIKELY(*owner != BUF_STACK))
            break;
        if (in_context ? RT_UNLIKELY(!ixgbe_tx_in_context(q, b))
                       : RT_UNLIKELY((b->flags & BUF_TX_OFFLOADS) != 0))
            break;
        length = b->data_len;
        offset = b->data_off;
        if (RT_UNLIKELY(b->segments != 1) ||
            RT_UNLIKELY((uint32_t)length - bytes_min > over_min) ||
            RT_UNLIKELY(offset > offset_max))
            break;
        RT_INVARIANT(pool_contains(b->pool, b));
        *owner = BUF_NIC;
        bytes += length;
        d->address = hal_phys((char *)b + sizeof(struct buf) + offset).v;
        d->command = command + length * length_and_paylen;
        *(struct buf_ref *)(void *)(shadow + 2 * i) = (struct buf_ref){b, owner};
        buf_poison(b);
    }
    n = (uint32_t)(i / sizeof(from[0]));
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    q->used = (uint16_t)(q->used + n);
    return n;
}

/* Puts `count` finished buffers from consecutive descriptors into the queue's pool. The pool's
 * fields are copied: a store to an owner byte could change them, as far as a compiler knows. */
RT_INLINE void reclaim_run(struct ixgbe_txq *q, uint32_t first, uint32_t count)
{
    struct pool *pool = q->head.pool;
    const uintptr_t owners = (uintptr_t)pool->owners;
    const uint64_t total = pool->total;
    const struct buf_ref *slot = &q->shadow[first];
    const struct buf_ref *end = slot + count;
    struct buf_ref *stack = &pool->stack[pool->free];

    for (; slot < end; slot++) {
        uint8_t *owner = slot->owner;

        if (RT_UNLIKELY(POOL_HOSTILE) || RT_UNLIKELY((uintptr_t)owner - owners >= total) ||
            RT_UNLIKELY(*owner != BUF_NIC)) {
            pool->free = (uint32_t)(stack - pool->stack);
            if (slot->buf != NULL)
                buf_go_home(*slot, BUF_NIC);
            stack = &pool->stack[pool->free];
            continue;
        }
        *owner = BUF_POOL;
        *stack++ = *slot;
    }
    pool->free = (uint32_t)(stack - pool->stack);
}

/* A descriptor that reports is done, and all before it with it. */
RT_INLINE uint32_t reclaim(struct ixgbe_txq *q, uint32_t blocks)
{
    uint32_t total = 0;

    for (; blocks > 0 && q->rs_count > 0; blocks--) {
        uint32_t last = q->rs[q->rs_first];
        uint32_t end = last >= q->clean ? last + 1 : q->descs;
        uint32_t count = end - q->clean;

        if ((*(volatile uint64_t *)&q->ring[last].command & TXD_DD) == 0)
            break;
        reclaim_run(q, q->clean, count);
        if (end != last + 1) {
            reclaim_run(q, 0, last + 1);
            count += last + 1;
        }
        q->clean = wrap(last + 1, q->descs);
        q->rs_first = wrap(q->rs_first + 1u, q->descs);
        q->rs_count--;
        q->used = (uint16_t)(q->used - count);
        total += count;
    }
    return total;
}

uint32_t ixgbe_tx_reclaim(struct nic_txq *txq)
{
    struct ixgbe_txq *q = RT_CONTAINER_OF(txq, struct ixgbe_txq, head);

    return reclaim(q, q->descs);
}

/* Not every call asks for a report: at low load that would be a write-back a frame, and a cache
 * miss to read it. What waits for its report stays in the ring, at most rs_every - 1 frames. */
RT_INLINE void tx_post(struct ixgbe_txq *q, uint32_t count)
{
    q->unreported = (uint16_t)(q->unreported + count);
    if (q->unreported >= q->rs_every) {
        uint32_t last = q->next == 0 ? q->descs - 1u : q->next - 1u;
        uint32_t slot = (uint32_t)q->rs_first + q->rs_count;

        q->ring[last].command |= TXD_RS;
        q->rs[slot < q->descs ? slot : slot - q->descs] = (uint16_t)last;
        q->rs_count++;
        q->unreported = 0;
    }
    q->head.stats.batches++;
    hal_write32(&q->mmio, q->tail_reg, q->next);
}

void ixgbe_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    struct ixgbe_txq *q = RT_CONTAINER_OF(txq, struct ixgbe_txq, head);
    uint32_t used_before, i = 0;

    RT_ASSERT_LE(batch->count, (uint32_t)BUF_BATCH_MAX);
    reclaim(q, TX_RECLAIM_BLOCKS);
    used_before = q->used;
    while (i < batch->count) {
        struct buf **from = &batch->buf[i];
        uint32_t run = RT_MIN(batch->count - i, (uint32_t)q->descs - q->next);
        uint32_t n = 0;

        run = RT_MIN(run, ixgbe_tx_room(q));
        if (run != 0)
            n = ((*from)->flags & BUF_TX_OFFLOADS) != 0 ? tx_run(q, from, run, true)
                                                        : tx_run(q, from, run, false);
        i += n;
        q->next = wrap(q->next + n, q->descs);
        if (n != 0)
            continue;
        if (run == 0 || ixgbe_tx_odd(q, *from) == IXGBE_TX_NO_ROOM)
            break;
        i++;
    }
    if (q->used != used_before)
        tx_post(q, (uint32_t)q->used - used_before);
    if (RT_UNLIKELY(i < batch->count)) {
        q->head.stats.ring_full += batch->count - i;
        for (uint32_t k = i; k < batch->count; k++)
            batch->buf[k - i] = batch->buf[k];
    }
    batch->count -= i;
}
