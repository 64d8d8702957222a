/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-producer single-consumer ring of pointers between two cores.
 *
 * Free-running 32-bit indexes, size a power of two, one cache line a side, each side keeps
 * a copy of the other's index so that it is read only when the ring looks full or empty.
 * No atomic read-modify-write. What is in the ring belongs to the ring.
 *
 * ring_put() and ring_get() are in line, so that with a constant count of one nothing of the
 * loop is left. A run is straight, or two straight runs when it goes past the last slot.
 */
#ifndef RT_RING_H
#define RT_RING_H

#include <rt/base.h>

struct ring {
    struct {
        uint32_t tail;      /* next slot to write */
        uint32_t head_seen; /* producer's copy of head */
    } prod RT_ALIGNED(RT_CACHE_LINE);
    struct {
        uint32_t head;      /* next slot to read */
        uint32_t tail_seen; /* consumer's copy of tail */
    } cons RT_ALIGNED(RT_CACHE_LINE);
    uint32_t mask RT_ALIGNED(RT_CACHE_LINE);
    void **slots;
};

/* An empty ring. `slots` has `count` entries (power of two), stays the caller's and lives as
 * long as the ring. Before either core uses it. */
void ring_init(struct ring *ring, void **slots, uint32_t count);
/* Both halves of a run that goes past the last slot. For ring_put() and ring_get() only. */
void ring_put_split(struct ring *ring, uint32_t at, void *const *items, uint32_t count);
void ring_get_split(const struct ring *ring, uint32_t at, void **items, uint32_t count);

/*
 * A straight run by 16-byte moves. The compiler may not see through `done`, or it could make
 * the loop a call of memcpy(): a burst is too short for one.
 */
RT_INLINE void ring_copy(void **to, void *const *from, uint32_t count)
{
    size_t done = 0;

    for (; done + 4 <= count; done += 4) {
        __builtin_memcpy(to + done, from + done, 4 * sizeof(*to));
        __asm__("" : "+r"(done));
    }
    if (count & 2) {
        __builtin_memcpy(to + done, from + done, 2 * sizeof(*to));
        done += 2;
    }
    if (count & 1)
        to[done] = from[done];
}

/* Puts as many as fit, from the front; returns how many. Producer core only. */
RT_INLINE uint32_t ring_put(struct ring *ring, void *const *items, uint32_t count)
{
    uint32_t tail = ring->prod.tail, size = ring->mask + 1, at = tail & ring->mask;

    if (RT_UNLIKELY(size - (tail - ring->prod.head_seen) < count)) {
        /* The consumer's loads of the slots end before it moves head: acquire pairs with it. */
        ring->prod.head_seen = __atomic_load_n(&ring->cons.head, __ATOMIC_ACQUIRE);
        count = RT_MIN(count, size - (tail - ring->prod.head_seen));
    }
    /* One fits always: said so that the compiler drops the rest when it knows the count. */
    if (RT_LIKELY(count <= 1 || count <= size - at))
        ring_copy(ring->slots + at, items, count);
    else
        ring_put_split(ring, at, items, count);
    __atomic_store_n(&ring->prod.tail, tail + count, __ATOMIC_RELEASE);
    return count;
}

/* Takes at most `count`; returns how many. Consumer core only. */
RT_INLINE uint32_t ring_get(struct ring *ring, void **items, uint32_t count)
{
    uint32_t head = ring->cons.head, size = ring->mask + 1, at = head & ring->mask;

    if (ring->cons.tail_seen - head < count) {
        /* Pairs with the producer's release: the slots are written before tail moves. */
        ring->cons.tail_seen = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
        count = RT_MIN(count, ring->cons.tail_seen - head);
    }
    if (RT_LIKELY(count <= 1 || count <= size - at))
        ring_copy(items, ring->slots + at, count);
    else
        ring_get_split(ring, at, items, count);
    __atomic_store_n(&ring->cons.head, head + count, __ATOMIC_RELEASE);
    return count;
}

/* Items in the ring as seen from either side; exact only for the caller's own side. */
uint32_t ring_used(const struct ring *ring);

#endif
