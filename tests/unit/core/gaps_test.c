/* SPDX-License-Identifier: BSD-2-Clause */
/* A loop on virtual time whose sources and timers take the time that a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/loop.h>

enum { BATCH = 32, TURN_US = 2 };

/* What one turn does at one source. */
struct step {
    uint64_t us;      /* how long it takes */
    uint32_t packets;
    uint32_t smis;    /* system management interrupts in it */
};

static struct rt_loop loop;
static struct step steps[2][64]; /* by source and turn */
static unsigned turn_count, at[2];
static uint64_t smis;
static bool guest;

static uint32_t step_poll(void *ctx, uint64_t now_us)
{
    unsigned source = ctx != NULL;
    struct step s = steps[source][at[source]++];

    host_clock_advance_us(s.us);
    smis += s.smis;
    host_stolen(smis, !guest, guest);
    if (at[source] == turn_count)
        loop.stop = source == 1;
    return s.packets;
}

static bool step_arm(void *ctx, uint64_t now_us)
{
    return false;
}

static void step_disarm(void *ctx)
{
}

static void start(unsigned turns, bool is_guest)
{
    static char one;
    const struct loop_source source = {.name = "first", .poll = step_poll, .arm = step_arm,
                                       .disarm = step_disarm};
    struct loop_source second = source;

    host_clock_virtual(5000000);
    host_wait_hook(NULL, NULL);
    second.name = "second";
    second.ctx = &one;
    smis = 7;
    guest = is_guest;
    host_stolen(smis, !guest, guest);
    turn_count = turns;
    at[0] = at[1] = 0;
    for (unsigned i = 0; i < RT_ARRAY_SIZE(steps[0]); i++) {
        steps[0][i] = (struct step){.us = TURN_US / 2};
        steps[1][i] = (struct step){.us = TURN_US / 2};
    }
    rt_loop_init(&loop, BATCH, hal_now_us());
    assert_int_equal(rt_loop_add(&loop, &source), RT_OK);
    assert_int_equal(rt_loop_add(&loop, &second), RT_OK);
}

static void run(void)
{
    const struct poll_config config = {.mode = POLL_ALWAYS, .busy_packets = 1};

    rt_loop_run(&loop, &config);
    assert_int_equal(at[1], turn_count);
}

/* The one long gap of a run. */
static const struct gap_kind *only(enum gap_cause cause)
{
    for (unsigned i = 0; i < GAP_CAUSES; i++) {
        if (loop.gaps.kind[i].count != (i == cause))
            fail_msg("%s: %lu", gap_cause_names[i],
                     (unsigned long)loop.gaps.kind[i].count);
    }
    return &loop.gaps.kind[cause];
}

static void each_turn_is_counted(void **state)
{
    uint64_t sum = 0;

    start(40, true);
    steps[0][10].us = 62; /* 63 us in all, then 64 */
    steps[0][20].us = 63;
    run();
    for (unsigned i = 0; i < GAP_BUCKETS; i++)
        sum += loop.gaps.below_us[i];
    assert_int_equal(sum, loop.stats.turns);
    assert_int_equal(loop.gaps.below_us[2], 38); /* 2 us: below 4 */
    assert_int_equal(loop.gaps.below_us[6], 1);
    assert_int_equal(loop.gaps.below_us[7], 1);
    for (unsigned i = 0; i < GAP_CAUSES; i++)
        assert_int_equal(loop.gaps.kind[i].count, 0); /* below the limit nobody is asked */
}

static void an_empty_turn_explains_nothing(void **state)
{
    start(20, true);
    steps[0][5].us = 300;
    run();
    assert_int_equal(only(GAP_HOST)->longest_us, 301);
    assert_int_equal(only(GAP_HOST)->total_us, 301);
    assert_string_equal(only(GAP_HOST)->where, "-"); /* no source was clocked yet */
    assert_int_equal(only(GAP_HOST)->at_us, 5000000 + 5 * TURN_US + 301);
    start(20, false);
    steps[0][5].us = 300;
    run();
    assert_int_equal(only(GAP_UNKNOWN)->longest_us, 301);
}

static void the_processor_counts_firmware(void **state)
{
    start(20, false);
    steps[1][5] = (struct step){.us = 300, .smis = 2};
    run();
    assert_int_equal(only(GAP_FIRMWARE)->longest_us, 301);
    start(20, false);
    steps[1][5] = (struct step){.us = 300, .packets = 32, .smis = 1};
    run();
    (void)only(GAP_FIRMWARE);
}

static void packets_explain_what_they_usually_cost(void **state)
{
    start(40, true);
    for (unsigned i = 0; i < 20; i++)
        steps[1][i] = (struct step){.us = 5, .packets = 1};
    steps[1][20] = (struct step){.us = 160, .packets = 32};
    run();
    assert_int_equal(only(GAP_WORK)->longest_us, 161);
    assert_int_equal(only(GAP_WORK)->packets, 32);
    start(40, true);
    for (unsigned i = 0; i < 20; i++)
        steps[1][i] = (struct step){.us = 5, .packets = 1};
    steps[1][20] = (struct step){.us = 160, .packets = 2};
    run();
    assert_int_equal(only(GAP_HOST)->longest_us, 161);
}

static void slow_timer(struct timer *timer, uint64_t now_us)
{
    host_clock_advance_us(400);
}

static void timers_are_own_work(void **state)
{
    struct timer timer = {.fn = slow_timer};

    start(20, true);
    timer_arm(&loop.timers, &timer, hal_now_us());
    run();
    assert_int_equal(only(GAP_WORK)->longest_us, 400 + TURN_US);
    assert_string_equal(only(GAP_WORK)->where, "timers");
}

/* Behind a long gap sources are clocked: the next one has a place. */
static void the_second_gap_has_a_place(void **state)
{
    start(30, true);
    steps[0][5].us = 300;
    steps[1][9].us = 400;
    run();
    assert_int_equal(loop.gaps.kind[GAP_HOST].count, 2);
    assert_int_equal(loop.gaps.kind[GAP_HOST].longest_us, 401);
    assert_string_equal(loop.gaps.kind[GAP_HOST].where, "second");
    assert_int_equal(loop.gaps.kind[GAP_HOST].index, 1);
}

static void long_turns_of_packets_become_usual(void **state)
{
    start(60, true);
    for (unsigned i = 0; i < 60; i++)
        steps[0][i] = (struct step){.us = 400, .packets = 32};
    run();
    assert_in_range(loop.gaps.kind[GAP_WORK].count, 1, 10); /* then nobody looks any more */
    assert_in_range(loop.gaps.limit_us, 402, 802);
}

/* A halt takes nothing from anybody. Arming before it is a gap of its own. */
static void a_halt_is_no_gap(void **state)
{
    const struct poll_config config = {.mode = POLL_IRQ, .busy_packets = 1,
                                       .sleep_max_us = 5000};
    uint64_t sum = 0;

    start(10, true);
    rt_loop_run(&loop, &config);
    for (unsigned i = 0; i < GAP_BUCKETS; i++)
        sum += loop.gaps.below_us[i];
    assert_int_equal(sum, loop.stats.turns + loop.stats.arms);
    assert_in_range(loop.gaps.longest_halt_us, 5000, 5001);
    for (unsigned i = 0; i < GAP_CAUSES; i++)
        assert_int_equal(loop.gaps.kind[i].count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_turn_is_counted),
        cmocka_unit_test(an_empty_turn_explains_nothing),
        cmocka_unit_test(the_processor_counts_firmware),
        cmocka_unit_test(packets_explain_what_they_usually_cost),
        cmocka_unit_test(timers_are_own_work),
        cmocka_unit_test(the_second_gap_has_a_place),
        cmocka_unit_test(long_turns_of_packets_become_usual),
        cmocka_unit_test(a_halt_is_no_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
