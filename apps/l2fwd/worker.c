/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive a batch, rewrite it, send it, all in one turn. What the transmit ring does not take
 * stays in front of the batch and goes with the next turn, so that the receive ring is a buffer,
 * too, when the other side stands still for a moment. When nothing moves for TX_HOLD_US, it
 * is dropped and counted.
 */
#include "worker.h"

enum { TX_HOLD_US = 10000 };

/* `before`: frames in the batch when this turn began to send. */
static RT_COLD void send_rest(struct l2fwd_path *path, uint32_t before, bool held,
                              uint64_t now_us)
{
    nic_tx_reclaim(path->txq);
    nic_tx(path->txq, &path->batch);
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

    path->stats.forwarded += before;
    nic_tx(path->txq, &path->batch);
    if (RT_UNLIKELY(path->batch.count != 0))
        send_rest(path, before, held, now_us);
    if (RT_UNLIKELY(path->first_cycles == 0))
        path->first_cycles = hal_cycles();
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
    uint32_t count = nic_rx(path->rxq, &path->batch, path->batch_max - first);

    path->stats.polls[count]++;
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
    uint32_t count = nic_rx(path->rxq, &path->batch, path->batch_max - first);

    path->stats.polls[count]++;
    rewrite_batch(path, first);
    if (first == 0)
        path->held_since_us = now_us;
    if (path->batch.count == path->batch_max ||
        (path->batch.count != 0 && now_us - path->held_since_us >= path->drain_us))
        send_batch(path, first != 0, now_us);
    return count;
}

static uint32_t receive_and_drop(struct l2fwd_path *path, struct buf_batch *batch)
{
    uint32_t count = nic_rx(path->rxq, batch, path->batch_max);

    path->stats.polls[count]++;
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

    path->stats.pool_empty += l2fwd_txgen_fill(&path->txgen, path->pool, &path->batch,
                                               path->batch_max);
    before = path->batch.count;
    if (before == 0)
        return count;
    nic_tx(path->txq, &path->batch);
    if (path->batch.count == before)
        nic_tx_reclaim(path->txq);
    before -= path->batch.count;
    path->stats.forwarded += before;
    if (path->first_cycles == 0 && before != 0)
        path->first_cycles = hal_cycles();
    return count + before;
}

/* Before a halt nothing may lie around: held frames go out, sent buffers come home. */
static bool path_arm(void *ctx, uint64_t now_us)
{
    struct l2fwd_path *path = ctx;

    if (path->batch.count != 0 && path->mode != L2FWD_TXONLY)
        send_batch(path, true, now_us);
    nic_tx_reclaim(path->txq);
    if (path->batch.count != 0 ||
        (path->mode == L2FWD_TXONLY && l2fwd_txgen_left(&path->txgen))) {
        (void)nic_rx_arm(path->rxq); /* disarm follows: keep the pair */
        return true;
    }
    return nic_rx_arm(path->rxq);
}

static void path_disarm(void *ctx)
{
    struct l2fwd_path *path = ctx;

    nic_rx_disarm(path->rxq);
}

struct loop_source l2fwd_worker_source(struct l2fwd_path *path)
{
    struct loop_source source = {
        .name = "path",
        .poll = l2fwd_worker_poll,
        .arm = path_arm,
        .disarm = path_disarm,
        .never_sleeps = !path->rxq->irq_reaches,
        .ctx = path,
    };

    path->swap = l2fwd_swap_best();
    if (path->mode == L2FWD_RXONLY)
        source.poll = poll_rxonly;
    else if (path->mode == L2FWD_TXONLY)
        source.poll = poll_txonly;
    else if (path->drain_us != 0)
        source.poll = poll_held;
    return source;
}

/* What other cores want of this one: buffers that they freed come home, and queues of a port that
 * recovers are put aside and taken up again. Two loads a turn when there is nothing. */
static uint32_t poll_others(void *ctx, uint64_t now_us)
{
    struct pool *pool = ctx;

    pool_collect(pool);
    nic_core_poll(pool->core);
    return 0;
}

static bool arm_others(void *ctx, uint64_t now_us)
{
    const struct pool *pool = ctx;

    return nic_core_pending(pool->core); /* what comes later kicks the core */
}

static void disarm_others(void *ctx)
{
}

struct loop_source l2fwd_others_source(struct pool *pool)
{
    return (struct loop_source){
        .name = "others",
        .poll = poll_others,
        .arm = arm_others,
        .disarm = disarm_others,
        .ctx = pool,
    };
}

void l2fwd_worker_leave(struct l2fwd_path *path)
{
    buf_batch_free(&path->batch);
}
