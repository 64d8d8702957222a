/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop against a device with an edge-triggered interrupt: it raises one only for a
 * frame that arrives while armed, so a frame that arrives between the last poll and the
 * arming is seen by the check in arm() or not at all. Every burst size, mode and
 * threshold must end with nothing left; the same device whose arm() does not look must
 * leave frames behind, which shows that the test can fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rt/host.h>
#include <rt/loop.h>

enum { BATCH = 32, BURST_MAX = 1024, QUIET_TURNS = 300, ARM_US = 3 };

struct device {
    struct rt_loop *loop;
    struct hal_irq irq;
    uint32_t waiting;   /* frames in the ring */
    uint32_t in_window; /* frames that will arrive between a poll and the arming */
    uint32_t in_halt;   /* frames that will arrive during a halt */
    uint32_t handled;
    uint32_t quiet_turns;
    bool armed;
    bool irq_pending;   /* raised, not yet taken by a halt */
    bool blind;         /* arm() does not look */
    bool deaf;          /* no interrupt reaches the core */
    bool left_waiting;  /* a core halted for its longest time with a frame in the ring */
};

static struct rt_loop loop;
static struct device dev;

static void arrive(struct device *d, uint32_t frames)
{
    if (frames == 0)
        return;
    d->waiting += frames;
    if (!d->armed)
        return; /* edge lost */
    d->irq_pending = true;
    host_msi(d->irq.msi_address, d->irq.msi_data);
}

static uint32_t device_poll(void *ctx, uint64_t now_us)
{
    struct device *d = ctx;
    uint32_t n = RT_MIN(d->waiting, (uint32_t)BATCH);

    d->waiting -= n;
    d->handled += n;
    d->irq_pending = false;
    d->quiet_turns = n == 0 ? d->quiet_turns + 1 : 0;
    if (d->quiet_turns == QUIET_TURNS && d->in_window != 0) {
        arrive(d, d->in_window); /* mode always: there is no arming to race with */
        d->in_window = 0;
    } else if (d->quiet_turns > QUIET_TURNS) {
        d->loop->stop = true;
    }
    host_clock_advance_us(1);
    return n;
}

static bool device_arm(void *ctx, uint64_t now_us)
{
    struct device *d = ctx;
    uint32_t frames = d->in_window;

    assert_false(d->armed);
    d->in_window = 0;
    arrive(d, frames); /* after the last poll, before the interrupt is on */
    d->armed = true;
    host_clock_advance_us(ARM_US);
    return d->deaf || (!d->blind && d->waiting != 0);
}

static void device_disarm(void *ctx)
{
    struct device *d = ctx;

    assert_true(d->armed);
    d->armed = false;
    host_clock_advance_us(ARM_US);
}

/* Called at every halt, before it. */
static void on_wait(void *ctx, unsigned core, uint64_t until_us)
{
    struct device *d = ctx;
    uint32_t frames = d->in_halt;

    assert_true(d->armed);
    d->in_halt = 0;
    if (frames != 0) {
        arrive(d, frames);
        return;
    }
    d->left_waiting |= d->waiting != 0 && !d->irq_pending;
    d->loop->stop = true; /* all has arrived: what is in the ring now stays there */
}

static void start_device(struct device wanted)
{
    const struct loop_source source = {
        .name = "device", .poll = device_poll, .arm = device_arm, .disarm = device_disarm,
        .ctx = &dev, .never_sleeps = wanted.deaf,
    };

    host_clock_virtual(1000000);
    host_irq_reset();
    host_wait_hook(on_wait, &dev);
    dev = wanted;
    dev.loop = &loop;
    assert_int_equal(hal_irq_alloc(0, "device", &dev.irq), RT_OK);
    rt_loop_init(&loop, BATCH, hal_now_us());
    assert_int_equal(rt_loop_add(&loop, &source), RT_OK);
}

static void start(bool blind)
{
    start_device((struct device){.blind = blind});
}

static const struct poll_config thresholds[] = {
    {.spin_us = 0, .empty_polls = 0, .busy_packets = 1, .sleep_max_us = 100},
    {.spin_us = 20, .empty_polls = 4, .busy_packets = 8, .sleep_max_us = 100000},
    {.spin_us = 200, .empty_polls = 64, .busy_packets = 32, .sleep_max_us = 1000000},
};

/* Frames left behind for one burst of k, of which some arrive in the window. */
static bool leaves_frames(enum poll_mode mode, unsigned threshold, uint32_t k,
                          uint32_t in_window, bool blind)
{
    struct poll_config config = thresholds[threshold];

    config.mode = mode;
    start(blind);
    dev.in_window = in_window;
    dev.waiting = (k - in_window) / 2;
    dev.in_halt = mode == POLL_ALWAYS ? 0 : k - in_window - dev.waiting;
    dev.waiting += mode == POLL_ALWAYS ? k - in_window - dev.waiting : 0;
    rt_loop_run(&loop, &config);
    if (!blind)
        assert_int_equal(dev.handled + dev.waiting, k);
    assert_int_equal(loop.stats.packets, dev.handled);
    return dev.waiting != 0 || dev.left_waiting;
}

static void nothing_is_left(void **state)
{
    for (uint32_t k = 1; k <= BURST_MAX; k++) {
        const uint32_t windows[] = {0, 1, k / 2, k};

        for (enum poll_mode mode = POLL_ADAPTIVE; mode <= POLL_IRQ; mode++) {
            for (unsigned t = 0; t < RT_ARRAY_SIZE(thresholds); t++) {
                for (unsigned w = 0; w < RT_ARRAY_SIZE(windows); w++) {
                    if (leaves_frames(mode, t, k, windows[w], false))
                        fail_msg("mode %d threshold %u burst %u window %u: %u left", mode, t, k,
                                 windows[w], dev.waiting);
                }
            }
        }
    }
}

static void an_arm_that_does_not_look_leaves_frames(void **state)
{
    for (unsigned t = 0; t < RT_ARRAY_SIZE(thresholds); t++) {
        for (uint32_t k = 1; k <= BURST_MAX; k *= 2) {
            assert_true(leaves_frames(POLL_ADAPTIVE, t, k, k, true));
            assert_true(leaves_frames(POLL_IRQ, t, k, k, true));
        }
    }
}

static void arming_that_finds_work_halts_nobody(void **state)
{
    const struct poll_config config = {.mode = POLL_IRQ, .busy_packets = 1,
                                       .sleep_max_us = 1000};

    start(false);
    dev.in_window = 5;
    rt_loop_run(&loop, &config);
    assert_int_equal(dev.handled, 5);
    assert_int_equal(loop.stats.arm_pending, 1);
    assert_int_equal(loop.stats.arms, 2); /* the second halts */
    assert_int_equal(loop.stats.wakes, 1);
    assert_false(dev.armed);
}

static void statistics_of_a_wake(void **state)
{
    const struct poll_config config = {.mode = POLL_ADAPTIVE, .busy_packets = 1,
                                       .sleep_max_us = 1000};
    uint64_t latencies = 0;

    start(false);
    dev.in_halt = 40; /* a full batch and the rest */
    rt_loop_run(&loop, &config);
    for (unsigned i = 0; i < LOOP_WAKE_BUCKETS; i++)
        latencies += loop.stats.wake_latency_us[i];
    assert_int_equal(loop.stats.wakes, 2);
    assert_int_equal(loop.stats.wakes_idle, 1); /* the last halt ended by its time */
    assert_int_equal(latencies, 1);
    assert_int_equal(loop.stats.packets, 40);
    assert_int_equal(loop.stats.full_polls, 1);
    assert_int_equal(hal_irq_total(0) != 0, 1);
    assert_int_equal(loop.stats.halted_at_cycles, 0);
    assert_true(hal_us_from_cycles(loop.stats.halt_cycles) >= 1000 - ARM_US);
}

/* Time is in exactly one of the three states, in every mode, arming and wake turns included. */
static void times_add_up(void **state)
{
    for (enum poll_mode mode = POLL_ADAPTIVE; mode <= POLL_IRQ; mode++) {
        const struct poll_config config = {.mode = mode, .busy_packets = 8, .spin_us = 50,
                                           .empty_polls = 3, .sleep_max_us = 777};
        uint64_t begin_us, sum_cycles;

        start(false);
        begin_us = hal_now_us();
        dev.waiting = 100;
        dev.in_halt = mode == POLL_ALWAYS ? 0 : 3;
        dev.in_window = 2;
        rt_loop_run(&loop, &config);
        sum_cycles = loop.stats.busy_cycles + loop.stats.spin_cycles + loop.stats.halt_cycles;
        assert_int_equal(hal_us_from_cycles(sum_cycles), hal_now_us() - begin_us);
    }
}

/* Interrupts alone bring the work: each frame is handled by the turn that follows a halt. */
static void a_wake_turn_with_packets_is_busy(void **state)
{
    const struct poll_config config = {.mode = POLL_IRQ, .busy_packets = 32,
                                       .sleep_max_us = 100};

    start(false);
    dev.in_halt = 5;
    rt_loop_run(&loop, &config);
    assert_int_equal(loop.stats.packets, 5);
    /* A poll takes 1 us. */
    assert_int_equal(hal_us_from_cycles(loop.stats.busy_cycles), ARM_US + 1);
}

/* ---- sources that count ---- */

static unsigned armed_sources;
static bool third_pending;

static uint32_t poll_none(void *ctx, uint64_t now_us)
{
    return 0;
}

static bool arm_counting(void *ctx, uint64_t now_us)
{
    armed_sources++;
    return ctx != NULL && third_pending;
}

static void disarm_counting(void *ctx)
{
    armed_sources--;
}

/* Beside a source that can wake the core stands one that cannot: nobody is armed, ever. */
static void a_core_that_nothing_wakes_never_arms(void **state)
{
    const struct loop_source quiet = {
        .name = "quiet", .poll = poll_none, .arm = arm_counting, .disarm = disarm_counting,
    };

    for (enum poll_mode mode = POLL_ADAPTIVE; mode <= POLL_IRQ; mode++) {
        const struct poll_config config = {.mode = mode, .busy_packets = 8, .spin_us = 50,
                                           .empty_polls = 3, .sleep_max_us = 777};
        uint64_t begin_us;

        start_device((struct device){.deaf = true, .waiting = 100});
        assert_int_equal(rt_loop_add(&loop, &quiet), RT_OK);
        begin_us = hal_now_us();
        rt_loop_run(&loop, &config);
        assert_int_equal(dev.handled, 100);
        assert_int_equal(loop.stats.arms, 0);
        assert_int_equal(loop.stats.wakes, 0);
        assert_int_equal(loop.stats.halt_cycles, 0);
        assert_int_equal(hal_us_from_cycles(loop.stats.busy_cycles + loop.stats.spin_cycles),
                         hal_now_us() - begin_us);
    }
}

/* ---- several sources: arming is all or none ---- */

static void arming_is_all_or_none(void **state)
{
    struct loop_source s = {.poll = poll_none, .arm = arm_counting, .disarm = disarm_counting};

    rt_loop_init(&loop, BATCH, 0);
    for (unsigned i = 0; i < 4; i++) {
        s.ctx = i == 2 ? &loop : NULL;
        assert_int_equal(rt_loop_add(&loop, &s), RT_OK);
    }
    third_pending = true;
    assert_false(rt_loop_arm(&loop, 0));
    assert_int_equal(armed_sources, 0);
    third_pending = false;
    assert_true(rt_loop_arm(&loop, 0));
    assert_int_equal(armed_sources, 4);
    rt_loop_disarm(&loop);
    assert_int_equal(armed_sources, 0);
    for (unsigned i = 4; i < LOOP_SOURCES_MAX; i++)
        assert_int_equal(rt_loop_add(&loop, &s), RT_OK);
    assert_int_equal(rt_loop_add(&loop, &s), RT_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(an_arm_that_does_not_look_leaves_frames),
        cmocka_unit_test(arming_that_finds_work_halts_nobody),
        cmocka_unit_test(statistics_of_a_wake),
        cmocka_unit_test(times_add_up),
        cmocka_unit_test(a_wake_turn_with_packets_is_busy),
        cmocka_unit_test(a_core_that_nothing_wakes_never_arms),
        cmocka_unit_test(arming_is_all_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
