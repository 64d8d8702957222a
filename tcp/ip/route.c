/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a packet goes: to ourselves, to a neighbour, or to a gateway (RFC 1122 3.3.1). */
#include "../state.h"
#include "ip.h"

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

static bool is_on_link(struct net *net, const struct ip_addr *dst, struct ip_route *route)
{
    for (uint32_t i = 0; i < net->if_count; i++) {
        const struct if_addr *own = if_addr_for(&net->ifs[i], dst);

        if (own != NULL) {
            *route = (struct ip_route){.iface = &net->ifs[i], .next_hop = *dst,
                                       .src = own->addr};
            return true;
        }
    }
    return false;
}

bool ip_route(struct net *net, const struct ip_addr *dst, struct ip_route *route)
{
    if (is_ours(net, dst, route) || is_on_link(net, dst, route))
        return true;
    for (uint32_t i = 0; i < net->if_count; i++) {
        struct net_if *iface = &net->ifs[i];
        const struct if_addr *own;

        if (!iface->has_gateway || ip_addr_is_v4(dst) != ip_addr_is_v4(&iface->gateway))
            continue;
        own = if_addr_for(iface, &iface->gateway);
        RT_ASSERT(own != NULL); /* net_gateway_set() saw to it */
        *route = (struct ip_route){.iface = iface, .next_hop = iface->gateway,
                                   .src = own->addr};
        return true;
    }
    return false;
}
