/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources that write down who was called, and may remove one another. */
#ifndef TESTS_CORE_LOOP_FAKE_H
#define TESTS_CORE_LOOP_FAKE_H


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

#endif
