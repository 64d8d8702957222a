/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of connections that we begin (RFC 6056 3.3.4): rounds that begin at secret places,
 * one for each peer's port, and go on where another with the same mark left off. So a peer
 * learns nothing of our ports towards others, and uses one again only after a whole round.
 * Of an interface that several stacks share each takes the ports by which answers reach it. */
#include "../share/share.h"
#include "../state.h"
#include "conn.h"

#include <rt/assert.h>

static bool is_free(struct net *net, const struct ip_addr *local, uint16_t port,
                    const struct ip_addr *remote, uint16_t remote_port)
{
    if (port == remote_port && ip_addr_equal(local, remote))
        return false; /* it would talk to itself */
    return conn_find(net, local, port, remote, remote_port) == NULL &&
           tcp_listener_find(net, local, port) == NULL;
}

/* Answers come by this stack: by the interface that has the address. */
static bool is_home(const struct net *net, const struct net_flow *answers)
{
    for (uint32_t i = 0; i < net->if_count; i++)
        if (if_addr_find(&net->ifs[i], &answers->dst) != NULL)
            return share_is_home(&net->ifs[i], answers);
    return true;
}

uint16_t tcp_port_choose(struct net *net, const struct ip_addr *local,
                         const struct ip_addr *remote, uint16_t remote_port)
{
    const uint32_t offset = secret_port_offset(net, local, remote, remote_port);
    uint32_t *next = &net->tcp->ports_next[(offset >> 16) % TCP_PORT_ROUNDS];

    _Static_assert(TCP_PORT_FIRST + TCP_PORTS - 1 <= UINT16_MAX, "all of them are ports");
    for (uint32_t i = 0; i < TCP_PORTS; i++) {
        const uint16_t port = (uint16_t)(TCP_PORT_FIRST + (offset + (*next)++) % TCP_PORTS);
        const struct net_flow answers = {*remote, *local, remote_port, port};

        if (is_home(net, &answers) && is_free(net, local, port, remote, remote_port))
            return port;
    }
    return 0;
}
