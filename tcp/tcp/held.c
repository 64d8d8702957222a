/* SPDX-License-Identifier: BSD-2-Clause */
#include "held.h"

#include "../state.h"

#include <mempool/pool.h>

struct account {
    uint32_t number, generation; /* of the connection */
};
_Static_assert(sizeof(struct account) == sizeof(((struct buf *)0)->outside), "in its place");

uint32_t held_take(struct tcp_conn *conn, struct buf *chain)
{
    const struct account account = {(uint32_t)(conn - conn->net->tcp->conns), conn->generation};
    uint32_t bytes = 0;

    for (struct buf *b = chain; b != NULL; b = b->next) {
        b->flags |= BUF_HELD;
        __builtin_memcpy(&b->outside, &account, sizeof(account));
        bytes += b->pool->stride_bytes;
    }
    conn->held_bytes += bytes;
    return bytes;
}

void held_give(struct net *net, struct buf *b)
{
    struct account account;
    struct tcp_conn *conn;

    if ((b->flags & BUF_HELD) == 0)
        return;
    b->flags &= ~BUF_HELD;
    __builtin_memcpy(&account, &b->outside, sizeof(account));
    RT_ASSERT_LT(account.number, net->tcp->config.conns);
    conn = &net->tcp->conns[account.number];
    if (conn->generation != account.generation)
        return; /* closed meanwhile */
    RT_ASSERT_LE(b->pool->stride_bytes, conn->held_bytes);
    conn->held_bytes -= b->pool->stride_bytes;
    if (conn->state != TCP_CLOSED && conn_window_opened(conn)) {
        conn->ack_now = true;
        conn_output(conn);
    }
}
