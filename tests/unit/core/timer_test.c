/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer wheel against a list that is searched, with random seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/timer.h>
#include <stdlib.h>

enum { TIMERS = 64, STEPS = 3000 };

struct model {
    struct timer timer; /* first: the callback gets this */
    bool armed;
    uint64_t due_us;
    unsigned fired;
    uint64_t fired_us;
};

static struct timer_wheel wheel;
static struct model models[TIMERS];
static struct model *rearm_now; /* this one arms itself for the past when it fires */
static struct model *cancel_other; /* ... and this one cancels models[0] */

static void on_fire(struct timer *timer, uint64_t now_us)
{
    struct model *m = (struct model *)(void *)timer;

    assert_true(m->armed);
    assert_true(m->due_us <= now_us); /* never early */
    m->armed = false;
    m->fired++;
    m->fired_us = now_us;
    if (m == rearm_now) {
        m->armed = true;
        m->due_us = now_us > 5 ? now_us - 5 : 0;
        timer_arm(&wheel, timer, m->due_us);
    }
    if (m == cancel_other) {
        timer_cancel(&wheel, &models[0].timer);
        models[0].armed = false;
    }
}

static void start(uint64_t now_us)
{
    timer_wheel_init(&wheel, now_us);
    for (unsigned i = 0; i < TIMERS; i++)
        models[i] = (struct model){.timer.fn = on_fire};
    rearm_now = cancel_other = NULL;
}

static void arm(unsigned i, uint64_t due_us)
{
    models[i].armed = true;
    models[i].due_us = due_us;
    timer_arm(&wheel, &models[i].timer, due_us);
}

static uint64_t model_next_us(void)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (models[i].armed)
            next = RT_MIN(next, models[i].due_us);
    }
    return next;
}

static void check_run(uint64_t now_us)
{
    unsigned due = 0, armed = 0;

    for (unsigned i = 0; i < TIMERS; i++)
        due += models[i].armed && models[i].due_us <= now_us;
    assert_true(timer_next_us(&wheel) <= model_next_us());
    assert_int_equal(timer_run(&wheel, now_us), due);
    for (unsigned i = 0; i < TIMERS; i++) {
        assert_false(models[i].armed && models[i].due_us <= now_us); /* never late */
        armed += models[i].armed;
    }
    assert_int_equal(wheel.armed, armed);
    assert_true(timer_next_us(&wheel) <= model_next_us());
    assert_true(armed == 0 || timer_next_us(&wheel) > now_us);
}

/* Distances from none to beyond the last level (17 minutes), steps as uneven. */
static uint64_t random_us(void)
{
    return (uint64_t)rand() % (UINT64_C(1) << (1 + rand() % 34));
}

static void against_a_model(void **state)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        uint64_t now_us;

        srand(seed);
        now_us = random_us() * (seed % 3);
        start(now_us);
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned i = (unsigned)rand() % TIMERS;

            switch (rand() % 4) {
            case 0:
            case 1:
                arm(i, now_us + random_us());
                break;
            case 2:
                timer_cancel(&wheel, &models[i].timer);
                models[i].armed = false;
                break;
            default:
                now_us += rand() % 2 == 0 ? (uint64_t)rand() % 200 : random_us() / 16;
                check_run(now_us);
            }
        }
    }
}

/* Sleeping until timer_next_us() again and again fires everything exactly on time, in few
 * steps: the wheel does not wake a core for each tick. */
static void next_is_tight(void **state)
{
    uint64_t now_us = 12345;
    unsigned wakes = 0, fired = 0;

    start(now_us);
    for (unsigned i = 0; i < TIMERS; i++)
        arm(i, now_us + 1 + (uint64_t)i * i * 7919);
    while (wheel.armed != 0) {
        uint64_t next_us = timer_next_us(&wheel);

        assert_true(next_us > now_us);
        now_us = next_us;
        fired += timer_run(&wheel, now_us);
        wakes++;
    }
    assert_int_equal(fired, TIMERS);
    for (unsigned i = 0; i < TIMERS; i++)
        assert_int_equal(models[i].fired_us, models[i].due_us);
    assert_true(wakes <= 2 * TIMERS);
    assert_int_equal(timer_next_us(&wheel), UINT64_MAX);
}

static void periodic_100_ms_wakes_once_a_period(void **state)
{
    uint64_t now_us = 0;
    unsigned wakes = 0;

    start(0);
    arm(0, 100000);
    while (now_us < 10000000) {
        now_us = timer_next_us(&wheel);
        wakes++;
        if (timer_run(&wheel, now_us) == 1)
            arm(0, now_us + 100000);
    }
    assert_int_equal(models[0].fired, 100);
    assert_int_equal(wakes, 100);
}

static void arming_for_the_past_fires_once_a_run(void **state)
{
    start(1000);
    rearm_now = &models[3];
    arm(3, 1000);
    for (uint64_t now_us = 1000; now_us < 1100; now_us++) {
        assert_true(timer_next_us(&wheel) <= now_us);
        assert_int_equal(timer_run(&wheel, now_us), 1);
    }
    assert_int_equal(models[3].fired, 100);
}

static void a_callback_may_cancel_what_is_due(void **state)
{
    start(0);
    cancel_other = &models[1];
    arm(1, 50);
    arm(0, 60);
    assert_int_equal(timer_run(&wheel, 200), 1);
    assert_int_equal(models[0].fired, 0);
    assert_int_equal(wheel.armed, 0);
}

static void arming_again_moves(void **state)
{
    start(0);
    arm(0, 100);
    arm(0, 90000);
    assert_int_equal(wheel.armed, 1);
    assert_int_equal(timer_run(&wheel, 89999), 0);
    assert_int_equal(timer_run(&wheel, 90000), 1);
    timer_cancel(&wheel, &models[0].timer);
    timer_cancel(&wheel, &models[0].timer);
    assert_int_equal(wheel.armed, 0);
}

/* A year in one step: bounded by what is armed, not by the ticks between. */
static void long_jump(void **state)
{
    const uint64_t year_us = UINT64_C(31536000) * 1000000;

    start(0);
    arm(0, year_us);
    arm(1, 5);
    assert_int_equal(timer_run(&wheel, year_us - 1), 1);
    assert_int_equal(timer_run(&wheel, year_us), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(next_is_tight),
        cmocka_unit_test(periodic_100_ms_wakes_once_a_period),
        cmocka_unit_test(arming_for_the_past_fires_once_a_run),
        cmocka_unit_test(a_callback_may_cancel_what_is_due),
        cmocka_unit_test(arming_again_moves),
        cmocka_unit_test(long_jump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
