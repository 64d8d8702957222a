/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e queues: memory, registers, filling and emptying. Core 0, while DMA is off. */
#include "e1000e.h"

#include <mempool/poison.h>
#include <rt/log.h>

#define RX_POST_DESCS 16 /* one RDT write for so many at least, while traffic flows */
#define THRESHOLD_PREFETCH 31
#define THRESHOLD_HOST 1
#define RX_THRESHOLD_PREFETCH 32
#define RX_THRESHOLD_HOST 4

/* Aligned on its own size: no ring crosses what it does not have to (a page-crossing erratum of
 * the family). */
static void *ring_memory(uint32_t descs, const char *what)
{
    size_t bytes = descs * sizeof(struct e1000e_rx_desc), align = 128;

    while (align < bytes)
        align *= 2;
    return hal_alloc(bytes, align, what);
}
_Static_assert(sizeof(struct e1000e_rx_desc) == sizeof(struct e1000e_tx_desc), "one size");

static enum rt_status no_memory(const struct nic *nic, const char *what, uint32_t descs)
{
    rt_log("%s error=memory what=%s descs=%u remedy=\"fewer descriptors or more memory\"",
           nic->name, what, (unsigned)descs);
    return RT_NO_MEMORY;
}

enum rt_status e1000e_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool)
{
    struct e1000e *dev = nic->priv;
    struct e1000e_rxq *q = dev->rxq[queue];
    uint16_t descs = nic->config.rx_descs;

    if (q == NULL) {
        q = hal_alloc(sizeof(*q), RT_CACHE_LINE, "e1000e rxq");
        if (q == NULL)
            return no_memory(nic, "rxq", descs);
        dev->rxq[queue] = q;
    }
    if (q->ring_descs_max < descs) {
        q->ring = ring_memory(descs, "e1000e rx ring");
        q->shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "e1000e rx bufs");
        q->ring_descs_max = 0;
        if (q->ring == NULL || q->shadow == NULL)
            return no_memory(nic, "rx ring", descs);
        q->ring_descs_max = descs;
    }
    q->descs = descs;
    q->post_at = (uint16_t)RT_MIN(RX_POST_DESCS, descs / 4);
    q->dev = dev;
    q->mmio = dev->mmio;
    q->tail_reg = E1000E_RDT(queue);
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    nic->rxq[queue] = &q->head;
    return RT_OK;
}

enum rt_status e1000e_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool)
{
    struct e1000e *dev = nic->priv;
    struct e1000e_txq *q = dev->txq[queue];
    uint16_t descs = nic->config.tx_descs;

    if (q == NULL) {
        q = hal_alloc(sizeof(*q), RT_CACHE_LINE, "e1000e txq");
        if (q == NULL)
            return no_memory(nic, "txq", descs);
        dev->txq[queue] = q;
    }
    if (q->ring_descs_max < descs) {
        q->ring = ring_memory(descs, "e1000e tx ring");
        q->shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "e1000e tx bufs");
        q->rs = hal_alloc(descs * sizeof(q->rs[0]), RT_CACHE_LINE, "e1000e tx fifo");
        q->ring_descs_max = 0;
        if (q->ring == NULL || q->shadow == NULL || q->rs == NULL)
            return no_memory(nic, "tx ring", descs);
        q->ring_descs_max = descs;
    }
    q->descs = descs;
    q->dev = dev;
    q->mmio = dev->mmio;
    q->tail_reg = E1000E_TDT(queue);
    q->no_owner = BUF_POOL;
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    nic->txq[queue] = &q->head;
    return RT_OK;
}

/* Every descriptor gets a buffer; the last one is the gap between full and empty. */
static enum rt_status rx_fill(struct e1000e_rxq *q)
{
    const struct nic *nic = q->head.nic;
    struct pool *pool = q->head.pool;

    if (pool->free < q->descs) {
        rt_log("%s error=start rxq=%u pool=%s free=%u need=%u remedy=\"larger pool_size or "
               "smaller rx_descs\"",
               nic->name, q->head.index, pool->name, (unsigned)pool->free, q->descs);
        return RT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < q->descs; i++) {
        struct buf_ref ref = pool->stack[pool->free - 1];

        pool->free--;
        if (!buf_move(ref.buf, ref.owner, BUF_POOL, BUF_NIC))
            return RT_INVALID;
        q->shadow[i] = ref;
    }
    q->filled = true;
    return RT_OK;
}

/* Every descriptor for the buffer in its slot. Through a recovery the buffers stay: no pool is
 * touched, it may be in use on another core. */
static void rx_describe(struct e1000e_rxq *q)
{
    for (uint32_t i = 0; i < q->descs; i++) {
        q->ring[i].low.address =
            hal_phys((char *)q->shadow[i].buf + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
        q->ring[i].status = 0;
    }
}

static void rx_templates(struct e1000e_rxq *q)
{
    const struct nic *nic = q->head.nic;
    uint64_t flags = 0, shape;

    if (nic->config.rx_checksum)
        flags |= (uint32_t)BUF_RX_IP_GOOD | (uint32_t)BUF_RX_L4_GOOD;
    if (nic->config.vlan_strip)
        flags |= (uint32_t)BUF_RX_VLAN | UINT64_C(0xffff) << RXD_VLAN_SHIFT;
    /* hash type and hash; flags, length and tag */
    q->keep = (e1000e_vec){UINT64_C(0xffffffff0000000f),
                           flags | UINT64_C(0xffff) << RXD_LENGTH_SHIFT};
    shape = BUF_HEADROOM_BYTES | (uint64_t)1 << 16 | (uint64_t)nic->port << 24;
    q->header = (e1000e_vec){0, shape};
}

static enum rt_status rx_start(struct e1000e *dev, uint16_t queue)
{
    struct e1000e_rxq *q = dev->rxq[queue];
    uint64_t ring = hal_phys(q->ring).v;
    enum rt_status st = q->filled ? RT_OK : rx_fill(q);

    if (st != RT_OK)
        return st;
    q->next = 0;
    q->unposted = 0;
    q->mid_frame = false;
    q->skip = false;
    rx_describe(q);
    rx_templates(q);
    e1000e_write(dev, E1000E_RDBAL(queue), (uint32_t)ring);
    e1000e_write(dev, E1000E_RDBAH(queue), (uint32_t)(ring >> 32));
    e1000e_write(dev, E1000E_RDLEN(queue),
                 (uint32_t)(q->descs * sizeof(struct e1000e_rx_desc)));
    e1000e_write(dev, E1000E_RDH(queue), 0);
    e1000e_write(dev, E1000E_RDT(queue), 0);
    e1000e_write(dev, E1000E_RXDCTL(queue),
                 DCTL_GRAN | FIELD_PUT(DCTL_PTHRESH, RX_THRESHOLD_PREFETCH) |
                     FIELD_PUT(DCTL_HTHRESH, RX_THRESHOLD_HOST));
    return RT_OK;
}

static void tx_start(struct e1000e *dev, uint16_t queue)
{
    struct e1000e_txq *q = dev->txq[queue];
    const struct nic *nic = dev->nic;
    uint64_t ring = hal_phys(q->ring).v;

    q->next = 0;
    q->clean = 0;
    q->used = 0;
    q->rs_first = 0;
    q->rs_count = 0;
    q->context_kept = false;
    q->one_queue = nic->config.txqs == 1;
    q->vlan_insert = nic->config.vlan_strip;
    q->frame_max_bytes = (uint32_t)nic->config.frame_max_bytes + E1000E_VLAN_BYTES;
    q->plain_max_bytes = RT_MIN(q->frame_max_bytes, (uint32_t)BUF_ROOM_BYTES);
    __builtin_memset(q->ring, 0, q->descs * sizeof(q->ring[0]));
    e1000e_write(dev, E1000E_TDBAL(queue), (uint32_t)ring);
    e1000e_write(dev, E1000E_TDBAH(queue), (uint32_t)(ring >> 32));
    e1000e_write(dev, E1000E_TDLEN(queue),
                 (uint32_t)(q->descs * sizeof(struct e1000e_tx_desc)));
    e1000e_write(dev, E1000E_TDH(queue), 0);
    e1000e_write(dev, E1000E_TDT(queue), 0);
}

/* WTHRESH stays 0: with it, RS on single descriptors is ignored. Both queues the same, also
 * the one not in use (82574: required). */
static void tx_thresholds(struct e1000e *dev)
{
    for (unsigned queue = 0; queue < E1000E_QUEUES_MAX; queue++)
        e1000e_write(dev, E1000E_TXDCTL(queue),
                     DCTL_GRAN | DCTL_BIT22 | FIELD_PUT(DCTL_PTHRESH, THRESHOLD_PREFETCH) |
                         FIELD_PUT(DCTL_HTHRESH, THRESHOLD_HOST));
}

enum rt_status e1000e_rings_start(struct e1000e *dev)
{
    const struct nic *nic = dev->nic;

    for (uint16_t queue = 0; queue < nic->config.txqs; queue++)
        tx_start(dev, queue);
    tx_thresholds(dev);
    for (uint16_t queue = 0; queue < nic->config.rxqs; queue++) {
        enum rt_status st = rx_start(dev, queue);

        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

/* ---- on the queue's core ---- */

void e1000e_rxq_run(struct nic_rxq *rxq)
{
    nic_rx_use(rxq, e1000e_rx,
               e1000e_takes_long(rxq->nic) ? UINT32_MAX : E1000E_STANDARD_FRAME_BYTES);
    rxq->arm = e1000e_rx_arm;
    rxq->disarm = e1000e_rx_disarm;
}

void e1000e_rxq_drop(struct nic_rxq *rxq)
{
    struct e1000e_rxq *q = RT_CONTAINER_OF(rxq, struct e1000e_rxq, head);

    if (q->chain != NULL)
        buf_free(q->chain);
    q->chain = NULL;
    q->chain_last = NULL;
    q->mid_frame = false;
}

void e1000e_txq_run(struct nic_txq *txq)
{
    txq->tx = e1000e_tx;
    txq->reclaim = e1000e_tx_reclaim;
}

void e1000e_txq_empty(struct nic_txq *txq)
{
    struct e1000e_txq *q = RT_CONTAINER_OF(txq, struct e1000e_txq, head);

    for (uint32_t i = 0; i < q->descs && q->used > 0; i++) {
        if (q->shadow[q->clean].buf != NULL)
            buf_go_home(q->shadow[q->clean], BUF_NIC);
        q->clean = (uint16_t)(q->clean + 1u == q->descs ? 0 : q->clean + 1u);
        q->used--;
    }
    q->rs_count = 0;
}

/* ---- at stop: core 0, the other cores are out of their loops ---- */

static void rx_empty(struct e1000e_rxq *q)
{
    e1000e_rxq_drop(&q->head);
    for (uint32_t i = 0; i < q->descs; i++) {
        if (q->shadow[i].buf != NULL)
            buf_go_home(q->shadow[i], BUF_NIC);
        q->shadow[i] = (struct buf_ref){NULL, NULL};
        q->ring[i].status = 0;
    }
    q->filled = false;
}

void e1000e_rings_stop(struct e1000e *dev)
{
    for (unsigned queue = 0; queue < E1000E_QUEUES_MAX; queue++) {
        if (dev->rxq[queue] != NULL && dev->rxq[queue]->ring_descs_max != 0)
            rx_empty(dev->rxq[queue]);
        if (dev->txq[queue] != NULL && dev->txq[queue]->ring_descs_max != 0)
            e1000e_txq_empty(&dev->txq[queue]->head);
    }
}
