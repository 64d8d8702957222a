/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When to spin and when to sleep: a pure function of counters and thresholds.
 *
 *   RUN    work was found: turn again at once
 *   SPIN   nothing found, but lately busy: pause a moment, turn again
 *   SLEEP  quiet long enough: arm every source, look once more, halt
 *
 * adaptive: after `empty_polls` empty turns and `spin_us` without work -> SLEEP.
 * always:   never SLEEP.   irq: SLEEP after every turn that found less than `busy_packets`.
 * A turn with at least `busy_packets` restarts the quiet time; smaller ones do not prevent
 * sleep in mode irq. Sleep never exceeds `sleep_max_us`, so a lost interrupt costs that
 * much latency and no more.
 */
#ifndef RT_POLL_H
#define RT_POLL_H

#include <rt/base.h>

enum poll_mode { POLL_ADAPTIVE = 0, POLL_ALWAYS = 1, POLL_IRQ = 2 };
enum poll_action { POLL_RUN, POLL_SPIN, POLL_SLEEP };

struct poll_config {
    uint32_t mode;         /* enum poll_mode */
    uint32_t spin_us;      /* quiet time before sleep */
    uint32_t empty_polls;  /* empty turns before sleep */
    uint32_t busy_packets; /* packets in a turn that keep polling */
    uint32_t sleep_max_us; /* longest halt */
};

struct poll_state {
    uint64_t last_busy_us; /* last turn that counted as busy */
    uint32_t empty_run;    /* empty turns since */
};

/* A turn with at least `busy_packets` restarts the quiet time. In line: each busy turn asks. */
RT_INLINE bool poll_busy(struct poll_state *state, const struct poll_config *config,
                         uint32_t packets, uint64_t now_us)
{
    if (packets < config->busy_packets)
        return false;
    state->last_busy_us = now_us;
    state->empty_run = 0;
    return true;
}

/* What to do after a turn that was not busy. Pure but for `state`, which is the core's own. */
enum poll_action poll_quiet(struct poll_state *state, const struct poll_config *config,
                            uint32_t packets, uint64_t now_us);

/* Decides after a turn that handled `packets`. Bounded, no clock read, no side effect but
 * on `state`. Any core on its own state. */
RT_INLINE enum poll_action poll_next(struct poll_state *state, const struct poll_config *config,
                                     uint32_t packets, uint64_t now_us)
{
    if (poll_busy(state, config, packets, now_us))
        return POLL_RUN;
    return poll_quiet(state, config, packets, now_us);
}

#endif
