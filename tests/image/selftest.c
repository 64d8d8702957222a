/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An application whose main tests the machine it runs on and says so in TAP:
 *
 *   1..N
 *   ok 1 - paging: text is not writable
 *
 * Boot arguments: fault= breaks something on purpose; mark_ms= prints two lines that far
 * apart, to compare our clock with the host's; idle_s= halts all cores for that long.
 */
#include <rt/app.h>
#include <rt/hal.h>
#include <rt/log.h>

#include "selftest.h"

static uint32_t fault, mark_ms, idle_s;

static const struct arg selftest_args[] = {
    {
        .name = "fault",
        .type = ARG_CHOICE,
        .unit = "",
        .preset = "none",
        .choices = SELFTEST_FAULTS,
        .dst = &fault,
        .help = "what to break on purpose",
    },
    {
        .name = "mark_ms",
        .type = ARG_U32,
        .unit = "ms",
        .max = 60000,
        .preset = "0",
        .dst = &mark_ms,
        .help = "two log lines this far apart, 0: none",
    },
    {
        .name = "idle_s",
        .type = ARG_U32,
        .unit = "s",
        .max = 60,
        .preset = "0",
        .dst = &idle_s,
        .help = "halt all cores for this long before the tests",
    },
};

static const struct arg_table selftest_table = {
    .title = "self test",
    .args = selftest_args,
    .count = RT_ARRAY_SIZE(selftest_args),
};

static const struct arg_table *const tables[] = {&rt_arg_table, &selftest_table, NULL};

static void wait_until(uint64_t end_us)
{
    while (hal_now_us() < end_us)
        hal_wait(end_us);
}

void selftest_drain(void)
{
    const uint64_t end_us = hal_now_us() + 1000000;

    while (hal_console_pump() && hal_now_us() < end_us)
        hal_pause();
}

static uint32_t run_list(const struct selftest *tests, uint32_t count, uint32_t first)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < count; i++) {
        const char *wrong = tests[i].run();
        const bool skipped = wrong != NULL && wrong[0] == 'S' && wrong[1] == 'K';

        if (wrong != NULL && !skipped)
            failed++;
        rt_log("%sok %u - %s%s%s", wrong == NULL || skipped ? "" : "not ", first + i,
               tests[i].name, wrong != NULL ? " # " : "", wrong != NULL ? wrong : "");
    }
    return failed;
}

static int selftest_main(const struct boot_info *bi)
{
    const uint64_t start_us = hal_now_us();
    uint32_t failed;

    if (mark_ms != 0) {
        selftest_drain(); /* the rig takes the time at which a mark arrives */
        rt_log("mark n=1 us=%lu", hal_now_us());
        selftest_drain();
        wait_until(start_us + UINT64_C(1000) * mark_ms);
        rt_log("mark n=2 us=%lu", hal_now_us());
        selftest_drain();
    }
    if (idle_s != 0) {
        rt_log("idle state=begin");
        wait_until(hal_now_us() + UINT64_C(1000000) * idle_s);
        rt_log("idle state=end");
    }
    selftest_fault(fault);
    rt_log("1..%u", selftest_machine_count + selftest_cores_count);
    failed = run_list(selftest_machine, selftest_machine_count, 1);
    failed += run_list(selftest_cores, selftest_cores_count, selftest_machine_count + 1);
    return failed == 0 ? 0 : 1;
}

const struct rt_app rt_app = {
    .name = "selftest",
    .tables = tables,
    .main = selftest_main,
};
