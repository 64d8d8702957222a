/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack as a whole: made, fed, turned, closed; who gets what came in. */
#include <tcp/net.h>

#include "ip/icmp.h"
#include "ip/ip.h"
#include "ip/loop.h"
#include "ip/reasm.h"
#include "link/arp.h"
#include "link/eth.h"
#include "share/share.h"
#include "state.h"
#include "tcp/conn.h"
#include "udp/udp.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/pool.h>

enum { NEIGHS_DEFAULT = 256, TIMERS_MAX = 64 /* fired in a turn */ };

/* ---- made ---- */

static enum rt_status make_neighs(struct net *net)
{
    struct neigh_table *table = &net->neighs;

    table->count = net->config.neighs != 0 ? net->config.neighs : NEIGHS_DEFAULT;
    table->bucket_count = 1;
    while (table->bucket_count < table->count)
        table->bucket_count *= 2;
    table->entries = hal_alloc(table->count * sizeof(*table->entries), RT_CACHE_LINE, "neighs");
    table->buckets = hal_alloc(table->bucket_count * sizeof(struct neigh *), RT_CACHE_LINE,
                               "neigh buckets");
    return table->entries != NULL && table->buckets != NULL ? RT_OK : RT_NO_MEMORY;
}

enum rt_status net_create(const struct net_config *config, uint64_t now_us, struct net **out)
{
    struct net *net = hal_alloc(sizeof(*net), RT_CACHE_LINE, "network stack");

    RT_ASSERT_EQ(config->pool->core, config->core);
    if (net == NULL)
        return RT_NO_MEMORY;
    net->config = *config;
    net->now_us = now_us;
    net->icmp_tokens = ICMP_ERRORS_PER_S;
    net->icmp_tokens_us = now_us;
    few_begin(&net->few, config->pool, config->reserve_bufs);
    timer_wheel_init(&net->wheel, now_us);
    *out = net;
    if (reasm_create(net) != RT_OK)
        return RT_NO_MEMORY;
    return make_neighs(net);
}

enum rt_status net_if_add(struct net *net, const struct net_if_config *config, uint32_t *iface)
{
    if (config->mtu_bytes < IPV4_BYTES_MIN || (config->mac[0] & 1) != 0 || config->tx_bufs == 1)
        return RT_INVALID; /* one for headers, one for what they are of */
    if (net->if_count == NET_IFS_MAX)
        return RT_FULL;
    net->ifs[net->if_count] = (struct net_if){
        .config = *config,
        .net = net,
        .link_up = true,
        .mtu_most_bytes = config->mtu_bytes,
    };
    for (uint32_t i = 0; i < sizeof(config->mac); i++)
        net->ifs[net->if_count].mac_word |= (uint64_t)config->mac[i] << (16 + 8 * i);
    net->shared |= config->share != NULL;
    *iface = net->if_count++;
    return RT_OK;
}

enum rt_status net_addr_add(struct net *net, uint32_t iface, const struct ip_addr *addr,
                            uint32_t prefix_bits)
{
    struct net_if *to = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    if (!ip_addr_is_host(addr) || prefix_bits > (ip_addr_is_v4(addr) ? 32u : 128u))
        return RT_INVALID;
    if (!ip_addr_is_v4(addr))
        return to->ip6.on ? ip6_addr_add(to, addr, prefix_bits) : RT_INVALID;
    if (to->addr_count == NET_ADDRS_MAX)
        return RT_FULL;
    to->addrs[to->addr_count++] =
        (struct if_addr){.addr = *addr, .prefix_bits = (uint8_t)prefix_bits,
                         .acd = {.due_us = UINT64_MAX}};
    net->ways_changed++;
    if_changed(to);
    return RT_OK;
}

/* ... of an address that may be in its test still. */
static bool in_subnet(const struct net_if *iface, const struct ip_addr *addr)
{
    for (uint32_t i = 0; i < iface->addr_count; i++)
        if (ip_addr_same_prefix(&iface->addrs[i].addr, addr, iface->addrs[i].prefix_bits))
            return true;
    return false;
}

enum rt_status net_gateway_set(struct net *net, uint32_t iface, const struct ip_addr *gateway)
{
    struct net_if *to = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    if (!ip_addr_is_host(gateway) || if_addr_any(to, gateway) != NULL ||
        (!ip_addr_is_link_local(gateway) && !in_subnet(to, gateway)))
        return RT_INVALID;
    if (!ip_addr_is_v4(gateway))
        return to->ip6.on ? ip6_router_add(to, gateway, UINT64_MAX) : RT_INVALID;
    to->gateway = *gateway;
    to->has_gateway = true;
    net->ways_changed++;
    if_changed(to);
    return RT_OK;
}

/* ---- fed ---- */

/* Something went wrong with a packet of ours: whoever sent it judges what that means. */
static void tell_error(struct net *net, const struct icmp_error *error)
{
    if (error->protocol == IP_TCP && net->tcp != NULL)
        tcp_icmp(net, error);
    if (error->protocol == IP_UDP && net->udp != NULL)
        udp_icmp(net, error);
}

void ip_undeliverable(struct net *net, struct buf *packet_owned)
{
    struct icmp_error error = {.what = ICMP_SAYS_UNREACHABLE};

    RT_ASSERT_EQ(*packet_owned->owner, (uint8_t)BUF_STACK);
    if (icmp_read_quote(buf_data(packet_owned), packet_owned->data_len, &error))
        tell_error(net, &error);
    buf_free(packet_owned);
}

void net_deliver(struct net *net, struct ip_packet *packet_owned)
{
    struct icmp_error error;

    net->counters.ip_in_delivers++;
    if (packet_owned->protocol == (ip_addr_is_v4(&packet_owned->src) ? IP_ICMP : IP_ICMPV6)) {
        if (ip_addr_is_v4(&packet_owned->src) ? icmp_input(net, packet_owned, &error)
                                              : icmp6_input(net, packet_owned, &error))
            tell_error(net, &error);
        return;
    }
    if (packet_owned->protocol == IP_TCP && net->tcp != NULL) {
        tcp_input(net, packet_owned);
        return;
    }
    if (packet_owned->protocol == IP_UDP && net->udp != NULL) {
        udp_input(net, packet_owned);
        return;
    }
    net->counters.ip_in_delivers--;
    net->counters.ip_in_unknown_protos++;
    icmp_send_error(net, packet_owned, ICMP_UNREACHABLE, ICMP_PROTOCOL);
    buf_free(packet_owned->buf);
}

static void ip_deliver(struct net *net, struct ip_packet *packet_owned)
{
    if (!share_is_shared(packet_owned->iface) || !share_pass(net, packet_owned, 0))
        net_deliver(net, packet_owned);
}

static void frame_input(struct net *net, struct net_if *iface, struct buf *frame_owned)
{
    struct eth_frame frame;
    struct ip_packet packet;

    if (!eth_parse(iface, frame_owned, &frame)) {
        buf_free(frame_owned);
        return;
    }
    switch ((enum eth_type)frame.type) {
    case ETH_IPV4:
        if (ipv4_input(iface, frame_owned, frame.to_group, &packet))
            ip_deliver(net, &packet);
        return;
    case ETH_IPV6:
        if (ipv6_input(iface, frame_owned, frame.to_group, &packet))
            ip_deliver(net, &packet);
        return;
    case ETH_ARP:
        if (!share_pass_arp(iface, frame_owned))
            arp_input(iface, frame_owned);
        return;
    case ETH_VLAN: /* a tag in a tag */
    default:
        net->counters.eth_unknown_type++;
        buf_free(frame_owned);
    }
}

void net_input(struct net *net, uint32_t iface, struct buf_batch *frames_owned, uint64_t now_us)
{
    RT_ASSERT_LT(iface, net->if_count);
    RT_ASSERT_LE(net->now_us, now_us);
    net->now_us = now_us;
    if (net->tcp != NULL) {
        tcp_batch(net, &net->ifs[iface], frames_owned, frame_input);
    } else {
        for (uint32_t i = 0; i < frames_owned->count; i++)
            frame_input(net, &net->ifs[iface], frames_owned->buf[i]);
        frames_owned->count = 0;
    }
    if (RT_UNLIKELY(net->few.dry))
        few_refill(&net->few);
}

/* ---- turned ---- */

void net_turn(struct net *net, uint64_t now_us)
{
    const uint32_t looped = net->loop_count; /* what these cause comes with the next turn */
    struct ip_packet packet;

    RT_ASSERT_LE(net->now_us, now_us);
    net->now_us = now_us;
    few_turn(net, &net->few);
    for (uint32_t i = 0; i < looped && loop_take(net, &packet); i++)
        ip_deliver(net, &packet);
    if (RT_UNLIKELY(timer_next_us(&net->wheel) <= now_us))
        timer_run(&net->wheel, now_us, TIMERS_MAX);
    if (net->udp != NULL)
        udp_tell_all(net);
    if (net->tcp != NULL) {
        if (RT_UNLIKELY(net->tcp->alarms.next_us <= now_us))
            tcp_deadlines(net, TIMERS_MAX);
        tcp_tell_all(net);
        tcp_output_all(net);
    }
    if (RT_UNLIKELY(net->shared))
        share_tell_state(net);
    for (uint32_t i = 0; i < net->if_count; i++)
        if_flush(&net->ifs[i]);
}

uint64_t net_next_us(const struct net *net)
{
    if (net->loop_count != 0 || tcp_output_waits(net) || udp_tells(net) ||
        (net->shared && share_tells(net)))
        return 0;
    return RT_MIN(timer_next_us(&net->wheel), tcp_deadlines_next_us(net));
}

/* ---- closed ---- */

void net_close(struct net *net)
{
    udp_close_all(net);
    tcp_close_all(net);
    for (uint32_t i = 0; i < net->if_count; i++)
        if_flush(&net->ifs[i]); /* what tells peers that it is over */
    for (uint32_t i = 0; i < net->if_count; i++)
        if_close(&net->ifs[i]);
    neigh_close(net);
    reasm_close(net);
    loop_close(net);
    few_close(&net->few);
    for (uint32_t i = 0; i < net->if_count; i++)
        buf_batch_free(&net->ifs[i].out);
}

const struct net_counters *net_counters(const struct net *net)
{
    return &net->counters;
}
