/* SPDX-License-Identifier: BSD-2-Clause */
/* What applications call. Nothing here sends or tells anything at once: the turn does. */
#include "../chain.h"
#include "../state.h"
#include "held.h"
#include "plain.h"
#include "sendq.h"

#include <mempool/take.h>

const char *tcp_reason_name(enum tcp_reason reason)
{
    static const char *const names[] = {
        [TCP_DONE] = "done",         [TCP_REFUSED] = "refused",
        [TCP_RESET] = "reset",       [TCP_ABORTED] = "aborted",
        [TCP_TIMED_OUT] = "timeout", [TCP_UNREACHABLE] = "unreachable",
        [TCP_STOPPED] = "stopped",   [TCP_NO_ADDRESS] = "no-address",
    };

    return names[reason];
}

enum rt_status tcp_connect(struct net *net, const struct ip_addr *addr, uint16_t port,
                           const struct tcp_ops *ops, void *ctx, struct tcp_conn **out)
{
    struct ip_route route;
    struct tcp_conn *conn;
    uint16_t local_port;

    RT_ASSERT(ops->received != NULL);
    if (!ip_addr_is_host(addr) || !ip_route(net, addr, &route))
        return RT_NOT_FOUND;
    local_port = tcp_port_choose(net, &route.src, addr, port);
    if (local_port == 0 || net->tcp->draining)
        return RT_FULL;
    conn = conn_make(net, &route.src, local_port, addr, port);
    if (conn == NULL)
        return RT_FULL;
    conn->iface = route.iface;
    conn->ops = ops;
    conn->ctx = ctx;
    conn->app_gone = false;
    conn->state = TCP_SYN_SENT;
    conn_offer(conn, secret_first_seq(conn));
    conn_at(conn, TCP_AT_RETRANSMIT, net->now_us + rtt_wait_us(&conn->rtt));
    conn_output(conn);
    *out = conn;
    return RT_OK;
}

static bool may_give(const struct tcp_conn *conn)
{
    return (conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT) &&
           !conn->fin_wanted;
}

uint32_t tcp_room(const struct tcp_conn *conn)
{
    const uint32_t most = conn->net->tcp->config.tx_room;

    if (!may_give(conn) || conn->queue.bufs > most / BUF_ROOM_BYTES * 8)
        return 0;
    return most > conn->queue.bytes ? most - conn->queue.bytes : 0;
}

/* One buffer, while there is room for it and nothing unusual about the connection: at once. False:
 * nothing was done. */
RT_INLINE bool send_one(struct tcp_conn *conn, struct buf *b)
{
    const uint32_t most = conn->net->tcp->config.tx_room;

    if (RT_UNLIKELY(b->next != NULL) || RT_UNLIKELY(!sendq_is_givers(b)) ||
        RT_UNLIKELY(!buf_is_inside(b)) || RT_UNLIKELY(b->data_len == 0) ||
        RT_UNLIKELY(conn->queue.bytes + b->data_len > most) ||
        RT_UNLIKELY(conn->queue.bufs > most / BUF_ROOM_BYTES * 8))
        return false;
    sendq_append_one(conn, b);
    lists_output(conn);
    return true;
}

/* What is pinned takes none of the room, but it waits until there is some. */
static bool has_room(const struct tcp_conn *conn, const struct sendq_sum *sum)
{
    const uint32_t room = tcp_room(conn);

    return sum->bytes - sum->pinned_bytes <= room && (sum->pinned_bytes == 0 || room != 0);
}

bool tcp_try_send(struct tcp_conn *conn, struct buf **chain, uint32_t flags)
{
    struct sendq_sum sum;

    if (RT_LIKELY(conn->predict != 0) && RT_LIKELY(flags == 0) && send_one(conn, *chain)) {
        *chain = NULL;
        return true;
    }
    if (!may_give(conn) || !sendq_may_append(*chain, &sum))
        return false;
    if (!has_room(conn, &sum)) {
        conn->room_wanted = true;
        return false;
    }
    sendq_append(conn, *chain, &sum);
    *chain = NULL;
    conn->more = (flags & TCP_MORE) != 0;
    if (conn->more) /* full segments leave; it is for the steps to see which are */
        conn_output(conn);
    else
        lists_output(conn);
    return true;
}

void tcp_give_back(struct net *net, struct buf *chain_owned)
{
    if (RT_LIKELY(chain_owned != NULL) && RT_LIKELY(chain_owned->next == NULL)) {
        held_give_one(net, chain_owned);
        if (RT_LIKELY(*chain_owned->owner != BUF_STACK))
            buf_move(chain_owned, chain_owned->owner, BUF_APP, BUF_STACK);
        buf_free_inline(chain_owned);
        return;
    }
    for (struct buf *b = chain_owned; b != NULL; b = b->next) {
        held_give(net, b);
        if (*b->owner != BUF_STACK)
            buf_move(b, b->owner, BUF_APP, BUF_STACK);
    }
    buf_free(chain_owned);
}

void tcp_shutdown(struct tcp_conn *conn)
{
    plain_not_now(conn);
    if (conn->fin_wanted)
        return;
    if (conn->state == TCP_SYN_SENT) {
        conn_end(conn, TCP_ABORTED);
        return;
    }
    if (conn->state == TCP_ESTABLISHED)
        conn->state = TCP_FIN_WAIT_1;
    else if (conn->state == TCP_CLOSE_WAIT)
        conn->state = TCP_LAST_ACK;
    else if (conn->state != TCP_SYN_RECEIVED)
        return;
    conn->fin_wanted = true;
    conn_output(conn);
}

void tcp_close(struct tcp_conn *conn)
{
    const uint64_t now_us = conn->net->now_us;
    const uint32_t linger_ms = conn->life.linger_ms;

    plain_not_now(conn);
    conn->app_closed = true;
    if (conn->rx_first != NULL || conn->order != NULL || linger_ms == 0) {
        tcp_abort(conn);
        return;
    }
    tcp_shutdown(conn);
    if (conn->state == TCP_FIN_WAIT_2) /* shut down before */
        conn_at(conn, TCP_AT_END, now_us + TCP_FIN_WAIT_2_US);
    else if (linger_ms != LIFE_NO_LINGER && conn->state != TCP_TIME_WAIT &&
             conn->state != TCP_CLOSED)
        conn_at(conn, TCP_AT_END, now_us + linger_ms * UINT64_C(1000));
    life_orphan(conn);
}

void tcp_abort(struct tcp_conn *conn)
{
    if (conn->state == TCP_CLOSED || conn->state == TCP_TIME_WAIT)
        return;
    conn_send_rst(conn);
    conn_end(conn, TCP_ABORTED);
}

void tcp_set_nodelay(struct tcp_conn *conn, bool on)
{
    conn->nodelay = on;
    conn->more = false;
    conn_output(conn);
}

void *tcp_ctx(const struct tcp_conn *conn)
{
    return conn->ctx;
}

void tcp_set_ctx(struct tcp_conn *conn, void *ctx)
{
    conn->ctx = ctx;
}

void tcp_peer(const struct tcp_conn *conn, struct ip_addr *addr, uint16_t *port)
{
    *addr = conn->remote;
    *port = conn->remote_port;
}

void tcp_local(const struct tcp_conn *conn, struct ip_addr *addr, uint16_t *port)
{
    *addr = conn->local;
    *port = conn->local_port;
}
