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
    RT_ASSERT(RT_IS_POW2(count));
    ring->prod.tail = ring->prod.head_seen = (uint32_t)RING_FIRST;
    ring->cons.head = ring->cons.tail_seen = (uint32_t)RING_FIRST;
    ring->mask = count - 1;
    ring->slots = slots;
}

uint32_t ring_put(struct ring *ring, void *const *items, uint32_t count)
{
    uint32_t tail = ring->prod.tail;
    uint32_t size = ring->mask + 1;

    /* The consumer's loads of the slots end before it moves head: acquire pairs with it. */
    if (size - (tail - ring->prod.head_seen) < count)
        ring->prod.head_seen = __atomic_load_n(&ring->cons.head, __ATOMIC_ACQUIRE);
    count = RT_MIN(count, size - (tail - ring->prod.head_seen));
    for (uint32_t i = 0; i < count; i++)
        ring->slots[(tail + i) & ring->mask] = items[i];
    __atomic_store_n(&ring->prod.tail, tail + count, __ATOMIC_RELEASE);
    return count;
}

uint32_t ring_get(struct ring *ring, void **items, uint32_t count)
{
    uint32_t head = ring->cons.head;

    if (ring->cons.tail_seen - head < count)
        ring->cons.tail_seen = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
    count = RT_MIN(count, ring->cons.tail_seen - head);
    for (uint32_t i = 0; i < count; i++)
        items[i] = ring->slots[(head + i) & ring->mask];
    __atomic_store_n(&ring->cons.head, head + count, __ATOMIC_RELEASE);
    return count;
}

uint32_t ring_used(const struct ring *ring)
{
    /* Head first: the other order could see a head beyond the tail it read. */
    uint32_t head = __atomic_load_n(&ring->cons.head, __ATOMIC_ACQUIRE);

    return __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE) - head;
}
