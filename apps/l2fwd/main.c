/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l2fwd: frames in at one port, out at its partner. This file is the wiring; read
 * forward.c and worker.c for what happens to a frame.
 */
#include "l2fwd.h"

#include <rt/config.h>
#include <rt/log.h>

static void run_core(void *arg)
{
    struct l2fwd_core *core = arg;

    rt_loop_run(&core->loop, &rt_config.poll);
}

static enum l2fwd_exit start_loops(struct l2fwd *app)
{
    for (uint32_t i = 1; i < app->core_count; i++) {
        enum rt_status st = hal_core_run(i, run_core, app->cores[i]);

        if (st != RT_OK) {
            rt_log("core id=%u error=%s what=\"start loop\"", i, rt_status_name(st));
            return L2FWD_EXIT_DEVICE;
        }
    }
    return L2FWD_EXIT_OK;
}

static enum l2fwd_exit forward(struct l2fwd *app)
{
    enum l2fwd_exit e = l2fwd_setup_plan(app);

    if (e == L2FWD_EXIT_OK)
        e = l2fwd_setup_memory(app);
    if (e == L2FWD_EXIT_OK)
        e = l2fwd_setup_ports(app);
    if (e != L2FWD_EXIT_OK)
        return e;
    l2fwd_wait_links(app, l2fwd_options.link_wait_ms);
    l2fwd_console_start(app);
    hal_seal();
    e = start_loops(app);
    if (e == L2FWD_EXIT_OK) {
        app->boot_us = l2fwd_uptime_us(app);
        rt_log("l2fwd state=forwarding boot_us=%lu", app->boot_us);
        rt_loop_run(&app->cores[0]->loop, &rt_config.poll);
    }
    rt_log("l2fwd state=stopping");
    if (!l2fwd_shut_down(app))
        e = e == L2FWD_EXIT_OK ? L2FWD_EXIT_LEAK : e;
    l2fwd_print_report(app);
    return e;
}

static int l2fwd_main(const struct boot_info *bi)
{
    static struct l2fwd app;

    app.boot = bi;
    app.core_count = hal_core_count();
    if (nic_probe_all() == 0) {
        rt_log("l2fwd error=no_ports remedy=\"no card was found that a driver knows: see the"
               " pci lines above and docs/hardware.md\"");
        return L2FWD_EXIT_NO_NIC;
    }
    return (int)forward(&app);
}

static const struct arg_table *const tables[] = {&rt_arg_table, &l2fwd_arg_table, NULL};

const struct rt_app rt_app = {
    .name = "l2fwd",
    .tables = tables,
    .main = l2fwd_main,
};
