/* SPDX-License-Identifier: BSD-2-Clause */
#include "few.h"

#include "ip/reasm.h"
#include "state.h"
#include "tcp/conn.h"

void few_begin(struct few *few, struct pool *pool, uint32_t reserve)
{
    RT_ASSERT_LE(reserve, (uint32_t)BUF_BATCH_MAX);
    few->pool = pool;
    few->reserve_most = RT_MIN(reserve, pool->total / FEW_SIXTEENTH);
}

void few_refill_now(struct few *few)
{
    RT_ASSERT_LT(few->reserve.count, few->reserve_most);
    pool_take_batch(few->pool, &few->reserve, few->reserve_most - few->reserve.count);
}

void net_before_receive(struct net *net)
{
    struct few *few = &net->few;

    if (RT_LIKELY(few->pool->free >= few->reserve_most) || few->reserve.count == 0)
        return;
    few->dry = true;
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
    if (b == NULL && few->reserve.count > left)
        b = few->reserve.buf[--few->reserve.count];
    if (b == NULL)
        net->counters.bufs_missing++;
    return b;
}

void few_relieve(struct net *net)
{
    net->few.relieves = few_is(&net->few, FEW_QUARTER);
    reasm_relieve(net);
    if (net->tcp != NULL)
        tcp_relieve(net);
}

void few_close(struct few *few)
{
    few->reserve_most = 0;
    buf_batch_free(&few->reserve);
}
