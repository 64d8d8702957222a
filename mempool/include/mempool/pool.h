/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed pools of packet buffers, one owner core each, last in first out, no lock.
 *
 * A pool is made at start from hal_alloc() and never grows. Only its home core takes from it.
 * A buffer freed on another core goes home by a single-producer ring (one for each core
 * that frees) which the home core drains once a loop turn with pool_collect().
 * At stop `free == total` must hold; pool_report() says who still owns what.
 */
#ifndef MEMPOOL_POOL_H
#define MEMPOOL_POOL_H

#include <mempool/buf.h>
#include <rt/ring.h>

struct pool_stats {
    uint64_t empty;       /* takes that found the pool empty */
    uint64_t sent_home;   /* freed on another core */
    uint64_t collected;   /* came home by ring */
};

struct pool {
    struct buf_ref *stack; /* free buffers; stack[free - 1] is next */
    uint32_t free;
    uint32_t total;
    uint8_t *owners; /* enum buf_owner of each buffer, by index */
    unsigned core;   /* home */
    char *base;      /* first buffer */
    uint32_t stride_bytes;
    const char *name;
    struct ring *home[HAL_CORES_MAX]; /* [freeing core]; NULL for the home core */
    struct pool_stats stats;
    struct pool *next; /* registry of all pools */
};

/* Refused hand-overs of all cores since start. Any core. */
uint64_t buf_refusals(void);

/* Makes a pool of `count` buffers for `core`, with rings home from `cores` cores.
 * RT_NO_MEMORY: nothing was kept. Core 0, before the seal. */
RT_NODISCARD enum rt_status pool_create(const char *name, unsigned core, unsigned cores,
                                        uint32_t count, struct pool **pool);

/* Consumes a buffer (and its further segments) owned by the stack, from any core. */
void buf_free(struct buf *b_owned);

/* A buffer that the caller (stack) owns, empty, headroom in front; NULL when there is none.
 * Home core only. */
RT_PAIRED_WITH(buf_free, 1) struct buf *pool_take(struct pool *pool);

/* Consumes every buffer left in the batch. */
void buf_batch_free(struct buf_batch *batch);

/* Brings home what other cores freed; returns how many. Home core, once a turn. */
uint32_t pool_collect(struct pool *pool);

/* One line for each pool; returns the number of buffers that are not home. After stop. */
uint32_t pool_report(void);
struct pool *pool_first(void); /* registry, for statistics */

/* Owner array of a pool scanned: how many buffers `owner` has. Any core. */
uint32_t pool_count_owner(const struct pool *pool, enum buf_owner owner);

#endif
