/* SPDX-License-Identifier: BSD-2-Clause */
#include "few.h"

#include "ip/reasm.h"
#include "state.h"
#include "tcp/conn.h"

/* The next turn looks, whatever is free. */
static void look_again(struct few *few)
{
    few->low = UINT32_MAX;
    few->span = 0;
}

void few_begin(struct few *few, struct pool *pool, uint32_t reserve)
{
    RT_ASSERT_LE(reserve, (uint32_t)BUF_BATCH_MAX);
    few->pool = pool;
    few->reserve_most = RT_MIN(reserve, pool->total / FEW_SIXTEENTH);
    look_again(few);
}

void few_refill(struct few *few)
{
    RT_ASSERT_LE(few->reserve.count, few->reserve_most);
    pool_take_batch(few->pool, &few->reserve, few->reserve_most - few->reserve.count);
    few->dry = false;
}

void net_before_receive(struct net *net)
{
    struct few *few = &net->few;

    if (RT_LIKELY(few->pool->free >= few->reserve_most) || few->reserve.count == 0)
        return;
    few->dry = true;
    look_again(few);
    net->counters.bufs_dry++;
    buf_batch_free(&few->reserve);
}

struct buf *few_take(struct net *net)
{
    struct few *few = &net->few;
    const uint32_t left = few->reserve_most / 2;
    struct buf *b = NULL;

    RT_ASSERT_LE(few->reserve.count, few->reserve_most);
    if (!few->dry || few->pool->free > left)
        b = pool_take(few->pool);
    if (b == NULL && few->reserve.count > left) {
        b = few->reserve.buf[--few->reserve.count];
        look_again(few);
    }
    if (b == NULL)
        net->counters.bufs_missing++;
    return b;
}

void few_look(struct net *net)
{
    struct few *few = &net->few;

    if (few->most == 0) /* the first turn: receive rings have theirs; a small pool keeps most */
        few->reserve_most = RT_MIN(few->reserve_most, few->pool->free / FEW_EIGHTH);
    few_refill(few);
    few->most = RT_MAX(few->most, few->pool->free);
    few->relieves = few_is(few, FEW_QUARTER);
    reasm_relieve(net);
    if (net->tcp != NULL)
        tcp_relieve(net);
    look_again(few);
    if (few->relieves || few->reserve.count != few->reserve_most)
        return;
    few->low = few->most / FEW_QUARTER;
    few->span = few->most - few->low;
}

void few_close(struct few *few)
{
    few->reserve_most = 0;
    buf_batch_free(&few->reserve);
}
