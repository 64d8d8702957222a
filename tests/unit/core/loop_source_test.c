/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of a loop: order, flushes, budgets, counters, deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/loop.h>
#include <stdlib.h>
#include <string.h>

#include "loop_fake.h"

/* Work goes up, what it makes goes down: polls in order, timers, flushes the other way round. */
static void a_turn_has_an_order(void **state)
{
    struct fake a, b, c;

    add(&a, 'a');
    add(&b, 'b');
    add(&c, 'c');
    timer_arm(&loop.timers, &a.timer, hal_now_us());
    assert_string_equal(turn(), "papbpct-fcfbfa");
    assert_string_equal(turn(), "papbpcfcfbfa"); /* found or not */
}

static void flush_and_arming_may_be_missing(void **state)
{
    struct fake a, b;
    struct loop_source plain = source_of(&b);

    add(&a, 'a');
    b = (struct fake){.letter = 'b'};
    plain.flush = NULL;
    plain.arm = NULL;
    plain.disarm = NULL;
    plain.next_us = NULL;
    assert_int_equal(rt_loop_add(&loop, &plain), RT_OK);
    assert_string_equal(turn(), "papbfa");
    assert_true(rt_loop_arm(&loop, hal_now_us()));
    assert_true(a.armed);
    rt_loop_disarm(&loop);
    assert_false(a.armed);
}

static void each_source_counts(void **state)
{
    struct fake a, b;
    struct loop_source small = source_of(&b);

    add(&a, 'a');
    b = (struct fake){.letter = 'b', .due_us = UINT64_MAX};
    small.budget = 2;
    small.handled = 77; /* not the caller's to set */
    assert_int_equal(rt_loop_add(&loop, &small), RT_OK);
    a.work = BATCH - 1;
    b.work = 2;
    turn();
    a.work = BATCH;
    turn();
    turn();
    assert_int_equal(loop.sources[0].handled, 2 * BATCH - 1);
    assert_int_equal(loop.sources[0].found, 2);
    assert_int_equal(loop.sources[0].full, 1);
    assert_int_equal(loop.sources[1].handled, 2);
    assert_int_equal(loop.sources[1].found, 1);
    assert_int_equal(loop.sources[1].full, 1);
    assert_int_equal(loop.stats.packets, 2 * BATCH + 1);
    assert_int_equal(loop.stats.full_polls, 2);
    assert_int_equal(loop.stats.empty_polls, 1);
    assert_int_equal(loop.stats.turns, 3);
}

static void overrun(void *arg)
{
    ((struct fake *)arg)->work = BATCH + 1;
    turn();
}

static void more_than_the_budget_is_a_bug(void **state)
{
    struct fake a;
    char message[200];

    add(&a, 'a');
    assert_true(host_catch(overrun, &a, message, sizeof(message)));
    assert_non_null(strstr(message, "n <= source->budget"));
    assert_non_null(strstr(message, "9"));
}

/* ---- deadlines ---- */

static uint64_t halted_until_us;

static void on_wait(void *ctx, unsigned core, uint64_t until_us)
{
    halted_until_us = until_us;
    loop.stop = true;
}

/* Ports, a service with a deadline and timers sleep together, until the first that wants. */
static void the_earliest_deadline_ends_the_halt(void **state)
{
    const struct {
        uint64_t a_us, b_us, timer_us, want_us;
    } cases[] = {
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, 1000},
        {400, UINT64_MAX, 700, 400},
        {900, 300, 700, 300},
        {900, UINT64_MAX, 700, 700},
        {5000, 4000, 3000, 1000},
    };

    for (size_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct fake a, b;
        uint64_t now_us;

        start(NULL);
        now_us = hal_now_us();
        host_wait_hook(on_wait, NULL);
        add(&a, 'a');
        add(&b, 'b');
        a.due_us = cases[i].a_us == UINT64_MAX ? UINT64_MAX : now_us + cases[i].a_us;
        b.due_us = cases[i].b_us == UINT64_MAX ? UINT64_MAX : now_us + cases[i].b_us;
        if (cases[i].timer_us != UINT64_MAX)
            timer_arm(&loop.timers, &a.timer, now_us + cases[i].timer_us);
        rt_loop_run(&loop, &config);
        assert_int_equal(halted_until_us, now_us + cases[i].want_us + 1);
        assert_int_equal(loop.stats.wakes_idle, cases[i].want_us == 1000);
    }
}

static uint32_t poll_and_stop(void *ctx, uint64_t now_us)
{
    struct fake *f = ctx;

    if (++f->work == 3)
        loop.stop = true;
    return 0;
}

/* What is due already is pending work: nobody halts. */
static void a_deadline_that_is_past_is_pending(void **state)
{
    struct fake a;
    struct loop_source source = source_of(&a);
    uint64_t waits = host_waits(0);

    a = (struct fake){.letter = 'a', .due_us = hal_now_us()};
    source.poll = poll_and_stop;
    source.arm = NULL;
    source.disarm = NULL;
    assert_int_equal(rt_loop_add(&loop, &source), RT_OK);
    rt_loop_run(&loop, &config);
    assert_int_equal(host_waits(0), waits);
    assert_int_equal(loop.stats.wakes, 0);
    assert_int_equal(loop.stats.arm_pending, loop.stats.arms);
    assert_true(loop.stats.arms >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_turn_has_an_order, start),
        cmocka_unit_test_setup(flush_and_arming_may_be_missing, start),
        cmocka_unit_test_setup(each_source_counts, start),
        cmocka_unit_test_setup(more_than_the_budget_is_a_bug, start),
        cmocka_unit_test_setup(the_earliest_deadline_ends_the_halt, start),
        cmocka_unit_test_setup(a_deadline_that_is_past_is_pending, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
