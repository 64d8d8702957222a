/* SPDX-License-Identifier: BSD-2-Clause */
/* The application's state: one struct, made by core 0 before the loops start. */
#ifndef L2FWD_H
#define L2FWD_H

#include "assign.h"
#include "options.h"
#include "worker.h"

#include <rt/app.h>
#include <rt/loop.h>

/* Exit codes of the application (2 is the runtime's: bad boot arguments). */
enum l2fwd_exit {
    L2FWD_EXIT_OK = 0,
    L2FWD_EXIT_LEAK = 1,   /* buffers missing, or a core did not stop */
    L2FWD_EXIT_MEMORY = 3,
    L2FWD_EXIT_NO_NIC = 4,
    L2FWD_EXIT_DEVICE = 5, /* a port refused its configuration */
    L2FWD_EXIT_PLAN = 6,   /* ports, queues and cores do not fit together */
};

/* One core: its loop, its pool, its paths (an array of core_paths[core]). */
struct l2fwd_core {
    struct rt_loop loop;
    struct pool *pool; /* NULL: no queue here */
    struct l2fwd_path *paths;
    uint32_t path_count;
    unsigned core;
};

struct l2fwd {
    const struct boot_info *boot;
    struct l2fwd_portmap map;
    struct l2fwd_plan plan;
    struct nic *ports[NIC_PORTS_MAX]; /* NULL: not used */
    struct l2fwd_core *cores[HAL_CORES_MAX];
    uint32_t core_count;
    uint64_t boot_us; /* first instruction to loops running */
    uint32_t missing; /* buffers not home, known after the stop */
    bool stopped;
};

/* totals.c: both count from the first instruction. */
uint64_t l2fwd_uptime_us(const struct l2fwd *app);
/* Guest time of the first forwarded frame, 0: none yet. */
uint64_t l2fwd_first_frame_us(const struct l2fwd *app);

/* setup.c: each returns an exit code and logs what went wrong and what helps. */
enum l2fwd_exit l2fwd_setup_plan(struct l2fwd *app);
enum l2fwd_exit l2fwd_setup_memory(struct l2fwd *app);
enum l2fwd_exit l2fwd_setup_ports(struct l2fwd *app);
void l2fwd_wait_links(struct l2fwd *app, uint32_t timeout_ms);

/* stop.c: stops loops on the other cores, then ports; gathers buffers; true: all home. */
void l2fwd_ask_stop(struct l2fwd *app);
bool l2fwd_shut_down(struct l2fwd *app);

/* stats.c, report.c: core 0 */
void l2fwd_print_table(const struct l2fwd *app);
void l2fwd_print_gaps(const struct l2fwd *app);
void l2fwd_print_report(const struct l2fwd *app);

/* console.c: the timers of core 0 that read commands, watch links and print. */
void l2fwd_console_start(struct l2fwd *app);

#endif
