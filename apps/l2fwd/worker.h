/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path of one core: a path is one receive queue that sends to one transmit queue.
 * Each path is one source of the core's loop.
 */
#ifndef L2FWD_WORKER_H
#define L2FWD_WORKER_H

#include "forward.h"
#include "txgen.h"

#include <pmd/nic.h>
#include <rt/loop.h>

/* Written by the path's core, read by core 0 for reports. */
struct l2fwd_path_stats {
    uint64_t polls[BUF_BATCH_MAX + 1]; /* polls by frames found */
    uint64_t forwarded; /* frames given to the transmit queue */
    uint64_t tx_full;   /* dropped: the transmit ring stayed full */
    uint64_t rx_only;   /* dropped: modes rxonly and txonly */
    uint64_t pool_empty; /* txonly: no buffer for a frame */
};

struct l2fwd_path {
    struct nic_rxq *rxq;
    struct nic_txq *txq;
    uint32_t batch_max;
    enum l2fwd_mode mode;
    bool vlan_strip;
    struct l2fwd_rewrite rewrite;
    l2fwd_swap_fn *swap; /* set by l2fwd_worker_source() */
    uint64_t first_cycles; /* hal_cycles() when the first frame went out; 0: none yet */
    struct buf_batch batch; /* between turns: what waits, for drain_us or for room in the ring */
    uint64_t held_since_us;
    uint64_t drain_us;
    struct pool *pool;
    struct l2fwd_txgen txgen;
    struct l2fwd_path_stats stats RT_ALIGNED(RT_CACHE_LINE);
};

/* The source that runs this path in the path's mode. After nic_start(): by then it is known
 * whether the queue's interrupt reaches this core. */
struct loop_source l2fwd_worker_source(struct l2fwd_path *path);
/* The source of what other cores want of this one, by its pool. One a core, once a turn. */
struct loop_source l2fwd_others_source(struct pool *pool);
/* modes io, mac and macswap; ctx is the path. The rig counts instructions between calls. */
uint32_t l2fwd_worker_poll(void *ctx, uint64_t now_us);
/* Gives back what the path still holds. The path's core, after its loop. */
void l2fwd_worker_leave(struct l2fwd_path *path);

#endif
