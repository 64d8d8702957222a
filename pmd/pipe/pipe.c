/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pair of ports in memory; see <pmd/pipe.h>. The receiving end's core is the device of both:
 * it fetches from the ring of the end that sends, and delivers into its own.
 */
#include "soft/soft.h"

#include <pmd/pipe.h>
#include <rt/log.h>

#define SPEED_MBPS 10000

struct pipe_end {
    struct soft_port port; /* first: nic->priv */
    struct pipe_end *other;
    /* Set at the first start, for the other end's core. */
    struct soft_rxq *rx;
    struct soft_txq *tx;
    uint32_t up; /* started */
    /* The receiving core's: a frame that found no descriptors. */
    uint32_t held_bytes;
    uint8_t box[SOFT_BOX_BYTES];
};
_Static_assert(offsetof(struct pipe_end, port) == 0, "what soft_port_of() returns");

static struct pipe_end *end_of(const struct nic *nic)
{
    return nic->priv;
}

static uint32_t next_frame(struct pipe_end *end)
{
    struct soft_txq *from = __atomic_load_n(&end->other->tx, __ATOMIC_ACQUIRE);

    return from != NULL ? soft_tx_fetch(from, end->box) : 0;
}

/* Frames of the other end into the ring, as far as there are descriptors. */
static void take_frames(struct pipe_end *end, struct soft_rxq *q, uint32_t max)
{
    for (uint32_t i = 0; i < max; i++) {
        if (end->held_bytes == 0)
            end->held_bytes = next_frame(end);
        if (end->held_bytes == 0)
            return;
        if (soft_rx_wants(q, end->box, end->held_bytes) &&
            !soft_rx_deliver(q, end->box, end->held_bytes))
            return;
        end->held_bytes = 0;
    }
}

static uint32_t pipe_rx(struct nic_rxq *rxq, struct buf_batch *out, uint32_t max)
{
    take_frames(end_of(rxq->nic), soft_rxq_of(rxq), max);
    return soft_rx(rxq, out, max);
}

static bool pipe_rx_arm(struct nic_rxq *rxq)
{
    const struct pipe_end *end = end_of(rxq->nic);
    const struct soft_txq *from;

    if (soft_rx_arm(soft_rxq_of(rxq)))
        return true;
    from = __atomic_load_n(&end->other->tx, __ATOMIC_ACQUIRE);
    if (end->held_bytes == 0 && (from == NULL || !soft_tx_waits(from)))
        return false;
    soft_rx_disarm(rxq);
    return true;
}

static void pipe_tx(struct nic_txq *txq, struct buf_batch *batch)
{
    struct soft_rxq *to = __atomic_load_n(&end_of(txq->nic)->other->rx, __ATOMIC_ACQUIRE);

    soft_tx(txq, batch);
    if (to != NULL)
        soft_interrupt(to);
}

/* ---- a port ---- */

static void pipe_rxq_run(struct nic_rxq *rxq)
{
    soft_rxq_use(rxq, pipe_rx, pipe_rx_arm);
}

static void pipe_txq_run(struct nic_txq *txq)
{
    soft_txq_use(txq, pipe_tx);
}

static enum rt_status pipe_start(struct nic *nic)
{
    struct pipe_end *end = end_of(nic);
    enum rt_status st;

    RT_ASSERT_EQ(end->up, 0u);
    soft_irq_take(nic->rxq[0]);
    end->held_bytes = 0;
    st = soft_start(nic);
    if (st != RT_OK)
        return st;
    __atomic_store_n(&end->rx, soft_rxq_of(nic->rxq[0]), __ATOMIC_RELEASE);
    __atomic_store_n(&end->tx, soft_txq_of(nic->txq[0]), __ATOMIC_RELEASE);
    end->up = 1;
    return RT_OK;
}

static void pipe_stop(struct nic *nic)
{
    end_of(nic)->up = 0;
    soft_stop(nic);
}

static void pipe_poll_link(struct nic *nic)
{
    const struct pipe_end *end = end_of(nic);

    soft_set_link(nic, end->up != 0 && end->other->up != 0, SPEED_MBPS);
}

static const struct nic_ops pipe_ops = {SOFT_DRIVER_OPS(pipe)};

enum rt_status pipe_open(struct nic *ends[2])
{
    struct pipe_end *both;

    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (nic_count() + 2 > NIC_PORTS_MAX) {
        rt_log("pipe error=open what=\"more ports than this build handles\" ports=%u",
               nic_count());
        return RT_FULL;
    }
    both = hal_alloc(2 * sizeof(*both), RT_CACHE_LINE, "pipe");
    if (both == NULL) {
        rt_log("pipe error=open what=\"no memory\" bytes=%zu", 2 * sizeof(*both));
        return RT_NO_MEMORY;
    }
    for (unsigned i = 0; i < 2; i++) {
        enum rt_status st = soft_port_add(&both[i].port, "pipe", &pipe_ops);
        struct nic *nic = both[i].port.nic;

        if (st != RT_OK)
            return st;
        both[i].other = &both[1 - i];
        /* locally administered; no other pipe of this process has its number */
        __builtin_memcpy(nic->mac, (uint8_t[6]){0x02, 'p', 'i', 'p', 'e', (uint8_t)nic->port},
                         sizeof(nic->mac));
        ends[i] = nic;
    }
    return RT_OK;
}

void pipe_break(struct nic *end, const char *fault)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    RT_ASSERT(end->started);
    soft_port_of(end)->fault = fault;
}
