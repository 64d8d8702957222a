/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive a batch, rewrite it, send it, all in one turn. What the transmit ring does not take
 * stays in front of the batch and goes with the next turn, so that the receive ring is a buffer,
 * too, when the other side stands still for a moment. When nothing moves for TX_HOLD_US, it
 * is dropped and counted.
 */
#include "worker.h"

#include <rt/assert.h>

enum { TX_HOLD_US = 10000 };

/* `before`: frames in the batch when this turn began to send. */
static RT_COLD void send_rest(struct l2fwd_path *path, uint32_t before, bool held,
                              uint64_t now_us)
{
    nic_tx_reclaim(path->kit.txq);
    nic_tx(path->kit.txq, &path->batch);
    path->stats.forwarded -= path->batch.count;
    if (!held || path->batch.count != before) {
        path->held_since_us = now_us;
    } else if (now_us - path->held_since_us >= path->drain_us + TX_HOLD_US) {
        path->stats.tx_full += path->batch.count;
        buf_batch_free(&path->batch);
    }
}

/* `held`: frames of an earlier turn are in front. Some may stay in the batch. */
RT_INLINE void send_batch(struct l2fwd_path *path, bool held, uint64_t now_us)
{
    uint32_t before = path->batch.count;

    RT_INVARIANT(before <= path->kit.batch_max);
    path->stats.forwarded += before;
    nic_tx(path->kit.txq, &path->batch);
    if (RT_UNLIKELY(path->batch.count != 0))
        send_rest(path, before, held, now_us);
    if (RT_UNLIKELY(path->kit.first_cycles == 0))
        path->kit.first_cycles = hal_cycles();
}

RT_INLINE void rewrite_batch(struct l2fwd_path *path, uint32_t first)
{
    if (path->mode == L2FWD_MAC)
        l2fwd_rewrite(&path->rewrite, &path->batch, first);
    else if (path->mode == L2FWD_MACSWAP)
        path->swap(&path->batch, first);
    if (RT_UNLIKELY(path->vlan_strip))
        l2fwd_restore_vlan(&path->batch, first);
}

uint32_t l2fwd_worker_poll(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;
    uint32_t first = path->batch.count;
    uint32_t count = nic_rx(path->kit.rxq, &path->batch, path->kit.batch_max - first);

    path->kit.polls[count]++;
    if (path->batch.count == 0)
        return 0;
    rewrite_batch(path, first);
    send_batch(path, first != 0, now_us);
    return count;
}

/* drain_us != 0: frames wait until the batch is full or the oldest is drain_us old. */
static uint32_t poll_held(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;
    uint32_t first = path->batch.count;
    uint32_t count = nic_rx(path->kit.rxq, &path->batch, path->kit.batch_max - first);

    path->kit.polls[count]++;
    rewrite_batch(path, first);
    if (first == 0)
        path->held_since_us = now_us;
    if (path->batch.count == path->kit.batch_max ||
        (path->batch.count != 0 && now_us - path->held_since_us >= path->drain_us))
        send_batch(path, first != 0, now_us);
    return count;
}

static uint32_t receive_and_drop(struct l2fwd_path *path, struct buf_batch *batch)
{
    uint32_t count = nic_rx(path->kit.rxq, batch, path->kit.batch_max);

    path->kit.polls[count]++;
    path->stats.rx_only += count;
    buf_batch_free(batch);
    return count;
}

static uint32_t poll_rxonly(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;

    return receive_and_drop(path, &path->batch);
}

/* Frames that the ring does not take stay in the batch for the next turn: none is lost. */
static uint32_t poll_txonly(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;
    struct buf_batch received = {.count = 0};
    uint32_t count = receive_and_drop(path, &received);
    uint32_t before;

    path->stats.pool_empty += l2fwd_txgen_fill(&path->txgen, path->kit.pool, &path->batch,
                                               path->kit.batch_max);
    before = path->batch.count;
    if (before == 0)
        return count;
    nic_tx(path->kit.txq, &path->batch);
    if (path->batch.count == before)
        nic_tx_reclaim(path->kit.txq);
    before -= path->batch.count;
    path->stats.forwarded += before;
    if (path->kit.first_cycles == 0 && before != 0)
        path->kit.first_cycles = hal_cycles();
    return count + before;
}

/* Before a halt nothing may lie around: held frames go out, sent buffers come home. */
static bool path_arm(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;
    bool pending;

    if (path->batch.count != 0 && path->mode != L2FWD_TXONLY)
        send_batch(path, true, now_us);
    pending = kit_path_arm(ctx, now_us);
    return pending || path->batch.count != 0 ||
           (path->mode == L2FWD_TXONLY && l2fwd_txgen_left(&path->txgen));
}

void l2fwd_worker_source(struct l2fwd_path *path, struct loop_source *source)
{
    RT_ASSERT_LE(path->kit.batch_max, (uint32_t)BUF_BATCH_MAX);
    RT_ASSERT_EQ(path->kit.rxq->core, path->kit.txq->core);
    RT_ASSERT_EQ(path->batch.count, 0u);
    source->arm = path_arm;
    path->swap = l2fwd_swap_best();
    if (path->mode == L2FWD_RXONLY) {
        source->poll = poll_rxonly;
    } else if (path->mode == L2FWD_TXONLY) {
        source->poll = poll_txonly;
        source->budget = 2 * path->kit.batch_max; /* it receives a batch, and sends one */
    } else if (path->drain_us != 0) {
        source->poll = poll_held;
    }
}

void l2fwd_worker_leave(struct kit_path *path)
{
    struct l2fwd_path *own = RT_CONTAINER_OF(path, struct l2fwd_path, kit);

    RT_ASSERT_EQ(hal_core_id(), path->core);
    buf_batch_free(&own->batch);
}
