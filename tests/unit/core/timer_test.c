/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer wheel against a list that is searched, with random seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/timer.h>
#include <stdlib.h>

enum { TIMERS = 64, STEPS = 3000, MANY = 1000 };

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
    assert_int_equal(timer_run(&wheel, now_us, MANY), due);
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
        fired += timer_run(&wheel, now_us, MANY);
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
        if (timer_run(&wheel, now_us, MANY) == 1)
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
        assert_int_equal(timer_run(&wheel, now_us, MANY), 1);
    }
    assert_int_equal(models[3].fired, 100);
}

static void a_callback_may_cancel_what_is_due(void **state)
{
    start(0);
    cancel_other = &models[1];
    arm(1, 50);
    arm(0, 60);
    assert_int_equal(timer_run(&wheel, 200, MANY), 1);
    assert_int_equal(models[0].fired, 0);
    assert_int_equal(wheel.armed, 0);
}

static void arming_again_moves(void **state)
{
    start(0);
    arm(0, 100);
    arm(0, 90000);
    assert_int_equal(wheel.armed, 1);
    assert_int_equal(timer_run(&wheel, 89999, MANY), 0);
    assert_int_equal(timer_run(&wheel, 90000, MANY), 1);
    timer_cancel(&wheel, &models[0].timer);
    timer_cancel(&wheel, &models[0].timer);
    assert_int_equal(wheel.armed, 0);
}

static struct timer hasty[4];
static uint64_t hasty_due_us; /* what these arm themselves for, again and again */

static void on_hasty(struct timer *timer, uint64_t now_us)
{
    timer_arm(&wheel, timer, hasty_due_us);
}

/* As many as a run fires, each armed for the past as soon as it has fired: the others, due in
 * any tick behind, get their turn nevertheless. */
static void hasty_ones_keep_nobody_waiting(void **state)
{
    static const uint64_t dues_us[] = {0, 999, 64 * 1000};

    for (unsigned d = 0; d < RT_ARRAY_SIZE(dues_us); d++) {
        uint64_t now_us = 64 * 1000;

        start(now_us);
        hasty_due_us = dues_us[d];
        for (unsigned i = 0; i < RT_ARRAY_SIZE(hasty); i++) {
            hasty[i] = (struct timer){.fn = on_hasty};
            timer_arm(&wheel, &hasty[i], hasty_due_us);
        }
        for (unsigned i = 0; i < TIMERS; i++)
            arm(i, now_us + 1000 + 37 * i);
        for (unsigned run = 0; run < 1000; run++, now_us += 10)
            (void)timer_run(&wheel, now_us, RT_ARRAY_SIZE(hasty));
        for (unsigned i = 0; i < TIMERS; i++)
            assert_int_equal(models[i].fired, 1);
        assert_int_equal(wheel.armed, RT_ARRAY_SIZE(hasty));
    }
}

/* A year in one step: the timer is spread once for each 17 minutes, not looked at each tick. */
static void long_jump(void **state)
{
    const uint64_t year_us = UINT64_C(31536000) * 1000000;
    uint32_t runs = 0, fired = 0;

    start(0);
    arm(0, year_us);
    arm(1, 5);
    assert_int_equal(timer_run(&wheel, year_us - 1, MANY), 1);
    for (; fired == 0 && runs < 100; runs++)
        fired = timer_run(&wheel, year_us, MANY);
    assert_int_equal(fired, 1);
    assert_true(runs < 20);
}

/* ---- many at once ---- */

enum { CROWD = 100000, BATCH = 32, MOVES = 5 * BATCH };

static struct timer crowd[CROWD];
static uint32_t crowd_fired[CROWD];
static uint32_t fired_sum;

static void on_crowd(struct timer *timer, uint64_t now_us)
{
    assert_true(timer->due_us <= now_us);
    crowd_fired[timer - crowd]++;
    fired_sum++;
}

static void start_crowd(uint64_t now_us, uint32_t count)
{
    timer_wheel_init(&wheel, now_us);
    fired_sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        crowd[i] = (struct timer){.fn = on_crowd};
        crowd_fired[i] = 0;
    }
}

static void check_each_fired_once(uint32_t count)
{
    assert_int_equal(fired_sum, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(crowd_fired[i], 1);
    assert_int_equal(wheel.armed, 0);
    assert_int_equal(timer_next_us(&wheel), UINT64_MAX);
}

static uint32_t in_level(unsigned level)
{
    uint32_t count = 0;

    for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
        const struct timer *head = &wheel.slots[level][slot];

        for (const struct timer *t = head->next; t != head; t = t->next)
            count++;
    }
    return count;
}

/* All retransmissions of a server fall due at once, from each level of the wheel: a run neither
 * fires nor moves more than its share, and asks to be called again. */
static void a_run_is_bounded(void **state)
{
    const uint64_t distances_us[] = {1000, 200000, 3000000, 900000000};

    for (unsigned d = 0; d < RT_ARRAY_SIZE(distances_us); d++) {
        uint64_t now_us = 777 + distances_us[d];
        uint32_t runs = 0;

        start_crowd(777, CROWD);
        for (uint32_t i = 0; i < CROWD; i++)
            timer_arm(&wheel, &crowd[i], now_us - i % 50);
        for (; wheel.armed != 0 && runs < CROWD; runs++) {
            uint32_t before[TIMER_LEVELS];

            for (unsigned level = 0; level < TIMER_LEVELS && runs < 8; level++)
                before[level] = in_level(level);
            assert_true(timer_next_us(&wheel) <= now_us);
            assert_true(timer_run(&wheel, now_us, BATCH) <= BATCH);
            for (unsigned level = 0; level < TIMER_LEVELS && runs < 8; level++)
                assert_true(before[level] - RT_MIN(before[level], in_level(level)) <= MOVES);
        }
        assert_in_range(runs, CROWD / BATCH, 2 * CROWD / BATCH + 1);
        assert_int_equal(timer_run(&wheel, now_us, BATCH), 0);
        check_each_fired_once(CROWD);
    }
}

/* While many are left over, others are armed, moved and cancelled as always. */
static void what_is_left_over_can_be_cancelled(void **state)
{
    enum { COUNT = 1000 };
    uint32_t fired = 0, cancelled = 0;

    start_crowd(0, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        timer_arm(&wheel, &crowd[i], 5000 + i % 64);
    while (wheel.armed != 0) {
        fired += timer_run(&wheel, 10000, 7);
        for (uint32_t i = 0; i < COUNT; i++) {
            if (crowd[i].next == NULL)
                continue;
            timer_cancel(&wheel, &crowd[i]);
            cancelled++;
            break;
        }
    }
    assert_int_equal(fired + cancelled, COUNT);
    assert_int_equal(fired, fired_sum);
    assert_in_range(cancelled, COUNT / 20, COUNT / 4);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(crowd_fired[i] <= 1);
}

/* More timers in one tick than are looked at: none early, none later than the tick's end, and
 * no run looks at all of them again and again. */
static void a_crowded_tick(void **state)
{
    enum { COUNT = 10 * TIMER_CROWD };
    const uint64_t tick_us = 100 * TIMER_TICK_US;
    uint64_t now_us;

    start_crowd(0, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) /* the last ones to be armed are due first */
        timer_arm(&wheel, &crowd[i], tick_us + (COUNT - 1 - i) % TIMER_TICK_US);
    for (now_us = tick_us; now_us < tick_us + TIMER_TICK_US; now_us++) {
        timer_run(&wheel, now_us, COUNT);
        assert_true(wheel.armed == 0 || timer_next_us(&wheel) <= tick_us + TIMER_TICK_US);
    }
    timer_run(&wheel, now_us, COUNT);
    check_each_fired_once(COUNT);
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
        cmocka_unit_test(hasty_ones_keep_nobody_waiting),
        cmocka_unit_test(long_jump),
        cmocka_unit_test(a_run_is_bounded),
        cmocka_unit_test(what_is_left_over_can_be_cancelled),
        cmocka_unit_test(a_crowded_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
