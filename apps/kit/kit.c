/* SPDX-License-Identifier: BSD-2-Clause */
/* From found cards to an exit code: the order of everything. */
#include "state.h"

#include <rt/assert.h>
#include <rt/config.h>
#include <rt/log.h>

static void run_core(void *arg)
{
    struct kit_core *core = arg;

    rt_loop_run(&core->loop, &rt_config.poll);
}

static enum kit_exit start_loops(struct kit *kit)
{
    RT_ASSERT_LE(kit->core_count, (uint32_t)HAL_CORES_MAX);
    for (uint32_t i = 1; i < kit->core_count; i++) {
        enum rt_status st = hal_core_run(i, run_core, kit->cores[i]);

        if (st != RT_OK) {
            rt_log("core id=%u error=%s what=\"start loop\"", i, rt_status_name(st));
            return KIT_EXIT_DEVICE;
        }
    }
    return KIT_EXIT_OK;
}

static enum kit_exit set_up(struct kit *kit)
{
    enum kit_exit e = kit_setup_plan(kit);

    if (e == KIT_EXIT_OK)
        e = kit_setup_memory(kit);
    if (e == KIT_EXIT_OK)
        e = kit_setup_ports(kit);
    return e;
}

static enum kit_exit run(struct kit *kit)
{
    const char *running = kit->app->running != NULL ? kit->app->running : "running";
    enum kit_exit e;

    RT_ASSERT(!kit->stopped);
    kit_links_wait(kit, kit_options.link_wait_ms);
    kit_console_start(kit);
    hal_seal();
    e = kit->refused != KIT_EXIT_OK ? kit->refused : start_loops(kit);
    if (e == KIT_EXIT_OK) {
        kit->boot_us = kit_uptime_us(kit);
        rt_log("%s state=%s boot_us=%lu", rt_app.name, running, kit->boot_us);
        rt_loop_run(&kit->cores[0]->loop, &rt_config.poll);
    }
    rt_log("%s state=stopping", rt_app.name);
    if (!kit_shut_down(kit) && e == KIT_EXIT_OK)
        e = KIT_EXIT_LEAK;
    kit_print_report(kit);
    return e;
}

int kit_run(const struct kit_app *app, const struct boot_info *boot)
{
    static struct kit kit; /* large, and of the whole image's life */
    enum kit_exit e;

    RT_ASSERT(kit.app == NULL);
    RT_ASSERT_EQ(hal_core_id(), 0u);
    if (!kit_app_is_good(app))
        return KIT_EXIT_APP;
    kit.app = app;
    kit.boot = boot;
    kit.core_count = hal_core_count();
    e = kit_find_ports();
    if (e == KIT_EXIT_OK)
        e = set_up(&kit);
    return (int)(e == KIT_EXIT_OK ? run(&kit) : e);
}
