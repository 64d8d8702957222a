/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue's half of the rings: the loops of pmd/ring, and the two indices; see soft.h. */
#include "soft/soft.h"

#include "ring/rx_run.h"
#include "ring/tx_run.h"

static void rx_odd(struct nic_rx_ring *ring, struct buf_batch *out)
{
    nic_vec wb = *(volatile nic_vec *)(void *)&ring->desc[ring->next];
    struct nic_rx_written w = nic_rx_written(ring, wb);

    nic_rx_odd(ring, &w, out);
}

static const struct nic_rx_format rx_format = {.odd = rx_odd};
static const struct nic_tx_format tx_format = {.command = NIC_TXD_EOP, .odd = nic_tx_odd};

NIC_RX_FUNCTION(soft_rx, rx_format)
NIC_TX_FUNCTION(soft_tx_loop, tx_format)

/* Marks what the device has done, as it would by itself. */
static void report(struct soft_txq *q)
{
    const uint32_t fetched = __atomic_load_n(&q->fetched, __ATOMIC_ACQUIRE);
    const uint16_t descs = q->ring.descs;

    for (uint32_t i = 0; i < descs && q->reported != fetched; i++) {
        q->ring.desc[q->reported].command |= NIC_TXD_DD;
        q->reported = nic_ring_wrap(q->reported + 1u, descs);
    }
}

void soft_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    struct soft_txq *q = soft_txq_of(txq);

    report(q);
    soft_tx_loop(txq, batch);
    /* before a look at whether the receiver is armed */
    __atomic_store_n(&q->posted, q->ring.next, __ATOMIC_SEQ_CST);
}

uint32_t soft_tx_reclaim(struct nic_txq *txq)
{
    report(soft_txq_of(txq));
    return soft_tx_loop_reclaim(txq);
}

void soft_rxq_use(struct nic_rxq *rxq, nic_rx_fn *rx, bool (*arm)(struct nic_rxq *rxq))
{
    RT_ASSERT_LT(rxq->index, rxq->nic->config.rxqs);
    rxq->rx = rx;
    rxq->arm = arm;
    rxq->disarm = soft_rx_disarm;
}

void soft_txq_use(struct nic_txq *txq, void (*tx)(struct nic_txq *txq, struct buf_batch *batch))
{
    RT_ASSERT_LT(txq->index, txq->nic->config.txqs);
    txq->tx = tx;
    txq->reclaim = soft_tx_reclaim;
}

/* Sequentially consistent: the sender posts, then looks whether the queue is armed. */
bool soft_rx_arm(struct soft_rxq *q)
{
    if (!q->ring.head.irq_reaches || nic_rx_pending(&q->ring))
        return true;
    __atomic_store_n(&q->armed, 1, __ATOMIC_SEQ_CST);
    return false;
}

void soft_rx_disarm(struct nic_rxq *rxq)
{
    __atomic_store_n(&soft_rxq_of(rxq)->armed, 0, __ATOMIC_RELAXED);
}
