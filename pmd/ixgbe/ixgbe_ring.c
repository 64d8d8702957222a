/* SPDX-License-Identifier: BSD-2-Clause */
/* ixgbe queues: registers; ring/ring.c has the rest. Core 0, while DMA is off. */
#include "ixgbe.h"

#include <rt/log.h>

/* DS 4.6.8.1. WTHRESH stays 0: then RS reports each descriptor that it is on. */
#define TX_PREFETCH_DESCS 32
#define TX_HOST_DESCS 1
#define QUEUE_TIMEOUT_US 10000
#define SECRX_TIMEOUT_US 4000
#define RXEN_OFF_US 2000

const struct nic_ring_chip ixgbe_rings = {
    .rxq_bytes = sizeof(struct nic_rx_ring),
    .txq_bytes = sizeof(struct nic_tx_ring),
    .rx_first = IXGBE_RDBAL(0),
    .tx_first = IXGBE_TDBAL(0),
    .stride = IXGBE_RDBAL(1) - IXGBE_RDBAL(0),
    .post_descs = 64,
    .command = IXGBE_TX_COMMAND,
    .per_byte = 1 + (UINT64_C(1) << IXGBE_TXD_PAYLEN_SHIFT), /* DTALEN and PAYLEN */
};
_Static_assert(IXGBE_RDT(0) - IXGBE_RDBAL(0) == NIC_RING_TAIL &&
                   IXGBE_TDT(1) - IXGBE_TDBAL(0) ==
                       NIC_RING_TAIL + IXGBE_RDBAL(1) - IXGBE_RDBAL(0),
               "a ring's registers lie as ring.h says");

/* ---- steps: switched all at once, then awaited all at once ---- */

/* Until every queue of a direction says that it is on or off. */
static enum rt_status queues_wait(const struct ixgbe *dev, struct nic_steps *steps,
                                  const char *what, uint32_t first_reg, uint16_t queues,
                                  bool on)
{
    enum rt_status st = RT_OK;

    RT_ASSERT_LE(queues, IXGBE_QUEUES_MAX);
    for (uint16_t q = 0; q < queues && st == RT_OK; q++) {
        const struct nic_step_wait wait = {first_reg + q * IXGBE_DCTL_STRIDE, IXGBE_DCTL_ENABLE,
                                           on ? IXGBE_DCTL_ENABLE : 0, QUEUE_TIMEOUT_US};
        uint32_t value = 0;

        st = nic_step_reg(steps, &dev->nic->mmio, wait, &value);
        if (st == RT_TIMEOUT)
            rt_log("%s error=queue-timeout %s=%u dctl=0x%08x", dev->nic->name, what, q,
                   value);
    }
    return st;
}

enum rt_status ixgbe_rx_on(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    uint32_t vme = nic->config.vlan_strip ? IXGBE_RXDCTL_VME : 0;

    RT_ASSERT_LE(nic->config.rxqs, IXGBE_QUEUES_MAX);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        ixgbe_write(dev, IXGBE_RXDCTL(q), IXGBE_DCTL_ENABLE | vme);
    return RT_OK;
}

enum rt_status ixgbe_rx_on_wait(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;
    enum rt_status st = queues_wait(dev, steps, "rxq", IXGBE_RXDCTL(0), nic->config.rxqs, true);

    /* next = 0: all but the last descriptor */
    for (uint16_t q = 0; q < nic->config.rxqs && st == RT_OK; q++)
        nic_rx_post(nic_rx_ring_of(nic->rxq[q]));
    return st;
}

/* DS 4.6.8.1: DMATXCTL.TE is on before. */
enum rt_status ixgbe_tx_on(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    RT_ASSERT_LE(nic->config.txqs, IXGBE_QUEUES_MAX);
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        ixgbe_write(dev, IXGBE_TXDCTL(q),
                    IXGBE_DCTL_ENABLE | FIELD_PUT(IXGBE_TXDCTL_PTHRESH, TX_PREFETCH_DESCS) |
                        FIELD_PUT(IXGBE_TXDCTL_HTHRESH, TX_HOST_DESCS));
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
    return ixgbe_no_matter(
        queues_wait(nic->priv, steps, "rxq", IXGBE_RXDCTL(0), nic->config.rxqs, false));
}

/* ---- the way to the queues ---- */

/* DS 4.6.7: the receive path drains into nothing while its enable changes. */
enum rt_status ixgbe_rx_path_close(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    ixgbe_write(dev, IXGBE_SECRXCTRL,
                ixgbe_read(dev, IXGBE_SECRXCTRL) | IXGBE_SECRXCTRL_RX_DIS);
    return RT_OK;
}

enum rt_status ixgbe_rx_path_wait(struct nic *nic, struct nic_steps *steps)
{
    static const struct nic_step_wait drained = {IXGBE_SECRXSTAT, IXGBE_SECRXSTAT_RDY,
                                                 IXGBE_SECRXSTAT_RDY, SECRX_TIMEOUT_US};

    return ixgbe_no_matter(nic_step_await(nic, steps, drained, "rx-path-busy", "secrxstat"));
}

static void receive_switch(const struct ixgbe *dev, uint32_t rxctrl)
{
    ixgbe_write(dev, IXGBE_RXCTRL, rxctrl);
    ixgbe_write(dev, IXGBE_SECRXCTRL,
                ixgbe_read(dev, IXGBE_SECRXCTRL) & ~IXGBE_SECRXCTRL_RX_DIS);
    (void)ixgbe_read(dev, IXGBE_STATUS);
}

enum rt_status ixgbe_receive_off(struct nic *nic, struct nic_steps *steps)
{
    const struct ixgbe *dev = nic->priv;

    steps->wait_us = (ixgbe_read(dev, IXGBE_RXCTRL) & IXGBE_RXCTRL_RXEN) != 0 ? RXEN_OFF_US : 0;
    receive_switch(dev, 0);
    return RT_OK;
}

enum rt_status ixgbe_receive_on(struct nic *nic, struct nic_steps *steps)
{
    receive_switch(nic->priv, IXGBE_RXCTRL_RXEN);
    return RT_OK;
}

enum rt_status ixgbe_rings_start(struct ixgbe *dev)
{
    const struct nic_config *config = &dev->nic->config;
    enum rt_status st = nic_rings_start(dev->nic);

    RT_ASSERT_LE(config->txqs, IXGBE_QUEUES_MAX);
    for (uint16_t queue = 0; queue < config->txqs && st == RT_OK; queue++) {
        ixgbe_write(dev, IXGBE_TDWBAL(queue), 0); /* no head write-back */
        ixgbe_write(dev, IXGBE_TDWBAH(queue), 0);
    }
    for (uint16_t queue = 0; queue < config->rxqs && st == RT_OK; queue++)
        ixgbe_rx_sums(nic_rx_ring_of(dev->nic->rxq[queue]));
    /* With several queues a full one drops, else it would stop the others (DS 7.1.10). */
    for (uint16_t queue = 0; queue < config->rxqs && st == RT_OK; queue++)
        ixgbe_write(dev, IXGBE_SRRCTL(queue),
                    FIELD_PUT(IXGBE_SRRCTL_BSIZEPACKET_KIB, BUF_ROOM_BYTES / 1024) |
                        FIELD_PUT(IXGBE_SRRCTL_BSIZEHEADER_64, 4) |
                        FIELD_PUT(IXGBE_SRRCTL_DESCTYPE, IXGBE_SRRCTL_DESCTYPE_ADVANCED) |
                        (config->rxqs > 1 ? IXGBE_SRRCTL_DROP_EN : 0));
    return st;
}

/* ---- on the queue's core ---- */

void ixgbe_rxq_run(struct nic_rxq *rxq)
{
    RT_ASSERT_LT(rxq->index, rxq->nic->config.rxqs);
    nic_rx_use(rxq, rxq->nic->config.rx_checksum ? ixgbe_rx_checked : ixgbe_rx,
               ixgbe_card_max_bytes(rxq->nic));
    rxq->arm = ixgbe_rx_arm;
    rxq->disarm = ixgbe_rx_disarm;
}

void ixgbe_txq_run(struct nic_txq *txq)
{
    RT_ASSERT_LT(txq->index, txq->nic->config.txqs);
    txq->tx = ixgbe_tx;
    txq->reclaim = ixgbe_tx_reclaim;
}
