/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The turns of one core. An empty turn is what an idle poll costs: one clock read, one call
 * a source, one comparison each for timers and flushes, the policy. What a wake needs
 * (statistics, trace) is in loop_sleep(), off that path; sources are kept in loop_source.c.
 */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/loop.h>
#include <rt/trace.h>

static const char timers_name[] = "timers";

/* The longest part of this turn stays. */
static RT_COLD void clock_part(struct rt_loop *loop, const char *name, uint32_t index,
                               uint64_t cycles)
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

    timer_run(&loop->timers, now_us, loop->batch);
    clock_part(loop, timers_name, 0, hal_cycles() - begin);
}

static RT_COLD void run_flushes(struct rt_loop *loop, uint64_t now_us)
{
    for (uint32_t i = loop->source_count; i > 0; i--) {
        const struct loop_source *source = &loop->sources[i - 1];

        if (source->flush != NULL)
            source->flush(source->ctx, now_us);
    }
}

RT_INLINE void count_found(struct rt_loop *loop, struct loop_source *source, uint32_t n)
{
    source->handled += n;
    source->found++;
    if (n < source->budget)
        return;
    if (RT_UNLIKELY(n != source->budget))
        RT_ASSERT_LE(n, source->budget);
    source->full++;
    loop->stats.full_polls++;
}

/* One turn without the policy; returns what all sources handled. `clocked`: each is clocked. */
RT_INLINE uint32_t turn(struct rt_loop *loop, uint64_t now_us, bool clocked)
{
    struct loop_source *end = loop->end;
    uint64_t last = clocked ? hal_cycles() : 0;
    uint64_t packets = 0;

    loop->stats.turns++;
    for (struct loop_source *source = loop->sources; source != end; source++) {
        uint32_t n = source->poll(source->ctx, now_us);

        if (n != 0) {
            packets += n;
            count_found(loop, source, n);
        }
        if (clocked) {
            uint64_t now = hal_cycles();

            clock_part(loop, source->name, (uint32_t)(source - loop->sources), now - last);
            last = now;
        }
    }
    loop->stats.packets += packets;
    if (RT_UNLIKELY(now_us >= loop->timers.next_us))
        run_timers(loop, now_us);
    if (RT_UNLIKELY(loop->flush_count != 0))
        run_flushes(loop, now_us);
    return (uint32_t)packets;
}

/* Behind a turn that was not busy. */
RT_INLINE enum poll_action after_quiet(struct rt_loop *loop, const struct poll_config *config,
                                       uint64_t now_us, uint32_t packets)
{
    loop->stats.empty_polls += packets == 0;
    if (RT_UNLIKELY(loop->source_count == 0))
        return POLL_SLEEP; /* nothing to poll, whatever the mode: a timer or a kick wakes us */
    return poll_quiet(&loop->poll, config, packets, now_us);
}

enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us)
{
    uint32_t packets = turn(loop, now_us, false);

    if (poll_busy(&loop->poll, config, packets, now_us))
        return POLL_RUN;
    return after_quiet(loop, config, now_us, packets);
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
    loop->gaps.below_us[63 ^ __builtin_clzll(2 * gap_us + 1)]++; /* 63 minus: one instruction */
    if (RT_LIKELY(gap_us < loop->gaps.limit_us))
        return false;
    long_gap(loop, gap_us, packets, now_us);
    return true;
}

static void count_wake(struct rt_loop *loop, uint32_t packets, bool was_due,
                       uint64_t latency_us)
{
    unsigned bucket = 0;

    loop->stats.wakes++;
    if (packets == 0) {
        loop->stats.wakes_idle += !was_due;
        return;
    }
    while (bucket + 1 < LOOP_WAKE_BUCKETS && latency_us >> bucket != 0)
        bucket++;
    loop->stats.wake_latency_us[bucket]++;
}

/* Each moment of rt_loop_run() is in one class: what passed since the last turn is in this. */
RT_INLINE void spend(struct rt_loop *loop, uint64_t *class_cycles, uint64_t now)
{
    *class_cycles += now - loop->turn_cycles;
    loop->turn_cycles = now;
}

RT_INLINE uint64_t *class_of_turn(struct rt_loop *loop, uint32_t packets)
{
    return packets != 0 ? &loop->stats.busy_cycles : &loop->stats.spin_cycles;
}

/* Armed and nothing due before the halt; `due_us` gets when something will be. */
static bool arm_all(struct rt_loop *loop, uint64_t now_us, uint64_t *due_us)
{
    bool armed = rt_loop_arm(loop, now_us);

    *due_us = rt_loop_next_us(loop);
    if (armed && *due_us <= now_us) {
        rt_loop_disarm(loop);
        armed = false;
    }
    return armed;
}

/* From the last turn's end to the end of the halt; false: work is pending, no halt. */
static bool arm_and_halt(struct rt_loop *loop, const struct poll_config *config,
                         uint64_t *due_us)
{
    uint64_t begin = loop->turn_cycles;
    uint64_t now_us = hal_us_at(begin);
    bool armed = arm_all(loop, now_us, due_us);

    loop->stats.arms++;
    spend(loop, &loop->stats.spin_cycles, hal_cycles());
    loop->gaps.part = (struct gap_part){
        .turn = loop->stats.turns, .cycles = loop->turn_cycles - begin, .name = "arming"};
    (void)count_gap(loop, hal_us_at(loop->turn_cycles) - now_us, 0,
                    hal_us_at(loop->turn_cycles));
    if (!armed) {
        loop->stats.arm_pending++;
        rt_trace(TRACE_ARM, 1, loop->source_count);
        return false;
    }
    loop->stats.halted_at_cycles = loop->turn_cycles;
    if (!loop->stop) /* the clock rounds down: not just before something is due */
        hal_wait(RT_MIN(now_us + config->sleep_max_us, *due_us) + 1);
    loop->stats.halted_at_cycles = 0;
    spend(loop, &loop->stats.halt_cycles, hal_cycles());
    rt_loop_disarm(loop);
    return true;
}

/* Arms, looks once more, halts, and takes the turn after the halt. */
static enum poll_action loop_sleep(struct rt_loop *loop, const struct poll_config *config)
{
    uint64_t irqs = hal_irq_total(hal_core_id());
    uint64_t halted = loop->stats.halt_cycles;
    uint64_t halted_us, woke, woke_us, due_us;
    uint32_t packets;

    if (!arm_and_halt(loop, config, &due_us))
        return POLL_RUN;
    woke = loop->turn_cycles;
    woke_us = hal_us_at(woke);
    halted_us = hal_us_from_cycles(loop->stats.halt_cycles - halted);
    loop->gaps.longest_halt_us = RT_MAX(loop->gaps.longest_halt_us, halted_us);
    packets = turn(loop, woke_us, true);
    spend(loop, class_of_turn(loop, packets), hal_cycles());
    (void)count_gap(loop, hal_us_at(loop->turn_cycles) - woke_us, packets,
                    hal_us_at(loop->turn_cycles));
    count_wake(loop, packets, woke_us >= due_us, hal_us_from_cycles(loop->turn_cycles - woke));
    rt_trace(TRACE_WAKE, (uint16_t)(hal_irq_total(hal_core_id()) - irqs), (uint32_t)halted_us);
    if (poll_busy(&loop->poll, config, packets, woke_us))
        return POLL_RUN;
    return after_quiet(loop, config, woke_us, packets);
}

/* As many halts as the policy wants. */
static RT_COLD void sleep_till_work(struct rt_loop *loop, const struct poll_config *config)
{
    enum poll_action action = POLL_SLEEP;

    while (action == POLL_SLEEP && !loop->stop)
        action = loop_sleep(loop, config);
}

/* The end of a turn: its time, and the gap that ends with it. True: it is time to clock the
 * sources, or no longer. */
RT_INLINE bool end_turn(struct rt_loop *loop, uint32_t packets, uint64_t *class_cycles,
                        uint64_t *now_us, bool clocked)
{
    uint64_t end = hal_cycles();
    uint64_t gap_us = hal_us_at(end) - *now_us;

    spend(loop, class_cycles, end);
    *now_us += gap_us;
    if (count_gap(loop, gap_us, packets, *now_us) && !clocked)
        return true;
    return clocked && *now_us >= loop->gaps.watch_until_us;
}

/* Turns until the stop, or until it is time to clock the sources, or no longer. The two ends of
 * a turn are written apart, so that a busy one has no branch for what a quiet one may do. */
RT_INLINE void run_turns(struct rt_loop *loop, const struct poll_config *config, bool clocked)
{
    uint64_t now_us = hal_us_at(loop->turn_cycles);

    while (!loop->stop) {
        uint32_t packets = turn(loop, now_us, clocked);
        enum poll_action action;

        if (RT_LIKELY(poll_busy(&loop->poll, config, packets, now_us))) {
            if (end_turn(loop, packets, &loop->stats.busy_cycles, &now_us, clocked))
                break;
            continue;
        }
        action = after_quiet(loop, config, now_us, packets);
        if (end_turn(loop, packets, class_of_turn(loop, packets), &now_us, clocked))
            break;
        if (action == POLL_RUN)
            continue;
        hal_pause();
        if (action == POLL_SPIN || loop->never_sleeps)
            continue;
        sleep_till_work(loop, config);
        now_us = hal_us_at(loop->turn_cycles);
    }
}

void rt_loop_run(struct rt_loop *loop, const struct poll_config *config)
{
    RT_ASSERT(!loop->running);
    loop->running = true;
    loop->core = hal_core_id();
    loop->turn_cycles = hal_cycles();
    loop->stats.began_cycles = loop->turn_cycles;
    loop->gaps.limit_us = GAP_LIMIT_US;
    loop->gaps.guest = hal_is_guest();
    loop->gaps.smi_counted = hal_smi_counted();
    loop->gaps.smis = hal_smi_count();
    while (!loop->stop) {
        run_turns(loop, config, false);
        run_turns(loop, config, true);
    }
    spend(loop, &loop->stats.spin_cycles, hal_cycles());
    loop->stats.ended_cycles = loop->turn_cycles;
    loop->running = false;
    rt_trace(TRACE_STOP, (uint16_t)loop->core, 0);
}

void rt_loop_stop(struct rt_loop *loop, unsigned core)
{
    loop->stop = true;
    hal_core_kick(core);
}
