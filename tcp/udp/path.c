/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers whose path carries less than its first link, as a router said of a datagram of ours (RFC
 * 8201 4). Only IPv6 needs it: an IPv4 datagram may be cut by the router itself. A stranger who
 * guesses ports can say so, too, and gains that we send pieces of 1280 bytes for a while.
 */
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "../wire/udp.h"
#include "udp.h"

#define PATH_US (UINT64_C(10) * 60 * 1000000) /* RFC 8201 4: at least five minutes, better ten */

/* What is known of the peer; NULL: nothing, or it is too old. */
static struct udp_path *find(const struct net *net, const struct ip_addr *peer)
{
    for (uint32_t i = 0; i < UDP_PATHS; i++) {
        struct udp_path *path = &net->udp->paths[i];

        if (path->until_us > net->now_us && ip_addr_equal(&path->peer, peer))
            return path;
    }
    return NULL;
}

/* The one that is over, or will be first. */
static struct udp_path *oldest(struct net *net)
{
    struct udp_path *path = &net->udp->paths[0];

    for (uint32_t i = 1; i < UDP_PATHS; i++)
        if (net->udp->paths[i].until_us < path->until_us)
            path = &net->udp->paths[i];
    return path;
}

void udp_path_learn(struct net *net, const struct ip_addr *peer, uint32_t mtu_bytes,
                    uint32_t datagram_bytes)
{
    struct udp_path *path = find(net, peer);

    if (ip_addr_is_v4(peer) || mtu_bytes < IPV6_MTU_MIN ||
        datagram_bytes + sizeof(struct ipv6_header) <= mtu_bytes)
        return; /* it was no bigger than that */
    if (path == NULL)
        path = oldest(net);
    else if (path->mtu_bytes <= mtu_bytes)
        return; /* it never grows by what a router says (RFC 8201 4) */
    RT_ASSERT_LE(mtu_bytes, (uint32_t)UINT16_MAX);
    *path = (struct udp_path){
        .peer = *peer,
        .mtu_bytes = (uint16_t)mtu_bytes,
        .until_us = net->now_us + PATH_US,
    };
    net->counters.udp_mtu_lowered++;
}

uint32_t udp_path_mtu(const struct net *net, const struct ip_route *route,
                      const struct ip_addr *peer)
{
    const uint32_t link = if_mtu(route->iface, peer);
    const struct udp_path *path;

    RT_ASSERT(net->udp != NULL);
    if (ip_addr_is_v4(peer))
        return link;
    path = find(net, peer);
    return path != NULL ? RT_MIN(link, (uint32_t)path->mtu_bytes) : link;
}
