/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe queues: memory, registers, filling and emptying. Core 0, while DMA is off. */
#include "ixgbe.h"

#include <mempool/poison.h>
#include <rt/log.h>

#define RX_POST_DESCS 64 /* one RDT write for so many at least, while traffic flows */
#define TX_PREFETCH_DESCS 32 /* DS 4.6.8.1: with WTHRESH 0, RS reports each descriptor it is on */
#define TX_HOST_DESCS 1
#define TX_REPORT_DESCS 64
_Static_assert(TX_REPORT_DESCS == IXGBE_TX_HELD_MAX + 1, "what waits for its report is held");
#define QUEUE_TIMEOUT_US 10000

static void *ring_memory(uint32_t descs, const char *what)
{
    return hal_alloc(descs * sizeof(struct ixgbe_rx_desc), 128, what);
}
_Static_assert(sizeof(struct ixgbe_rx_desc) == sizeof(struct ixgbe_tx_desc), "one size");

static enum rt_status no_memory(const struct nic *nic, const char *what, uint32_t descs)
{
    rt_log("%s error=memory what=%s descs=%u remedy=\"fewer descriptors or more memory\"",
           nic->name, what, (unsigned)descs);
    return RT_NO_MEMORY;
}

enum rt_status ixgbe_rxq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool)
{
    struct ixgbe *dev = nic->priv;
    struct ixgbe_rxq *q = dev->rxq[queue];
    uint16_t descs = nic->config.rx_descs;

    if (q == NULL) {
        q = hal_alloc(sizeof(*q), RT_CACHE_LINE, "ixgbe rxq");
        if (q == NULL)
            return no_memory(nic, "rxq", descs);
        dev->rxq[queue] = q;
    }
    if (q->ring_descs_max < descs) {
        q->ring = ring_memory(descs, "ixgbe rx ring");
        q->shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "ixgbe rx bufs");
        q->ring_descs_max = 0;
        if (q->ring == NULL || q->shadow == NULL)
            return no_memory(nic, "rx ring", descs);
        q->ring_descs_max = descs;
    }
    q->descs = descs;
    q->post_at = (uint16_t)RT_MIN(RX_POST_DESCS, descs / 4);
    q->dev = dev;
    q->mmio = dev->mmio;
    q->tail_reg = IXGBE_RDT(queue);
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    nic->rxq[queue] = &q->head;
    return RT_OK;
}

enum rt_status ixgbe_txq_setup(struct nic *nic, uint16_t queue, unsigned core,
                                struct pool *pool)
{
    struct ixgbe *dev = nic->priv;
    struct ixgbe_txq *q = dev->txq[queue];
    uint16_t descs = nic->config.tx_descs;

    if (q == NULL) {
        q = hal_alloc(sizeof(*q), RT_CACHE_LINE, "ixgbe txq");
        if (q == NULL)
            return no_memory(nic, "txq", descs);
        dev->txq[queue] = q;
    }
    if (q->ring_descs_max < descs) {
        q->ring = ring_memory(descs, "ixgbe tx ring");
        q->shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "ixgbe tx bufs");
        q->rs = hal_alloc(descs * sizeof(q->rs[0]), RT_CACHE_LINE, "ixgbe tx fifo");
        q->ring_descs_max = 0;
        if (q->ring == NULL || q->shadow == NULL || q->rs == NULL)
            return no_memory(nic, "tx ring", descs);
        q->ring_descs_max = descs;
    }
    q->descs = descs;
    q->dev = dev;
    q->mmio = dev->mmio;
    q->tail_reg = IXGBE_TDT(queue);
    q->no_owner = BUF_POOL;
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    nic->txq[queue] = &q->head;
    return RT_OK;
}

/* Every descriptor gets a buffer; the last one is the gap between full and empty. */
static enum rt_status rx_fill(struct ixgbe_rxq *q)
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
static void rx_describe(struct ixgbe_rxq *q)
{
    for (uint32_t i = 0; i < q->descs; i++) {
        q->ring[i].low.address =
            hal_phys((char *)q->shadow[i].buf + sizeof(struct buf) + BUF_HEADROOM_BYTES).v;
        q->ring[i].status = 0;
    }
}

static void rx_templates(struct ixgbe_rxq *q)
{
    const struct nic *nic = q->head.nic;
    uint64_t flags = 0, shape;

    if (nic->config.rx_checksum)
        flags |= (uint32_t)BUF_RX_IP_GOOD | (uint32_t)BUF_RX_L4_GOOD;
    if (nic->config.vlan_strip)
        flags |= (uint32_t)BUF_RX_VLAN | UINT64_C(0xffff) << RXD_VLAN_SHIFT;
    /* hash type and hash; flags, length and tag */
    q->keep = (ixgbe_vec){UINT64_C(0xffffffff0000000f),
                           flags | UINT64_C(0xffff) << RXD_LENGTH_SHIFT};
    shape = BUF_HEADROOM_BYTES | (uint64_t)1 << 16 | (uint64_t)nic->port << 24;
    q->header = (ixgbe_vec){0, shape};
}

static enum rt_status rx_start(struct ixgbe *dev, uint16_t queue)
{
    struct ixgbe_rxq *q = dev->rxq[queue];
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
    ixgbe_write(dev, IXGBE_RDBAL(queue), (uint32_t)ring);
    ixgbe_write(dev, IXGBE_RDBAH(queue), (uint32_t)(ring >> 32));
    ixgbe_write(dev, IXGBE_RDLEN(queue),
                (uint32_t)(q->descs * sizeof(struct ixgbe_rx_desc)));
    ixgbe_write(dev, IXGBE_RDH(queue), 0);
    ixgbe_write(dev, IXGBE_RDT(queue), 0);
    /* With several queues a full one drops, else it would stop the others (DS 7.1.10). */
    ixgbe_write(dev, IXGBE_SRRCTL(queue),
                FIELD_PUT(SRRCTL_BSIZEPACKET_KIB, BUF_ROOM_BYTES / 1024) |
                    FIELD_PUT(SRRCTL_BSIZEHEADER_64, 4) |
                    FIELD_PUT(SRRCTL_DESCTYPE, SRRCTL_DESCTYPE_ADVANCED) |
                    (dev->nic->config.rxqs > 1 ? SRRCTL_DROP_EN : 0));
    return RT_OK;
}

static void tx_start(struct ixgbe *dev, uint16_t queue)
{
    struct ixgbe_txq *q = dev->txq[queue];
    const struct nic *nic = dev->nic;
    uint64_t ring = hal_phys(q->ring).v;
    uint32_t one_buffer;

    q->next = 0;
    q->clean = 0;
    q->used = 0;
    q->rs_first = 0;
    q->rs_count = 0;
    q->unreported = 0;
    q->rs_every = (uint16_t)RT_MIN(RT_MIN(TX_REPORT_DESCS, q->descs / 4u),
                                   nic_tx_unreported_max(&q->head));
    q->requests_mask = BUF_TX_OFFLOADS;
    q->context_requests = 0; /* none: no frame with requests fits it */
    q->offload = (struct ixgbe_tx_kind){0};
    q->bytes_max = (uint32_t)nic->config.frame_max_bytes + IXGBE_VLAN_BYTES;
    one_buffer = RT_MIN(q->bytes_max, (uint32_t)BUF_ROOM_BYTES);
    q->plain = (struct ixgbe_tx_kind){
        .command = TX_COMMAND,
        .bytes_min = IXGBE_TX_BYTES_MIN,
        .over_min = one_buffer - IXGBE_TX_BYTES_MIN,
        .offset_max = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES - one_buffer,
    };
    __builtin_memset(q->ring, 0, q->descs * sizeof(q->ring[0]));
    ixgbe_write(dev, IXGBE_TDBAL(queue), (uint32_t)ring);
    ixgbe_write(dev, IXGBE_TDBAH(queue), (uint32_t)(ring >> 32));
    ixgbe_write(dev, IXGBE_TDLEN(queue),
                (uint32_t)(q->descs * sizeof(struct ixgbe_tx_desc)));
    ixgbe_write(dev, IXGBE_TDH(queue), 0);
    ixgbe_write(dev, IXGBE_TDT(queue), 0);
    ixgbe_write(dev, IXGBE_TDWBAL(queue), 0); /* no head write-back */
    ixgbe_write(dev, IXGBE_TDWBAH(queue), 0);
}

/* ---- steps: switched all at once, then awaited all at once ---- */

/* Until every queue of a direction says that it is on or off. */
static enum rt_status queues_wait(const struct ixgbe *dev, struct nic_steps *steps,
                                  const char *what, uint32_t first_reg, uint16_t queues,
                                  bool on)
{
    enum rt_status st = RT_OK;

    for (uint16_t q = 0; q < queues && st == RT_OK; q++) {
        const struct nic_step_wait wait = {first_reg + q * DCTL_STRIDE, DCTL_ENABLE,
                                           on ? DCTL_ENABLE : 0, QUEUE_TIMEOUT_US};
        uint32_t value = 0;

        st = nic_step_reg(steps, &dev->mmio, wait, &value);
        if (st == RT_TIMEOUT)
            rt_log("%s error=queue-timeout %s=%u dctl=0x%08x", dev->nic->name, what, q,
                   (unsigned)value);
    }
    return st;
}

enum rt_status ixgbe_rx_on(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t vme = nic->config.vlan_strip ? RXDCTL_VME : 0;

    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        ixgbe_write(dev, IXGBE_RXDCTL(q), DCTL_ENABLE | vme);
    return RT_OK;
}

enum rt_status ixgbe_rx_on_wait(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    enum rt_status st = queues_wait(dev, steps, "rxq", IXGBE_RXDCTL(0), nic->config.rxqs, true);

    for (uint16_t q = 0; q < nic->config.rxqs && st == RT_OK; q++)
        ixgbe_rx_post(dev->rxq[q]); /* next = 0: everything but the last descriptor */
    return st;
}

/* DS 4.6.8.1: DMATXCTL.TE is on before. */
enum rt_status ixgbe_tx_on(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    for (uint16_t q = 0; q < nic->config.txqs; q++)
        ixgbe_write(dev, IXGBE_TXDCTL(q),
                    DCTL_ENABLE | FIELD_PUT(TXDCTL_PTHRESH, TX_PREFETCH_DESCS) |
                        FIELD_PUT(TXDCTL_HTHRESH, TX_HOST_DESCS));
    return RT_OK;
}

enum rt_status ixgbe_tx_on_wait(struct nic *nic, struct nic_steps *steps)
{
    return queues_wait(nic->priv, steps, "txq", IXGBE_TXDCTL(0), nic->config.txqs, true);
}

/* DS 4.6.7.1.2: off, then wait until the chip says so. */
enum rt_status ixgbe_queues_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    for (uint16_t q = 0; q < nic->config.txqs; q++)
        ixgbe_write(dev, IXGBE_TXDCTL(q), 0);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        ixgbe_write(dev, IXGBE_RXDCTL(q), 0);
    return RT_OK;
}

/* A reset follows and ends what does not answer. */
enum rt_status ixgbe_queues_off_wait(struct nic *nic, struct nic_steps *steps)
{
    enum rt_status st =
        queues_wait(nic->priv, steps, "rxq", IXGBE_RXDCTL(0), nic->config.rxqs, false);

    return st == RT_TIMEOUT ? RT_OK : st;
}

enum rt_status ixgbe_rings_start(struct ixgbe *dev)
{
    const struct nic *nic = dev->nic;

    for (uint16_t queue = 0; queue < nic->config.txqs; queue++)
        tx_start(dev, queue);
    for (uint16_t queue = 0; queue < nic->config.rxqs; queue++) {
        enum rt_status st = rx_start(dev, queue);

        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

/* ---- on the queue's core ---- */

void ixgbe_rxq_run(struct nic_rxq *rxq)
{
    nic_rx_use(rxq, rxq->nic->config.rx_checksum ? ixgbe_rx_checked : ixgbe_rx,
               ixgbe_card_max_bytes(rxq->nic));
    rxq->arm = ixgbe_rx_arm;
    rxq->disarm = ixgbe_rx_disarm;
}

void ixgbe_rxq_drop(struct nic_rxq *rxq)
{
    struct ixgbe_rxq *q = RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head);

    if (q->chain != NULL)
        buf_free(q->chain);
    q->chain = NULL;
    q->chain_last = NULL;
    q->mid_frame = false;
}

void ixgbe_txq_run(struct nic_txq *txq)
{
    txq->tx = ixgbe_tx;
    txq->reclaim = ixgbe_tx_reclaim;
}

void ixgbe_txq_empty(struct nic_txq *txq)
{
    struct ixgbe_txq *q = RT_CONTAINER_OF(txq, struct ixgbe_txq, head);

    for (uint32_t i = 0; i < q->descs && q->used > 0; i++) {
        if (q->shadow[q->clean].buf != NULL)
            buf_go_home(q->shadow[q->clean], BUF_NIC);
        q->clean = (uint16_t)(q->clean + 1u == q->descs ? 0 : q->clean + 1u);
        q->used--;
    }
    q->rs_count = 0;
}

/* ---- at stop: core 0, the other cores are out of their loops ---- */

static void rx_empty(struct ixgbe_rxq *q)
{
    ixgbe_rxq_drop(&q->head);
    for (uint32_t i = 0; i < q->descs; i++) {
        if (q->shadow[i].buf != NULL)
            buf_go_home(q->shadow[i], BUF_NIC);
        q->shadow[i] = (struct buf_ref){NULL, NULL};
        q->ring[i].status = 0;
    }
    q->filled = false;
}

void ixgbe_rings_stop(struct ixgbe *dev)
{
    for (unsigned queue = 0; queue < IXGBE_QUEUES_MAX; queue++) {
        if (dev->rxq[queue] != NULL && dev->rxq[queue]->ring_descs_max != 0)
            rx_empty(dev->rxq[queue]);
        if (dev->txq[queue] != NULL && dev->txq[queue]->ring_descs_max != 0)
            ixgbe_txq_empty(&dev->txq[queue]->head);
    }
}
