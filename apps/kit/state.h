/* SPDX-License-Identifier: BSD-2-Clause */
/* The kit's state: one struct, made by core 0 before the loops start. */
#ifndef KIT_STATE_H
#define KIT_STATE_H

#include "plan.h"

#include <kit/kit.h>

/* One core: its loop and its pool. */
struct kit_core {
    struct rt_loop loop;
    struct pool *pool; /* NULL: no queue here */
    const struct kit *kit;
    unsigned core;
    uint32_t collected; /* at the stop: buffers that came home in the last round */
};

struct console;

struct kit {
    const struct kit_app *app;
    const struct boot_info *boot;
    struct kit_portmap map;
    struct kit_plan plan;
    struct nic *ports[NIC_PORTS_MAX]; /* NULL: not used */
    struct kit_core *cores[HAL_CORES_MAX];
    struct kit_path *paths[KIT_PATHS_MAX]; /* as plan.path */
    uint32_t core_count;
    struct console *console;
    uint64_t boot_us; /* first instruction to loops running */
    uint32_t missing; /* buffers not home, known after the stop */
    enum kit_exit refused; /* the first path that cannot run: its reason */
    bool stopped;
};

/* totals.c: both count from the first instruction. */
uint64_t kit_uptime_us(const struct kit *kit);
/* Guest time of the first frame that was done, 0: none yet. */
uint64_t kit_first_frame_us(const struct kit *kit);

/* memory.c, ports.c: each returns an exit code and logs what went wrong and what helps. */
enum kit_exit kit_find_ports(void);
enum kit_exit kit_setup_plan(struct kit *kit);
enum kit_exit kit_setup_memory(struct kit *kit);
enum kit_exit kit_setup_ports(struct kit *kit);
enum kit_exit kit_no_memory(const char *what, uint32_t buffers);

/* links.c */
void kit_links_wait(struct kit *kit, uint32_t timeout_ms);
/* Links and all counters of all ports, now (MMIO): for a table or a report. */
void kit_links_read_all(struct kit *kit);

/* stop.c: stops loops on the other cores, then ports; gathers buffers; true: all home. */
void kit_ask_stop(struct kit *kit);
bool kit_shut_down(struct kit *kit);

/* stats.c, report.c: core 0 */
void kit_print_table(const struct kit *kit);
void kit_print_gaps(const struct kit *kit);
void kit_print_report(const struct kit *kit);

/* console.c: the timers of core 0 that read commands, watch links and print. */
void kit_console_start(struct kit *kit);
/* stats_s= may have changed. */
void kit_console_period(struct kit *kit);
/* commands.c: runs a whole line; false: no such command. Whether the kit has one of that name. */
bool kit_command_run(struct kit *kit, const char *line);
bool kit_commands_know(const char *name);

/* check.c: whether the tables of an application can be right; a line for each that cannot. */
bool kit_app_is_good(const struct kit_app *app);

/* path.c: the source of what other cores want of this one, by its pool. One a core. */
struct loop_source kit_others_source(struct pool *pool);
/* ... and of what comes home to pools that the application made for that core. */
struct loop_source kit_pools_source(struct kit_core *core);
bool kit_has_more_pools(const struct kit_core *core);
/* Brings home all that waits for pools of `core`; returns how much. That core. */
uint32_t kit_collect_pools(unsigned core);

#endif
