/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection has delivered and not got back, by the true size of its buffers: it bounds
 * the window that is offered. A buffer says whose account it is on while it is held; the
 * connection may be gone by then.
 */
#ifndef TCP_TCP_HELD_H
#define TCP_TCP_HELD_H

#include "conn.h"
#include "lists.h"

#include <mempool/pool.h>

#define BUF_HELD (1u << 29) /* of buf.flags: its account stands in the place of `outside` */
_Static_assert((BUF_HELD & (BUF_TX_OFFLOADS | BUF_LONG)) == 0, "a bit of its own");

/* Puts every buffer of a chain on the account. */
void held_take(struct tcp_conn *conn, struct buf *chain);
/* The same of one buffer; what the card said of it is forgotten. */
RT_INLINE void held_take_one(struct tcp_conn *conn, struct buf *b)
{
    const uint64_t account = (uint64_t)conn->generation << 32 | conn->number;

    b->flags = BUF_HELD;
    __builtin_memcpy(&b->outside, &account, sizeof(account));
    conn->held_bytes += b->pool->stride_bytes;
}
/* Takes one off, if it is on one. */
void held_give(struct net *net, struct buf *b);
/* The same, in line. */
RT_INLINE void held_give_one(struct net *net, struct buf *b)
{
    struct tcp_conn *conn;
    uint64_t account;

    if ((b->flags & BUF_HELD) == 0)
        return;
    b->flags &= ~BUF_HELD;
    __builtin_memcpy(&account, &b->outside, sizeof(account));
    RT_ASSERT_LT((uint32_t)account, net->tcp->config.conns);
    conn = &net->tcp->conns[(uint32_t)account];
    if (RT_UNLIKELY(conn->generation != (uint32_t)(account >> 32)))
        return; /* closed meanwhile */
    RT_ASSERT_LE(b->pool->stride_bytes, conn->held_bytes);
    conn->held_bytes -= b->pool->stride_bytes;
    if (RT_UNLIKELY(lists_window_opened(conn)) && conn->state != TCP_CLOSED) {
        conn->ack_now = true;
        lists_output(conn);
    }
}

#endif
