/* SPDX-License-Identifier: BSD-2-Clause */
#include "ip6.h"

#include "../ip/mld.h"
#include "../state.h"
#include "../tcp/conn.h"
#include "../wire/ip.h"
#include "eth.h"
#include "nd.h"

#include <rt/assert.h>
#include <rt/siphash.h>

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

uint64_t ip6_random(struct net_if *iface, uint64_t below)
{
    const uint32_t words[] = {iface->ip6.randoms++, iface->config.mac[4], iface->config.mac[5]};

    RT_ASSERT_NE(below, 0u);
    return rt_siphash(iface->net->config.key, words, sizeof(words)) % below;
}

/* ---- groups ---- */

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

void ip6_report(struct net_if *iface, bool changed, uint64_t within_us)
{
    struct if_ip6 *ip6 = &iface->ip6;
    const uint64_t report_us = iface->net->now_us + ip6_random(iface, within_us + 1);

    if (ip6->reports == 0 || report_us < ip6->report_us)
        ip6->report_us = report_us;
    ip6->reports = changed ? IP6_REPORTS : RT_MAX(ip6->reports, 1);
    ip6->changed |= changed;
    ip6_arm(iface);
}

/* ---- addresses ---- */

enum rt_status ip6_addr_add(struct net_if *iface, const struct ip_addr *addr,
                            uint32_t prefix_bits)
{
    const struct ip_addr group = ip6_solicited_node(addr);
    const uint64_t now_us = iface->net->now_us;

    RT_ASSERT(iface->ip6.on);
    if (if_addr_any(iface, addr) != NULL)
        return RT_BUSY;
    if (iface->addr_count == NET_ADDRS_MAX)
        return RT_FULL;
    join(iface, &group);
    iface->addrs[iface->addr_count++] = (struct if_addr){
        .addr = *addr,
        .prefix_bits = (uint8_t)prefix_bits,
        .state = IF_ADDR_TENTATIVE,
        .acd = {.due_us = UINT64_MAX}, /* IPv4's test */
        .life = {.test_us = now_us + ip6_random(iface, IP6_START_DELAY_US),
                 .preferred_until_us = UINT64_MAX,
                 .valid_until_us = UINT64_MAX},
    };
    ip6_report(iface, true, 0);
    return RT_OK;
}

static void tell(const struct net_if *iface, const struct ip_addr *addr,
                 enum net_addr_event event)
{
    if (iface->config.told != NULL)
        iface->config.told(iface->config.ctx, addr, event);
}

void ip6_addr_taken(struct net_if *iface, const struct ip_addr *addr)
{
    struct if_addr *own = if_addr_any(iface, addr);

    RT_ASSERT(own != NULL);
    iface->net->counters.nd_conflicts++;
    if (own->state != IF_ADDR_TENTATIVE) {
        tell(iface, addr, NET_ADDR_CONFLICT); /* it stays ours: the other came later */
    } else if (own->life.test_us != UINT64_MAX) {
        own->life.test_us = UINT64_MAX;
        tell(iface, addr, NET_ADDR_TAKEN);
    }
}

/* The question leaves, or was not answered in time. */
static void test(struct net_if *iface, struct if_addr *own)
{
    const uint64_t now_us = iface->net->now_us;

    RT_ASSERT_EQ(own->state, IF_ADDR_TENTATIVE);
    if (!own->life.asked) {
        own->life.asked = nd_probe(iface, &own->addr);
        own->life.test_us = now_us + IP6_TEST_US; /* without a buffer: once more */
        return;
    }
    own->state = IF_ADDR_PREFERRED;
    own->life.test_us = UINT64_MAX;
    tell(iface, &own->addr, NET_ADDR_READY);
    if (!ip_addr_is_link_local(&own->addr))
        return;
    ip6_report(iface, true, IP6_REPORT_US); /* routers hear no report of nobody (RFC 3590 4) */
    if (iface->ip6.automatic) {
        iface->ip6.solicits = IP6_SOLICITS;
        iface->ip6.solicit_us = now_us;
    }
}

/* One that has ended goes; true: it did. */
static bool end(struct net_if *iface, uint32_t number)
{
    struct if_addr *own = &iface->addrs[number];
    const struct ip_addr addr = own->addr;
    const uint64_t now_us = iface->net->now_us;

    if (own->life.valid_until_us <= now_us) {
        for (uint32_t i = number + 1; i < iface->addr_count; i++)
            iface->addrs[i - 1] = iface->addrs[i];
        iface->addr_count--;
        tcp_addr_gone(iface->net, &addr);
        return true;
    }
    if (own->life.preferred_until_us <= now_us && own->state == IF_ADDR_PREFERRED)
        own->state = IF_ADDR_DEPRECATED;
    return false;
}

enum rt_status net_ip6_start(struct net *net, uint32_t index, bool automatic)
{
    struct net_if *iface = &net->ifs[index];
    const struct ip_addr own = ip6_link_local(iface->config.mac);

    RT_ASSERT_LT(index, net->if_count);
    RT_ASSERT(!iface->ip6.on);
    if (iface->config.mtu_bytes < IPV6_MTU_MIN)
        return RT_INVALID;
    join(iface, &ip6_all_nodes);
    iface->ip6 = (struct if_ip6){
        .on = true,
        .automatic = automatic,
        .mtu_bytes = iface->config.mtu_bytes,
    };
    return ip6_addr_add(iface, &own, 64);
}

/* ---- time ---- */

/* As long as there is an address whose test may begin or end, or whose time may. */
static void step_addrs(struct net_if *iface)
{
    for (uint32_t i = 0; i < iface->addr_count;) {
        if (ip_addr_is_v4(&iface->addrs[i].addr)) {
            i++;
            continue;
        }
        if (iface->addrs[i].life.test_us <= iface->net->now_us)
            test(iface, &iface->addrs[i]);
        i += !end(iface, i);
    }
}

static void step_routers(struct net_if *iface)
{
    struct if_ip6 *ip6 = &iface->ip6;
    const uint64_t now_us = iface->net->now_us;
    uint32_t routers = 0, prefixes = 0;

    for (uint32_t i = 0; i < ip6->router_count; i++)
        if (ip6->routers[i].valid_until_us > now_us)
            ip6->routers[routers++] = ip6->routers[i];
    for (uint32_t i = 0; i < ip6->prefix_count; i++)
        if (ip6->prefixes[i].valid_until_us > now_us)
            ip6->prefixes[prefixes++] = ip6->prefixes[i];
    ip6->router_count = routers;
    ip6->prefix_count = prefixes;
}

/* Without a buffer neither is counted: it leaves the next time. */
static void step_messages(struct net_if *iface)
{
    struct if_ip6 *ip6 = &iface->ip6;
    const uint64_t now_us = iface->net->now_us;

    if (ip6->solicits != 0 && ip6->solicit_us <= now_us) {
        ip6->solicits -= nd_solicit_routers(iface);
        ip6->solicit_us = now_us + IP6_SOLICIT_US;
    }
    if (ip6->reports != 0 && ip6->report_us <= now_us) {
        ip6->reports -= mld_report_groups(iface, ip6->changed);
        ip6->changed &= ip6->reports != 0;
        ip6->report_us = now_us + 1 + ip6_random(iface, IP6_REPORT_US);
    }
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct net_if *iface =
        RT_CONTAINER_OF(RT_CONTAINER_OF(timer, struct if_ip6, timer), struct net_if, ip6);

    RT_ASSERT_LE(now_us, iface->net->now_us);
    step_messages(iface); /* groups first: a question's answer comes by one */
    step_addrs(iface);
    step_routers(iface);
    ip6_arm(iface);
}

void ip6_arm(struct net_if *iface)
{
    struct if_ip6 *ip6 = &iface->ip6;
    uint64_t due_us = UINT64_MAX;

    for (uint32_t i = 0; i < iface->addr_count; i++) {
        const struct if_addr *own = &iface->addrs[i];

        if (ip_addr_is_v4(&own->addr))
            continue;
        due_us = RT_MIN(due_us, RT_MIN(own->life.test_us, own->life.valid_until_us));
        if (own->state == IF_ADDR_PREFERRED)
            due_us = RT_MIN(due_us, own->life.preferred_until_us);
    }
    for (uint32_t i = 0; i < ip6->router_count; i++)
        due_us = RT_MIN(due_us, ip6->routers[i].valid_until_us);
    for (uint32_t i = 0; i < ip6->prefix_count; i++)
        due_us = RT_MIN(due_us, ip6->prefixes[i].valid_until_us);
    due_us = ip6->solicits != 0 ? RT_MIN(due_us, ip6->solicit_us) : due_us;
    due_us = ip6->reports != 0 ? RT_MIN(due_us, ip6->report_us) : due_us;
    ip6->timer.fn = on_timer;
    if_changed(iface);
    if (due_us != UINT64_MAX)
        timer_arm(&iface->net->wheel, &ip6->timer, due_us);
    else
        timer_cancel(&iface->net->wheel, &ip6->timer);
}

void ip6_link_up(struct net_if *iface)
{
    if (!iface->ip6.on)
        return;
    if (iface->ip6.automatic) {
        iface->ip6.solicits = IP6_SOLICITS;
        iface->ip6.solicit_us = iface->net->now_us;
    }
    ip6_report(iface, true, IP6_REPORT_US);
}

void ip6_close(struct net_if *iface)
{
    timer_cancel(&iface->net->wheel, &iface->ip6.timer);
}
