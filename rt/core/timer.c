/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hierarchical timer wheel. Level 0 has a slot for each of the next 64 ticks; a slot of a
 * higher level covers 64 times as many, and is spread over the level below when time
 * reaches it. timer_run() first collects what is due, then fires: a timer that arms itself
 * for now fires in the next run.
 *
 * Every list may hold each timer of a large application. So a run moves, looks at and fires a
 * bounded number; where it stops, now_tick stays, and the next run goes on from there. What is
 * armed for the past meanwhile waits behind all that was due in that run: else timers that arm
 * themselves again at once would keep time from going on, and all others from firing.
 */
#include <rt/assert.h>
#include <rt/timer.h>

enum {
    SLOT_BITS = 6,
    SLOT_MASK = TIMER_SLOTS - 1,
    SCAN_MAX = TIMER_CROWD, /* timers of one slot looked at for the next due time */
    MOVES_PER_FIRE = 4, /* timers that a run may spread, for each that it may fire */
};
_Static_assert(TIMER_SLOTS == 1 << SLOT_BITS, "one bit a slot in a 64-bit word");

static unsigned level_shift(unsigned level)
{
    return level * SLOT_BITS;
}

static void list_init(struct timer *head)
{
    head->next = head->prev = head;
}

static void list_add(struct timer *head, struct timer *timer)
{
    RT_INVARIANT(timer->next == NULL);
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
}

static void list_remove(struct timer *timer)
{
    RT_INVARIANT(timer->next->prev == timer && timer->prev->next == timer);
    timer->next->prev = timer->prev;
    timer->prev->next = timer->next;
    timer->next = timer->prev = NULL;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us)
{
    wheel->next_us = UINT64_MAX;
    wheel->now_tick = wheel->run_tick = now_us / TIMER_TICK_US;
    wheel->armed = 0;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned i = 0; i < TIMER_SLOTS; i++)
            list_init(&wheel->slots[level][i]);
    }
}

/* Into the slot of that tick; one that is past: of now_tick. */
static void place(struct timer_wheel *wheel, struct timer *timer, uint64_t tick)
{
    const uint64_t far = (UINT64_C(1) << (TIMER_LEVELS * SLOT_BITS)) - 1;
    uint64_t delta = tick > wheel->now_tick ? tick - wheel->now_tick : 0;
    unsigned level = 0;
    unsigned slot;

    delta = RT_MIN(delta, far); /* farther ones are placed again when the slot comes */
    while (level + 1 < TIMER_LEVELS && delta >> level_shift(level + 1) != 0)
        level++;
    slot = (unsigned)((wheel->now_tick + delta) >> level_shift(level)) & SLOT_MASK;
    list_add(&wheel->slots[level][slot], timer);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_us)
{
    RT_ASSERT(timer->fn != NULL);
    timer_cancel(wheel, timer);
    timer->due_us = due_us;
    place(wheel, timer, RT_MAX(due_us / TIMER_TICK_US, wheel->run_tick));
    wheel->armed++;
    wheel->next_us = RT_MIN(wheel->next_us, due_us);
}

void timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer->next == NULL)
        return;
    RT_ASSERT_NE(wheel->armed, 0u);
    list_remove(timer);
    wheel->armed--;
}

/* Spreads the slots that begin at now_tick over the levels below, highest first; false: a slot
 * has more than `moves`. No timer comes back into its slot: there is a whole turn between. */
static bool cascade(struct timer_wheel *wheel, uint32_t *moves)
{
    for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
        unsigned slot = (unsigned)(wheel->now_tick >> level_shift(level)) & SLOT_MASK;
        struct timer *head = &wheel->slots[level][slot];

        if ((wheel->now_tick & ((UINT64_C(1) << level_shift(level)) - 1)) != 0)
            continue;
        for (; head->next != head; (*moves)--) {
            struct timer *timer = head->next;

            if (*moves == 0)
                return false;
            list_remove(timer);
            place(wheel, timer, timer->due_us / TIMER_TICK_US);
        }
        wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    }
    return true;
}

/* The first tick after now_tick, at most `limit`, where something is due or cascades. */
static uint64_t next_tick(const struct timer_wheel *wheel, uint64_t limit)
{
    uint64_t best = limit;

    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        uint64_t at = (wheel->now_tick >> level_shift(level)) + 1;
        unsigned turn = (unsigned)at & SLOT_MASK;
        uint64_t bits = wheel->occupied[level];

        if (bits == 0)
            continue;
        bits = bits >> turn | (turn != 0 ? bits << (64 - turn) : 0);
        at += (unsigned)__builtin_ctzll(bits);
        best = RT_MIN(best, at << level_shift(level));
    }
    return best;
}

/* Moves what is due in the slot of now_tick to `due`, at most `count`; returns how many. The
 * front of the slot stands for all of it while the tick goes on: then the rest is due. */
static uint32_t collect(struct timer_wheel *wheel, struct timer *due, uint64_t now_us,
                        uint32_t count)
{
    unsigned slot = (unsigned)wheel->now_tick & SLOT_MASK;
    bool over = now_us / TIMER_TICK_US > wheel->now_tick;
    struct timer *head = &wheel->slots[0][slot];
    struct timer *next;
    uint32_t moved = 0, later = 0;

    for (struct timer *timer = head->next; timer != head && moved < count; timer = next) {
        next = timer->next;
        if (timer->due_us <= now_us) {
            list_remove(timer);
            list_add(due, timer);
            moved++;
        } else if (++later == SCAN_MAX && !over) {
            break;
        }
    }
    if (head->next == head)
        wheel->occupied[0] &= ~(UINT64_C(1) << slot);
    return moved;
}

/* Earliest due time of a slot. Of one that is crowded its beginning; when that is past, the
 * earliest of its front or its end. */
static uint64_t slot_next_us(const struct timer *head, uint64_t begin_us, uint64_t end_us,
                             uint64_t now_us)
{
    uint64_t best = end_us; /* farther ones only pass through */
    unsigned count = 0;

    for (const struct timer *timer = head->next; timer != head; timer = timer->next) {
        if (++count > SCAN_MAX)
            return begin_us > now_us ? begin_us : best;
        best = RT_MIN(best, timer->due_us);
    }
    return count == 0 ? UINT64_MAX : best;
}

static void find_next(struct timer_wheel *wheel, uint64_t now_us)
{
    wheel->next_us = UINT64_MAX;
    for (unsigned level = 0; level < TIMER_LEVELS && wheel->armed != 0; level++) {
        /* Level 0 begins with the tick we are in; above, that slot is a whole turn away. */
        uint64_t at = (wheel->now_tick >> level_shift(level)) + (level == 0 ? 0 : 1);

        for (unsigned i = 0; i < TIMER_SLOTS; i++, at++) {
            unsigned slot = (unsigned)at & SLOT_MASK;
            uint64_t begin_us = (at << level_shift(level)) * TIMER_TICK_US;
            uint64_t end_us = ((at + 1) << level_shift(level)) * TIMER_TICK_US;
            uint64_t slot_us;

            if ((wheel->occupied[level] >> slot & 1) == 0)
                continue;
            slot_us = slot_next_us(&wheel->slots[level][slot], begin_us, end_us, now_us);
            wheel->next_us = RT_MIN(wheel->next_us, slot_us);
            if (slot_us != UINT64_MAX)
                break; /* later slots of this level are later */
        }
    }
}

/* Up to `max` due ones, earlier ticks first; true: those are all. Each step moves time, to a
 * slot with timers or to the target. */
static bool gather(struct timer_wheel *wheel, struct timer *due, uint64_t now_us, uint32_t max)
{
    uint64_t target = now_us / TIMER_TICK_US;
    uint32_t moves = max * MOVES_PER_FIRE;
    uint64_t tick;

    wheel->run_tick = RT_MAX(target, wheel->now_tick);
    for (;;) { /* ends when now_tick, which grows, is at the target */
        if (!cascade(wheel, &moves))
            return false;
        max -= collect(wheel, due, now_us, max);
        if (max == 0)
            return false;
        if (wheel->now_tick >= target)
            return true;
        tick = next_tick(wheel, target);
        RT_ASSERT_LT(wheel->now_tick, tick);
        wheel->now_tick = tick;
    }
}

uint32_t timer_run(struct timer_wheel *wheel, uint64_t now_us, uint32_t max)
{
    uint32_t fired = 0;
    struct timer due;
    bool all;

    RT_ASSERT_LT(max - 1, UINT32_MAX / MOVES_PER_FIRE);
    if (now_us < wheel->next_us)
        return 0;
    list_init(&due);
    all = gather(wheel, &due, now_us, max);
    for (; due.next != &due; fired++) { /* each step takes one away */
        struct timer *timer = due.next;

        RT_ASSERT_LE(timer->due_us, now_us);
        RT_ASSERT_NE(wheel->armed, 0u);
        list_remove(timer);
        wheel->armed--;
        timer->fn(timer, now_us);
    }
    if (all)
        find_next(wheel, now_us);
    else
        wheel->next_us = 0;
    return fired;
}

uint64_t timer_next_us(const struct timer_wheel *wheel)
{
    return wheel->next_us;
}
