/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings: memory, filling and emptying; see ring.h. */
#include "tx_ask.h"

#include <rt/log.h>

#define RING_ALIGN_BYTES 128
#define RECLAIM_FROM_DESCS 8u /* fewer in a small ring */

/* Aligned on its own size: no ring crosses what it does not have to (a page-crossing erratum of
 * the 82574's family; the others ask for 128). */
static void *ring_memory(uint32_t descs, const char *what)
{
    size_t bytes = descs * sizeof(struct nic_rx_desc), align = RING_ALIGN_BYTES;

    while (align < bytes)
        align *= 2;
    return hal_alloc(bytes, align, what);
}

static void no_memory(const struct nic *nic, const char *what, uint32_t descs)
{
    rt_log("%s error=memory what=%s descs=%u remedy=\"fewer descriptors or more memory\"",
           nic->name, what, descs);
}

/* The structure that was made for this queue before, or a new one. */
static void *queue_memory(const struct nic *nic, void *before, size_t bytes, const char *what)
{
    void *q = before != NULL ? before : hal_alloc(bytes, RT_CACHE_LINE, what);

    if (q == NULL)
        no_memory(nic, what, 0);
    return q;
}

static void check_setup(const struct nic *nic, uint16_t queue, unsigned core,
                        const struct pool *pool)
{
    RT_ASSERT(!nic->started);
    RT_ASSERT_LT(queue, NIC_QUEUES_MAX);
    RT_ASSERT_EQ(pool->core, core);
}

/* What a ring had before it got more. It lies in a list of its port, in its own shadow, for the
 * next ring of the port that it is large enough for: hal_alloc() takes nothing back. */
struct nic_ring_spare {
    struct nic_ring_spare *next;
    void *desc;
    uint16_t *reports; /* NULL: it was a receive ring's */
    uint16_t descs_max;
};
_Static_assert(sizeof(struct nic_ring_spare) <= 8 * sizeof(struct buf_ref),
               "the smallest shadow has room for it");

static void leave(struct nic *nic, struct nic_ring_spare memory, struct buf_ref *shadow)
{
    struct nic_ring_spare *spare = (void *)shadow;

    if (memory.descs_max == 0)
        return;
    *spare = memory;
    spare->next = nic->ring_spares;
    nic->ring_spares = spare;
}

/* The smallest that fits, out of the list; NULL: there is none. */
static struct nic_ring_spare *take_spare(struct nic *nic, uint16_t descs, bool reports)
{
    struct nic_ring_spare **best = NULL, *spare = NULL;

    for (struct nic_ring_spare **at = &nic->ring_spares; *at != NULL; at = &(*at)->next)
        if ((*at)->descs_max >= descs && ((*at)->reports != NULL) == reports &&
            (best == NULL || (*at)->descs_max < (*best)->descs_max))
            best = at;
    if (best != NULL) {
        spare = *best;
        *best = spare->next;
    }
    return spare;
}

static bool rx_memory(struct nic_rx_ring *q, struct nic *nic, uint16_t descs)
{
    struct nic_ring_spare *spare;
    struct nic_ring_spare now = {.descs_max = descs};
    void *shadow;

    if (q->descs_max >= descs)
        return true;
    spare = take_spare(nic, descs, false);
    if (spare != NULL) {
        now = *spare;
        shadow = spare;
    } else {
        now.desc = ring_memory(descs, "rx ring");
        shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "rx ring buffers");
    }
    if (now.desc == NULL || shadow == NULL) {
        no_memory(nic, "rx ring", descs);
        return false;
    }
    leave(nic, (struct nic_ring_spare){.desc = q->desc, .descs_max = q->descs_max}, q->shadow);
    q->desc = now.desc;
    q->shadow = shadow;
    q->descs_max = now.descs_max;
    __builtin_memset(shadow, 0, q->descs_max * sizeof(struct buf_ref));
    return true;
}

enum rt_status nic_rx_ring_setup(struct nic *nic, uint16_t queue, unsigned core,
                                 struct pool *pool)
{
    const struct nic_ring_chip *chip = nic->ops->rings;
    struct nic_rx_ring *q = queue_memory(nic, nic->rxq[queue], chip->rxq_bytes, "rxq");
    uint16_t descs = nic->config.rx_descs;

    check_setup(nic, queue, core, pool);
    if (q == NULL)
        return RT_NO_MEMORY;
    RT_ASSERT(!q->filled); /* its buffers would be lost */
    if (!rx_memory(q, nic, descs))
        return RT_NO_MEMORY;
    q->descs = descs;
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    q->mmio = nic->mmio;
    q->tail_reg = chip->rx_first + chip->stride * queue + NIC_RING_TAIL;
    nic->rxq[queue] = &q->head;
    return RT_OK;
}

static bool tx_memory(struct nic_tx_ring *q, struct nic *nic, uint16_t descs)
{
    struct nic_ring_spare *spare;
    struct nic_ring_spare now = {.descs_max = descs};
    void *shadow;

    if (q->descs_max >= descs)
        return true;
    spare = take_spare(nic, descs, true);
    if (spare != NULL) {
        now = *spare;
        shadow = spare;
    } else {
        now.desc = ring_memory(descs, "tx ring");
        now.reports = hal_alloc(descs * sizeof(uint16_t), RT_CACHE_LINE, "tx ring reports");
        shadow = hal_alloc(descs * sizeof(struct buf_ref), RT_CACHE_LINE, "tx ring buffers");
    }
    if (now.desc == NULL || now.reports == NULL || shadow == NULL) {
        no_memory(nic, "tx ring", descs);
        return false;
    }
    leave(nic, (struct nic_ring_spare){.desc = q->desc, .reports = q->reports,
                                       .descs_max = q->descs_max}, q->shadow);
    q->desc = now.desc;
    q->shadow = shadow;
    q->reports = now.reports;
    q->descs_max = now.descs_max;
    __builtin_memset(shadow, 0, q->descs_max * sizeof(struct buf_ref));
    return true;
}

enum rt_status nic_tx_ring_setup(struct nic *nic, uint16_t queue, unsigned core,
                                 struct pool *pool)
{
    const struct nic_ring_chip *chip = nic->ops->rings;
    struct nic_tx_ring *q = queue_memory(nic, nic->txq[queue], chip->txq_bytes, "txq");
    uint16_t descs = nic->config.tx_descs;

    check_setup(nic, queue, core, pool);
    if (q == NULL)
        return RT_NO_MEMORY;
    RT_ASSERT_EQ(q->used, 0); /* its buffers would be lost */
    if (!tx_memory(q, nic, descs))
        return RT_NO_MEMORY;
    q->descs = descs;
    q->no_owner = BUF_POOL;
    q->head.nic = nic;
    q->head.pool = pool;
    q->head.index = queue;
    q->head.core = (uint16_t)core;
    q->mmio = nic->mmio;
    q->tail_reg = chip->tx_first + chip->stride * queue + NIC_RING_TAIL;
    nic->txq[queue] = &q->head;
    return RT_OK;
}

/* ---- start ---- */

static void program(const struct hal_mmio *mmio, uint32_t tail_reg, const void *desc,
                    uint32_t descs)
{
    const uint32_t first_reg = tail_reg - NIC_RING_TAIL;
    const uint64_t address = hal_phys(desc).v;

    hal_write32(mmio, first_reg, (uint32_t)address);
    hal_write32(mmio, first_reg + NIC_RING_HIGH, (uint32_t)(address >> 32));
    hal_write32(mmio, first_reg + NIC_RING_LENGTH,
                descs * (uint32_t)sizeof(struct nic_rx_desc));
    hal_write32(mmio, first_reg + NIC_RING_HEAD, 0);
    hal_write32(mmio, tail_reg, 0);
}

/* Every descriptor gets a buffer; the last one is the gap between full and empty. */
static enum rt_status fill(struct nic_rx_ring *q)
{
    const struct nic *nic = q->head.nic;
    struct pool *pool = q->head.pool;

    if (pool_ready(pool) < q->descs) {
        rt_log("%s error=start rxq=%u pool=%s free=%u need=%u remedy=\"larger pool_size or "
               "smaller rx_descs\"",
               nic->name, q->head.index, pool->name, pool_ready(pool), q->descs);
        return RT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < q->descs; i++)
        if (!pool_take_for_nic(pool, &q->shadow[i]))
            return RT_INVALID; /* corrupted, and said so */
    q->filled = true;
    return RT_OK;
}

static void templates(struct nic_rx_ring *q)
{
    const struct nic *nic = q->head.nic;
    uint64_t flags = 0, shape = BUF_HEADROOM_BYTES | UINT64_C(1) << 16;

    if (nic->config.rx_checksum)
        flags |= (uint32_t)BUF_RX_IP_GOOD | (uint32_t)BUF_RX_L4_GOOD;
    if (nic->config.vlan_strip)
        flags |= (uint32_t)BUF_RX_VLAN | NIC_RXD_TAG;
    q->keep = (nic_vec){NIC_RXD_HASH | NIC_RXD_HASH_TYPE, flags | NIC_RXD_LENGTH};
    q->header = (nic_vec){0, shape | (uint64_t)nic->port << 24};
}
_Static_assert(offsetof(struct buf, segments) == offsetof(struct buf, data_off) + 2 &&
                   offsetof(struct buf, port) == offsetof(struct buf, data_off) + 3 &&
                   offsetof(struct buf, data_off) == offsetof(struct buf, next) + 8,
               "the template's second word: offset, one segment, port, length");

static enum rt_status rx_start(struct nic_rx_ring *q)
{
    const struct nic *nic = q->head.nic;
    enum rt_status st = q->filled ? RT_OK : fill(q);

    if (st != RT_OK)
        return st;
    RT_ASSERT(q->chain == NULL); /* half a frame of another start */
    q->next = 0;
    q->unposted = 0;
    q->post_at = (uint16_t)RT_MIN(nic->ops->rings->post_descs, q->descs / 4);
    q->mid_frame = false;
    q->skip = false;
    q->bytes_max = (uint32_t)nic->config.frame_max_bytes + NIC_VLAN_BYTES;
    templates(q);
    for (uint32_t i = 0; i < q->descs; i++)
        q->desc[i] = (struct nic_rx_desc){nic_rx_address(q->shadow[i].buf), 0};
    program(&q->mmio, q->tail_reg, q->desc, q->descs);
    return RT_OK;
}

/* Headroom and room of the pool that has the least, the usual ones at most. Pools of headers do
 * not count: what is taken from them has no offset that lies inside (mempool/create.c). */
static uint32_t least_room_bytes(void)
{
    uint32_t least = BUF_HEADROOM_BYTES + BUF_ROOM_BYTES;

    for (const struct pool *pool = pool_first(); pool != NULL; pool = pool->next)
        if (pool->room_bytes != 0)
            least = RT_MIN(least, pool->headroom_bytes + pool->room_bytes);
    return least;
}

static void tx_start(struct nic_tx_ring *q)
{
    const struct nic *nic = q->head.nic;
    const struct nic_ring_chip *chip = nic->ops->rings;
    uint32_t one_buffer;

    RT_ASSERT_EQ(q->used, 0); /* its buffers would be lost */
    q->next = 0;
    q->clean = 0;
    q->report_first = 0;
    q->report_count = 0;
    q->reclaim_from = (uint16_t)RT_MIN(RECLAIM_FROM_DESCS, q->descs / 4u);
    q->per_byte = chip->per_byte;
    q->bytes_max = (uint32_t)nic->config.frame_max_bytes + NIC_VLAN_BYTES;
    q->room_bytes = least_room_bytes();
    one_buffer = RT_MIN(q->bytes_max, (uint32_t)BUF_ROOM_BYTES);
    q->plain = (struct nic_tx_kind){
        .command = chip->command,
        .bytes_min = NIC_TX_BYTES_MIN,
        .over_min = one_buffer - NIC_TX_BYTES_MIN,
        .offset_max = nic_tx_offset_max(q, one_buffer),
        .first_min = NIC_TX_BYTES_MIN,
        .whole_max = q->bytes_max,
    };
    nic_tx_forget(q);
    q->context.command = 0;
    __builtin_memset(q->desc, 0, q->descs * sizeof(q->desc[0]));
    program(&q->mmio, q->tail_reg, q->desc, q->descs);
}

enum rt_status nic_rings_start(struct nic *nic)
{
    enum rt_status st = RT_OK;

    for (uint16_t queue = 0; queue < nic->config.txqs; queue++)
        tx_start(nic_tx_ring_of(nic->txq[queue]));
    for (uint16_t queue = 0; queue < nic->config.rxqs && st == RT_OK; queue++)
        st = rx_start(nic_rx_ring_of(nic->rxq[queue]));
    return st;
}

/* ---- stop and recovery ---- */

void nic_rx_ring_drop(struct nic_rxq *rxq)
{
    struct nic_rx_ring *q = nic_rx_ring_of(rxq);

    nic_rx_drop_chain(q);
    q->mid_frame = false;
}

static void rx_empty(struct nic_rx_ring *q)
{
    nic_rx_ring_drop(&q->head);
    for (uint32_t i = 0; i < q->descs && q->descs_max != 0; i++) {
        if (q->shadow[i].buf != NULL)
            buf_go_home(q->shadow[i], BUF_NIC);
        q->shadow[i] = (struct buf_ref){NULL, NULL};
        q->desc[i].status = 0;
    }
    q->filled = false;
}

void nic_tx_ring_empty(struct nic_txq *txq)
{
    struct nic_tx_ring *q = nic_tx_ring_of(txq);

    for (uint32_t i = 0; i < q->descs && q->used > 0; i++) {
        if (q->shadow[q->clean].buf != NULL)
            buf_sent(q->shadow[q->clean]);
        q->clean = nic_ring_wrap(q->clean + 1u, q->descs);
        q->used--;
    }
    RT_ASSERT_EQ(q->used, 0);
    q->report_count = 0;
}

void nic_rings_empty(struct nic *nic)
{
    for (unsigned queue = 0; queue < NIC_QUEUES_MAX; queue++) {
        if (nic->rxq[queue] != NULL)
            rx_empty(nic_rx_ring_of(nic->rxq[queue]));
        if (nic->txq[queue] != NULL)
            nic_tx_ring_empty(nic->txq[queue]);
    }
}

void nic_tx_ring_position(const struct nic_txq *txq, uint32_t *head, uint32_t *tail)
{
    const struct nic_tx_ring *q = (const void *)txq; /* at its head, see ring.h */

    *head = hal_read32(&q->mmio, q->tail_reg - NIC_RING_TAIL + NIC_RING_HEAD);
    *tail = hal_read32(&q->mmio, q->tail_reg);
}
