/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One loop a core, run to completion.
 *
 * A turn polls each source once (at most a batch of work each), runs due timers, then asks
 * the poll policy (rt/poll.h) what to do. To sleep, every source is armed; arming says
 * whether work is pending, so what arrived in between is never left waiting:
 *
 *     poll -> 0 packets -> arm -> pending? -> disarm, go on : halt -> disarm -> poll
 *
 * A source that no interrupt reaches says so when it is added.
 *
 * A loop belongs to one core; only that core may call its functions after rt_loop_run().
 * Other cores may read `stats` (plain loads) and call rt_loop_stop().
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <rt/base.h>
#include <rt/gaps.h>
#include <rt/poll.h>
#include <rt/timer.h>

#define LOOP_SOURCES_MAX 33 /* 32 queues of ports, and what other cores want */
#define LOOP_WAKE_BUCKETS 20 /* bucket i: wake latency < 2^i us */

struct loop_source {
    const char *name;
    uint32_t (*poll)(void *ctx, uint64_t now_us); /* one bounded batch; returns packets handled */
    /* Interrupts on; true: work is pending, do not sleep. Same clock as poll. */
    bool (*arm)(void *ctx, uint64_t now_us);
    void (*disarm)(void *ctx); /* interrupts off */
    bool never_sleeps; /* no interrupt reaches it: its core polls, with a pause, and never arms */
    void *ctx;
};

struct loop_stats {
    uint64_t turns;
    uint64_t empty_polls; /* turns that found nothing */
    uint64_t full_polls;  /* turns in which some source gave a full batch */
    uint64_t packets;
    uint64_t arms;        /* times all sources were armed */
    uint64_t arm_pending; /* arming found work: no halt */
    uint64_t wakes;       /* halts ended */
    uint64_t wakes_idle;  /* of these, found nothing to do */
    /* Each cycle since began_cycles is in one: turns with packets; turns without, pauses and
     * arming; halts. */
    uint64_t busy_cycles, spin_cycles, halt_cycles;
    uint64_t began_cycles, ended_cycles; /* of rt_loop_run(); 0: not yet */
    volatile uint64_t halted_at_cycles; /* the halt going on, not in halt_cycles yet; 0: none */
    uint64_t wake_latency_us[LOOP_WAKE_BUCKETS]; /* end of halt to first packet handled */
};

struct rt_loop {
    struct loop_source sources[LOOP_SOURCES_MAX];
    uint32_t source_count;
    uint32_t batch; /* a source that returns this many counts as full */
    bool never_sleeps; /* some source does not */
    struct poll_state poll;
    struct timer_wheel timers;
    volatile bool stop;
    struct loop_stats stats RT_ALIGNED(RT_CACHE_LINE);
    struct gaps gaps;
};

void rt_loop_init(struct rt_loop *loop, uint32_t batch, uint64_t now_us);
RT_NODISCARD enum rt_status rt_loop_add(struct rt_loop *loop, const struct loop_source *source);
/* One turn with the given time; returns what to do next (tests and simulation call this). */
enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us);
/* Arms every source; false (and all disarmed again) when any has work pending. */
bool rt_loop_arm(struct rt_loop *loop, uint64_t now_us);
void rt_loop_disarm(struct rt_loop *loop);
/* Turns until stop is set. */
void rt_loop_run(struct rt_loop *loop, const struct poll_config *config);
void rt_loop_stop(struct rt_loop *loop, unsigned core); /* sets stop and kicks the core */

#endif
