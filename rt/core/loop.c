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
    loop->never_sleeps |= source->never_sleeps;
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

/* One turn; `handled` gets the packets of all sources. */
RT_INLINE enum poll_action turn(struct rt_loop *loop, const struct poll_config *config,
                                uint64_t now_us, uint32_t *handled)
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
    *handled = packets;
    if (RT_UNLIKELY(now_us >= loop->timers.next_us))
        timer_run(&loop->timers, now_us);
    if (RT_UNLIKELY(loop->source_count == 0))
        return POLL_SLEEP; /* nothing to poll, whatever the mode: a timer or a kick wakes us */
    return poll_next(&loop->poll, config, packets, now_us);
}

enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us)
{
    uint32_t handled;

    return turn(loop, config, now_us, &handled);
}

bool rt_loop_arm(struct rt_loop *loop, uint64_t now_us)
{
    bool pending = false;
    uint32_t armed = 0;

    while (armed < loop->source_count && !pending) {
        pending = loop->sources[armed].arm(loop->sources[armed].ctx, now_us);
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

static void count_wake(struct rt_loop *loop, uint32_t packets, bool timer_fired,
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

/* Each moment of rt_loop_run() is in one class: what passed since `began` is in this one. */
RT_INLINE void spend(uint64_t *class_cycles, uint64_t *began, uint64_t now)
{
    *class_cycles += now - *began;
    *began = now;
}

RT_INLINE uint64_t *class_of_turn(struct rt_loop *loop, uint32_t packets)
{
    return packets != 0 ? &loop->stats.busy_cycles : &loop->stats.spin_cycles;
}

/* From the last turn's end to the end of the halt; false: work is pending, no halt. */
static bool arm_and_halt(struct rt_loop *loop, const struct poll_config *config,
                         uint64_t *began)
{
    uint64_t now_us = hal_us_at(*began);
    uint64_t until_us = RT_MIN(now_us + config->sleep_max_us, loop->timers.next_us);
    bool armed = rt_loop_arm(loop, now_us);

    loop->stats.arms++;
    spend(&loop->stats.spin_cycles, began, hal_cycles());
    if (!armed) {
        loop->stats.arm_pending++;
        rt_trace(TRACE_ARM, 1, loop->source_count);
        return false;
    }
    loop->stats.halted_at_cycles = *began;
    if (!loop->stop)
        hal_wait(until_us + 1); /* the clock rounds down: not just before a timer is due */
    loop->stats.halted_at_cycles = 0;
    spend(&loop->stats.halt_cycles, began, hal_cycles());
    rt_loop_disarm(loop);
    return true;
}

/* Arms, looks once more, halts, and takes the turn after the halt. */
static enum poll_action loop_sleep(struct rt_loop *loop, const struct poll_config *config,
                                   uint64_t *began)
{
    uint64_t irqs = hal_irq_total(hal_core_id());
    uint64_t halted = loop->stats.halt_cycles;
    uint64_t woke;
    enum poll_action action;
    bool timer_fired;
    uint32_t packets;

    if (!arm_and_halt(loop, config, began))
        return POLL_RUN;
    woke = *began;
    timer_fired = hal_us_at(woke) >= loop->timers.next_us;
    action = turn(loop, config, hal_us_at(woke), &packets);
    spend(class_of_turn(loop, packets), began, hal_cycles());
    count_wake(loop, packets, timer_fired, hal_us_from_cycles(*began - woke));
    rt_trace(TRACE_WAKE, (uint16_t)(hal_irq_total(hal_core_id()) - irqs),
             (uint32_t)hal_us_from_cycles(loop->stats.halt_cycles - halted));
    return action;
}

void rt_loop_run(struct rt_loop *loop, const struct poll_config *config)
{
    uint64_t began = hal_cycles();

    loop->stats.began_cycles = began;
    while (!loop->stop) {
        uint32_t packets;
        enum poll_action action = turn(loop, config, hal_us_at(began), &packets);

        spend(class_of_turn(loop, packets), &began, hal_cycles());
        if (action == POLL_RUN)
            continue;
        hal_pause();
        while (action == POLL_SLEEP && !loop->never_sleeps && !loop->stop)
            action = loop_sleep(loop, config, &began);
    }
    spend(&loop->stats.spin_cycles, &began, hal_cycles());
    loop->stats.ended_cycles = began;
    rt_trace(TRACE_STOP, (uint16_t)hal_core_id(), 0);
}

void rt_loop_stop(struct rt_loop *loop, unsigned core)
{
    loop->stop = true;
    hal_core_kick(core);
}
