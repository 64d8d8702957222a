/* SPDX-License-Identifier: BSD-2-Clause */
/* What a core's loop does for every application: interrupts of paths, wishes of other cores. */
#include "state.h"

#include <rt/assert.h>

bool kit_path_arm(void *ctx, uint64_t now_us)
{
    struct kit_path *path = ctx;

    RT_ASSERT_EQ(hal_core_id(), path->core);
    nic_tx_reclaim(path->txq);
    return nic_rx_arm(path->rxq);
}

void kit_path_disarm(void *ctx)
{
    struct kit_path *path = ctx;

    nic_rx_disarm(path->rxq);
}

/* What other cores want of this one: buffers that they freed come home, and queues of a port
 * that recovers are put aside and taken up again. Two loads a turn when there is nothing. */
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

struct loop_source kit_others_source(struct pool *pool)
{
    return (struct loop_source){
        .name = "others",
        .poll = poll_others,
        .arm = arm_others,
        .disarm = disarm_others,
        .ctx = pool,
    };
}
