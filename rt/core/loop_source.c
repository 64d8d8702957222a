/* SPDX-License-Identifier: BSD-2-Clause */
/* The sources of a loop: adding, removing, arming, deadlines. */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/loop.h>

static uint32_t poll_gone(void *ctx, uint64_t now_us)
{
    return 0;
}

/* Stands for a removed source until the end of the turn: while sources are polled or flushed
 * none may move. The poll that removed its own source may still return its count. */
static const struct loop_source gone = {
    .poll = poll_gone, .budget = UINT32_MAX, .name = "gone"};

/* What the loop knows about all its sources. */
static void sum_up(struct rt_loop *loop)
{
    loop->end = loop->sources + loop->source_count;
    loop->flush_count = 0;
    loop->never_sleeps = false;
    for (const struct loop_source *source = loop->sources; source != loop->end; source++) {
        loop->flush_count += source->flush != NULL;
        loop->never_sleeps |= source->never_sleeps;
    }
}

/* A timer of the loop: they run when all sources have been polled. */
static void on_sweep(struct timer *timer, uint64_t now_us)
{
    struct rt_loop *loop = RT_CONTAINER_OF(timer, struct rt_loop, sweep);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < loop->source_count; i++) {
        if (loop->sources[i].poll != poll_gone)
            loop->sources[kept++] = loop->sources[i];
    }
    loop->source_count = kept;
    sum_up(loop);
}

void rt_loop_init(struct rt_loop *loop, uint32_t batch, uint64_t now_us)
{
    RT_ASSERT_NE(batch, 0u);
    __builtin_memset(loop, 0, sizeof(*loop));
    loop->batch = batch;
    loop->poll.last_busy_us = now_us;
    loop->sweep.fn = on_sweep;
    timer_wheel_init(&loop->timers, now_us);
    sum_up(loop);
}

/* The sources belong to the core that runs the loop. */
static void check_core(const struct rt_loop *loop)
{
    if (loop->running)
        RT_ASSERT_EQ(loop->core, hal_core_id());
}

enum rt_status rt_loop_add(struct rt_loop *loop, const struct loop_source *source)
{
    struct loop_source *added = &loop->sources[loop->source_count];

    check_core(loop);
    RT_ASSERT(source->poll != NULL);
    RT_ASSERT_EQ(source->arm == NULL, source->disarm == NULL);
    if (loop->source_count == LOOP_SOURCES_MAX)
        return RT_FULL;
    *added = *source;
    added->handled = added->found = added->full = 0;
    if (added->budget == 0)
        added->budget = loop->batch;
    loop->source_count++;
    sum_up(loop);
    return RT_OK;
}

enum rt_status rt_loop_remove(struct rt_loop *loop, const void *ctx)
{
    uint32_t removed = 0;

    check_core(loop);
    for (uint32_t i = 0; i < loop->source_count; i++) {
        void (*disarm)(void *) = loop->sources[i].disarm;

        if (loop->sources[i].ctx != ctx || loop->sources[i].poll == poll_gone)
            continue;
        if (i < loop->armed_end && disarm != NULL)
            disarm(loop->sources[i].ctx);
        loop->sources[i] = gone;
        removed++;
    }
    if (removed == 0)
        return RT_NOT_FOUND;
    sum_up(loop);
    timer_arm(&loop->timers, &loop->sweep, 0);
    return RT_OK;
}

/* The last one first: so the place of a source tells whether it is armed, also in the middle of
 * this or of arming, when one of the sources removes others. */
static void disarm_all(struct rt_loop *loop)
{
    while (loop->armed_end != 0) {
        const struct loop_source *source = &loop->sources[--loop->armed_end];

        if (source->disarm != NULL)
            source->disarm(source->ctx);
    }
    loop->armed = false;
}

bool rt_loop_arm(struct rt_loop *loop, uint64_t now_us)
{
    bool pending = false;

    RT_ASSERT(!loop->armed);
    RT_ASSERT_EQ(loop->armed_end, 0u);
    loop->armed = true;
    /* One that a source adds meanwhile is armed, too. */
    while (loop->armed_end < loop->source_count && !pending) {
        const struct loop_source *source = &loop->sources[loop->armed_end++];

        pending = source->arm != NULL && source->arm(source->ctx, now_us);
    }
    pending |= loop->never_sleeps; /* ... and it may be one that no interrupt reaches */
    if (pending)
        disarm_all(loop);
    return !pending;
}

void rt_loop_disarm(struct rt_loop *loop)
{
    RT_ASSERT(loop->armed);
    disarm_all(loop);
}

uint64_t rt_loop_next_us(const struct rt_loop *loop)
{
    uint64_t due_us = loop->timers.next_us;

    for (uint32_t i = 0; i < loop->source_count; i++) {
        const struct loop_source *source = &loop->sources[i];

        if (source->next_us != NULL)
            due_us = RT_MIN(due_us, source->next_us(source->ctx));
    }
    return due_us;
}
