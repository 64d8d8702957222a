/* SPDX-License-Identifier: BSD-2-Clause */
/* Single-producer single-consumer ring; the idea is in the header. */
#include <rt/assert.h>
#include <rt/ring.h>

/* The hostile build starts just before the indexes wrap. */
#ifdef RT_HOSTILE
enum { RING_FIRST = -5 };
#else
enum { RING_FIRST = 0 };
#endif

void ring_init(struct ring *ring, void **slots, uint32_t count)
{
    RT_ASSERT(slots != NULL);
    RT_ASSERT(RT_IS_POW2(count));
    ring->prod.tail = ring->prod.head_seen = (uint32_t)RING_FIRST;
    ring->cons.head = ring->cons.tail_seen = (uint32_t)RING_FIRST;
    ring->mask = count - 1;
    ring->slots = slots;
}

void ring_put_split(struct ring *ring, uint32_t at, void *const *items, uint32_t count)
{
    uint32_t first = ring->mask + 1 - at;

    RT_ASSERT_LE(at, ring->mask);
    RT_ASSERT_LT(first, count);
    RT_ASSERT_LE(count, ring->mask + 1);
    ring_copy(ring->slots + at, items, first);
    ring_copy(ring->slots, items + first, count - first);
}

void ring_get_split(const struct ring *ring, uint32_t at, void **items, uint32_t count)
{
    uint32_t first = ring->mask + 1 - at;

    RT_ASSERT_LE(at, ring->mask);
    RT_ASSERT_LT(first, count);
    RT_ASSERT_LE(count, ring->mask + 1);
    ring_copy(items, ring->slots + at, first);
    ring_copy(items + first, ring->slots, count - first);
}

uint32_t ring_used(const struct ring *ring)
{
    /* Head first: the other order could see a head beyond the tail it read. */
    uint32_t head = __atomic_load_n(&ring->cons.head, __ATOMIC_ACQUIRE);

    return __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) - head;
}
