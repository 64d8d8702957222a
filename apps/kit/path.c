/* SPDX-License-Identifier: BSD-2-Clause */
/* What a core's loop does for every application: interrupts of paths, wishes of other cores. */
#include "state.h"

#include <rt/assert.h>

struct kit_path *kit_path_at(const struct kit *kit, uint32_t number)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    return number < kit->plan.count ? kit->paths[number] : NULL;
}

bool kit_path_arm(void *ctx, uint64_t now_us)
{
    struct kit_path *path = ctx;

    RT_ASSERT_EQ(hal_core_id(), path->core);
    nic_tx_reclaim(path->txq);
    return path->rxq != NULL && nic_rx_arm(path->rxq);
}

void kit_path_disarm(void *ctx)
{
    struct kit_path *path = ctx;

    RT_ASSERT_EQ(hal_core_id(), path->core);
    if (path->rxq != NULL)
        nic_rx_disarm(path->rxq);
}

/* What other cores want of this one: buffers that they freed come home, and queues of a port
 * that recovers are put aside and taken up again. Two loads a turn when there is nothing. */
static uint32_t poll_others(void *ctx, uint64_t now_us)
{
    struct pool *pool = ctx;

    RT_INVARIANT(pool->core == hal_core_id());
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

static uint32_t collect_all(struct pool *pool)
{
    uint32_t total = 0, came = 1;

    RT_ASSERT_EQ(pool->core, hal_core_id());
    for (uint32_t i = 0; i < pool->total && came != 0; i++) {
        came = pool_collect(pool); /* a bounded number each time */
        total += came;
    }
    return total;
}

uint32_t kit_collect_pools(unsigned core)
{
    uint32_t total = 0;

    for (struct pool *pool = pool_first(); pool != NULL; pool = pool->next)
        total += pool->core == core ? collect_all(pool) : 0;
    return total;
}

bool kit_has_more_pools(const struct kit_core *core)
{
    uint32_t pools = 0;

    for (const struct pool *pool = pool_first(); pool != NULL; pool = pool->next)
        pools += pool->core == core->core && pool != core->pool;
    return pools != 0;
}

/* Headers of external segments, large rooms: few pools, and most machines have none. */
static uint32_t poll_pools(void *ctx, uint64_t now_us)
{
    const struct kit_core *core = ctx;

    RT_ASSERT_EQ(hal_core_id(), core->core);
    for (struct pool *pool = pool_first(); pool != NULL; pool = pool->next) {
        if (pool->core == core->core)
            pool_collect(pool);
    }
    return 0;
}

static bool arm_pools(void *ctx, uint64_t now_us)
{
    return false; /* nobody waits for them: the next wake will do, as for the kit's own */
}

struct loop_source kit_pools_source(struct kit_core *core)
{
    return (struct loop_source){
        .name = "pools",
        .poll = poll_pools,
        .arm = arm_pools,
        .disarm = disarm_others,
        .ctx = core,
    };
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
