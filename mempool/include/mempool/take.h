/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Take and free in line: what pool_take() and buf_free() do, without the call, for loops that
 * do little else. Everything rare is one call away. gcc pairs the calls only (RT_PAIRED_WITH),
 * so a use after buf_free_inline() is found at run time: prefer the calls elsewhere.
 */
#ifndef MEMPOOL_TAKE_H
#define MEMPOOL_TAKE_H

#include <mempool/ext.h>
#include <mempool/poison.h>
#include <mempool/pool.h>

/* The header of an empty buffer in two stores: no receive results, no bytes; the last of one
 * segment, its data behind the headroom. */
RT_INLINE void buf_make_empty(struct buf *b, buf_half shape)
{
    *(buf_half *)(void *)&b->rss_type = (buf_half){0, 0};
    *(buf_half *)(void *)&b->next = shape;
}

/* A buffer on top of its pool's stack. The second store is volatile, or gcc packs both words
 * into a vector first, which takes longer than storing them. */
RT_INLINE void pool_put(struct buf_ref *top, struct buf *b, uint8_t *owner)
{
    uint8_t *volatile *second = &top->owner;

    top->buf = b;
    *second = owner;
}

/* As pool_take(): yours (the stack's), empty, or NULL. Home core only. */
RT_INLINE struct buf *pool_take_inline(struct pool *pool)
{
    const struct buf_ref *top = &pool->stack[pool->free];
    struct buf *b;
    uint8_t *owner;

    if (RT_UNLIKELY(POOL_HOSTILE) || RT_UNLIKELY(pool->free == 0))
        return pool_take_odd(pool);
    b = top[-1].buf;
    owner = top[-1].owner;
    if (RT_UNLIKELY(*owner != BUF_POOL))
        return pool_take_odd(pool);
    pool->free--;
    *owner = BUF_STACK;
    buf_unpoison(b);
    buf_make_empty(b, pool->empty);
    return b;
}

/* Home: `b` is free from now on. Home core only. */
RT_INLINE void pool_take_home(struct pool *pool, struct buf *b, uint8_t *owner)
{
    RT_INVARIANT(b->pool == pool && b->owner == owner);
    RT_ASSERT_LT(pool->free, pool->total);
    *owner = BUF_POOL;
    buf_poison(b);
    pool_put(&pool->stack[pool->free++], b, owner);
}

/* As buf_free(), of a buffer (not NULL). Any core. */
RT_INLINE void buf_free_inline(struct buf *b_owned)
{
    struct buf *b = b_owned;
    uint8_t *owner = b->owner;
    struct pool *pool = b->pool;

    /* The owner first: the rest of the header may be somebody else's by now. */
    if (RT_UNLIKELY(POOL_HOSTILE) || RT_UNLIKELY(*owner != BUF_STACK) ||
        RT_UNLIKELY(b->next != NULL) || RT_UNLIKELY(pool->core != hal_core_id())) {
        buf_free_odd(b);
        return;
    }
    pool_take_home(pool, b, owner);
}

/* As buf_let_go(), of a buffer that is KEPT, or on a NIC as such. */
RT_INLINE void buf_let_go_inline(struct buf_ref ref_owned)
{
    uint8_t *owner = ref_owned.owner;
    struct pool *pool = ref_owned.buf->pool;

    if (*owner == BUF_KEPT_NIC) { /* the device's alone from now on */
        *owner = BUF_NIC;
        buf_poison(ref_owned.buf);
        return;
    }
    if (RT_UNLIKELY(POOL_HOSTILE) || RT_UNLIKELY(*owner != BUF_KEPT) ||
        RT_UNLIKELY(pool->core != hal_core_id())) {
        buf_let_go(ref_owned);
        return;
    }
    pool_take_home(pool, ref_owned.buf, owner);
}

#endif
