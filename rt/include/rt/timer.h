/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer wheel of one core. Time is an argument. Timers are embedded in their owner and
 * never allocated; a timer fires once, from timer_run(), and may arm itself again.
 *
 * A run is bounded: it fires at most as many as it is told, the others stay due for the next
 * run, earlier ticks first; one that is armed for the past is behind them. None fires early. All
 * functions: the wheel's core, also from a timer that fires.
 */
#ifndef RT_TIMER_H
#define RT_TIMER_H

#include <rt/base.h>

#define TIMER_TICK_US 64
#define TIMER_LEVELS 4
#define TIMER_SLOTS 64 /* a level; 64^4 ticks of 64 us = 17 minutes, longer ones cascade again */
#define TIMER_CROWD 32 /* timers that wait in a tick; those behind them may be a tick late */

struct timer {
    struct timer *next, *prev; /* NULL: not armed */
    uint64_t due_us;
    void (*fn)(struct timer *timer, uint64_t now_us);
};

struct timer_wheel {
    uint64_t next_us; /* nothing is due before; a turn compares this and goes on */
    uint64_t now_tick; /* all before it has fired */
    uint64_t run_tick; /* of the last run; not before now_tick, behind it while more is due */
    uint32_t armed;
    uint64_t occupied[TIMER_LEVELS]; /* bit: the slot may hold timers */
    struct timer slots[TIMER_LEVELS][TIMER_SLOTS]; /* list heads */
};

/* An empty wheel; times before now_us are past. */
void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us);
/* Arms (or moves) a timer; it fires in the first timer_run() at or after due_us, when that run
 * gets so far. `fn` is set; `next` and `prev` are NULL the first time. The memory stays the
 * owner's and must live until it has fired or is cancelled. */
void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_us);
/* It does not fire any more, also when it is due in this very run; its memory may go.
 * Nothing happens when it is not armed. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);
/* Fires what is due, at most `max` (not 0), each timer at most once a call; returns how many.
 * When more is due, timer_next_us() is 0 afterwards. */
uint32_t timer_run(struct timer_wheel *wheel, uint64_t now_us, uint32_t max);
/* A time not after the next due timer, UINT64_MAX when none is armed. Bounds a halt. */
uint64_t timer_next_us(const struct timer_wheel *wheel);

#endif
