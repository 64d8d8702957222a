/* SPDX-License-Identifier: BSD-2-Clause */
#include "fast_out.h"

/* None where the device wants more of us than the fast path writes: a tag, checksums. */
void fast_path_find(struct tcp_conn *conn)
{
    struct net *net = conn->net;
    struct ip_route route;

    conn->path.neigh = NULL;
    conn->path.epoch = fast_path_epoch(net);
    if (!ip_addr_is_v4(&conn->remote) || !ip_route(net, &conn->remote, &route) || route.to_us ||
        route.to_group)
        return;
    if (route.iface->config.vlan != 0 || !route.iface->config.tx_ip_checksum ||
        !route.iface->config.tx_l4_checksum ||
        conn->pmtu.mss_full > route.iface->config.mtu_bytes - (FAST_IP_BYTES + FAST_TCP_BYTES))
        return;
    if (conn->iface != route.iface) { /* frames may wait at the old one: transmit.c changes it */
        conn->path.epoch--;
        return;
    }
    conn->path.next_hop = ip_addr_get_v4(&route.next_hop).raw;
    conn->path.neigh = neigh_find(route.iface, &route.next_hop);
}
