/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping: loops first, then what peers must be told, then DMA, then every buffer goes home and
 * is counted. */
#include "state.h"

#include <rt/assert.h>
#include <rt/log.h>

enum {
    CORE_STOP_US = 2000000,
    PATHS_END_US = 1000000, /* less: a core that ends its paths does stop */
    SENT_US = 2000,         /* what was sent last leaves the card: 64 long frames at 1 Gbit/s */
    COLLECT_ROUNDS = 8, /* what comes home may free something else, and that another thing */
};

void kit_ask_stop(struct kit *kit)
{
    RT_ASSERT_EQ(hal_core_id(), 0u);
    for (uint32_t i = 0; i < kit->core_count; i++)
        rt_loop_stop(&kit->cores[i]->loop, kit->cores[i]->core);
}

static bool wait_idle(unsigned core)
{
    uint64_t end_us = hal_now_us() + CORE_STOP_US;

    RT_ASSERT_NE(core, hal_core_id()); /* it would wait for itself */
    while (!hal_core_idle(core)) {
        if (hal_now_us() >= end_us) {
            rt_log("core id=%u error=\"did not stop\" waited_us=%u", core, CORE_STOP_US);
            return false;
        }
        hal_pause();
    }
    return true;
}

/* Every path of the core that has something to end does a bit of it; true: nothing is left. */
static bool end_paths(const struct kit_core *core, uint64_t now_us, bool last)
{
    const struct kit *kit = core->kit;
    bool all = true;

    for (uint32_t i = 0; i < kit->plan.count; i++) {
        struct kit_path *path = kit->paths[i];

        if (path->core == core->core && kit->ports[path->rx_port] != NULL)
            all &= kit->app->path_end(path, now_us, last);
    }
    return all;
}

/* On the core itself, in the place of its loop. */
static void end_core(void *arg)
{
    const struct kit_core *core = arg;
    const uint64_t end_us = hal_now_us() + PATHS_END_US;
    uint64_t now_us;
    bool last;

    RT_ASSERT_EQ(hal_core_id(), core->core);
    do {
        kit_collect_pools(core->core);
        now_us = hal_now_us();
        last = now_us >= end_us;
    } while (!end_paths(core, now_us, last) && !last);
    while (hal_now_us() < now_us + SENT_US)
        hal_pause();
}

static bool end_all(struct kit *kit)
{
    bool ok = true;

    if (kit->app->path_end == NULL)
        return true;
    for (uint32_t i = 1; i < kit->core_count; i++)
        ok &= hal_core_run(i, end_core, kit->cores[i]) == RT_OK;
    end_core(kit->cores[0]);
    for (uint32_t i = 1; i < kit->core_count; i++)
        ok &= wait_idle(i);
    return ok;
}

/* On the core itself: its paths give back what they hold. */
static void leave_core(void *arg)
{
    const struct kit_core *core = arg;
    const struct kit *kit = core->kit;

    RT_ASSERT_EQ(hal_core_id(), core->core);
    for (uint32_t i = 0; i < kit->plan.count && kit->app->path_leave != NULL; i++) {
        struct kit_path *path = kit->paths[i];

        if (path->core == core->core && kit->ports[path->rx_port] != NULL)
            kit->app->path_leave(path);
    }
}

/* What others freed lies in rings that only the home core may drain, those of pools that the
 * application made, too. */
static void collect_core(void *arg)
{
    struct kit_core *core = arg;

    RT_ASSERT_EQ(hal_core_id(), core->core);
    core->collected = kit_collect_pools(core->core);
}

static bool on_each_core(struct kit *kit, void (*step)(void *core))
{
    bool ok = true;

    step(kit->cores[0]);
    for (uint32_t i = 1; i < kit->core_count; i++)
        ok &= hal_core_run(i, step, kit->cores[i]) == RT_OK && wait_idle(i);
    return ok;
}

/* All cores leave before the first collects: they give back to each other's pools. */
static bool leave_all(struct kit *kit)
{
    bool ok = on_each_core(kit, leave_core);
    uint32_t came = 1;

    for (uint32_t round = 0; round < COLLECT_ROUNDS && came != 0; round++) {
        ok &= on_each_core(kit, collect_core);
        came = 0;
        for (uint32_t i = 0; i < kit->core_count; i++)
            came += kit->cores[i]->collected;
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
    ok = ok && end_all(kit);
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
