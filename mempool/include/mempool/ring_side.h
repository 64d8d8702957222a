/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool as the rings of a device see it: references leave its stack for descriptors, and come
 * back from them, a burst at a time. In line, because they are the middle of a driver's loops;
 * nobody but pmd/ring calls them: on the pool's home core, or on core 0 while that one is out
 * of its loop (start and stop).
 *
 * Who takes checks and sets the owner byte of each buffer, POOL -> NIC. Who gives back has it
 * done here, NIC -> POOL.
 */
#ifndef MEMPOOL_RING_SIDE_H
#define MEMPOOL_RING_SIDE_H

#include <mempool/pool.h>

/* How many buffers can be taken. */
RT_INLINE uint32_t pool_ready(const struct pool *pool)
{
    return pool->free;
}

/* The references in the order in which they are taken: [0], [-1], ... pool_ready() of them.
 * Borrowed: the pool has them until pool_took(). */
RT_INLINE const struct buf_ref *pool_fresh(const struct pool *pool)
{
    return &pool->stack[pool->free] - 1;
}

/* The first `count` of them were taken. */
RT_INLINE void pool_took(struct pool *pool, uint32_t count)
{
    RT_INVARIANT(count <= pool->free);
    pool->free -= count;
}

/* One buffer for a descriptor, POOL -> NIC. False: there is none. A free buffer with a wrong
 * owner byte is refused (counted) and left out for good: the report at stop shows it
 * missing. */
RT_NODISCARD bool pool_take_for_nic(struct pool *pool, struct buf_ref *ref);

/* What pool_take_back() does not do itself, from the first slot on; returns how many slots it did.
 * A run of another pool of this core (receive and transmit pools are apart, a forwarded frame
 * comes from the first) goes there at once; else one buffer, by buf_sent(). */
RT_COLD uint32_t pool_take_back_other(const struct buf_ref *slots, uint32_t count);

/* The same from the first slot on, whose buffer is of this pool or which has none, up to one
 * that is neither: frames between descriptors without a buffer. Returns how many slots. */
uint32_t pool_take_back_gaps(struct pool *pool, const struct buf_ref *slots, uint32_t count);

/* Buffers of this pool from consecutive slots, up to the first that is none. Returns how
 * many. */
RT_INLINE uint32_t pool_take_back_run(struct pool *pool, const struct buf_ref *slots,
                                      uint32_t count)
{
    /* Copies: a store to an owner byte could change the pool, as far as a compiler knows. */
    const uintptr_t minus_owners = -(uintptr_t)pool->owners;
    const uint64_t total = pool->total;
    /* One index counts up to zero for both sides: an addition and a jump a buffer. */
    const char *const from_end = (const char *)(slots + count);
    char *const to_end = (char *)(pool->stack + pool->free + count);
    ptrdiff_t i = -(ptrdiff_t)(count * sizeof(*slots));

    for (; i != 0; i += (ptrdiff_t)sizeof(*slots)) {
        const struct buf_ref *from = (const struct buf_ref *)(const void *)(from_end + i);
        uint8_t *owner = from->owner;

        if (RT_UNLIKELY(POOL_HOSTILE) ||
            RT_UNLIKELY((uintptr_t)owner + minus_owners >= total) ||
            RT_UNLIKELY(*owner != BUF_NIC))
            break;
        *owner = BUF_POOL;
        *(struct buf_ref *)(void *)(to_end + i) = *from;
    }
    count = (uint32_t)(count + i / (ptrdiff_t)sizeof(*slots));
    pool->free += count;
    return count;
}

/* Takes back what a device has finished with: `count` references from consecutive slots. */
RT_INLINE void pool_take_back(struct pool *pool, const struct buf_ref *slots, uint32_t count)
{
    while (count > 0) {
        uint32_t n = pool_take_back_run(pool, slots, count);

        if (RT_LIKELY(n == count))
            break;
        if (slots[n].buf == NULL)
            n += pool_take_back_gaps(pool, slots + n, count - n);
        else
            n += pool_take_back_other(slots + n, count - n);
        slots += n;
        count -= n;
    }
}

#endif
