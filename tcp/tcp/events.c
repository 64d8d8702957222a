/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened is told to applications from one place, once a turn: so none of their calls comes
 * back into a function that is at work on a connection. */
#include "../state.h"
#include "conn.h"
#include "held.h"
#include "lists.h"

#include <mempool/pool.h>

void conn_tell(struct tcp_conn *conn, uint32_t events)
{
    lists_tell(conn, events);
}

static void tell_open(struct tcp_conn *conn)
{
    conn->app_gone = false;
    if (conn->passive) {
        conn->listener = NULL;
        if (conn->ops->accepted != NULL)
            conn->ops->accepted(conn);
    } else if (conn->ops->connected != NULL) {
        conn->ops->connected(conn);
    }
}

static void tell_data(struct tcp_conn *conn)
{
    struct buf *chain = conn->rx_first;
    const uint32_t bytes = conn->rx_bytes;

    conn->rx_first = conn->rx_last = NULL;
    conn->rx_bytes = 0;
    for (struct buf *b = chain; b != NULL; b = b->next)
        buf_move(b, b->owner, BUF_STACK, BUF_APP);
    conn->ops->received(conn, chain, bytes);
}

static void tell_ended(struct tcp_conn *conn)
{
    if (conn->ops->ended != NULL)
        conn->ops->ended(conn);
    else
        tcp_close(conn);
}

/* One event after the other: what a handler does may take back those behind it. */
static void tell(struct tcp_conn *conn)
{
    static void (*const tellers[])(struct tcp_conn *) = {tell_open, tell_data, tell_ended};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(tellers); i++) {
        const uint8_t event = (uint8_t)(1u << i);

        if ((conn->events & event) == 0)
            continue;
        conn->events &= (uint8_t)~event;
        tellers[i](conn);
    }
    if ((conn->events & TCP_EV_ROOM) != 0 && conn->ops->room != NULL)
        conn->ops->room(conn);
    conn->events &= (uint8_t)~TCP_EV_ROOM;
    if ((conn->events & TCP_EV_CLOSED) == 0)
        return;
    conn->events = 0;
    if (conn->ops->closed != NULL)
        conn->ops->closed(conn, (enum tcp_reason)conn->reason);
    conn->app_gone = true;
}

/* Each connection that is listed now, once; those that handlers list come with the next turn. */
void tcp_tell_all(struct net *net)
{
    struct tcp_stack *tcp = net->tcp;
    struct tcp_conn *conn = tcp->event_first, *next;

    tcp->event_first = tcp->event_last = NULL;
    for (; conn != NULL; conn = next) {
        next = conn->event_next;
        conn->event_listed = false;
        if (RT_LIKELY(conn->events == TCP_EV_DATA)) {
            conn->events = 0;
            tell_data(conn);
        }
        if (RT_UNLIKELY(conn->events != 0))
            tell(conn);
        if (RT_UNLIKELY(conn->state == TCP_CLOSED))
            conn_free(conn);
    }
}
