/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping: loops first, then DMA, then every buffer goes home and is counted. */
#include "l2fwd.h"

#include <rt/log.h>

enum { CORE_STOP_US = 2000000 };

void l2fwd_ask_stop(struct l2fwd *app)
{
    for (uint32_t i = 0; i < app->core_count; i++)
        rt_loop_stop(&app->cores[i]->loop, app->cores[i]->core);
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

static void leave_core(void *arg)
{
    struct l2fwd_core *core = arg;

    for (uint32_t i = 0; i < core->path_count; i++)
        l2fwd_worker_leave(&core->paths[i]);
    if (core->pool == NULL)
        return;
    for (uint32_t i = 0; i < core->pool->total && pool_collect(core->pool) != 0; i++)
        ; /* each call brings a bounded number home */
}

/* What other cores freed is in rings that only the home core may drain. */
static bool leave_all(struct l2fwd *app)
{
    bool ok = true;

    leave_core(app->cores[0]);
    for (uint32_t i = 1; i < app->core_count; i++) {
        if (app->cores[i]->pool == NULL)
            continue;
        ok &= hal_core_run(i, leave_core, app->cores[i]) == RT_OK && wait_idle(i);
    }
    return ok;
}

bool l2fwd_shut_down(struct l2fwd *app)
{
    bool ok = true;

    l2fwd_ask_stop(app);
    for (uint32_t i = 1; i < app->core_count; i++)
        ok &= wait_idle(i);
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->ports[p] == NULL)
            continue;
        nic_poll_stats(app->ports[p], NIC_STATS_ALL);
        nic_stop(app->ports[p]);
    }
    ok &= leave_all(app);
    app->missing = pool_report();
    app->stopped = true;
    return ok && app->missing == 0;
}
