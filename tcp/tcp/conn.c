/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: made, found by their four ends, ended, freed. */
#include "conn.h"

#include "../state.h"
#include "order.h"
#include "plain.h"
#include "rx.h"
#include "sendq.h"

#include <mempool/pool.h>
#include <rt/siphash.h>

enum {
    CONNS_DEFAULT = 1024,
    LISTENERS_DEFAULT = 8,
    RX_WINDOW_DEFAULT = 4 * 65535,
    TX_ROOM_DEFAULT = 256 * 1024,
    SLOW_START_SEGMENTS_DEFAULT = 8, /* RFC 9406 4.3 */
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
    tcp->window_most = tcp->config.rx_window;
    if (config->slow_start_segments == 0)
        tcp->config.slow_start_segments = SLOW_START_SEGMENTS_DEFAULT;
    tcp->time_waits.most = config->time_waits != 0 ? config->time_waits
                                                   : RT_MAX(tcp->config.conns / 4, 1u);
    tcp->orphans.most = config->orphans != 0 ? config->orphans
                                             : RT_MAX(tcp->config.conns / 4, 1u);
    tcp->conns = hal_alloc(tcp->config.conns * sizeof(*tcp->conns), RT_CACHE_LINE,
                           "TCP connections");
    tcp->listeners = hal_alloc(tcp->config.listeners * sizeof(*tcp->listeners), RT_CACHE_LINE,
                               "TCP listeners");
    if (tcp->conns == NULL || tcp->listeners == NULL ||
        !table_make(&tcp->table, tcp->config.conns, net->config.key) ||
        !alarm_make(&tcp->alarms, tcp->config.conns, &tcp->conns[0].alarm,
                     sizeof(*tcp->conns), net->now_us))
        return RT_NO_MEMORY;
    for (uint32_t i = tcp->config.conns; i-- > 0;) {
        tcp->conns[i].net = net;
        tcp->conns[i].chain = tcp->free;
        tcp->free = &tcp->conns[i];
    }
    RT_ASSERT_LT(config->tx_room, TCP_SEND_BYTES_MAX); /* and one send: below half of all numbers */
    RT_ASSERT_LE((uint32_t)config->congestion, (uint32_t)TCP_CUBIC);
    RT_ASSERT(config->mss_max == 0 || config->mss_max >= RX_MSS_MIN);
    net->tcp = tcp;
    return RT_OK;
}

static struct tcp_ends ends_of(const struct tcp_conn *conn)
{
    struct tcp_ends ends;

    __builtin_memset(&ends, 0, sizeof(ends)); /* what lies between members is hashed, too */
    ends.local = conn->local;
    ends.remote = conn->remote;
    ends.local_port = conn->local_port;
    ends.remote_port = conn->remote_port;
    return ends;
}

static bool has_ends(const struct tcp_conn *conn, const struct tcp_ends *ends)
{
    return conn->local_port == ends->local_port && conn->remote_port == ends->remote_port &&
           ip_addr_equal(&conn->local, &ends->local) &&
           ip_addr_equal(&conn->remote, &ends->remote);
}

struct tcp_conn *conn_find(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port)
{
    const struct tcp_ends ends = {*local, *remote, local_port, remote_port};
    const struct tcp_table *table = &net->tcp->table;
    const uint32_t hash = table_hash(table, &ends);

    for (uint32_t i = hash & table->mask; table->slots[i].number != 0;
         i = (i + 1) & table->mask) { /* half of them are free */
        struct tcp_conn *conn = &net->tcp->conns[table->slots[i].number - 1];

        /* One that has ended stays until its application was told; another may be there by then. */
        if (table->slots[i].hash == hash && has_ends(conn, &ends) && conn->state != TCP_CLOSED)
            return conn;
    }
    return NULL;
}

struct tcp_conn *conn_make(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port)
{
    struct tcp_conn *conn;
    struct tcp_ends ends;
    struct alarm alarm;

    if (net->tcp->free == NULL)
        life_make_room(net);
    conn = net->tcp->free;
    if (conn == NULL)
        return NULL;
    net->tcp->free = conn->chain;
    alarm = conn->alarm;
    *conn = (struct tcp_conn){
        .net = net,
        .generation = conn->generation + 1,
        .local = *local,
        .remote = *remote,
        .local_port = local_port,
        .remote_port = remote_port,
        .state = TCP_CLOSED,
        .app_gone = true,
        .alarm = alarm,
        .number = (uint32_t)(conn - net->tcp->conns),
    };
    ends = ends_of(conn);
    if (ip_addr_is_v4(remote)) {
        conn->wire_addrs = table_addrs(&ends);
        conn->wire_ports = table_ports(&ends);
    }
    conn->hash = table_hash(&net->tcp->table, &ends);
    table_put(&net->tcp->table, conn->hash, conn->number + 1);
    conn_timer_init(conn);
    rtt_init(&conn->rtt, net->tcp->config.rto_min_us, net->tcp->config.clock_us);
    life_begin(conn);
    net->tcp->open++;
    return conn;
}

void conn_end(struct tcp_conn *conn, enum tcp_reason reason)
{
    if (conn->state == TCP_CLOSED)
        return;
    if (conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED)
        conn->net->counters.tcp_attempt_fails++;
    else if (reason != TCP_DONE)
        conn->net->counters.tcp_estab_resets++;
    conn->net->tcp->open -= conn->state != TCP_TIME_WAIT;
    listener_waits_no_more(conn);
    listener_serves_no_more(conn);
    life_end(conn);
    conn->listener = NULL;
    conn->state = TCP_CLOSED;
    plain_not_now(conn);
    sendq_close(conn);
    order_close(conn);
    if (reason != TCP_DONE) {
        buf_free(conn->rx_first); /* nobody was told of it */
        conn->rx_first = conn->rx_last = NULL;
        conn->rx_bytes = 0;
        conn->events &= (uint8_t)~(TCP_EV_DATA | TCP_EV_ENDED | TCP_EV_ROOM);
    }
    alarm_take_out(&conn->net->tcp->alarms, conn->number);
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
    if (conn->state != TCP_CLOSED || !conn->app_gone || conn->event_listed ||
        conn->output_listed || conn->generation == 0)
        return; /* the last list it is in frees it */
    table_remove(&conn->net->tcp->table, conn->hash, conn->number + 1);
    conn->generation++; /* what is held on its account is held no more */
    conn->chain = conn->net->tcp->free;
    conn->net->tcp->free = conn;
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
