/* SPDX-License-Identifier: BSD-2-Clause */
/* What the first stack of an interface knows of its link, told to the others: plain data in a
 * buffer of its own for each. */
#include "../link/neigh.h"
#include "../state.h"
#include "../tcp/conn.h"
#include "share.h"

#include <mempool/pool.h>
#include <rt/assert.h>

/* All that follows from what the link said. Addresses that are still asked for are in it, too:
 * their groups are heard. Times are absolute, and one clock's. */
struct share_state {
    struct if_addr addrs[NET_ADDRS_MAX];
    struct ip6_router routers[IP6_ROUTERS_MAX];
    struct ip6_prefix prefixes[IP6_PREFIXES_MAX];
    uint32_t addr_count, router_count, prefix_count;
    struct ip_addr gateway;
    bool has_gateway, ip6_on;
    uint16_t mtu_bytes, ip6_mtu_bytes;
};
_Static_assert(sizeof(struct share_state) <= BUF_ROOM_BYTES, "one buffer");

static bool send_news(const struct net_if *iface, uint32_t to, enum share_kind kind,
                      const void *news, uint32_t bytes)
{
    struct buf *b = pool_take(iface->net->config.pool);

    RT_ASSERT_LE(bytes, (uint32_t)BUF_ROOM_BYTES);
    if (b == NULL)
        return false;
    __builtin_memcpy(buf_data(b), news, bytes);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    b->segments = 1;
    b->user = 0;
    return share_send(iface, to, kind, b);
}

/* ---- neighbours ---- */

void share_tell_neigh(const struct net_if *iface, const struct share_neigh *heard)
{
    if (!share_is_shared(iface) || share_follows(iface))
        return;
    for (uint32_t to = 1; to < iface->config.share->count; to++)
        (void)send_news(iface, to, SHARE_NEIGH, heard, sizeof(*heard));
}

void share_take_neigh(struct net_if *iface, const struct buf *message)
{
    struct share_neigh n;

    RT_ASSERT(share_follows(iface));
    RT_ASSERT_EQ(message->data_len, (uint32_t)sizeof(n));
    __builtin_memcpy(&n, buf_data(message), sizeof(n));
    switch ((enum share_heard)n.heard) {
    case SHARE_LEARNT:
        neigh_learn(iface, &n.addr, n.mac, n.solicited);
        return;
    case SHARE_HEARD:
        neigh_heard(iface, &n.addr, n.mac);
        return;
    case SHARE_ANSWERED:
        neigh_answered(iface, &n.addr, n.has_mac ? n.mac : NULL, n.solicited, n.override);
        return;
    }
}

/* ---- addresses, routers, MTU ---- */

static void read_state(const struct net_if *iface, struct share_state *state)
{
    const struct if_ip6 *ip6 = &iface->ip6;

    __builtin_memset(state, 0, sizeof(*state));
    __builtin_memcpy(state->addrs, iface->addrs, sizeof(state->addrs));
    __builtin_memcpy(state->routers, ip6->routers, sizeof(state->routers));
    __builtin_memcpy(state->prefixes, ip6->prefixes, sizeof(state->prefixes));
    state->addr_count = iface->addr_count;
    state->router_count = ip6->router_count;
    state->prefix_count = ip6->prefix_count;
    state->gateway = iface->gateway;
    state->has_gateway = iface->has_gateway;
    state->ip6_on = ip6->on;
    state->mtu_bytes = iface->config.mtu_bytes;
    state->ip6_mtu_bytes = ip6->mtu_bytes;
}

/* Who is still to be told. */
static uint64_t untold(const struct net_if *iface)
{
    if (!share_is_shared(iface) || share_follows(iface))
        return 0;
    RT_ASSERT_LE(iface->config.share->count, 64u);
    return iface->untold & (UINT64_MAX >> (64 - iface->config.share->count)) & ~UINT64_C(1);
}

bool share_tells(const struct net *net)
{
    for (uint32_t i = 0; i < net->if_count; i++)
        if (untold(&net->ifs[i]) != 0)
            return true;
    return false;
}

static void tell(struct net_if *iface, uint64_t whom)
{
    struct share_state state;

    read_state(iface, &state);
    for (uint32_t to = 1; to < iface->config.share->count; to++)
        if ((whom >> to & 1) != 0 &&
            send_news(iface, to, SHARE_STATE, &state, sizeof(state)))
            iface->untold &= ~(UINT64_C(1) << to);
}

void share_tell_state(struct net *net)
{
    for (uint32_t i = 0; i < net->if_count; i++) {
        const uint64_t whom = untold(&net->ifs[i]);

        if (RT_UNLIKELY(whom != 0))
            tell(&net->ifs[i], whom);
    }
}

static void write_state(struct net_if *iface, const struct share_state *state)
{
    struct if_ip6 *ip6 = &iface->ip6;

    RT_ASSERT_LE(state->addr_count, (uint32_t)NET_ADDRS_MAX);
    __builtin_memcpy(iface->addrs, state->addrs, sizeof(iface->addrs));
    __builtin_memcpy(ip6->routers, state->routers, sizeof(ip6->routers));
    __builtin_memcpy(ip6->prefixes, state->prefixes, sizeof(ip6->prefixes));
    iface->addr_count = state->addr_count;
    ip6->router_count = state->router_count;
    ip6->prefix_count = state->prefix_count;
    iface->gateway = state->gateway;
    iface->has_gateway = state->has_gateway;
    ip6->on = state->ip6_on;
    iface->config.mtu_bytes = state->mtu_bytes;
    ip6->mtu_bytes = state->ip6_mtu_bytes;
    iface->net->ways_changed++;
}

/* The connections of an address that goes end with it, as the first stack's do. */
void share_take_state(struct net_if *iface, const struct buf *message)
{
    const uint32_t count = iface->addr_count;
    struct if_addr before[NET_ADDRS_MAX];
    struct share_state state;

    RT_ASSERT(share_follows(iface));
    RT_ASSERT_EQ(message->data_len, (uint32_t)sizeof(state));
    __builtin_memcpy(&state, buf_data(message), sizeof(state));
    __builtin_memcpy(before, iface->addrs, sizeof(before));
    write_state(iface, &state);
    for (uint32_t i = 0; i < count; i++)
        if (before[i].state != IF_ADDR_TENTATIVE &&
            if_addr_find(iface, &before[i].addr) == NULL)
            tcp_addr_gone(iface->net, &before[i].addr);
}
