/* SPDX-License-Identifier: BSD-2-Clause */
#include "listener.h"

#include "../state.h"
#include "conn.h"

#include <rt/assert.h>

struct tcp_listener *tcp_listener_find(struct net *net, const struct ip_addr *addr,
                                       uint16_t port)
{
    struct tcp_listener *any = NULL;

    if (net->tcp->draining)
        return NULL;
    for (uint32_t i = 0; i < net->tcp->config.listeners; i++) {
        struct tcp_listener *l = &net->tcp->listeners[i];

        if (l->net == NULL || l->port != port)
            continue;
        if (l->any_addr)
            any = l;
        else if (ip_addr_equal(&l->addr, addr))
            return l;
    }
    return any;
}

static bool listens_there(const struct tcp_listener *l, const struct tcp_listen *how)
{
    return l->port == how->port && l->any_addr == (how->addr == NULL) &&
           (how->addr == NULL || ip_addr_equal(&l->addr, how->addr));
}

enum rt_status tcp_listen(struct net *net, const struct tcp_listen *how,
                          struct tcp_listener **out)
{
    static const struct ip_addr none;
    struct tcp_listener *free = NULL;

    RT_ASSERT(how->ops->received != NULL);
    RT_ASSERT_LT(0u, how->backlog);
    for (uint32_t i = 0; i < net->tcp->config.listeners; i++) {
        struct tcp_listener *l = &net->tcp->listeners[i];

        if (l->net == NULL)
            free = l;
        else if (listens_there(l, how))
            return RT_BUSY;
    }
    if (free == NULL)
        return RT_FULL;
    *free = (struct tcp_listener){
        .net = net,
        .ops = how->ops,
        .ctx = how->ctx,
        .addr = how->addr != NULL ? *how->addr : none,
        .any_addr = how->addr == NULL,
        .port = how->port,
        .backlog = how->backlog,
        .conns_max = how->conns_max != 0 ? how->conns_max : UINT32_MAX,
        .generation = free->generation + 1,
    };
    *out = free;
    return RT_OK;
}

void tcp_unlisten(struct tcp_listener *listener)
{
    struct tcp_stack *tcp = listener->net->tcp;

    RT_ASSERT(listener->net != NULL);
    for (uint32_t i = 0; i < tcp->config.conns; i++)
        if (tcp->conns[i].state != TCP_CLOSED && tcp->conns[i].listener == listener &&
            tcp->conns[i].app_gone) {
            conn_send_rst(&tcp->conns[i]);
            conn_end(&tcp->conns[i], TCP_ABORTED);
        }
    RT_ASSERT_EQ(listener->waiting, 0u);
    listener->net = NULL;
}

void tcp_pause(struct tcp_listener *listener, bool on)
{
    RT_ASSERT(listener->net != NULL);
    listener->paused = on;
}

bool listener_has_room(const struct tcp_listener *listener)
{
    return !listener->paused && listener->served < listener->conns_max;
}

void listener_waits(struct tcp_listener *listener, struct tcp_conn *conn)
{
    RT_ASSERT(conn->listener == NULL);
    conn->listener = listener;
    listener->waiting++;
}

void listener_waits_no_more(struct tcp_conn *conn)
{
    if (conn->listener == NULL || conn->state != TCP_SYN_RECEIVED)
        return;
    RT_ASSERT_LT(0u, conn->listener->waiting);
    conn->listener->waiting--;
}

bool listener_serves(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;

    if (listener == NULL)
        return true;
    if (!listener_has_room(listener)) {
        conn->net->counters.tcp_accept_full++;
        return false;
    }
    listener_waits_no_more(conn);
    listener->served++;
    conn->served = (struct tcp_served){listener, listener->generation};
    return true;
}

void listener_serves_no_more(struct tcp_conn *conn)
{
    struct tcp_listener *by = conn->served.by;

    conn->served.by = NULL;
    if (by == NULL || by->generation != conn->served.generation)
        return;
    RT_ASSERT_LT(0u, by->served);
    by->served--;
}
