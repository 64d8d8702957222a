/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop without a source, and one that a stop wakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/loop.h>
#include <sched.h>

enum { BATCH = 32 };

static struct rt_loop loop;

static unsigned halts;

static void on_idle_wait(void *ctx, unsigned core, uint64_t until_us)
{
    if (++halts == 20)
        rt_loop_stop(&loop, 0);
}

static unsigned ticks;

static void on_tick(struct timer *timer, uint64_t now_us)
{
    ticks++;
    timer_arm(&loop.timers, timer, now_us + 100000);
}

static void without_a_source_it_sleeps_in_every_mode(void **state)
{
    for (enum poll_mode mode = POLL_ADAPTIVE; mode <= POLL_IRQ; mode++) {
        const struct poll_config config = {.mode = mode, .spin_us = 1000, .empty_polls = 100,
                                           .busy_packets = 1, .sleep_max_us = 100000};
        struct timer timer = {.fn = on_tick};
        uint64_t begin_us;

        host_clock_virtual(77);
        host_wait_hook(on_idle_wait, NULL);
        halts = ticks = 0;
        begin_us = hal_now_us();
        rt_loop_init(&loop, BATCH, begin_us);
        timer_arm(&loop.timers, &timer, begin_us + 100000);
        rt_loop_run(&loop, &config);
        assert_int_equal(ticks, 19); /* the 20th halt was kicked at once */
        assert_in_range(hal_now_us() - begin_us, 1900000, 1900100);
        assert_int_equal(loop.stats.wakes_idle, 1);
        assert_true(loop.stats.turns <= 22);
        assert_int_equal(loop.stats.spin_cycles, 0);
    }
}

/* ---- real threads: stop ends a sleep ---- */

/* Guards against hanging only: nothing here depends on how long it takes. */
enum { GUARD_US = 60000000 };

static struct poll_config thread_config = {.mode = POLL_IRQ, .busy_packets = 1,
                                           .sleep_max_us = 2 * GUARD_US};

static void run_loop(void *arg)
{
    rt_loop_run(arg, &thread_config);
}

static void stop_wakes_a_sleeping_core(void **state)
{
    uint64_t begin_us;

    host_clock_real();
    host_wait_hook(NULL, NULL);
    assert_int_equal(host_cores_start(2), RT_OK);
    rt_loop_init(&loop, BATCH, hal_now_us());
    assert_int_equal(hal_core_run(1, run_loop, &loop), RT_OK);
    begin_us = hal_now_us();
    while (loop.stats.halted_at_cycles == 0 && hal_now_us() - begin_us < GUARD_US)
        hal_delay_us(100);
    hal_delay_us(2000);
    begin_us = hal_now_us();
    rt_loop_stop(&loop, 1);
    while (!hal_core_idle(1) && hal_now_us() - begin_us < GUARD_US)
        hal_delay_us(10);
    assert_true(hal_core_idle(1));
    assert_int_equal(loop.stats.wakes, 1);
    host_cores_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_source_it_sleeps_in_every_mode),
        cmocka_unit_test(stop_wakes_a_sleeping_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
