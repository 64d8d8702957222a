/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One loop a core, run to completion.
 *
 * A turn polls each source once (at most its budget of work each), fires due timers, flushes,
 * then asks the poll policy (rt/poll.h) what to do. Polls go in the order in which sources were
 * added, flushes back in the other: what a layer put aside reaches the one below before that
 * one rings its doorbell. To sleep, every source is armed; arming says whether work is pending,
 * so what arrived in between is never left waiting:
 *
 *     poll -> found nothing -> arm -> pending? -> disarm, go on : halt -> disarm -> poll
 *
 * The halt ends by an interrupt, a kick (hal_core_kick), or at the earliest deadline: that of
 * the timers, of any source, or the longest sleep of the policy. A source that no interrupt
 * reaches says so when it is added.
 *
 * A loop belongs to the core that runs it; before rt_loop_run() to core 0. Other cores may read
 * `stats`, `gaps` and the counters of sources (plain loads) and call rt_loop_stop().
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <rt/base.h>
#include <rt/gaps.h>
#include <rt/poll.h>
#include <rt/timer.h>

#define LOOP_SOURCES_MAX 40 /* 32 queues of ports, what other cores want, and a few services */
#define LOOP_WAKE_BUCKETS 20 /* bucket i: wake latency < 2^i us */

/*
 * What a turn looks at. All functions are called on the loop's core, with `ctx`; those that
 * may be NULL are things the source does not have. It stays the caller's: the loop copies it.
 */
struct loop_source {
    /* One bounded batch, at most `budget`; returns how much it handled: packets, messages,
     * completions, whatever the source counts. */
    uint32_t (*poll)(void *ctx, uint64_t now_us);
    void *ctx; /* names the source for rt_loop_remove() */
    /* The loop's own: what polls have returned, how many of them found something, ... */
    uint64_t handled;
    uint32_t budget; /* the most that poll() returns; 0: the loop's batch */
    bool never_sleeps; /* no interrupt reaches it: its core polls, with a pause, and never arms */
    uint64_t found;
    uint64_t full; /* ... how many of these a whole budget */
    /* End of the turn, behind polls and timers, found or not: send what was put aside, ring the
     * doorbell once. May be NULL. */
    void (*flush)(void *ctx, uint64_t now_us);
    const char *name; /* a literal */
    /* Interrupts on; true: work is pending, do not sleep. Same clock as poll. Both or neither. */
    bool (*arm)(void *ctx, uint64_t now_us);
    void (*disarm)(void *ctx); /* interrupts off */
    /* When it wants a turn though no interrupt comes; UINT64_MAX: never. Asked after arm(),
     * only before a halt: while turns go on it is polled anyway. May be NULL. */
    uint64_t (*next_us)(void *ctx);
} RT_ALIGNED(RT_CACHE_LINE);
_Static_assert(offsetof(struct loop_source, name) + sizeof(void *) == RT_CACHE_LINE,
               "a turn touches one line a source");

struct loop_stats {
    uint64_t turns;
    uint64_t empty_polls; /* turns that found nothing */
    uint64_t full_polls;  /* polls that gave a whole budget */
    uint64_t packets;     /* handled by all sources */
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
    /* Read or written every turn. */
    volatile bool stop;
    bool never_sleeps; /* some source does not */
    bool running, armed;
    uint32_t flush_count; /* sources that have one */
    struct loop_source *end; /* behind the last source */
    struct poll_state poll;
    uint64_t turn_cycles; /* when the last turn ended, or the halt behind it */
    struct loop_stats stats;
    struct gaps gaps;

    struct loop_source sources[LOOP_SOURCES_MAX];
    uint32_t source_count;
    uint32_t armed_end; /* sources in front of it are armed, or being armed */
    uint32_t batch; /* budget of sources that have none; timers fired in a turn */
    unsigned core;  /* of rt_loop_run() */
    struct timer sweep; /* takes removed sources out, at the end of a turn */
    struct timer_wheel timers;
};

/* An empty loop; the memory is the caller's and must outlive it. `batch`: at least 1. Core 0,
 * or the core that is to run it. */
void rt_loop_init(struct rt_loop *loop, uint32_t batch, uint64_t now_us);
/* Takes a copy of `source`; its counters begin at 0. RT_FULL: LOOP_SOURCES_MAX are there. One
 * that was removed keeps its place until the timers of the turn have run (removed by a flush or
 * between turns: of the next turn), because nothing may move while sources are polled.
 * Also from a source or timer of the loop; it is polled from the next turn on. */
RT_NODISCARD enum rt_status rt_loop_add(struct rt_loop *loop, const struct loop_source *source);
/* Takes out every source with this context. When it returns none of their functions is called
 * any more, even if it is called by one of them or by another in the same turn, also while they
 * are armed (it is disarmed first); the caller may free what `ctx` points to. RT_NOT_FOUND:
 * there is none. */
RT_NODISCARD enum rt_status rt_loop_remove(struct rt_loop *loop, const void *ctx);
/* One turn with the given time; returns what to do next (tests and simulation call this). */
enum poll_action rt_loop_turn(struct rt_loop *loop, const struct poll_config *config,
                              uint64_t now_us);
/* Arms every source; false (and all disarmed again) when any has work pending. For
 * rt_loop_run(), tests and simulation, as the next two. */
bool rt_loop_arm(struct rt_loop *loop, uint64_t now_us);
void rt_loop_disarm(struct rt_loop *loop);
/* When the next turn must be though nothing wakes the core: the earliest deadline of timers and
 * sources; UINT64_MAX: there is none. */
uint64_t rt_loop_next_us(const struct rt_loop *loop);
/* Turns until stop is set, on the calling core, which is the loop's from then on. Not again
 * while it runs. `config` stays the caller's and may change meanwhile. */
void rt_loop_run(struct rt_loop *loop, const struct poll_config *config);
/* Sets stop and kicks the core: the loop ends after the turn it is in. Any core. */
void rt_loop_stop(struct rt_loop *loop, unsigned core);

#endif
