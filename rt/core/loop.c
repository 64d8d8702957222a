/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of one core. An empty turn is what an idle poll costs: one clock read, one call
 * a source, one comparison for the timers, the policy. What a wake needs (statistics,
 * trace) is in loop_sleep(), off that path.
 */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/loop.h>
#include <rt/trace.h>

/* Cycles to microseconds by one multiplication, from a base that both clocks share. */
struct loop_clock {
    uint64_t base_cycles, base_us;
    uint64_t us_per_cycle_q64;
};

/* 10^6 / hz as a fraction of 2^64, bit by bit: the image has no 128-bit division. */
static uint64_t us_per_cycle(uint64_t hz)
{
    uint64_t rest = 1000000;
    uint64_t quotient = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        rest <<= 1;
        quotient <<= 1;
        if (rest >= hz) {
            rest -= hz;
            quotient |= 1;
        }
    }
    return quotient;
}

static struct loop_clock clock_start(void)
{
    RT_ASSERT_LT(UINT64_C(1000000), hal_cycles_hz);
    return (struct loop_clock){
        .base_cycles = hal_cycles(),
        .base_us = hal_now_us(),
        .us_per_cycle_q64 = us_per_cycle(hal_cycles_hz),
    };
}

RT_INLINE uint64_t clock_us(const struct loop_clock *c, uint64_t cycles)
{
    unsigned __int128 us_q64 =
        (unsigned __int128)(cycles - c->base_cycles) * c->us_per_cycle_q64;

    return c->base_us + (uint64_t)(us_q64 >> 64);
}

void rt_loop_init(struct rt_loop *loop, uint32_t batch, uint64_t now_us)
{
    __builtin_memset(loop, 0, sizeof(*loop));
    loop->batch = batch;
    loop->poll.last_busy_us = now_us;
    timer_wheel_init(&loop->timers, now_us);
}

enum rt_status rt_loop_add(struct rt_loop *loop, const struct loop_source *source)
{
    if (loop->source_count == LOOP_SOURCES_MAX)
        return RT_FULL;
    loop->sources[loop->source_count++] = *source;
    return RT_OK;
}

RT_INLINE void count_packets(struct rt_loop *loop, uint32_t packets, uint32_t most)
{
    if (packets == 0) {
        loop->stats.empty_polls++;
        return;
    }
    loop->stats.packets += packets;
    if (most >= loop->batch)
        loop->stats.full_polls++;
}

enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us)
{
    const struct loop_source *end = loop->sources + loop->source_count;
    uint32_t packets = 0;
    uint32_t most = 0;

    for (const struct loop_source *source = loop->sources; source != end; source++) {
        uint32_t n = source->poll(source->ctx, now_us);

        packets += n;
        most = RT_MAX(most, n);
    }
    loop->stats.turns++;
    count_packets(loop, packets, most);
    if (RT_UNLIKELY(now_us >= loop->timers.next_us))
        timer_run(&loop->timers, now_us);
    if (RT_UNLIKELY(loop->source_count == 0))
        return POLL_SLEEP; /* nothing to poll, whatever the mode: a timer or a kick wakes us */
    return poll_next(&loop->poll, config, packets, now_us);
}

bool rt_loop_arm(struct rt_loop *loop)
{
    bool pending = false;
    uint32_t armed = 0;

    while (armed < loop->source_count && !pending) {
        pending = loop->sources[armed].arm(loop->sources[armed].ctx);
        armed++;
    }
    if (!pending)
        return true;
    while (armed > 0) {
        armed--;
        loop->sources[armed].disarm(loop->sources[armed].ctx);
    }
    return false;
}

void rt_loop_disarm(struct rt_loop *loop)
{
    for (uint32_t i = 0; i < loop->source_count; i++)
        loop->sources[i].disarm(loop->sources[i].ctx);
}

static void count_wake(struct rt_loop *loop, uint64_t packets, bool timer_fired,
                       uint64_t latency_us)
{
    unsigned bucket = 0;

    loop->stats.wakes++;
    if (packets == 0) {
        loop->stats.wakes_idle += !timer_fired;
        return;
    }
    while (bucket + 1 < LOOP_WAKE_BUCKETS && latency_us >> bucket != 0)
        bucket++;
    loop->stats.wake_latency_us[bucket]++;
}

/* Arms, looks once more, halts, and takes the turn after the halt. */
static enum poll_action loop_sleep(struct rt_loop *loop, const struct poll_config *config,
                                   const struct loop_clock *clock)
{
    uint64_t begin = hal_cycles();
    uint64_t until_us =
        RT_MIN(clock_us(clock, begin) + config->sleep_max_us, loop->timers.next_us);
    uint64_t irqs = hal_irq_total(hal_core_id());
    uint64_t packets = loop->stats.packets;
    enum poll_action action;
    bool timer_fired;
    uint64_t end;

    loop->stats.arms++;
    if (!rt_loop_arm(loop)) {
        loop->stats.arm_pending++;
        rt_trace(TRACE_ARM, 1, loop->source_count);
        return POLL_RUN;
    }
    loop->stats.halted_at_cycles = begin;
    if (!loop->stop)
        hal_wait(until_us + 1); /* both clocks round down: not just before a timer is due */
    end = hal_cycles();
    loop->stats.halted_at_cycles = 0;
    rt_loop_disarm(loop);
    loop->stats.halt_cycles += end - begin;
    timer_fired = clock_us(clock, end) >= loop->timers.next_us;
    action = rt_loop_turn(loop, config, clock_us(clock, end));
    count_wake(loop, loop->stats.packets - packets, timer_fired,
               hal_us_from_cycles(hal_cycles() - end));
    rt_trace(TRACE_WAKE, (uint16_t)(hal_irq_total(hal_core_id()) - irqs),
             (uint32_t)hal_us_from_cycles(end - begin));
    return action;
}

void rt_loop_run(struct rt_loop *loop, const struct poll_config *config)
{
    const struct loop_clock clock = clock_start();
    uint64_t began = clock.base_cycles;

    while (!loop->stop) {
        enum poll_action action = rt_loop_turn(loop, config, clock_us(&clock, began));
        uint64_t now = hal_cycles();

        *(action == POLL_RUN ? &loop->stats.busy_cycles : &loop->stats.spin_cycles) +=
            now - began;
        began = now;
        if (action == POLL_RUN)
            continue;
        hal_pause();
        if (action == POLL_SPIN)
            continue;
        while (action == POLL_SLEEP && !loop->stop)
            action = loop_sleep(loop, config, &clock);
        began = hal_cycles();
    }
    rt_trace(TRACE_STOP, (uint16_t)hal_core_id(), 0);
}

void rt_loop_stop(struct rt_loop *loop, unsigned core)
{
    loop->stop = true;
    hal_core_kick(core);
}
