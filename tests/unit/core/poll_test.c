/* SPDX-License-Identifier: BSD-2-Clause */
/* The poll policy as a table of turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/poll.h>

struct turn {
    uint64_t now_us;
    uint32_t packets;
    enum poll_action want;
};

static void play(const struct poll_config *config, const struct turn *turns, size_t count)
{
    struct poll_state state = {0};

    for (size_t i = 0; i < count; i++) {
        enum poll_action got = poll_next(&state, config, turns[i].packets, turns[i].now_us);

        if (got != turns[i].want)
            fail_msg("turn %zu: got %d, wanted %d", i, got, turns[i].want);
    }
}

static void adaptive_needs_both(void **state)
{
    const struct poll_config c = {.mode = POLL_ADAPTIVE, .spin_us = 10, .empty_polls = 3,
                                  .busy_packets = 1};
    const struct turn turns[] = {
        {100, 5, POLL_RUN},    {101, 0, POLL_SPIN}, {102, 0, POLL_SPIN},
        {103, 0, POLL_SPIN}, /* polls are enough, time is not */
        {110, 0, POLL_SLEEP},  {111, 0, POLL_SLEEP}, /* woken for nothing: back to sleep */
        {120, 1, POLL_RUN},    {140, 0, POLL_SPIN}, /* time is enough, polls are not */
        {141, 0, POLL_SPIN},   {142, 0, POLL_SLEEP},
    };

    play(&c, turns, RT_ARRAY_SIZE(turns));
}

static void adaptive_small_turns_do_not_restart_quiet_time(void **state)
{
    const struct poll_config c = {.mode = POLL_ADAPTIVE, .spin_us = 10, .empty_polls = 2,
                                  .busy_packets = 4};
    const struct turn turns[] = {
        {100, 4, POLL_RUN},  {104, 3, POLL_RUN},   {105, 0, POLL_SPIN},
        {108, 1, POLL_RUN},  {110, 0, POLL_SLEEP}, {111, 4, POLL_RUN},
        {120, 0, POLL_SPIN}, {121, 0, POLL_SLEEP},
    };

    play(&c, turns, RT_ARRAY_SIZE(turns));
}

static void adaptive_zero_thresholds_sleep_at_once(void **state)
{
    const struct poll_config c = {.mode = POLL_ADAPTIVE, .busy_packets = 1};
    const struct turn turns[] = {{5, 1, POLL_RUN}, {5, 0, POLL_SLEEP}};

    play(&c, turns, RT_ARRAY_SIZE(turns));
}

static void clock_that_steps_back_is_not_quiet_time(void **state)
{
    const struct poll_config c = {.mode = POLL_ADAPTIVE, .spin_us = 10, .busy_packets = 1};
    const struct turn turns[] = {{100, 1, POLL_RUN}, {50, 0, POLL_SPIN}, {110, 0, POLL_SLEEP}};

    play(&c, turns, RT_ARRAY_SIZE(turns));
}

static void always_never_sleeps(void **state)
{
    const struct poll_config c = {.mode = POLL_ALWAYS, .busy_packets = 1};
    struct poll_state s = {0};

    for (uint64_t us = 0; us < 100000; us += 7)
        assert_int_equal(poll_next(&s, &c, 0, us), POLL_SPIN);
    assert_int_equal(poll_next(&s, &c, 1, 200000), POLL_RUN);
    s.empty_run = UINT32_MAX; /* does not wrap to "just busy" */
    assert_int_equal(poll_next(&s, &c, 0, 200001), POLL_SPIN);
    assert_int_equal(s.empty_run, UINT32_MAX);
}

static void irq_sleeps_unless_busy(void **state)
{
    const struct poll_config c = {.mode = POLL_IRQ, .spin_us = 1000, .empty_polls = 1000,
                                  .busy_packets = 8};
    const struct turn turns[] = {
        {1, 0, POLL_SLEEP}, {2, 7, POLL_SLEEP}, {3, 8, POLL_RUN}, {4, 32, POLL_RUN},
        {5, 7, POLL_SLEEP},
    };

    play(&c, turns, RT_ARRAY_SIZE(turns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptive_needs_both),
        cmocka_unit_test(adaptive_small_turns_do_not_restart_quiet_time),
        cmocka_unit_test(adaptive_zero_thresholds_sleep_at_once),
        cmocka_unit_test(clock_that_steps_back_is_not_quiet_time),
        cmocka_unit_test(always_never_sleeps),
        cmocka_unit_test(irq_sleeps_unless_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
