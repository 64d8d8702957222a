/* SPDX-License-Identifier: BSD-2-Clause */
#include "ip6.h"

#include "../state.h"
#include "../wire/ip.h"
#include "eth.h"

#include <rt/assert.h>

const struct ip_addr ip6_all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};
const struct ip_addr ip6_all_routers = {.bytes = {0xff, 0x02, [15] = 2}};

struct ip_addr ip6_solicited_node(const struct ip_addr *addr)
{
    struct ip_addr group = {.bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};

    RT_ASSERT(!ip_addr_is_v4(addr));
    __builtin_memcpy(&group.bytes[13], &addr->bytes[13], 3);
    return group;
}

struct ip_addr ip6_link_local(const uint8_t mac[6])
{
    return (struct ip_addr){.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2],
                                      0xff, 0xfe, mac[3], mac[4], mac[5]}};
}

bool if_group_find(const struct net_if *iface, const struct ip_addr *group)
{
    if (!iface->ip6.on)
        return false;
    if (ip_addr_equal(group, &ip6_all_nodes))
        return true;
    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct ip_addr *own = &iface->addrs[i].addr;
        struct ip_addr solicited;

        if (ip_addr_is_v4(own))
            continue;
        solicited = ip6_solicited_node(own);
        if (ip_addr_equal(group, &solicited))
            return true;
    }
    return false;
}

/* The device need hear of a group once. */
static void join(struct net_if *iface, const struct ip_addr *group)
{
    uint8_t mac[6];

    eth_group_mac(group, mac);
    if (iface->config.join != NULL && !if_group_find(iface, group))
        iface->config.join(iface->config.ctx, mac);
}

enum rt_status ip6_addr_add(struct net_if *iface, const struct ip_addr *addr,
                            uint32_t prefix_bits)
{
    const struct ip_addr group = ip6_solicited_node(addr);

    RT_ASSERT(iface->ip6.on);
    if (iface->addr_count == NET_ADDRS_MAX)
        return RT_FULL;
    join(iface, &group);
    iface->addrs[iface->addr_count++] = (struct if_addr){
        .addr = *addr,
        .prefix_bits = (uint8_t)prefix_bits,
        .state = IF_ADDR_PREFERRED,
        .acd = {.due_us = UINT64_MAX}, /* IPv4's test */
    };
    return RT_OK;
}

enum rt_status net_ip6_start(struct net *net, uint32_t index)
{
    struct net_if *iface = &net->ifs[index];
    const struct ip_addr own = ip6_link_local(iface->config.mac);

    RT_ASSERT_LT(index, net->if_count);
    RT_ASSERT(!iface->ip6.on);
    if (iface->config.mtu_bytes < IPV6_MTU_MIN)
        return RT_INVALID;
    join(iface, &ip6_all_nodes);
    iface->ip6 = (struct if_ip6){.on = true, .mtu_bytes = iface->config.mtu_bytes};
    return ip6_addr_add(iface, &own, 64);
}

/* ---- routers ---- */

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
    ip6->router_count = RT_MAX(ip6->router_count, i + 1);
    ip6->routers[i] = (struct ip6_router){.addr = *addr, .valid_until_us = valid_until_us};
    return RT_OK;
}

void ip6_router_remove(struct net_if *iface, const struct ip_addr *addr)
{
    struct if_ip6 *ip6 = &iface->ip6;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < ip6->router_count; i++)
        if (!ip_addr_equal(&ip6->routers[i].addr, addr))
            ip6->routers[kept++] = ip6->routers[i];
    ip6->router_count = kept;
}
