/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e data path: a frame that is one plain buffer, in bursts.
 *
 * Budget, gcc -O2, bursts of 32: receive with refill 36 instructions a frame, transmit 30,
 * reclaim 14 (tests/unit/pmd/e1000e_rxtx_bench.c counts them). No register is read; one RDT and one
 * TDT write a burst. Four hand-overs a frame, each checked against the owner array:
 *
 *     receive  NIC -> STACK     refill   POOL -> NIC
 *     transmit STACK -> NIC     reclaim  NIC -> POOL
 *
 * Each loop first tests everything that makes a frame plain, then changes things. At the first
 * frame that is not plain it stops, and e1000e_rxtx_odd.c does that one.
 */
#include "e1000e.h"

#include <mempool/poison.h>

#define TX_RECLAIM_BLOCKS 8 /* a transmit call looks at no more completed blocks than this */
#define TX_COMMAND (TXD_TYPE_DATA | TXD_DEXT | TXD_EOP | TXD_IFCS)

/* A plain frame: DD and EOP set, no error, checksum bits valid, length 1..2048: one compare
 * after the length went down by one (0 borrows and becomes the largest). */
#define RX_PLAIN_MASK                                                                          \
    (RXD_DD | RXD_EOP | RXD_IXSM | RXD_ERR_FRAME | RXD_ERR_TCPE | RXD_ERR_IPE |                \
     (UINT64_C(0xf800) << RXD_LENGTH_SHIFT))
#define RX_PLAIN (RXD_DD | RXD_EOP)
#define RX_LENGTH_ONE (UINT64_C(1) << RXD_LENGTH_SHIFT)
_Static_assert(BUF_ROOM_BYTES == 0x800, "length - 1 with a bit of 0xf800 exceeds the room");

/* Bytes 16..31 of a header are the write-back, masked; 32..47 are a template and the length,
 * which lies in the same lane in both. */
_Static_assert(offsetof(struct buf, flags) - offsetof(struct buf, rss_type) ==
                   offsetof(struct e1000e_rx_desc, status),
               "status lands in flags");
_Static_assert((unsigned)BUF_RX_VLAN == RXD_VP &&
                   (unsigned)BUF_RX_L4_GOOD == (RXD_UDPCS | RXD_TCPCS) &&
                   (unsigned)BUF_RX_IP_GOOD == RXD_IPCS,
               "flags have the bit positions of the status");
#define HEADER_RESULTS offsetof(struct buf, rss_type)
#define HEADER_SHAPE offsetof(struct buf, next)
static const e1000e_vec length_lane = {0, UINT64_C(0xffff) << RXD_LENGTH_SHIFT};

RT_INLINE uint64_t rx_status(const struct e1000e_rx_desc *d)
{
    return *(const volatile uint64_t *)&d->status;
}

RT_INLINE e1000e_vec *header_at(struct buf *b, size_t offset)
{
    return (e1000e_vec *)(void *)((char *)b + offset);
}

/* At most `limit` plain frames from consecutive descriptors; returns how many. The pool holds
 * at least `limit` replacements, and the ring does not wrap within `limit`. *odd: it stopped at a
 * frame, one that is not plain; looking again later could take one that just came for it. */
RT_INLINE uint32_t rx_run(struct e1000e_rxq *q, struct buf **out, uint32_t limit, bool *odd)
{
    struct pool *pool = q->head.pool;
    struct e1000e_rx_desc *d = &q->ring[q->next];
    struct buf_ref *slot = &q->shadow[q->next];
    const struct buf_ref *fresh = &pool->stack[pool->free];
    struct buf **next_out = out, **const end = out + limit;
    const e1000e_vec keep = q->keep, header = q->header;
    e1000e_vec sum = {0, 0};
    uint64_t status = 0;
    uint32_t n;

    for (; next_out < end; next_out++, d++, slot++) {
        e1000e_vec written, results, length;
        struct buf_ref got, next;

        written = *(volatile e1000e_vec *)(void *)d; /* once: what is checked is what is used */
        status = written[1];
        if (RT_UNLIKELY(((status - RX_LENGTH_ONE) & RX_PLAIN_MASK) != RX_PLAIN))
            break;
        RT_COMPILER_BARRIER(); /* the rest is valid once DD was seen */
        got = *slot;
        next = *--fresh;
        if (RT_UNLIKELY(*got.owner != BUF_NIC) || RT_UNLIKELY(*next.owner != BUF_POOL))
            break;
        *got.owner = BUF_STACK;
        *next.owner = BUF_NIC;
        RT_PREFETCH((char *)got.buf + sizeof(struct buf) + BUF_HEADROOM_BYTES);
        results = written & keep;
        length = results & length_lane;
        sum += length;
        buf_unpoison(got.buf);
        *header_at(got.buf, HEADER_RESULTS) = results;
        *header_at(got.buf, HEADER_SHAPE) = header | length;
        *slot = next;
        d->low.address =
            hal_phys((char *)next.buf + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
        d->status = 0;
        *next_out = got.buf;
    }
    n = (uint32_t)(next_out - out);
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

bool e1000e_rx_pending(const struct e1000e_rxq *q)
{
    return (rx_status(&q->ring[q->next]) & RXD_DD) != 0;
}

/* RDT stays one behind, so that a full ring and an empty one differ. */
void e1000e_rx_post(struct e1000e_rxq *q)
{
    uint32_t tail = q->next == 0 ? q->descs - 1u : q->next - 1u;

    q->unposted = 0;
    hal_write32(&q->mmio, q->tail_reg, tail);
}

static __attribute__((noinline)) uint32_t rx_some(struct e1000e_rxq *q,
                                                  struct buf_batch *out, uint32_t max)
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
        n = rx_run(q, &out->buf[out->count], run, &odd);
        out->count += n;
        left -= n;
        q->unposted = (uint16_t)(q->unposted + n);
        q->next = wrap(q->next + n, q->descs);
        if (n == run && run != 0)
            continue;
        if (!odd && (run != 0 || !e1000e_rx_pending(q)))
            break;
        e1000e_rx_odd(q, out);
        left--;
    }
    q->head.stats.batches += out->count != before;
    if (q->unposted >= q->post_at)
        e1000e_rx_post(q);
    return out->count - before;
}

/* An empty poll ends here, before any register is saved: most polls of a quiet port are. */
uint32_t e1000e_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    struct e1000e_rxq *q = RT_CONTAINER_OF(rxq, struct e1000e_rxq, head);

    return e1000e_rx_pending(q) ? rx_some(q, out, max) : 0;
}

/* At most `limit` plain frames into consecutive descriptors; returns how many. */
RT_INLINE uint32_t tx_run(struct e1000e_txq *q, struct buf *const *from, uint32_t limit)
{
    struct e1000e_tx_desc *d = &q->ring[q->next];
    struct buf_ref *slot = &q->shadow[q->next];
    struct buf *const *b_next = from, *const *const end = from + limit;
    const uint64_t over_min = q->plain_max_bytes - E1000E_TX_BYTES_MIN;
    uint64_t bytes = 0;
    uint32_t n;

    for (; b_next < end; b_next++, d++, slot++) {
        struct buf *b = *b_next;
        uint8_t *owner = b->owner;
        uint64_t length, offset;

        if (RT_UNLIKELY(*owner != BUF_STACK))
            break;
        length = b->data_len;
        offset = b->data_off;
        if (RT_UNLIKELY((b->flags & BUF_TX_OFFLOADS) != 0) || RT_UNLIKELY(b->segments != 1) ||
            RT_UNLIKELY(length - E1000E_TX_BYTES_MIN > over_min) ||
            RT_UNLIKELY(offset > BUF_HEADROOM_BYTES)) /* with length <= room: inside */
            break;
        RT_INVARIANT(pool_contains(b->pool, b));
        *owner = BUF_NIC;
        d->address = hal_phys((char *)b + sizeof(struct buf) + offset).v;
        d->command = length | TX_COMMAND;
        *slot = (struct buf_ref){b, owner};
        bytes += length;
        buf_poison(b);
    }
    n = (uint32_t)(b_next - from);
    q->head.stats.packets += n;
    q->head.stats.bytes += bytes;
    q->used = (uint16_t)(q->used + n);
    return n;
}

/* A buffer of another pool, a context descriptor, or one that somebody took meanwhile. */
static RT_COLD void reclaim_odd(struct buf_ref ref)
{
    if (ref.buf != NULL)
        buf_go_home(ref, BUF_NIC);
}

/* Puts `count` finished buffers from consecutive descriptors into the queue's pool. The pool's
 * fields are kept in registers: the compiler must assume that owner bytes overlap them. */
RT_INLINE void reclaim_run(struct e1000e_txq *q, uint32_t first, uint32_t count)
{
    struct pool *pool = q->head.pool;
    const uintptr_t owners = (uintptr_t)pool->owners, total = pool->total;
    const struct buf_ref *slot = &q->shadow[first];
    const struct buf_ref *end = slot + count;
    struct buf_ref *top = &pool->stack[pool->free];

    for (; slot < end; slot++) {
        uint8_t *owner = slot->owner;

        if (RT_UNLIKELY(POOL_HOSTILE) || RT_UNLIKELY((uintptr_t)owner - owners >= total) ||
            RT_UNLIKELY(*owner != BUF_NIC)) {
            pool->free = (uint32_t)(top - pool->stack);
            reclaim_odd(*slot);
            top = &pool->stack[pool->free];
            continue;
        }
        *owner = BUF_POOL;
        *top++ = *slot;
    }
    pool->free = (uint32_t)(top - pool->stack);
}

/* The last descriptor of each transmit call reports; all before it are finished with it. */
RT_INLINE uint32_t reclaim(struct e1000e_txq *q, uint32_t blocks)
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

uint32_t e1000e_tx_reclaim(struct nic_txq *txq)
{
    struct e1000e_txq *q = RT_CONTAINER_OF(txq, struct e1000e_txq, head);

    return reclaim(q, q->descs);
}

RT_INLINE void tx_post(struct e1000e_txq *q)
{
    uint32_t last = q->next == 0 ? q->descs - 1u : q->next - 1u;
    uint32_t slot = (uint32_t)q->rs_first + q->rs_count;

    q->ring[last].command |= TXD_RS;
    q->rs[slot < q->descs ? slot : slot - q->descs] = (uint16_t)last;
    q->rs_count++;
    q->head.stats.batches++;
    hal_write32(&q->mmio, q->tail_reg, q->next);
}

void e1000e_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    struct e1000e_txq *q = RT_CONTAINER_OF(txq, struct e1000e_txq, head);
    uint32_t used_before, i = 0;

    RT_ASSERT_LE(batch->count, (uint32_t)BUF_BATCH_MAX);
    reclaim(q, TX_RECLAIM_BLOCKS);
    used_before = q->used;
    while (i < batch->count) {
        uint32_t run = RT_MIN(batch->count - i, (uint32_t)q->descs - q->next);
        uint32_t n;

        run = RT_MIN(run, e1000e_tx_room(q));
        n = tx_run(q, &batch->buf[i], run);
        i += n;
        q->next = wrap(q->next + n, q->descs);
        if (n == run && run != 0)
            continue;
        if (run == 0 || e1000e_tx_odd(q, batch->buf[i]) == E1000E_TX_NO_ROOM)
            break;
        i++;
    }
    if (q->used != used_before)
        tx_post(q);
    if (RT_UNLIKELY(i < batch->count)) {
        q->head.stats.ring_full += batch->count - i;
        for (uint32_t k = i; k < batch->count; k++)
            batch->buf[k - i] = batch->buf[k];
    }
    batch->count -= i;
}
