/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources that come and go in the middle of a turn. */
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

static void a_source_removes_itself(void **state)
{
    struct fake a, c;
    struct fake *b = malloc(sizeof(*b)); /* so that a use after the removal is found */

    add(&a, 'a');
    add(b, 'b');
    add(&c, 'c');
    b->victim = b;
    b->work = 5;
    assert_string_equal(turn(), "papbpcfcfa");
    free(b);
    assert_string_equal(turn(), "papcfcfa");
    assert_int_equal(loop.source_count, 2);
    assert_int_equal(loop.sources[1].handled, 0); /* c's counters moved with it */
}

static void a_source_removes_others(void **state)
{
    struct fake a, b, c;

    add(&a, 'a');
    add(&b, 'b');
    add(&c, 'c');
    b.victim = &c; /* not polled yet in this turn */
    assert_string_equal(turn(), "papbfbfa");
    add(&c, 'c');
    b.victim = &a; /* polled, not flushed yet */
    assert_string_equal(turn(), "papbpcfcfb");
    assert_string_equal(turn(), "pbpcfcfb");
    add(&a, 'a');
    a.victim = &c; /* polled and gone, and others come behind it */
    assert_string_equal(turn(), "pbpcpafafb");
    assert_int_equal(rt_loop_remove(&loop, &c), RT_NOT_FOUND);
}

static void timers_and_flushes_remove(void **state)
{
    struct fake a, b, c;

    add(&a, 'a');
    add(&b, 'b');
    add(&c, 'c');
    a.when = 't';
    a.victim = &a;
    timer_arm(&loop.timers, &a.timer, hal_now_us());
    assert_string_equal(turn(), "papbpct-fcfb");
    assert_string_equal(turn(), "pbpcfcfb");
    c.when = 'f';
    c.victim = &b;
    add(&a, 'a');
    assert_string_equal(turn(), "pbpcpafafc");
    assert_string_equal(turn(), "pcpafafc");
    add(&b, 'b');
    assert_int_equal(rt_loop_remove(&loop, &a), RT_OK);
    assert_int_equal(rt_loop_remove(&loop, &b), RT_OK); /* between turns */
    assert_string_equal(turn(), "pcfc");
    c.when = 'p';
    assert_int_equal(rt_loop_remove(&loop, &c), RT_OK);
    assert_string_equal(turn(), "");
    assert_int_equal(loop.source_count, 0);
    assert_int_equal(rt_loop_turn(&loop, &config, hal_now_us()), POLL_SLEEP);
}

static void never_sleeps_ends_with_its_source(void **state)
{
    struct fake a, b;
    struct loop_source deaf = source_of(&b);

    add(&a, 'a');
    b = (struct fake){.letter = 'b'};
    deaf.never_sleeps = true;
    assert_int_equal(rt_loop_add(&loop, &deaf), RT_OK);
    assert_true(loop.never_sleeps);
    assert_int_equal(rt_loop_remove(&loop, &b), RT_OK);
    assert_false(loop.never_sleeps);
}

/* The place of one that was removed is nobody's, whatever its context was. */
static void who_is_gone_is_not_found(void **state)
{
    struct fake a, b;

    add(&a, 'a');
    add(&b, 'b');
    assert_int_equal(rt_loop_remove(&loop, &a), RT_OK);
    assert_int_equal(rt_loop_remove(&loop, &a), RT_NOT_FOUND);
    assert_int_equal(rt_loop_remove(&loop, NULL), RT_NOT_FOUND);
    assert_string_equal(turn(), "pbfb");
}

/* What arming one source may lead to: buffers come home, a connection ends, another begins. */
static struct armed {
    bool armed;
    struct armed *removes; /* when it is armed */
    const struct loop_source *adds;
} armed[4];

static bool arm_and_change(void *ctx, uint64_t now_us)
{
    struct armed *a = ctx;

    assert_false(a->armed);
    a->armed = true;
    if (a->removes != NULL)
        assert_int_equal(rt_loop_remove(&loop, a->removes), RT_OK);
    if (a->adds != NULL)
        assert_int_equal(rt_loop_add(&loop, a->adds), RT_OK);
    return false;
}

static void disarm_one(void *ctx)
{
    struct armed *a = ctx;

    assert_true(a->armed);
    a->armed = false;
}

static uint32_t find_nothing(void *ctx, uint64_t now_us)
{
    return 0;
}

static struct loop_source armed_source(unsigned i)
{
    return (struct loop_source){.name = "armed", .poll = find_nothing, .arm = arm_and_change,
                                .disarm = disarm_one, .ctx = &armed[i]};
}

/* Of three sources, `who` removes `whom` while it is armed. */
static void remove_while_arming(unsigned who, unsigned whom)
{
    memset(armed, 0, sizeof(armed));
    rt_loop_init(&loop, BATCH, hal_now_us());
    for (unsigned i = 0; i < 3; i++) {
        const struct loop_source source = armed_source(i);

        assert_int_equal(rt_loop_add(&loop, &source), RT_OK);
    }
    armed[who].removes = &armed[whom];
    assert_true(rt_loop_arm(&loop, hal_now_us()));
    assert_true(rt_loop_next_us(&loop) <= hal_now_us()); /* no sleep: its place is taken away */
    armed[who].removes = NULL;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(armed[i].armed, i != whom);
    rt_loop_disarm(&loop);
    for (unsigned i = 0; i < 3; i++)
        assert_false(armed[i].armed);
}

static void one_goes_while_armed(void **state)
{
    for (unsigned who = 0; who < 3; who++) {
        for (unsigned whom = 0; whom < 3; whom++)
            remove_while_arming(who, whom);
    }
    assert_true(rt_loop_arm(&loop, hal_now_us())); /* and while all are */
    assert_int_equal(rt_loop_remove(&loop, &armed[0]), RT_OK);
    assert_false(armed[0].armed);
    assert_true(armed[1].armed);
    rt_loop_disarm(&loop);
}

/* A new one is armed with the others; when no interrupt reaches it then nobody sleeps. */
static void one_comes_while_armed(void **state)
{
    struct loop_source first = armed_source(0), added = armed_source(1);

    memset(armed, 0, sizeof(armed));
    armed[0].adds = &added;
    assert_int_equal(rt_loop_add(&loop, &first), RT_OK);
    assert_true(rt_loop_arm(&loop, hal_now_us()));
    assert_true(armed[1].armed);
    rt_loop_disarm(&loop);
    assert_false(armed[0].armed || armed[1].armed);
    added = armed_source(2);
    added.never_sleeps = true;
    assert_false(rt_loop_arm(&loop, hal_now_us()));
    assert_false(armed[0].armed || armed[1].armed || armed[2].armed);
}

/* Sources come and go at random, from everywhere; each that is there is polled once a turn. */
static void random_comings_and_goings(void **state)
{
    static struct fake fakes[LOOP_SOURCES_MAX];
    bool there[LOOP_SOURCES_MAX] = {false};

    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)rand() % LOOP_SOURCES_MAX;
        unsigned by = (unsigned)rand() % LOOP_SOURCES_MAX;
        uint32_t polled = 0, wanted = 0;

        if (!there[i] && loop.source_count < LOOP_SOURCES_MAX) {
            add(&fakes[i], (char)('A' + i));
            there[i] = true;
        } else if (there[i] && there[by] && rand() % 2 == 0) {
            fakes[by].victim = &fakes[i];
            there[i] = false;
        } else if (there[i]) {
            assert_int_equal(rt_loop_remove(&loop, &fakes[i]), RT_OK);
            there[i] = false;
        }
        turn();
        turn();
        for (unsigned k = 0; k < LOOP_SOURCES_MAX; k++)
            wanted += there[k];
        for (const char *c = calls; *c != '\0'; c += 2)
            polled += *c == 'p' && there[c[1] - 'A'];
        assert_int_equal(polled, wanted);
        assert_int_equal(strlen(calls), 4 * wanted);
        assert_int_equal(loop.source_count, wanted);
        assert_int_equal(loop.flush_count, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_source_removes_itself, start),
        cmocka_unit_test_setup(a_source_removes_others, start),
        cmocka_unit_test_setup(timers_and_flushes_remove, start),
        cmocka_unit_test_setup(never_sleeps_ends_with_its_source, start),
        cmocka_unit_test_setup(who_is_gone_is_not_found, start),
        cmocka_unit_test_setup(one_goes_while_armed, start),
        cmocka_unit_test_setup(one_comes_while_armed, start),
        cmocka_unit_test_setup(random_comings_and_goings, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
