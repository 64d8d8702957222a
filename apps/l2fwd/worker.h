/* SPDX-License-Identifier: BSD-2-Clause */
/* The data path: what one turn does with the frames of a path. */
#ifndef L2FWD_WORKER_H
#define L2FWD_WORKER_H

#include "forward.h"
#include "txgen.h"

#include <kit/kit.h>

/* Written by the path's core, read by core 0 for reports. */
struct l2fwd_path_stats {
    uint64_t forwarded; /* frames given to the transmit queue */
    uint64_t tx_full;   /* dropped: the transmit ring stayed full */
    uint64_t rx_only;   /* dropped: modes rxonly and txonly */
    uint64_t pool_empty; /* txonly: no buffer for a frame */
};

struct l2fwd_path {
    struct kit_path kit; /* first: the kit knows only this */
    enum l2fwd_mode mode;
    bool vlan_strip;
    struct l2fwd_rewrite rewrite;
    l2fwd_swap_fn *swap; /* set by l2fwd_worker_source() */
    uint64_t held_since_us;
    uint64_t drain_us;
    struct buf_batch batch; /* between turns: what waits, for drain_us or for room in the ring */
    struct l2fwd_path_stats stats RT_ALIGNED(RT_CACHE_LINE);
    struct l2fwd_txgen txgen;
};
_Static_assert(offsetof(struct l2fwd_path, kit) == 0, "a path begins with the kit's");

/* Chooses what runs this path in the path's mode. */
void l2fwd_worker_source(struct l2fwd_path *path, struct loop_source *source);
/* modes io, mac and macswap; ctx is the path. The rig counts instructions between calls. */
uint32_t l2fwd_worker_poll(void *ctx, uint64_t now_us);
/* Gives back what the path still holds. The path's core, after its loop. */
void l2fwd_worker_leave(struct kit_path *path);

#endif
