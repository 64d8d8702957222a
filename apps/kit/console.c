/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What core 0 does beside forwarding, all from timers of its loop: reads commands, watches
 * links, collects device statistics, prints. Every step is short; the serial line is slow,
 * so tables are printed on request (or by stats_s).
 */
#include "input.h"
#include "l2fwd.h"

#include <rt/config.h>
#include <rt/log.h>
#include <rt/trace.h>

enum {
    POLL_US = 100000,      /* look for input */
    POLL_BUSY_US = 50,     /* within a line: the UART holds 16 bytes, QEMU's gives one by one */
    PUMP_US = 1000,        /* while output waits: a core that never halts sends it from here */
    TYPING_US = 100000,    /* without a byte for so long the line can wait */
    READ_MAX = 64,         /* bytes taken in one look */
    WATCH_US = 200000,     /* links and device counters, a port a time and ... */
    WATCH_ROWS = 8,        /* ... so many counters: each read holds the frames up */
    US_IN_S = 1000000,
    TRACE_LINES = 32,
};

struct console {
    struct l2fwd *app;
    struct timer read_timer, stats_timer, stop_timer;
    uint64_t typed_us; /* time of the last input */
    bool first_frame_logged;
    uint32_t stats_s; /* period that stats_timer was armed with */
    uint64_t link_irqs[NIC_PORTS_MAX];
    uint32_t watched; /* port of the last watch ... */
    uint64_t watch_us; /* ... and when the next one is due */
    struct l2fwd_input input;
};

static struct timer_wheel *wheel_of(const struct console *con)
{
    return &con->app->cores[0]->loop.timers;
}

static void arm_stats(struct console *con, uint64_t now_us)
{
    con->stats_s = l2fwd_options.stats_s;
    timer_cancel(wheel_of(con), &con->stats_timer);
    if (con->stats_s != 0)
        timer_arm(wheel_of(con), &con->stats_timer, now_us + (uint64_t)con->stats_s * US_IN_S);
}

static void say(void *ctx, const char *line)
{
    rt_log("%s", line);
}

static void say_text(const char *line)
{
    rt_log("%s", line);
}

static void command_help(struct console *con, const char *rest)
{
    rt_log("commands: stop | report | stats | gaps | pools | trace | set name=value | args |"
           " help");
}

static void command_args(struct console *con, const char *rest)
{
    args_help(rt_app.tables, say, NULL);
}

static void command_stop(struct console *con, const char *rest)
{
    l2fwd_ask_stop(con->app);
}

static void poll_devices(struct l2fwd *app)
{
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        if (app->ports[p] == NULL)
            continue;
        nic_poll_link(app->ports[p]);
        nic_poll_stats(app->ports[p], NIC_STATS_ALL);
    }
}

static void command_report(struct console *con, const char *rest)
{
    poll_devices(con->app);
    l2fwd_print_report(con->app);
}

static void command_gaps(struct console *con, const char *rest)
{
    l2fwd_print_gaps(con->app);
}

static void command_stats(struct console *con, const char *rest)
{
    poll_devices(con->app);
    l2fwd_print_table(con->app);
}

/* While running: where the buffers are, not whether one is missing. */
static void command_pools(struct console *con, const char *rest)
{
    for (const struct pool *p = pool_first(); p != NULL; p = p->next) {
        rt_log("pool name=%s core=%u total=%u free=%u nic=%u stack=%u ring=%u empty=%lu",
               p->name, p->core, p->total, p->free, pool_count_owner(p, BUF_NIC),
               pool_count_owner(p, BUF_STACK), pool_count_owner(p, BUF_RING), p->stats.empty);
    }
}

static void command_trace(struct console *con, const char *rest)
{
    for (uint32_t i = 0; i < con->app->core_count; i++)
        rt_trace_dump(i, TRACE_LINES, say_text);
}

static void command_set(struct console *con, const char *rest)
{
    if (args_set_live(rt_app.tables, rest, say, NULL) != RT_OK)
        return;
    rt_log("setting %s", rest); /* not "set": it may come back as input */
    for (uint32_t i = 1; i < con->app->core_count; i++)
        hal_core_kick(i); /* a sleeping core looks at its settings after it wakes */
    if (con->stats_s != l2fwd_options.stats_s)
        arm_stats(con, hal_now_us());
}

static const struct {
    const char *name;
    void (*run)(struct console *con, const char *rest);
    bool takes_text;
} commands[] = {
    {"stop", command_stop},   {"report", command_report}, {"stats", command_stats},
    {"pools", command_pools}, {"trace", command_trace},   {"set", command_set, true},
    {"args", command_args},   {"help", command_help},     {"gaps", command_gaps},
};

static void complain(struct console *con)
{
    uint32_t swallowed = 0;

    if (!l2fwd_input_complain(&con->input, hal_now_us(), &swallowed))
        return;
    if (swallowed != 0)
        rt_log("console warning=\"%u wrong lines got no answer\"", swallowed);
    if (con->input.overlong)
        rt_log("console error=\"line longer than %u bytes\"", L2FWD_LINE_BYTES - 1);
    else
        rt_log("console error=\"no such command\" text=\"%s\" (help prints all)",
               con->input.line);
}

static void run_line(struct console *con)
{
    for (size_t i = 0; i < RT_ARRAY_SIZE(commands) && !con->input.overlong; i++) {
        const char *rest = l2fwd_input_match(con->input.line, commands[i].name);

        if (rest != NULL && (commands[i].takes_text || *rest == '\0')) {
            commands[i].run(con, rest);
            return;
        }
    }
    complain(con);
}

static void log_first_frame(struct console *con)
{
    uint64_t first_us = con->first_frame_logged ? 0 : l2fwd_first_frame_us(con->app);

    if (first_us == 0)
        return;
    con->first_frame_logged = true;
    rt_log("l2fwd first_frame_us=%lu", first_us);
}

/* A link interrupt only woke this core; here its cause is read. */
static void watch_link_irqs(struct console *con)
{
    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        struct nic *nic = con->app->ports[p];
        uint64_t irqs = nic != NULL && nic->link_irq.count != NULL ? *nic->link_irq.count : 0;

        if (irqs == con->link_irqs[p])
            continue;
        con->link_irqs[p] = irqs;
        nic_poll_link(nic);
    }
}

/* A port's link and some of its counters. With the reads of the console: no wake-up of its own. */
static void watch_next_port(struct console *con, uint64_t now_us)
{
    if (now_us < con->watch_us)
        return;
    con->watch_us = now_us + WATCH_US;
    for (uint32_t i = 0; i < NIC_PORTS_MAX; i++) {
        struct nic *nic;

        con->watched = (con->watched + 1) % NIC_PORTS_MAX;
        nic = con->app->ports[con->watched];
        if (nic == NULL)
            continue;
        nic_poll_link(nic);
        nic_poll_stats(nic, WATCH_ROWS);
        break;
    }
}

/* A port that recovers: its next step. Returns when that of the next one is due. */
static uint64_t recover_ports(struct console *con, uint64_t now_us)
{
    uint64_t due_us = UINT64_MAX;

    for (uint32_t p = 0; p < NIC_PORTS_MAX; p++) {
        struct nic *nic = con->app->ports[p];

        if (nic == NULL)
            continue;
        if (nic_next_us(nic) <= now_us)
            nic_poll_link(nic);
        due_us = RT_MIN(due_us, nic_next_us(nic));
    }
    return due_us;
}

static void on_read(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, read_timer);
    bool within_line = l2fwd_input_within_line(&con->input);
    uint64_t next_us, due_us;

    for (unsigned i = 0; i < READ_MAX; i++) {
        int c = hal_console_read();

        if (c < 0)
            break;
        con->typed_us = now_us;
        if (l2fwd_input_take(&con->input, (char)c))
            run_line(con);
        within_line = true;
    }
    log_first_frame(con);
    watch_link_irqs(con);
    watch_next_port(con, now_us);
    within_line &= now_us - con->typed_us < TYPING_US;
    due_us = recover_ports(con, now_us);
    next_us = now_us + (hal_console_pump() ? PUMP_US : POLL_US);
    if (within_line)
        next_us = now_us + POLL_BUSY_US;
    timer_arm(wheel_of(con), timer, RT_MIN(next_us, due_us));
}

static void on_stats(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, stats_timer);

    poll_devices(con->app);
    l2fwd_print_table(con->app);
    arm_stats(con, now_us);
}

static void on_stop(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, stop_timer);

    l2fwd_ask_stop(con->app);
}

void l2fwd_console_start(struct l2fwd *app)
{
    static struct console con;
    uint64_t now_us = hal_now_us();

    con = (struct console){
        .app = app,
        .read_timer.fn = on_read,
        .stats_timer.fn = on_stats,
        .stop_timer.fn = on_stop,
    };
    timer_arm(wheel_of(&con), &con.read_timer, now_us + POLL_US);
    arm_stats(&con, now_us);
    if (rt_config.run_s != 0)
        timer_arm(wheel_of(&con), &con.stop_timer,
                  now_us + (uint64_t)rt_config.run_s * US_IN_S);
}
