/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues off the data path and back, each on its own core; see nic_park.h. */
#include "nic_park.h"

#include "nic_driver.h"

uint32_t nic_core_asked[HAL_CORES_MAX];

/* ---- what a parked queue does ---- */

static uint32_t rx_parked(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    return 0;
}

/* The core may sleep: it is kicked when there is something to do. */
static bool arm_parked(struct nic_rxq *rxq)
{
    return false;
}

static void disarm_parked(struct nic_rxq *rxq)
{
}

static void tx_parked(struct nic_txq *txq, struct buf_batch *batch)
{
    txq->stats.ring_full += batch->count; /* all of it stays the caller's */
}

static uint32_t reclaim_parked(struct nic_txq *txq)
{
    return 0;
}

void nic_park_rxq(struct nic_rxq *rxq)
{
    rxq->rx = rx_parked;
    rxq->arm = arm_parked;
    rxq->disarm = disarm_parked;
}

void nic_park_txq(struct nic_txq *txq)
{
    txq->tx = tx_parked;
    txq->reclaim = reclaim_parked;
}

/* ---- on the queue's core, between two turns of its loop ---- */

static void rxq_follow(struct nic_rxq *rxq)
{
    uint32_t asked = __atomic_load_n(&rxq->asked, __ATOMIC_ACQUIRE);

    RT_ASSERT_LE(asked, (uint32_t)NIC_QUEUE_EMPTY);
    if (asked == rxq->state)
        return;
    if (asked == NIC_QUEUE_PARKED) {
        nic_park_rxq(rxq);
        rxq->nic->ops->rxq_drop(rxq);
    } else if (asked == NIC_QUEUE_RUNS) {
        rxq->nic->ops->rxq_run(rxq);
    }
    __atomic_store_n(&rxq->state, asked, __ATOMIC_RELEASE);
}

static void txq_follow(struct nic_txq *txq)
{
    uint32_t asked = __atomic_load_n(&txq->asked, __ATOMIC_ACQUIRE);

    RT_ASSERT_LE(asked, (uint32_t)NIC_QUEUE_EMPTY);
    if (asked == txq->state)
        return;
    if (asked == NIC_QUEUE_PARKED) {
        nic_park_txq(txq);
    } else if (asked == NIC_QUEUE_EMPTY) {
        txq->nic->ops->txq_empty(txq);
    } else {
        txq->nic->ops->txq_run(txq);
    }
    __atomic_store_n(&txq->state, asked, __ATOMIC_RELEASE);
}

void nic_core_work(unsigned core)
{
    RT_ASSERT_LT(core, (unsigned)HAL_CORES_MAX);
    RT_ASSERT_EQ(core, hal_core_id());
    /* first: who asks again from here on is seen in the next turn */
    if (__atomic_exchange_n(&nic_core_asked[core], 0, __ATOMIC_ACQ_REL) == 0)
        return;
    for (uint32_t port = 0; port < nic_count(); port++) {
        struct nic *nic = nic_get(port);

        for (uint16_t q = 0; q < NIC_QUEUES_MAX; q++) {
            if (nic->rxq[q] != NULL && nic->rxq[q]->core == core)
                rxq_follow(nic->rxq[q]);
            if (nic->txq[q] != NULL && nic->txq[q]->core == core)
                txq_follow(nic->txq[q]);
        }
    }
}

/* ---- core 0: asking, and seeing that it was done ---- */

void nic_park_ask(struct nic *nic, enum nic_queue_state state)
{
    uint64_t cores = 0;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint16_t q = 0; q < nic->config.rxqs; q++) {
        __atomic_store_n(&nic->rxq[q]->asked, (uint32_t)state, __ATOMIC_RELEASE);
        cores |= UINT64_C(1) << nic->rxq[q]->core;
    }
    for (uint16_t q = 0; q < nic->config.txqs; q++) {
        __atomic_store_n(&nic->txq[q]->asked, (uint32_t)state, __ATOMIC_RELEASE);
        cores |= UINT64_C(1) << nic->txq[q]->core;
    }
    for (unsigned core = 0; core < HAL_CORES_MAX; core++) {
        if ((cores >> core & 1) == 0)
            continue;
        __atomic_store_n(&nic_core_asked[core], 1, __ATOMIC_RELEASE);
        if (core == hal_core_id())
            nic_core_work(core); /* we are between two turns, too */
        else
            hal_core_kick(core);
    }
}
_Static_assert(HAL_CORES_MAX <= 64, "`cores` has a bit for each");

unsigned nic_park_missing(const struct nic *nic, enum nic_queue_state state)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        if (__atomic_load_n(&nic->rxq[q]->state, __ATOMIC_ACQUIRE) != (uint32_t)state)
            return nic->rxq[q]->core;
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        if (__atomic_load_n(&nic->txq[q]->state, __ATOMIC_ACQUIRE) != (uint32_t)state)
            return nic->txq[q]->core;
    return HAL_CORES_MAX;
}

bool nic_park_none_runs(const struct nic *nic)
{
    bool none = true;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint16_t q = 0; q < nic->config.rxqs; q++)
        none &= __atomic_load_n(&nic->rxq[q]->state, __ATOMIC_ACQUIRE) != NIC_QUEUE_RUNS;
    for (uint16_t q = 0; q < nic->config.txqs; q++)
        none &= __atomic_load_n(&nic->txq[q]->state, __ATOMIC_ACQUIRE) != NIC_QUEUE_RUNS;
    return none;
}
