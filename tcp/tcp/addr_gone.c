/* SPDX-License-Identifier: BSD-2-Clause */
/* An address that is ours no more (a lease that ended or was refused): nothing may be sent from
 * it, not even that it is over (RFC 2131 4.4.5); the applications are told. */
#include "../state.h"
#include "conn.h"

void tcp_addr_gone(struct net *net, const struct ip_addr *addr)
{
    RT_ASSERT(!ip_addr_is_unspecified(addr));
    for (uint32_t i = 0; net->tcp != NULL && i < net->tcp->config.conns; i++) {
        struct tcp_conn *conn = &net->tcp->conns[i];

        if (conn->state != TCP_CLOSED && ip_addr_equal(&conn->local, addr))
            conn_end(conn, TCP_NO_ADDRESS);
    }
}
