/* SPDX-License-Identifier: BSD-2-Clause */
/* What came in by this stack and is another's. A stack keeps what it has a connection or a
 * socket for, whoever's it should be: only what is new or lost is looked at closely. */
#include "../chain.h"
#include "../ip/icmp.h"
#include "../link/arp.h"
#include "../state.h"
#include "../tcp/conn.h"
#include "../udp/udp.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "share.h"

#include <mempool/pool.h>
#include <rt/assert.h>

/* A datagram on its way, in front of its IP headers; the rest of struct ip_packet follows
 * from the chain. */
struct passed {
    struct ip_addr src, dst;
    uint16_t header_bytes, next_at;
    uint8_t protocol, hops, tos;
    bool to_group, whole_sum;
};
_Static_assert(sizeof(struct passed) <= BUF_HEADROOM_BYTES - 60, "and a TCP header");

enum { KIND_BITS = 8, PORTS_BYTES = 4 };

bool share_send(const struct net_if *iface, uint32_t to, enum share_kind kind,
                struct buf *message_owned)
{
    const struct net_share *share = iface->config.share;
    struct net_counters *counters = &iface->net->counters;
    bool sent;

    RT_ASSERT_LT(to, share->count);
    RT_ASSERT_NE(to, share->number);
    message_owned->user = (message_owned->user << KIND_BITS) | kind;
    sent = share->send(share->ctx, to, message_owned);
    counters->share_out += sent;
    counters->share_full += !sent;
    return sent;
}

bool share_is_home(const struct net_if *iface, const struct net_flow *flow)
{
    const struct net_share *share = iface->config.share;

    return !share_is_shared(iface) || share->home(share->ctx, flow) == share->number;
}

static uint16_t port_at(const uint8_t *ports, uint32_t at)
{
    return (uint16_t)(ports[at] << 8 | ports[at + 1]);
}

/* ---- whose is it ---- */

/* TCP: of a flow as it comes in, its ports as they are on the wire. */
static uint32_t whose_flow(struct net *net, const struct net_share *share,
                           const struct net_flow *flow)
{
    if (net->tcp == NULL || conn_find(net, &flow->dst, flow->dst_port, &flow->src,
                                      flow->src_port) != NULL)
        return share->number;
    return share->home(share->ctx, flow);
}

/* UDP: ports are opened where applications like, and no table says where. */
static uint32_t whose_socket(struct net *net, const struct net_share *share,
                             const struct ip_addr *own, uint16_t port, uint32_t stations)
{
    if (net->udp == NULL || udp_find(net, own, port) != NULL || stations + 1 >= share->count)
        return share->number;
    return (share->number + 1) % share->count;
}

/* Of an error it is the packet that counts which it quotes: one of ours. */
static uint32_t whose_error(struct net *net, const struct net_share *share,
                            const struct ip_packet *p, uint32_t stations)
{
    const uint32_t header = sizeof(struct icmp_header);
    struct icmp_error error;
    struct net_flow flow;

    if (p->buf->data_len < header ||
        !icmp_read_quote(buf_data(p->buf) + header, p->buf->data_len - header, &error))
        return share->number;
    flow = (struct net_flow){error.dst, error.src, port_at(error.quote, 2),
                             port_at(error.quote, 0)};
    if (error.protocol == IP_UDP)
        return whose_socket(net, share, &flow.dst, flow.dst_port, stations);
    return error.protocol == IP_TCP && stations == 0 ? whose_flow(net, share, &flow)
                                                     : share->number;
}

static bool is_error(const struct ip_packet *p)
{
    const uint8_t type = buf_data(p->buf)[0];

    if (!ip_addr_is_v4(&p->src))
        return type < ICMP6_INFORMATION;
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED ||
           type == ICMP_PARAMETER_PROBLEM;
}

/* Neighbours, routers, and who asks for groups: the first stack answers for all. */
static bool is_of_the_link(const struct ip_packet *p)
{
    const uint8_t type = buf_data(p->buf)[0];

    return !ip_addr_is_v4(&p->src) &&
           ((type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_REDIRECT) ||
            type == ICMP6_MLD_QUERY);
}

static uint32_t whose(struct net *net, const struct net_share *share, const struct ip_packet *p,
                      uint32_t stations)
{
    const uint8_t *data = buf_data(p->buf);
    struct net_flow flow;

    if (p->buf->data_len < PORTS_BYTES)
        return share->number; /* wrong: dropped here */
    flow = (struct net_flow){p->src, p->dst, port_at(data, 0), port_at(data, 2)};
    if (p->protocol == IP_UDP)
        return whose_socket(net, share, &p->dst, flow.dst_port, stations);
    if (p->protocol == (ip_addr_is_v4(&p->src) ? IP_ICMP : IP_ICMPV6)) {
        if (is_error(p))
            return whose_error(net, share, p, stations);
        return is_of_the_link(p) ? 0 : share->number;
    }
    return p->protocol == IP_TCP && stations == 0 ? whose_flow(net, share, &flow)
                                                  : share->number;
}

/* ---- there ---- */

bool share_pass(struct net *net, struct ip_packet *packet_owned, uint32_t stations)
{
    struct net_if *iface = packet_owned->iface;
    struct buf *b = packet_owned->buf;
    const struct passed passed = {
        .src = packet_owned->src,
        .dst = packet_owned->dst,
        .header_bytes = packet_owned->header_bytes,
        .next_at = packet_owned->next_at,
        .protocol = packet_owned->protocol,
        .hops = packet_owned->hops,
        .tos = packet_owned->tos,
        .to_group = packet_owned->to_group,
        .whole_sum = packet_owned->whole_sum,
    };
    uint32_t to;

    RT_ASSERT(share_is_shared(iface));
    to = whose(net, iface->config.share, packet_owned, stations);
    if (to == iface->config.share->number)
        return false;
    chain_push(b, passed.header_bytes); /* they are there: an error quotes them */
    __builtin_memcpy(chain_push(b, sizeof(passed)), &passed, sizeof(passed));
    b->user = stations + 1;
    (void)share_send(iface, to, SHARE_DATAGRAM, b); /* lost, as on a wire */
    return true;
}

bool share_pass_arp(struct net_if *iface, struct buf *message_owned)
{
    if (!share_follows(iface))
        return false;
    message_owned->user = 0;
    (void)share_send(iface, 0, SHARE_ARP, message_owned);
    return true;
}

/* ---- and here ---- */

static void take_datagram(struct net_if *iface, struct buf *b_owned)
{
    struct passed passed;
    struct ip_packet packet;

    RT_ASSERT_LE((uint32_t)sizeof(passed), b_owned->data_len);
    __builtin_memcpy(&passed, buf_data(b_owned), sizeof(passed));
    chain_pull(b_owned, (uint32_t)sizeof(passed) + passed.header_bytes);
    packet = (struct ip_packet){
        .buf = b_owned,
        .iface = iface,
        .src = passed.src,
        .dst = passed.dst,
        .bytes = b_owned->pkt_len,
        .header_bytes = passed.header_bytes,
        .next_at = passed.next_at,
        .protocol = passed.protocol,
        .hops = passed.hops,
        .tos = passed.tos,
        .to_group = passed.to_group,
        .whole_sum = passed.whole_sum,
    };
    if (!share_pass(iface->net, &packet, (uint32_t)(b_owned->user >> KIND_BITS)))
        net_deliver(iface->net, &packet);
}

void net_share_input(struct net *net, uint32_t iface, struct buf *message_owned,
                     uint64_t now_us)
{
    struct net_if *to = &net->ifs[iface];

    RT_ASSERT_LT(iface, net->if_count);
    RT_ASSERT_LE(net->now_us, now_us);
    net->now_us = now_us;
    net->counters.share_in++;
    switch ((enum share_kind)(uint8_t)message_owned->user) {
    case SHARE_DATAGRAM:
        take_datagram(to, message_owned);
        return;
    case SHARE_ARP:
        arp_input(to, message_owned);
        return;
    case SHARE_NEIGH:
        share_take_neigh(to, message_owned);
        break;
    case SHARE_STATE:
        share_take_state(to, message_owned);
        break;
    }
    buf_free(message_owned);
}
