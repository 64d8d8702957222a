/* SPDX-License-Identifier: BSD-2-Clause */
/* e1000e queues: registers; ring/ring.c has the rest. Core 0, while DMA is off. */
#include "e1000e.h"

#define THRESHOLD_PREFETCH 31
#define THRESHOLD_HOST 1
#define RX_THRESHOLD_PREFETCH 32
#define RX_THRESHOLD_HOST 4

const struct nic_ring_chip e1000e_rings = {
    .rxq_bytes = sizeof(struct e1000e_rxq),
    .txq_bytes = sizeof(struct nic_tx_ring),
    .rx_first = E1000E_RDBAL(0),
    .tx_first = E1000E_TDBAL(0),
    .stride = E1000E_RDBAL(1) - E1000E_RDBAL(0),
    .post_descs = 16,
    .command = E1000E_TX_COMMAND,
    .per_byte = 1,
};
_Static_assert(E1000E_RDT(0) - E1000E_RDBAL(0) == NIC_RING_TAIL &&
                   E1000E_TDT(1) - E1000E_TDBAL(0) ==
                       NIC_RING_TAIL + E1000E_RDBAL(1) - E1000E_RDBAL(0),
               "a ring's registers lie as ring.h says");

/* WTHRESH stays 0: with it, RS on single descriptors is ignored. Both queues the same, also
 * the one not in use (82574: required). */
static void tx_thresholds(struct e1000e *dev)
{
    for (unsigned queue = 0; queue < E1000E_QUEUES_MAX; queue++)
        e1000e_write(dev, E1000E_TXDCTL(queue),
                     E1000E_DCTL_GRAN | E1000E_DCTL_BIT22 |
                         FIELD_PUT(E1000E_DCTL_PTHRESH, THRESHOLD_PREFETCH) |
                         FIELD_PUT(E1000E_DCTL_HTHRESH, THRESHOLD_HOST));
}

enum rt_status e1000e_rings_start(struct e1000e *dev)
{
    const struct nic *nic = dev->nic;
    enum rt_status st = nic_rings_start(dev->nic);

    RT_ASSERT_LE(nic->config.txqs, E1000E_QUEUES_MAX);
    RT_ASSERT_LE(nic->config.rxqs, E1000E_QUEUES_MAX);
    if (st != RT_OK)
        return st;
    for (uint16_t queue = 0; queue < nic->config.txqs; queue++) /* one context for all */
        nic_tx_ring_of(nic->txq[queue])->context_shared = nic->config.txqs > 1;
    tx_thresholds(dev);
    for (uint16_t queue = 0; queue < nic->config.rxqs; queue++)
        e1000e_rx_sums(nic_rx_ring_of(nic->rxq[queue]));
    for (uint16_t queue = 0; queue < nic->config.rxqs; queue++)
        e1000e_write(dev, E1000E_RXDCTL(queue),
                     E1000E_DCTL_GRAN | FIELD_PUT(E1000E_DCTL_PTHRESH, RX_THRESHOLD_PREFETCH) |
                         FIELD_PUT(E1000E_DCTL_HTHRESH, RX_THRESHOLD_HOST));
    return RT_OK;
}

/* ---- on the queue's core ---- */

void e1000e_rxq_run(struct nic_rxq *rxq)
{
    const struct nic *nic = rxq->nic;

    RT_ASSERT_LT(rxq->index, nic->config.rxqs);
    nic_rx_use(rxq, nic->config.rx_checksum ? e1000e_rx_checked : e1000e_rx,
               e1000e_takes_long(nic) ? UINT32_MAX : E1000E_STANDARD_FRAME_BYTES);
    rxq->arm = e1000e_rx_arm;
    rxq->disarm = e1000e_rx_disarm;
}

void e1000e_txq_run(struct nic_txq *txq)
{
    RT_ASSERT_LT(txq->index, txq->nic->config.txqs);
    txq->tx = e1000e_tx;
    txq->reclaim = e1000e_tx_reclaim;
}
