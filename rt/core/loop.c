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

static const char timers_name[] = "timers";

/* The longest part of this turn stays. */
static void clock_part(struct rt_loop *loop, const char *name, uint32_t index, uint64_t cycles)
{
    struct gap_part *part = &loop->gaps.part;

    if (part->turn == loop->stats.turns && part->cycles >= cycles)
        return;
    *part = (struct gap_part){
        .turn = loop->stats.turns, .cycles = cycles, .name = name, .index = index};
}

/* Due timers are rare: their time is always taken. */
static RT_COLD void run_timers(struct rt_loop *loop, uint64_t now_us)
{
    uint64_t begin = hal_cycles();

    timer_run(&loop->timers, now_us);
    clock_part(loop, timers_name, 0, hal_cycles() - begin);
}

/* One turn; `handled` gets the packets of all sources. `clocked`: so is each source. */
RT_INLINE enum poll_action turn(struct rt_loop *loop, const struct poll_config *config,
                                uint64_t now_us, bool clocked, uint32_t *handled)
{
    const struct loop_source *end = loop->sources + loop->source_count;
    uint64_t last = clocked ? hal_cycles() : 0;
    uint32_t packets = 0;
    uint32_t most = 0;

    loop->stats.turns++;
    for (const struct loop_source *source = loop->sources; source != end; source++) {
        uint32_t n = source->poll(source->ctx, now_us);

        packets += n;
        most = RT_MAX(most, n);
        if (clocked) {
            uint64_t now = hal_cycles();

            clock_part(loop, source->name, (uint32_t)(source - loop->sources), now - last);
            last = now;
        }
    }
    count_packets(loop, packets, most);
    *handled = packets;
    if (RT_UNLIKELY(now_us >= loop->timers.next_us))
        run_timers(loop, now_us);
    if (RT_UNLIKELY(loop->source_count == 0))
        return POLL_SLEEP; /* nothing to poll, whatever the mode: a timer or a kick wakes us */
    return poll_next(&loop->poll, config, packets, now_us);
}

enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us)
{
    uint32_t handled;

    return turn(loop, config, now_us, false, &handled);
}

/* What the packets of the last turn cost at the mean of all before; 0: there were none. */
static uint64_t explained_us(const struct rt_loop *loop, uint64_t gap_us, uint32_t packets)
{
    uint64_t before = loop->stats.packets - packets;
    uint64_t gap_cycles = hal_cycles_from_us(gap_us);

    if (packets == 0 || before == 0 || loop->stats.busy_cycles < gap_cycles)
        return 0;
    return hal_us_from_cycles((loop->stats.busy_cycles - gap_cycles) / before * packets);
}

/* Where packets cost so much that turns are always long, these are not looked at for ever. */
static void learn_usual(struct gaps *g, uint64_t gap_us)
{
    g->usual_us = (7 * g->usual_us + gap_us) / 8;
    g->limit_us = RT_MAX((uint64_t)GAP_LIMIT_US, 2 * g->usual_us);
}

static RT_COLD void long_gap(struct rt_loop *loop, uint64_t gap_us, uint32_t packets,
                             uint64_t now_us)
{
    struct gaps *g = &loop->gaps;
    uint64_t part_us =
        g->part.turn == loop->stats.turns ? hal_us_from_cycles(g->part.cycles) : 0;
    bool timers = part_us != 0 && g->part.name == timers_name;
    uint64_t smis = g->smi_counted ? hal_smi_count() : g->smis;
    uint64_t explained = explained_us(loop, gap_us, packets);
    enum gap_cause cause =
        gaps_cause_of(gap_us, explained, timers ? part_us : 0, smis - g->smis, g->guest);
    struct gap_kind *kind = &g->kind[cause];

    g->smis = smis;
    if (now_us >= g->watch_again_us) {
        g->watch_until_us = now_us + GAP_WATCH_US;
        g->watch_again_us = now_us + GAP_WATCH_EVERY_US;
    }
    kind->count++;
    kind->total_us += gap_us;
    if (explained >= gap_us / 2)
        learn_usual(g, gap_us);
    if (gap_us <= kind->longest_us)
        return;
    kind->longest_us = gap_us;
    kind->at_us = now_us;
    kind->packets = packets;
    kind->where = part_us >= gap_us / 2 ? g->part.name : "-";
    kind->index = g->part.index;
}

/* The gap that ends now; true: it was a long one. */
RT_INLINE bool count_gap(struct rt_loop *loop, uint64_t gap_us, uint32_t packets,
                         uint64_t now_us)
{
    loop->gaps.below_us[63 - __builtin_clzll(2 * gap_us + 1)]++;
    if (RT_LIKELY(gap_us < loop->gaps.limit_us))
        return false;
    long_gap(loop, gap_us, packets, now_us);
    return true;
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
    uint64_t begin = *began;
    uint64_t now_us = hal_us_at(begin);
    uint64_t until_us = RT_MIN(now_us + config->sleep_max_us, loop->timers.next_us);
    bool armed = rt_loop_arm(loop, now_us);

    loop->stats.arms++;
    spend(&loop->stats.spin_cycles, began, hal_cycles());
    loop->gaps.part = (struct gap_part){
        .turn = loop->stats.turns, .cycles = *began - begin, .name = "arming"};
    (void)count_gap(loop, hal_us_at(*began) - now_us, 0, hal_us_at(*began));
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
    uint64_t halted_us, woke;
    enum poll_action action;
    bool timer_fired;
    uint32_t packets;

    if (!arm_and_halt(loop, config, began))
        return POLL_RUN;
    woke = *began;
    halted_us = hal_us_from_cycles(loop->stats.halt_cycles - halted);
    loop->gaps.longest_halt_us = RT_MAX(loop->gaps.longest_halt_us, halted_us);
    timer_fired = hal_us_at(woke) >= loop->timers.next_us;
    action = turn(loop, config, hal_us_at(woke), true, &packets);
    spend(class_of_turn(loop, packets), began, hal_cycles());
    (void)count_gap(loop, hal_us_at(*began) - hal_us_at(woke), packets, hal_us_at(*began));
    count_wake(loop, packets, timer_fired, hal_us_from_cycles(*began - woke));
    rt_trace(TRACE_WAKE, (uint16_t)(hal_irq_total(hal_core_id()) - irqs), (uint32_t)halted_us);
    return action;
}

/* Turns until the stop, or until it is time to clock the sources, or no longer. */
RT_INLINE void run_turns(struct rt_loop *loop, const struct poll_config *config,
                         uint64_t *began, bool clocked)
{
    uint64_t now_us = hal_us_at(*began);
    bool leave = false;

    while (!loop->stop && !leave) {
        uint64_t start_us = now_us;
        uint32_t packets;
        enum poll_action action = turn(loop, config, start_us, clocked, &packets);

        spend(class_of_turn(loop, packets), began, hal_cycles());
        now_us = hal_us_at(*began);
        leave = count_gap(loop, now_us - start_us, packets, now_us) && !clocked;
        if (clocked)
            leave = now_us >= loop->gaps.watch_until_us;
        if (action == POLL_RUN)
            continue;
        hal_pause();
        if (action == POLL_SPIN || loop->never_sleeps)
            continue;
        while (action == POLL_SLEEP && !loop->stop)
            action = loop_sleep(loop, config, began);
        now_us = hal_us_at(*began);
        leave |= !clocked && now_us < loop->gaps.watch_until_us;
    }
}

void rt_loop_run(struct rt_loop *loop, const struct poll_config *config)
{
    uint64_t began = hal_cycles();

    loop->stats.began_cycles = began;
    loop->gaps.limit_us = GAP_LIMIT_US;
    loop->gaps.guest = hal_is_guest();
    loop->gaps.smi_counted = hal_smi_counted();
    loop->gaps.smis = hal_smi_count();
    while (!loop->stop) {
        run_turns(loop, config, &began, false);
        run_turns(loop, config, &began, true);
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
