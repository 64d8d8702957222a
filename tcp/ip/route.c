/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a packet goes: to ourselves, to a neighbour, or to a gateway (RFC 1122 3.3.1, RFC 4861
 * 5.2). */
#include "../link/eth.h"
#include "../link/neigh.h"
#include "../state.h"
#include "../wire/eth.h"
#include "../wire/ip.h"
#include "ip.h"

enum { LINK_LOCAL_BITS = 10 };

bool ip_is_ours(const struct net *net, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < net->if_count; i++)
        if (if_addr_find(&net->ifs[i], addr) != NULL)
            return true;
    return false;
}

static bool is_ours(struct net *net, const struct ip_addr *dst, struct ip_route *route)
{
    for (uint32_t i = 0; i < net->if_count; i++)
        if (if_addr_find(&net->ifs[i], dst) != NULL) {
            *route = (struct ip_route){.iface = &net->ifs[i], .next_hop = *dst, .src = *dst,
                                       .to_us = true};
            return true;
        }
    return false;
}

static bool go(struct net_if *iface, const struct ip_addr *dst, const struct ip_addr *next_hop,
               struct ip_route *route)
{
    struct ip_addr src;

    if (!ip_source(iface, dst, next_hop, &src))
        return false;
    *route = (struct ip_route){.iface = iface, .next_hop = *next_hop, .src = src};
    return true;
}

/* Bits of the subnet that this address is in, 0: it is not on the link. Of IPv6 only what somebody
 * said is on it is (RFC 5942 4), and what can be nowhere else. */
static uint32_t bits_on_link(const struct net_if *iface, const struct ip_addr *dst)
{
    const struct if_addr *own = if_addr_for(iface, dst);

    const uint32_t bits = own != NULL ? own->prefix_bits : 0;

    if (ip_addr_is_v4(dst) || !iface->ip6.on)
        return bits;
    if (ip_addr_is_link_local(dst))
        return LINK_LOCAL_BITS;
    return RT_MAX(bits, ip6_prefix_bits(iface, dst));
}

/* Of several subnets the smallest, then the first. */
static bool is_on_link(struct net *net, const struct ip_addr *dst, struct ip_route *route)
{
    uint32_t best = 0;

    for (uint32_t i = 0; i < net->if_count; i++) {
        const uint32_t bits = bits_on_link(&net->ifs[i], dst);

        if (bits > best && go(&net->ifs[i], dst, dst, route))
            best = bits;
    }
    return best != 0;
}

/* NULL: it has none for this family. */
static const struct ip_addr *gateway_of(const struct net_if *iface, const struct ip_addr *dst)
{
    if (!ip_addr_is_v4(dst))
        return ip6_router_choose(iface);
    return iface->has_gateway ? &iface->gateway : NULL;
}

bool ip_route(struct net *net, const struct ip_addr *dst, struct ip_route *route)
{
    if (is_ours(net, dst, route) || is_on_link(net, dst, route))
        return true;
    for (uint32_t i = 0; i < net->if_count; i++) {
        const struct ip_addr *gateway = gateway_of(&net->ifs[i], dst);

        if (gateway != NULL && go(&net->ifs[i], dst, gateway, route))
            return true;
    }
    return false;
}

/* The first IPv4 address. NULL: there is none yet, as before a lease. */
static const struct if_addr *any_v4_addr(const struct net_if *iface)
{
    for (uint32_t i = 0; i < iface->addr_count; i++)
        if (ip_addr_is_v4(&iface->addrs[i].addr) &&
            iface->addrs[i].state != IF_ADDR_TENTATIVE)
            return &iface->addrs[i];
    return NULL;
}

/* To many by one interface: the one that was wanted, or whose subnet it is the broadcast of. */
static bool is_to_group(struct net *net, const struct ip_how *how, struct ip_route *route)
{
    struct net_if *iface = how->iface != NULL ? how->iface : &net->ifs[0];
    bool found = net->if_count != 0 &&
                 (ip_addr_is_multicast(&how->dst) || if_is_broadcast(iface, &how->dst));
    const struct if_addr *own;

    for (uint32_t i = 0; i < net->if_count && !found; i++) {
        iface = &net->ifs[i];
        found = if_is_broadcast(iface, &how->dst);
    }
    if (!found)
        return false;
    *route = (struct ip_route){.iface = iface, .next_hop = how->dst, .to_group = true};
    if (!ip_addr_is_v4(&how->dst))
        return ip_source(iface, &how->dst, &how->dst, &route->src);
    own = if_addr_for(iface, &how->dst);
    if (own == NULL)
        own = any_v4_addr(iface);
    route->src = own != NULL ? own->addr : ip_addr_v4((be32_t){0});
    return true;
}

bool ip_route_how(struct net *net, const struct ip_how *how, struct ip_route *route)
{
    const bool may_be = how->protocol != IP_TCP; /* a stream has one peer: not asked, it is hot */

    return (may_be && is_to_group(net, how, route)) || ip_route(net, &how->dst, route);
}

enum rt_status ip_link_send(const struct ip_route *route, struct buf *packet_owned)
{
    const bool v4 = ip_addr_is_v4(&route->next_hop);
    uint8_t mac[6];

    if (!route->to_group)
        return neigh_send(route->iface, &route->next_hop, packet_owned);
    eth_group_mac(&route->next_hop, mac);
    eth_send(route->iface, packet_owned, mac, v4 ? ETH_IPV4 : ETH_IPV6);
    return RT_OK;
}

void ip_confirm(struct net *net, const struct ip_addr *dst)
{
    struct ip_route route;

    if (ip_route(net, dst, &route) && !route.to_us)
        neigh_confirm(route.iface, &route.next_hop);
}
