/* SPDX-License-Identifier: BSD-2-Clause */
/* Alarms beside a plain list of times: set, set earlier, taken out, at random; none comes after its
 * bucket, each comes once, and the time they name is never too late for a halt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <rt/host.h>
#include <string.h>

#include "tcp/alarm.h"

enum { COUNT = 300, STEPS = 30000 };

struct thing {
    uint64_t other; /* alarms lie apart, as in connections */
    struct alarm alarm;
    uint64_t wanted_us; /* ALARM_NEVER: not set */
};

static struct thing things[COUNT];
static struct alarms alarms;
static uint64_t now_us, seed;

static uint64_t random_of(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 8) % below;
}

static void begin(uint64_t at_us)
{
    host_memory_reset();
    memset(things, 0, sizeof(things));
    now_us = at_us;
    seed = 88172645463325252u;
    assert_true(alarm_make(&alarms, COUNT, &things[0].alarm, sizeof(things[0]), now_us));
    for (uint32_t i = 0; i < COUNT; i++)
        things[i].wanted_us = ALARM_NEVER;
}

static void set(uint32_t number, uint64_t due_us)
{
    things[number].wanted_us = due_us;
    if (alarm_is_later(&things[number].alarm, due_us))
        alarm_set(&alarms, number, due_us);
}

/* As a stack does it: what came too early is set again. Returns how many were due. */
static uint32_t look(uint32_t max)
{
    uint32_t number, due = 0;

    for (uint32_t i = 0; i < max && alarm_next(&alarms, now_us, &number); i++) {
        assert_true(number < COUNT);
        if (things[number].wanted_us == ALARM_NEVER)
            continue;
        if (things[number].wanted_us > now_us) {
            set(number, things[number].wanted_us);
            continue;
        }
        things[number].wanted_us = ALARM_NEVER;
        due++;
    }
    return due;
}

/* None is later than a bucket; the next one is not named too late. */
static void check(void)
{
    uint64_t next_us = ALARM_NEVER;

    for (uint32_t i = 0; i < COUNT; i++) {
        if (things[i].wanted_us == ALARM_NEVER)
            continue;
        assert_true(things[i].wanted_us + ALARM_TICK_US > now_us);
        assert_true(things[i].alarm.at_us < things[i].wanted_us + 2 * ALARM_TICK_US);
        next_us = RT_MIN(next_us, things[i].wanted_us);
    }
    if (next_us != ALARM_NEVER)
        assert_true(alarms.next_us < RT_MAX(next_us, now_us) + 2 * ALARM_TICK_US);
}

static uint64_t some_time(void)
{
    switch (random_of(4)) {
    case 0:
        return random_of(3 * ALARM_TICK_US);
    case 1:
        return random_of(1200000);
    case 2:
        return random_of(90000000);
    default:
        return random_of(UINT64_C(7200000000)); /* two hours: beyond the last bucket */
    }
}

static void steps(uint64_t at_us)
{
    begin(at_us);
    for (uint32_t i = 0; i < STEPS; i++) {
        const uint32_t number = (uint32_t)random_of(COUNT);

        if (random_of(8) == 0) {
            things[number].wanted_us = ALARM_NEVER;
            alarm_take_out(&alarms, number);
            assert_true(things[number].alarm.at_us == ALARM_NEVER);
        } else {
            set(number, now_us + some_time());
        }
        now_us += random_of(4) == 0 ? some_time() / (1 + random_of(100)) : random_of(100);
        (void)look(UINT32_MAX);
        check();
    }
    host_memory_reset();
}

static void come_in_time(void **state)
{
    steps(0);
    steps(UINT64_C(123456789012345));
}

/* All at the same time: a run takes what it may, the others come first with the next ones. */
static void a_crowd_is_bounded(void **state)
{
    uint32_t seen = 0;

    begin(5000000);
    for (uint32_t i = 0; i < COUNT; i++)
        set(i, now_us + 40000);
    now_us += 39000;
    assert_int_equal(look(COUNT), 0);
    now_us += 2048;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(look(COUNT / 10), COUNT / 10);
        seen += COUNT / 10;
        assert_int_equal(alarms.next_us == 0, true);
        now_us += 20;
    }
    assert_int_equal(seen, COUNT);
    assert_int_equal(look(1), 0);
    assert_true(alarms.next_us == ALARM_NEVER);
    host_memory_reset();
}

/* A crowd that is set again while the buckets lag behind comes to an end. */
static void lagging_behind_ends(void **state)
{
    begin(1000000);
    for (uint32_t i = 0; i < COUNT; i++)
        set(i, now_us + 2000 * (i + 1));
    now_us += 5000000; /* all buckets have passed, and more than a round */
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(look(1), 1);
    assert_int_equal(look(1), 0);
    host_memory_reset();
}

/* Later and later, as each request makes it: one number, one look in all that time. */
static void a_later_deadline_touches_nothing(void **state)
{
    begin(1000000);
    set(7, now_us + 200000);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t place = things[7].alarm.place;

        now_us += 100;
        set(7, now_us + 200000);
        assert_int_equal(things[7].alarm.place, place);
    }
    host_memory_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(come_in_time),
        cmocka_unit_test(a_crowd_is_bounded),
        cmocka_unit_test(lagging_behind_ends),
        cmocka_unit_test(a_later_deadline_touches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
