/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices to silence at the end: a table that only grows, read without a lock. */
#include <rt/assert.h>
#include <rt/quiesce.h>

static struct {
    void (*fn)(void *ctx);
    void *ctx;
} entries[RT_QUIESCE_MAX];

static uint32_t count;
static uint32_t next; /* where a call goes on that a fault has cut short */

enum rt_status rt_quiesce_add(void (*fn)(void *ctx), void *ctx)
{
    RT_ASSERT(fn != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i].fn == fn && entries[i].ctx == ctx)
            return RT_OK;
    }
    if (count == RT_QUIESCE_MAX)
        return RT_FULL;
    entries[count].fn = fn;
    entries[count].ctx = ctx;
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
    return RT_OK;
}

void rt_quiesce_all(void)
{
    const uint32_t end = __atomic_load_n(&count, __ATOMIC_ACQUIRE);

    for (uint32_t turn = 0; turn < RT_QUIESCE_MAX; turn++) {
        uint32_t i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);

        if (i >= end)
            break;
        entries[i].fn(entries[i].ctx);
    }
    __atomic_store_n(&next, 0, __ATOMIC_RELAXED);
}
