/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ixgbe: faults. Core 0 looks with every link poll for a device that is gone, one that asks for
 * a reset (EICR.ECC), and a transmit queue that has not moved for a while.
 *
 * A reset must not pull rings away under a core that is in them, and the data path shall not
 * pay for the rare case. So the queues are parked: core 0 points their functions at ones that
 * move nothing, and each core, on its next call, notes that it has seen it. When all have, no
 * core is in a ring; core 0 resets the port, starts it, and points the functions back. All
 * buffers go home and the rings are filled anew, so none is lost whatever the device did. A
 * queue whose core does not come by in time delays the reset, nothing else.
 */
#include "ixgbe.h"

#include <mempool/poison.h>
#include <rt/log.h>
#include <rt/trace.h>

#define TX_HANG_US 1000000 /* pause frames can hold a queue up, for far less */

/* ---- what a parked queue does ---- */

static uint32_t rx_parked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    __atomic_store_n(&RT_CONTAINER_OF(rxq, struct ixgbe_rxq, head)->parked, true,
                     __ATOMIC_RELEASE);
    return 0;
}

static void tx_seen(struct nic_txq *txq)
{
    __atomic_store_n(&RT_CONTAINER_OF(txq, struct ixgbe_txq, head)->parked, true,
                     __ATOMIC_RELEASE);
}

static void tx_parked(struct nic_txq *txq, struct buf_batch *batch)
{
    tx_seen(txq);
    txq->stats.ring_full += batch->count; /* all of it stays the caller's */
}

static uint32_t reclaim_parked(struct nic_txq *txq)
{
    tx_seen(txq);
    return 0;
}

/* A loop may be idle on its transmit side for ever: the core that receives on this port has
 * been seen outside, too, when the queue belongs to it. */
static bool all_parked(const struct ixgbe *dev)
{
    const struct nic *nic = dev->nic;
    uint64_t cores_seen = 0;

    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        if (!__atomic_load_n(&dev->rxq[q]->parked, __ATOMIC_ACQUIRE))
            return false;
        cores_seen |= UINT64_C(1) << nic->rxq[q]->core;
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        if (!__atomic_load_n(&dev->txq[q]->parked, __ATOMIC_ACQUIRE) &&
            (cores_seen >> nic->txq[q]->core & 1) == 0)
            return false;
    return true;
}
_Static_assert(HAL_CORES_MAX <= 64, "cores_seen has a bit for each");

static void park(struct ixgbe *dev, const char *fault)
{
    struct nic *nic = dev->nic;

    dev->fault = fault;
    dev->state = IXGBE_PARKING;
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        dev->txq[q]->parked = false;
        __atomic_store_n(&nic->txq[q]->tx, tx_parked, __ATOMIC_RELEASE);
        __atomic_store_n(&nic->txq[q]->reclaim, reclaim_parked, __ATOMIC_RELEASE);
    }
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        dev->rxq[q]->parked = false;
        __atomic_store_n(&nic->rxq[q]->rx, rx_parked, __ATOMIC_RELEASE);
        hal_core_kick(nic->rxq[q]->core); /* it may sleep and wait for an interrupt */
    }
    rt_log("%s fault=%s action=reset", nic->name, fault);
}

void ixgbe_resume(struct ixgbe *dev)
{
    struct nic *nic = dev->nic;

    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        dev->txq[q]->moved_us = hal_now_us();
        __atomic_store_n(&nic->txq[q]->reclaim, ixgbe_tx_reclaim, __ATOMIC_RELEASE);
        __atomic_store_n(&nic->txq[q]->tx, ixgbe_tx, __ATOMIC_RELEASE);
    }
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        nic_rx_use(nic->rxq[q], ixgbe_rx, ixgbe_card_max_bytes(nic));
    dev->state = IXGBE_RUNNING;
}

static void recover(struct ixgbe *dev)
{
    struct nic *nic = dev->nic;

    rt_trace(TRACE_NIC_RESET, nic->port, (uint32_t)dev->recoveries);
    ixgbe_shut_down(dev);
    nic->link.up = false;
    if (ixgbe_bring_up(dev) != RT_OK) {
        /* stays parked; the next poll tries again */
        rt_log("%s fault=%s action=reset status=failed", nic->name, dev->fault);
        return;
    }
    dev->recoveries++;
    ixgbe_resume(dev);
    rt_log("%s fault=%s action=reset status=recovered recoveries=%llu", nic->name, dev->fault,
           (unsigned long long)dev->recoveries);
}

/* Progress is the owner's count of reclaimed descriptors; read without lock, a torn view only
 * delays the verdict. A queue that sends nothing has nothing to reclaim. */
static bool tx_hung(struct ixgbe_txq *q, uint64_t now_us)
{
    uint16_t clean = __atomic_load_n(&q->clean, __ATOMIC_RELAXED);
    uint16_t used = __atomic_load_n(&q->used, __ATOMIC_RELAXED);
    bool waits = false;

    if (used > 0 && clean == q->watch_clean && q->dev->nic->link.up)
        waits = ixgbe_read(q->dev, IXGBE_TDH(q->head.index)) !=
                ixgbe_read(q->dev, IXGBE_TDT(q->head.index));
    q->watch_clean = clean;
    q->watch_used = used;
    if (!waits)
        q->moved_us = now_us;
    return now_us - q->moved_us >= TX_HANG_US;
}

static void look_for_faults(struct ixgbe *dev)
{
    uint64_t now_us = hal_now_us();

    if ((ixgbe_read(dev, IXGBE_EICR) & EICR_ECC) != 0) {
        dev->device_faults++;
        park(dev, "memory-error");
        return;
    }
    for (uint16_t q = 0; q < dev->nic->config.txqs; q++) {
        if (!tx_hung(dev->txq[q], now_us))
            continue;
        dev->tx_hangs++;
        park(dev, "tx-hang");
        return;
    }
}

/* All ones from STATUS: the device is gone (DS has reserved bits that read as zero there). */
static bool gone(struct ixgbe *dev)
{
    bool now = ixgbe_read(dev, IXGBE_STATUS) == UINT32_MAX;

    if (now && dev->state != IXGBE_GONE) {
        dev->device_faults++;
        rt_log("%s fault=removed", dev->nic->name);
        dev->state = IXGBE_GONE;
    } else if (!now && dev->state == IXGBE_GONE) {
        park(dev, "came-back");
    }
    return now;
}

void ixgbe_poll_link(struct nic *nic)
{
    struct ixgbe *dev = nic->priv;

    if (!gone(dev)) {
        if (dev->state == IXGBE_PARKING && all_parked(dev))
            recover(dev);
        if (dev->state == IXGBE_RUNNING)
            look_for_faults(dev);
        else
            (void)ixgbe_read(dev, IXGBE_EICR); /* a cause that stands holds the INTx line up */
    }
    ixgbe_link_look(dev);
}
