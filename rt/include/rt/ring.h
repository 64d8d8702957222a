/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single-producer single-consumer ring of pointers between two cores.
 *
 * Free-running 32-bit indexes, size a power of two, one cache line a side, each side keeps
 * a copy of the other's index so that it is read only when the ring looks full or empty.
 * No atomic read-modify-write. What is in the ring belongs to the ring.
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

/* `slots` has `count` entries (power of two) and lives as long as the ring. */
void ring_init(struct ring *ring, void **slots, uint32_t count);
/* Puts as many as fit, from the front; returns how many. Producer core only. */
uint32_t ring_put(struct ring *ring, void *const *items, uint32_t count);
/* Takes at most `count`; returns how many. Consumer core only. */
uint32_t ring_get(struct ring *ring, void **items, uint32_t count);
/* Items in the ring as seen from either side; exact only for the caller's own side. */
uint32_t ring_used(const struct ring *ring);

#endif
