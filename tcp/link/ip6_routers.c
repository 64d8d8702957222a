/* SPDX-License-Identifier: BSD-2-Clause */
/* The routers of an interface, and what is on its link: two small tables (RFC 4861 5.1). */
#include "../state.h"
#include "ip6.h"

#include <rt/assert.h>

const struct ip_addr *ip6_router_choose(const struct net_if *iface)
{
    const struct if_ip6 *ip6 = &iface->ip6;

    RT_ASSERT_LE(ip6->router_count, (uint32_t)IP6_ROUTERS_MAX);
    for (uint32_t i = 0; i < ip6->router_count; i++)
        if (!neigh_failed(iface, &ip6->routers[i].addr))
            return &ip6->routers[i].addr;
    return ip6->router_count != 0 ? &ip6->routers[0].addr : NULL;
}

enum rt_status ip6_router_add(struct net_if *iface, const struct ip_addr *addr,
                              uint64_t valid_until_us)
{
    struct if_ip6 *ip6 = &iface->ip6;
    uint32_t i = 0;

    RT_ASSERT(ip6->on);
    while (i < ip6->router_count && !ip_addr_equal(&ip6->routers[i].addr, addr))
        i++;
    if (i == IP6_ROUTERS_MAX)
        return RT_FULL;
    if (i < ip6->router_count && ip6->routers[i].valid_until_us == UINT64_MAX)
        return RT_OK;
    ip6->router_count = RT_MAX(ip6->router_count, i + 1);
    ip6->routers[i] = (struct ip6_router){.addr = *addr, .valid_until_us = valid_until_us};
    return RT_OK;
}

void ip6_router_gone(struct net_if *iface, const struct ip_addr *addr)
{
    struct if_ip6 *ip6 = &iface->ip6;
    uint32_t kept = 0;

    RT_ASSERT_LE(ip6->router_count, (uint32_t)IP6_ROUTERS_MAX);
    for (uint32_t i = 0; i < ip6->router_count; i++)
        if (ip6->routers[i].valid_until_us == UINT64_MAX ||
            !ip_addr_equal(&ip6->routers[i].addr, addr))
            ip6->routers[kept++] = ip6->routers[i];
    if (kept != ip6->router_count)
        if_changed(iface);
    ip6->router_count = kept;
}

enum rt_status ip6_prefix_set(struct net_if *iface, const struct ip_addr *prefix, uint32_t bits,
                              uint64_t valid_until_us)
{
    struct if_ip6 *ip6 = &iface->ip6;
    uint32_t i = 0;

    RT_ASSERT_LE(ip6->prefix_count, (uint32_t)IP6_PREFIXES_MAX);
    while (i < ip6->prefix_count && (ip6->prefixes[i].bits != bits ||
                                     !ip_addr_equal(&ip6->prefixes[i].addr, prefix)))
        i++;
    if (valid_until_us <= iface->net->now_us) {
        if (i < ip6->prefix_count)
            ip6->prefixes[i] = ip6->prefixes[--ip6->prefix_count];
        return RT_OK;
    }
    if (i == IP6_PREFIXES_MAX)
        return RT_FULL;
    ip6->prefix_count = RT_MAX(ip6->prefix_count, i + 1);
    ip6->prefixes[i] = (struct ip6_prefix){*prefix, bits, valid_until_us};
    return RT_OK;
}

uint32_t ip6_prefix_bits(const struct net_if *iface, const struct ip_addr *addr)
{
    uint32_t bits = 0;

    RT_ASSERT(!ip_addr_is_v4(addr));
    for (uint32_t i = 0; i < iface->ip6.prefix_count; i++)
        if (ip_addr_same_prefix(&iface->ip6.prefixes[i].addr, addr,
                                iface->ip6.prefixes[i].bits))
            bits = RT_MAX(bits, iface->ip6.prefixes[i].bits);
    return bits;
}
