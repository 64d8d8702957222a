/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What core 0 does beside its paths, all from timers of its loop: reads commands, looks at
 * links, prints. Every step is short; the serial line is slow, so tables are printed on request
 * (or by stats_s).
 */
#include "input.h"
#include "links.h"

#include <rt/assert.h>
#include <rt/config.h>
#include <rt/log.h>

enum {
    POLL_US = 100000,      /* look for input */
    POLL_BUSY_US = 50,     /* within a line: the UART holds 16 bytes, QEMU's gives one by one */
    PUMP_US = 1000,        /* while output waits: a core that never halts sends it from here */
    TYPING_US = 100000,    /* without a byte for so long the line can wait */
    READ_MAX = 64,         /* bytes taken in one look */
    US_IN_S = 1000000,
};

struct console {
    struct kit *kit;
    struct timer read_timer, stats_timer, stop_timer;
    uint64_t typed_us; /* time of the last input */
    bool first_frame_logged;
    uint32_t stats_s; /* period that stats_timer was armed with */
    struct kit_links links;
    struct kit_input input;
};

static struct timer_wheel *wheel_of(const struct console *con)
{
    return &con->kit->cores[0]->loop.timers;
}

static void arm_stats(struct console *con, uint64_t now_us)
{
    con->stats_s = kit_options.stats_s;
    timer_cancel(wheel_of(con), &con->stats_timer);
    if (con->stats_s != 0)
        timer_arm(wheel_of(con), &con->stats_timer, now_us + (uint64_t)con->stats_s * US_IN_S);
}

void kit_console_period(struct kit *kit)
{
    RT_ASSERT(kit->console != NULL);
    if (kit->console->stats_s != kit_options.stats_s)
        arm_stats(kit->console, hal_now_us());
}

static void complain(struct console *con)
{
    uint32_t swallowed = 0;

    if (!kit_input_complain(&con->input, hal_now_us(), &swallowed))
        return;
    if (swallowed != 0)
        rt_log("console warning=\"%u wrong lines got no answer\"", swallowed);
    if (con->input.overlong)
        rt_log("console error=\"line longer than %u bytes\"", KIT_LINE_BYTES - 1);
    else
        rt_log("console error=\"no such command\" text=\"%s\" (help prints all)",
               con->input.line);
}

static void run_line(struct console *con)
{
    RT_ASSERT(con->input.complete);
    if (con->input.overlong || !kit_command_run(con->kit, con->input.line))
        complain(con);
}

static void log_first_frame(struct console *con)
{
    uint64_t first_us = con->first_frame_logged ? 0 : kit_first_frame_us(con->kit);

    if (first_us == 0)
        return;
    con->first_frame_logged = true;
    rt_log("%s first_frame_us=%lu", rt_app.name, first_us);
}

/* What was typed; true: a line is under way, more may come at once. */
static bool read_input(struct console *con, uint64_t now_us)
{
    bool within_line = kit_input_within_line(&con->input);

    for (unsigned i = 0; i < READ_MAX; i++) {
        int c = hal_console_read();

        if (c < 0)
            break;
        con->typed_us = now_us;
        if (kit_input_take(&con->input, (char)c))
            run_line(con);
        within_line = true;
    }
    return within_line && now_us - con->typed_us < TYPING_US;
}

/* Links are looked at with the input: no wake-up of their own. */
static void on_read(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, read_timer);
    bool within_line = read_input(con, now_us);
    uint64_t next_us, due_us;

    log_first_frame(con);
    due_us = kit_links_look(&con->links, now_us);
    next_us = now_us + (hal_console_pump() ? PUMP_US : POLL_US);
    if (within_line)
        next_us = now_us + POLL_BUSY_US;
    timer_arm(wheel_of(con), timer, RT_MIN(next_us, due_us));
}

static void on_stats(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, stats_timer);

    RT_ASSERT_EQ(hal_core_id(), 0u);
    kit_links_read_all(con->kit);
    kit_print_table(con->kit);
    arm_stats(con, now_us);
}

static void on_stop(struct timer *timer, uint64_t now_us)
{
    struct console *con = RT_CONTAINER_OF(timer, struct console, stop_timer);

    kit_ask_stop(con->kit);
}

void kit_console_start(struct kit *kit)
{
    static struct console con;
    uint64_t now_us = hal_now_us();

    RT_ASSERT(kit->console == NULL);
    con = (struct console){
        .kit = kit,
        .read_timer.fn = on_read,
        .stats_timer.fn = on_stats,
        .stop_timer.fn = on_stop,
        .links.kit = kit,
        .input.app = rt_app.name,
    };
    kit->console = &con;
    timer_arm(wheel_of(&con), &con.read_timer, now_us + POLL_US);
    arm_stats(&con, now_us);
    if (rt_config.run_s != 0)
        timer_arm(wheel_of(&con), &con.stop_timer,
                  now_us + (uint64_t)rt_config.run_s * US_IN_S);
}
