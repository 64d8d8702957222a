/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When buffers are few: what is given up first, so that the rest goes on.
 *
 *     free, of those that ever were
 *     less than 1/4     windows grow to two packets, no further; data is acknowledged at once
 *     less than 1/8     what came out of order, or in pieces, goes, oldest first; SYNs have no
 *                       answer (they come again)
 *     less than 1/16    data in order is taken of connections only that hold less than two buffers
 *     less than a batch frames come in on the reserve, and are read for what they acknowledge; half
 *                       of it may be kept as above: who reads goes on beside those who do not
 *
 * What is dropped here comes again; nobody is reset. What lies in receive rings is never free, so
 * parts are of the most that ever was. The reserve is a batch that only the stack can have: it goes
 * into the pool right before frames are received, and comes out of it before an application is
 * called. So a pool that applications have emptied by what they send fills again by
 * acknowledgements; and a bare segment or an ARP message finds a buffer.
 */
#ifndef TCP_FEW_H
#define TCP_FEW_H

#include <mempool/pool.h>

struct net;

enum few_part { FEW_QUARTER = 4, FEW_EIGHTH = 8, FEW_SIXTEENTH = 16 };

struct few {
    struct pool *pool;
    uint32_t low, span; /* a turn looks only when fewer are free than `low`, or `span` more */
    uint32_t most;      /* buffers that were free at the begin of a turn, ever */
    uint32_t reserve_most; /* 0: there is none */
    bool dry;      /* the reserve is in the pool */
    bool relieves; /* something is being given up */
    struct buf_batch reserve;
};

void few_begin(struct few *few, struct pool *pool, uint32_t reserve);
/* Fewer than that part are free; true as long as the reserve is in the pool. */
RT_INLINE bool few_is(const struct few *few, enum few_part part)
{
    return few->dry || few->pool->free < few->most / (uint32_t)part;
}
/* ... in the pool that a buffer is of: another core may have received it. */
RT_INLINE bool few_in(const struct few *few, const struct pool *pool, enum few_part part)
{
    return pool == few->pool ? few_is(few, part) : pool->free < pool->total / (uint32_t)part;
}
/* Who holds less gets data also while few are free. */
#define FEW_HELD_BYTES (2u * BUF_STRIDE_BYTES)
/* Frames come in on the reserve, of which half is left: no more is kept. */
RT_INLINE bool few_is_used_up(const struct few *few)
{
    return few->dry && few->pool->free <= few->reserve_most / 2;
}
/* Data must not take the fast path: the steps know what is kept. As of the begin of the turn. */
RT_INLINE bool few_is_tight(const struct few *few)
{
    return RT_UNLIKELY(few->relieves | few->dry) && few_is(few, FEW_SIXTEENTH);
}
/* The reserve comes out of the pool. */
RT_COLD void few_refill(struct few *few);
/* Gives up what must be. */
RT_COLD void few_look(struct net *net);
/* The begin of a turn. */
RT_INLINE void few_turn(struct net *net, const struct few *few)
{
    if (RT_UNLIKELY(few->pool->free - few->low > few->span))
        few_look(net);
}

/* A buffer for what a peer or a neighbour waits for, of the reserve if there is no other; half of
 * that is left to what comes in. NULL: there is none, counted. */
RT_PAIRED_WITH(buf_free, 1)
struct buf *few_take(struct net *net);
void few_close(struct few *few);

#endif
