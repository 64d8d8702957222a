/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of a loop: order, flushes, budgets, counters, deadlines, coming and going. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/loop.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8 };

/* What was called, in order: two letters each, "pa" for the poll of source a. */
static char calls[256];
static struct rt_loop loop;
static const struct poll_config config = {.mode = POLL_IRQ, .busy_packets = 1,
                                          .sleep_max_us = 1000};

struct fake {
    char letter;
    uint32_t work;         /* the next poll handles so much */
    uint64_t due_us;       /* for next_us() */
    const void *victim;    /* removed by the next poll, ... */
    char when;             /* ... or by the next flush ('f') or timer ('t') */
    struct timer timer;
    bool armed;
};

static void note(char what, char who)
{
    size_t used = strlen(calls);

    assert_true(used + 3 < sizeof(calls));
    calls[used] = what;
    calls[used + 1] = who;
    calls[used + 2] = '\0';
}

static void remove_victim(struct fake *f, char when)
{
    const void *victim = f->when == when ? f->victim : NULL;

    if (victim == NULL)
        return;
    f->victim = NULL;
    assert_int_equal(rt_loop_remove(&loop, victim), RT_OK);
}

static uint32_t fake_poll(void *ctx, uint64_t now_us)
{
    struct fake *f = ctx;
    uint32_t n = f->work;

    note('p', f->letter);
    f->work = 0;
    remove_victim(f, 'p');
    return n;
}

static void fake_flush(void *ctx, uint64_t now_us)
{
    struct fake *f = ctx;

    note('f', f->letter);
    remove_victim(f, 'f');
}

static bool fake_arm(void *ctx, uint64_t now_us)
{
    struct fake *f = ctx;

    assert_false(f->armed);
    f->armed = true;
    return f->work != 0;
}

static void fake_disarm(void *ctx)
{
    struct fake *f = ctx;

    assert_true(f->armed);
    f->armed = false;
}

static uint64_t fake_next_us(void *ctx)
{
    return ((struct fake *)ctx)->due_us;
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    note('t', '-');
    remove_victim(RT_CONTAINER_OF(timer, struct fake, timer), 't');
}

static struct loop_source source_of(struct fake *f)
{
    return (struct loop_source){
        .name = "fake", .poll = fake_poll, .arm = fake_arm, .disarm = fake_disarm, .ctx = f,
        .flush = fake_flush, .next_us = fake_next_us,
    };
}

static void add(struct fake *f, char letter)
{
    struct loop_source source = source_of(f);

    *f = (struct fake){
        .letter = letter, .when = 'p', .due_us = UINT64_MAX, .timer.fn = on_timer};
    assert_int_equal(rt_loop_add(&loop, &source), RT_OK);
}

static int start(void **state)
{
    calls[0] = '\0';
    host_clock_virtual(1000000);
    host_wait_hook(NULL, NULL);
    rt_loop_init(&loop, BATCH, hal_now_us());
    return 0;
}

static const char *turn(void)
{
    calls[0] = '\0';
    (void)rt_loop_turn(&loop, &config, hal_now_us());
    return calls;
}

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

/* ---- coming and going ---- */

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

static void remove_armed(void *arg)
{
    assert_int_equal(rt_loop_remove(&loop, arg), RT_OK);
}

static void nobody_goes_while_armed(void **state)
{
    struct fake a;
    char message[200];

    add(&a, 'a');
    assert_true(rt_loop_arm(&loop, hal_now_us()));
    assert_true(host_catch(remove_armed, &a, message, sizeof(message)));
    assert_non_null(strstr(message, "armed"));
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
        cmocka_unit_test_setup(a_turn_has_an_order, start),
        cmocka_unit_test_setup(flush_and_arming_may_be_missing, start),
        cmocka_unit_test_setup(each_source_counts, start),
        cmocka_unit_test_setup(more_than_the_budget_is_a_bug, start),
        cmocka_unit_test_setup(the_earliest_deadline_ends_the_halt, start),
        cmocka_unit_test_setup(a_deadline_that_is_past_is_pending, start),
        cmocka_unit_test_setup(a_source_removes_itself, start),
        cmocka_unit_test_setup(a_source_removes_others, start),
        cmocka_unit_test_setup(timers_and_flushes_remove, start),
        cmocka_unit_test_setup(never_sleeps_ends_with_its_source, start),
        cmocka_unit_test_setup(nobody_goes_while_armed, start),
        cmocka_unit_test_setup(random_comings_and_goings, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
