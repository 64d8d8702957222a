/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: made, found by their four ends, ended, freed; who listens where. */
#include "conn.h"

#include "../state.h"
#include "order.h"
#include "sendq.h"

#include <mempool/pool.h>
#include <rt/siphash.h>

enum {
    CONNS_DEFAULT = 1024,
    LISTENERS_DEFAULT = 8,
    RX_WINDOW_DEFAULT = 4 * 65535,
    TX_ROOM_DEFAULT = 256 * 1024,
};

enum rt_status tcp_create(struct net *net, const struct tcp_config *config)
{
    struct tcp_stack *tcp = hal_alloc(sizeof(*tcp), RT_CACHE_LINE, "TCP");

    RT_ASSERT(net->tcp == NULL);
    if (tcp == NULL)
        return RT_NO_MEMORY;
    tcp->config = *config;
    tcp->config.conns = config->conns != 0 ? config->conns : CONNS_DEFAULT;
    tcp->config.listeners = config->listeners != 0 ? config->listeners : LISTENERS_DEFAULT;
    tcp->config.rx_window = config->rx_window != 0 ? config->rx_window : RX_WINDOW_DEFAULT;
    tcp->config.tx_room = config->tx_room != 0 ? config->tx_room : TX_ROOM_DEFAULT;
    tcp->bucket_count = 1;
    while (tcp->bucket_count < 2 * tcp->config.conns)
        tcp->bucket_count *= 2;
    tcp->port_next = (uint16_t)(net->config.key[0] << 8 | net->config.key[1]);
    tcp->conns = hal_alloc(tcp->config.conns * sizeof(*tcp->conns), RT_CACHE_LINE,
                           "TCP connections");
    tcp->buckets = hal_alloc(tcp->bucket_count * sizeof(struct tcp_conn *), RT_CACHE_LINE,
                             "TCP table");
    tcp->listeners = hal_alloc(tcp->config.listeners * sizeof(*tcp->listeners), RT_CACHE_LINE,
                               "TCP listeners");
    if (tcp->conns == NULL || tcp->buckets == NULL || tcp->listeners == NULL)
        return RT_NO_MEMORY;
    for (uint32_t i = tcp->config.conns; i-- > 0;) {
        tcp->conns[i].net = net;
        tcp->conns[i].chain = tcp->free;
        tcp->free = &tcp->conns[i];
    }
    net->tcp = tcp;
    return RT_OK;
}

/* The four ends in the order of the wire, ours first. */
struct ends {
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
};

static uint64_t hash_of(const struct net *net, const struct ends *ends)
{
    return rt_siphash(net->config.key, ends, sizeof(*ends));
}

static struct tcp_conn **bucket_of(struct net *net, const struct ends *ends)
{
    return &net->tcp->buckets[hash_of(net, ends) & (net->tcp->bucket_count - 1)];
}

static struct ends ends_of(const struct tcp_conn *conn)
{
    struct ends ends;

    __builtin_memset(&ends, 0, sizeof(ends)); /* what lies between members is hashed, too */
    ends.local = conn->local;
    ends.remote = conn->remote;
    ends.local_port = conn->local_port;
    ends.remote_port = conn->remote_port;
    return ends;
}

struct tcp_conn *conn_find(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port)
{
    struct ends ends;
    struct tcp_conn *conn;

    __builtin_memset(&ends, 0, sizeof(ends));
    ends.local = *local;
    ends.remote = *remote;
    ends.local_port = local_port;
    ends.remote_port = remote_port;
    conn = *bucket_of(net, &ends);
    while (conn != NULL &&
           (conn->local_port != local_port || conn->remote_port != remote_port ||
            !ip_addr_equal(&conn->local, local) || !ip_addr_equal(&conn->remote, remote)))
        conn = conn->chain;
    return conn;
}

struct tcp_conn *conn_make(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port)
{
    struct tcp_conn *conn = net->tcp->free;
    struct tcp_conn **bucket;
    struct ends ends;

    if (conn == NULL)
        return NULL;
    net->tcp->free = conn->chain;
    *conn = (struct tcp_conn){
        .net = net,
        .generation = conn->generation + 1,
        .local = *local,
        .remote = *remote,
        .local_port = local_port,
        .remote_port = remote_port,
        .state = TCP_CLOSED,
        .app_gone = true,
    };
    ends = ends_of(conn);
    bucket = bucket_of(net, &ends);
    conn->chain = *bucket;
    *bucket = conn;
    conn_timer_init(conn);
    rtt_init(&conn->rtt);
    return conn;
}

/* RFC 6528 3: a clock of 4 us, and a secret function of the ends. */
uint32_t conn_first_seq(const struct tcp_conn *conn)
{
    const struct ends ends = ends_of(conn);

    return (uint32_t)(conn->net->now_us / 4) + (uint32_t)(hash_of(conn->net, &ends) >> 32);
}

void conn_end(struct tcp_conn *conn, enum tcp_reason reason)
{
    if (conn->state == TCP_CLOSED)
        return;
    if (conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED)
        conn->net->counters.tcp_attempt_fails++;
    else if (reason != TCP_DONE)
        conn->net->counters.tcp_estab_resets++;
    conn->state = TCP_CLOSED;
    sendq_close(conn);
    order_close(conn);
    if (reason != TCP_DONE) {
        buf_free(conn->rx_first); /* nobody was told of it */
        conn->rx_first = conn->rx_last = NULL;
        conn->rx_bytes = 0;
        conn->events &= (uint8_t)~(TCP_EV_DATA | TCP_EV_ENDED | TCP_EV_ROOM);
    }
    if (conn->listener != NULL && conn->app_gone) {
        conn->listener->waiting--;
        conn->listener = NULL;
    }
    timer_cancel(&conn->net->wheel, &conn->timer);
    conn->reason = (uint8_t)reason;
    if (conn->app_gone) {
        conn->events = 0; /* it will never hear of it */
        conn_free(conn);
        return;
    }
    conn_tell(conn, TCP_EV_CLOSED);
}

void conn_free(struct tcp_conn *conn)
{
    const struct ends ends = ends_of(conn);
    struct tcp_conn **link = bucket_of(conn->net, &ends);

    if (conn->state != TCP_CLOSED || !conn->app_gone || conn->event_listed ||
        conn->output_listed || conn->generation == 0)
        return; /* the last list it is in frees it */
    while (*link != conn)
        link = &(*link)->chain;
    *link = conn->chain;
    conn->generation++; /* what is held on its account is held no more */
    conn->chain = conn->net->tcp->free;
    conn->net->tcp->free = conn;
}

/* ---- who listens ---- */

struct tcp_listener *tcp_listener_find(struct net *net, const struct ip_addr *addr,
                                       uint16_t port)
{
    struct tcp_listener *any = NULL;

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
    };
    *out = free;
    return RT_OK;
}

void tcp_unlisten(struct tcp_listener *listener)
{
    struct tcp_stack *tcp = listener->net->tcp;

    for (uint32_t i = 0; i < tcp->config.conns; i++)
        if (tcp->conns[i].state != TCP_CLOSED && tcp->conns[i].listener == listener &&
            tcp->conns[i].app_gone) {
            conn_send_rst(&tcp->conns[i]);
            conn_end(&tcp->conns[i], TCP_ABORTED);
        }
    listener->net = NULL;
}

void tcp_close_all(struct net *net)
{
    for (uint32_t i = 0; net->tcp != NULL && i < net->tcp->config.conns; i++) {
        struct tcp_conn *conn = &net->tcp->conns[i];

        if (conn->state != TCP_CLOSED && conn->state != TCP_TIME_WAIT)
            conn_send_rst(conn);
        conn_end(conn, TCP_STOPPED);
    }
}
