/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping: loops first, then DMA, then every buffer goes home and is counted. */
#include "state.h"

#include <rt/assert.h>
#include <rt/log.h>

enum { CORE_STOP_US = 2000000 };

void kit_ask_stop(struct kit *kit)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint32_t i = 0; i < kit->core_count; i++)
        rt_loop_stop(&kit->cores[i]->loop, kit->cores[i]->core);
}

static bool wait_idle(unsigned core)
{
    uint64_t end_us = hal_now_us() + CORE_STOP_US;

    while (!hal_core_idle(core)) {
        if (hal_now_us() >= end_us) {
            rt_log("core id=%u error=\"did not stop\" waited_us=%u", core, CORE_STOP_US);
            return false;
        }
        hal_pause();
    }
    return true;
}

/* On the core itself: its paths, and what other cores freed, which lies in rings that only the
 * home core may drain. */
static void leave_core(void *arg)
{
    struct kit_core *core = arg;
    const struct kit *kit = core->kit;

    RT_ASSERT_EQ(hal_core_id(), core->core);
    for (uint32_t i = 0; i < kit->plan.count && kit->app->path_leave != NULL; i++) {
        struct kit_path *path = kit->paths[i];

        if (path->core == core->core && kit->ports[path->rx_port] != NULL)
            kit->app->path_leave(path);
    }
    if (core->pool == NULL)
        return;
    for (uint32_t i = 0; i < core->pool->total && pool_collect(core->pool) != 0; i++)
        ; /* each call brings a bounded number home */
}

static bool leave_all(struct kit *kit)
{
    bool ok = true;

    leave_core(kit->cores[0]);
    for (uint32_t i = 1; i < kit->core_count; i++) {
        if (kit->cores[i]->pool == NULL)
            continue;
        ok &= hal_core_run(i, leave_core, kit->cores[i]) == RT_OK && wait_idle(i);
    }
    return ok;
}

bool kit_shut_down(struct kit *kit)
{
    bool ok = true;

    RT_ASSERT(!kit->stopped);
    kit_ask_stop(kit);
    for (uint32_t i = 1; i < kit->core_count; i++)
        ok &= wait_idle(i);
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (kit->ports[p] == NULL)
            continue;
        nic_poll_stats(kit->ports[p], NIC_STATS_ALL);
        nic_stop(kit->ports[p]);
    }
    ok &= leave_all(kit);
    kit->missing = pool_report();
    kit->stopped = true;
    return ok && kit->missing == 0;
}
