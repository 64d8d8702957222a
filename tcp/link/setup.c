/* SPDX-License-Identifier: BSD-2-Clause */
/* What an interface has of IPv4, as a whole: what is right is done, what is not changes nothing.
 * And its link, which comes, goes and ends with all that follows from it. */
#include "../dhcp/client.h"
#include "../share/share.h"
#include "../state.h"
#include "../tcp/conn.h"
#include "../wire/ip.h"
#include "acd.h"

#include <rt/assert.h>

static bool in_subnet(const struct net_setup *setup, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < setup->count; i++)
        if (ip_addr_same_prefix(&setup->addrs[i].addr, addr, setup->addrs[i].prefix_bits))
            return true;
    return false;
}

static bool has(const struct net_setup *setup, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < setup->count; i++)
        if (ip_addr_equal(&setup->addrs[i].addr, addr))
            return true;
    return false;
}

/* Addresses of the other family stay, and need their room. */
static uint32_t count_others(const struct net_if *iface)
{
    uint32_t others = 0;

    for (uint32_t i = 0; i < iface->addr_count; i++)
        others += !ip_addr_is_v4(&iface->addrs[i].addr);
    return others;
}

static bool is_right(const struct net_if *iface, const struct net_setup *setup)
{
    if (setup->count > NET_ADDRS_MAX - count_others(iface))
        return false;
    for (uint32_t i = 0; i < setup->count; i++)
        if (!ip_addr_is_v4(&setup->addrs[i].addr) || !ip_addr_is_host(&setup->addrs[i].addr) ||
            setup->addrs[i].prefix_bits > 32)
            return false;
    if (setup->mtu_bytes != 0 &&
        (setup->mtu_bytes < IPV4_BYTES_MIN || setup->mtu_bytes > iface->mtu_most_bytes))
        return false;
    return !setup->has_gateway ||
           (ip_addr_is_v4(&setup->gateway) && ip_addr_is_host(&setup->gateway) &&
            in_subnet(setup, &setup->gateway) && !has(setup, &setup->gateway));
}

/* Takes what is not in the setup out of the table; the order of the others stays. */
static void remove_others(struct net_if *iface, const struct net_setup *setup)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr own = iface->addrs[i];

        if (!ip_addr_is_v4(&own.addr) || has(setup, &own.addr))
            iface->addrs[kept++] = own;
        else if (own.state != IF_ADDR_TENTATIVE)
            tcp_addr_gone(iface->net, &own.addr);
    }
    iface->addr_count = kept;
}

static void add(struct net_if *iface, const struct net_setup *setup, uint32_t number)
{
    const struct ip_addr *addr = &setup->addrs[number].addr;
    struct if_addr *own = if_addr_any(iface, addr);

    if (own != NULL) {
        own->prefix_bits = (uint8_t)setup->addrs[number].prefix_bits;
        return;
    }
    RT_ASSERT_LT(iface->addr_count, (uint32_t)NET_ADDRS_MAX);
    own = &iface->addrs[iface->addr_count++];
    *own = (struct if_addr){
        .addr = *addr,
        .prefix_bits = (uint8_t)setup->addrs[number].prefix_bits,
        .state = setup->probe ? IF_ADDR_TENTATIVE : IF_ADDR_PREFERRED,
        .acd = {.due_us = UINT64_MAX},
    };
    if (setup->probe)
        acd_begin(iface, own);
}

enum rt_status net_setup_apply(struct net *net, uint32_t iface, const struct net_setup *setup)
{
    struct net_if *to = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    if (!is_right(to, setup))
        return RT_INVALID;
    remove_others(to, setup);
    net->ways_changed++;
    if_changed(to);
    to->has_gateway = setup->has_gateway;
    to->gateway = setup->gateway;
    to->config.mtu_bytes = setup->mtu_bytes != 0 ? setup->mtu_bytes : to->mtu_most_bytes;
    for (uint32_t i = 0; i < setup->count; i++)
        add(to, setup, i);
    return RT_OK;
}

/* Addresses of one family, those that are still asked for aside; returns how many. */
static uint32_t in_use(const struct net_if *iface, bool v4, struct net_addr *addrs)
{
    uint32_t count = 0;

    RT_ASSERT_LE(iface->addr_count, (uint32_t)NET_ADDRS_MAX);
    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr *own = &iface->addrs[i];

        if (ip_addr_is_v4(&own->addr) == v4 && own->state != IF_ADDR_TENTATIVE)
            addrs[count++] = (struct net_addr){own->addr, own->prefix_bits};
    }
    return count;
}

void net_setup_get(const struct net *net, uint32_t iface, struct net_setup *setup)
{
    const struct net_if *from = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    *setup = (struct net_setup){
        .gateway = from->gateway,
        .has_gateway = from->has_gateway,
        .mtu_bytes = from->config.mtu_bytes,
    };
    setup->count = in_use(from, true, setup->addrs);
}

uint32_t net_ip6_get(const struct net *net, uint32_t iface, struct net_addr addrs[NET_ADDRS_MAX])
{
    RT_ASSERT_LT(iface, net->if_count);
    return in_use(&net->ifs[iface], false, addrs);
}

void if_close(struct net_if *iface)
{
    acd_close(iface);
    ip6_close(iface);
    if (iface->dhcp != NULL)
        dhcp_close(iface->dhcp);
}

void net_link(struct net *net, uint32_t iface, bool up)
{
    struct net_if *to = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    if (to->link_up == up)
        return;
    to->link_up = up;
    if (share_follows(to))
        return; /* another stack asks for the addresses again */
    if (up) {
        acd_link_up(to);
        ip6_link_up(to);
    } else {
        acd_close(to); /* nobody would hear it */
    }
    if (to->dhcp != NULL)
        dhcp_link(to->dhcp, up);
}
