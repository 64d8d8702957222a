/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores, their pools and paths. Core 0, before the seal. */
#include "state.h"

#include <rt/assert.h>
#include <rt/log.h>

enum { POOL_SPARE = 256 };

/* Buffers of the longest frame. */
static uint32_t frame_segments(void)
{
    return (kit_options.frame_max + BUF_ROOM_BYTES - 1) / BUF_ROOM_BYTES;
}

/* Below this the core ends up without a buffer to receive into: rings are full, and each path
 * needs a batch to work with. */
static uint32_t least_buffers(const struct kit *kit, unsigned core)
{
    uint32_t least = 0;

    for (uint32_t i = 0; i < kit->plan.count; i++) {
        const struct kit_path_plan *plan = &kit->plan.path[i];

        if (plan->core == core)
            least += (plan->rx_queue != KIT_NO_QUEUE ? kit_options.rx_descs : 0) +
                     kit_options.batch * frame_segments();
    }
    return least;
}

/* Paths without a queue whose port this core receives from: what they hold lies in its pool. */
static uint32_t fed_paths(const struct kit *kit, unsigned core)
{
    uint32_t fed = 0;

    for (uint32_t i = 0; i < kit->plan.count; i++) {
        const struct kit_path_plan *own = &kit->plan.path[i];

        if (own->core != core || own->rx_queue == KIT_NO_QUEUE)
            continue;
        for (uint32_t k = 0; k < kit->plan.count; k++)
            fed += kit->plan.path[k].rx_port == own->rx_port &&
                   kit->plan.path[k].rx_queue == KIT_NO_QUEUE;
    }
    return fed;
}

/* All rings of this core full, its batches in flight, and some to spare. DPDK's formula
 * without its floor of 8192: a larger pool costs boot time and cache. */
static uint32_t pool_buffers(const struct kit *kit, unsigned core)
{
    uint32_t per_path = kit_options.rx_descs + kit_options.tx_descs +
                        2 * kit_options.batch * frame_segments();

    RT_ASSERT_LT(core, kit->core_count);
    if (kit_options.pool_size != 0)
        return kit_options.pool_size;
    return RT_MAX((kit->plan.core_paths[core] + fed_paths(kit, core)) * per_path + POOL_SPARE,
                  least_buffers(kit, core));
}

static enum kit_exit too_few(unsigned core, uint32_t least)
{
    rt_log("%s error=pool_size core=%u buffers=%u least=%u remedy=\"pool_size=%u or more, or"
           " a smaller rx_descs=\"",
           rt_app.name, core, kit_options.pool_size, least, least);
    return KIT_EXIT_PLAN;
}

enum kit_exit kit_no_memory(const char *what, uint32_t buffers)
{
    rt_log("%s error=no_memory what=%s buffers=%u bytes_free=%lu remedy=\"take a smaller"
           " pool_size=, rx_descs= or tx_descs=, or more memory\"",
           rt_app.name, what, buffers, hal_memory_free_bytes());
    return KIT_EXIT_MEMORY;
}

static enum kit_exit make_pool(const struct kit *kit, struct kit_core *core)
{
    uint32_t buffers = pool_buffers(kit, core->core), least = least_buffers(kit, core->core);

    if (buffers < least)
        return too_few(core->core, least);
    if (pool_create(rt_app.name, core->core, kit->core_count, buffers, &core->pool) != RT_OK)
        return kit_no_memory("pool", buffers);
    return KIT_EXIT_OK;
}

static enum kit_exit make_core(struct kit *kit, unsigned id)
{
    struct kit_core *core = hal_alloc(sizeof(*core), RT_CACHE_LINE, "core");

    RT_ASSERT(kit->cores[id] == NULL);
    if (core == NULL)
        return kit_no_memory("core", 0);
    core->kit = kit;
    core->core = id;
    rt_loop_init(&core->loop, kit_options.batch, hal_now_us());
    kit->cores[id] = core;
    return kit->plan.core_paths[id] == 0 ? KIT_EXIT_OK : make_pool(kit, core);
}

static enum kit_exit make_path(struct kit *kit, uint32_t index)
{
    const struct kit_path_plan *plan = &kit->plan.path[index];
    size_t bytes = RT_ALIGN_UP(kit->app->path_bytes, (size_t)RT_CACHE_LINE);
    struct kit_path *path = hal_alloc(bytes, RT_CACHE_LINE, "path");

    if (path == NULL)
        return kit_no_memory("paths", 0);
    RT_ASSERT_LT(plan->core, kit->core_count);
    RT_ASSERT(kit->cores[plan->core]->pool != NULL);
    path->pool = kit->cores[plan->core]->pool;
    path->loop = &kit->cores[plan->core]->loop;
    path->batch_max = kit_options.batch;
    path->rx_port = plan->rx_port;
    path->tx_port = plan->tx_port;
    path->core = plan->core;
    kit->paths[index] = path;
    return KIT_EXIT_OK;
}

enum kit_exit kit_setup_memory(struct kit *kit)
{
    enum kit_exit e = KIT_EXIT_OK;

    RT_ASSERT(kit->plan.count != 0);
    for (unsigned id = 0; id < kit->core_count && e == KIT_EXIT_OK; id++)
        e = make_core(kit, id);
    for (uint32_t i = 0; i < kit->plan.count && e == KIT_EXIT_OK; i++)
        e = make_path(kit, i);
    return e;
}
