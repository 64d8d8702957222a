/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of all connections: in order, with time, or at once. */
#include "../state.h"
#include "conn.h"

#include <rt/assert.h>

/* Nobody was told of it yet, or it does not stand: only the peer learns that it is over. */
static bool is_early(const struct tcp_conn *conn)
{
    return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED ||
           (conn->passive && conn->app_gone && conn->state != TCP_TIME_WAIT);
}

void tcp_drain(struct net *net)
{
    struct tcp_stack *tcp = net->tcp;

    RT_ASSERT(tcp != NULL);
    if (tcp->draining)
        return;
    tcp->draining = true;
    for (uint32_t i = 0; i < tcp->config.conns; i++) {
        struct tcp_conn *conn = &tcp->conns[i];

        if (conn->state == TCP_CLOSED)
            continue;
        if (!is_early(conn)) {
            tcp_shutdown(conn);
            continue;
        }
        conn_send_rst(conn);
        conn_end(conn, TCP_STOPPED);
    }
}

bool tcp_drained(const struct net *net)
{
    RT_ASSERT(net->tcp != NULL);
    return net->tcp->open == 0;
}

void tcp_reset_all(struct net *net)
{
    RT_ASSERT(net->tcp != NULL);
    net->tcp->draining = true;
    tcp_close_all(net);
    for (uint32_t i = 0; i < net->if_count; i++)
        if_flush(&net->ifs[i]);
}
