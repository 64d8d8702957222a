/* SPDX-License-Identifier: BSD-2-Clause */
#include "nd.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "../wire/nd.h"
#include "eth.h"

#include <mempool/pool.h>

/* ---- out ---- */

bool nd_send(struct net_if *iface, const struct nd_message *message)
{
    const struct ip_how how = {
        .src = message->src,
        .dst = message->dst,
        .protocol = IP_ICMPV6,
        .hops = ND_HOPS,
        .sum_offset = offsetof(struct icmp_header, checksum),
    };
    struct buf *b = few_take(iface->net);
    uint8_t group[6];

    if (b == NULL)
        return false;
    RT_ASSERT_LE(message->bytes, (uint32_t)BUF_ROOM_BYTES - ND_OPTION_WORD_BYTES);
    __builtin_memcpy(buf_data(b), message->data, message->bytes);
    b->data_len = (uint16_t)message->bytes;
    if (message->link_option != 0) {
        struct nd_link_option *option = (void *)(buf_data(b) + message->bytes);

        option->head = (struct nd_option){.type = message->link_option, .words = 1};
        __builtin_memcpy(option->mac, iface->config.mac, 6);
        b->data_len = (uint16_t)(b->data_len + sizeof(*option));
    }
    b->pkt_len = b->data_len;
    if (message->to == NULL)
        eth_group_mac(&message->dst, group);
    iface->net->counters.icmp_out_msgs++;
    ipv6_output_to(iface, &how, message->to != NULL ? message->to : group, b);
    return true;
}

static struct nd_neighbour neighbour(uint8_t type, uint32_t flags, const struct ip_addr *target)
{
    struct nd_neighbour message = {.type = type, .flags = be32_put(flags)};

    __builtin_memcpy(message.target, target, sizeof(message.target));
    return message;
}

bool nd_solicit(struct net_if *iface, const struct ip_addr *target, const uint8_t *to)
{
    const struct nd_neighbour solicit = neighbour(ICMP6_NEIGH_SOLICIT, 0, target);
    struct nd_message message = {
        .dst = to != NULL ? *target : ip6_solicited_node(target),
        .to = to,
        .data = &solicit,
        .bytes = sizeof(solicit),
        .link_option = ND_OPT_SOURCE_LINK,
    };

    return ip_source(iface, target, target, &message.src) && nd_send(iface, &message);
}

bool nd_probe(struct net_if *iface, const struct ip_addr *target)
{
    const struct nd_neighbour solicit = neighbour(ICMP6_NEIGH_SOLICIT, 0, target);
    const struct nd_message message = {
        .dst = ip6_solicited_node(target),
        .data = &solicit,
        .bytes = sizeof(solicit), /* nobody's MAC belongs to nobody (::) */
    };

    return nd_send(iface, &message);
}

/* Who asks without an address tests one that is ours: all must hear that (7.2.4). */
static void answer(struct net_if *iface, const struct ip_addr *own, const struct ip_addr *asker,
                   const uint8_t *asker_mac)
{
    const bool nobody = ip_addr_is_unspecified(asker);
    const struct nd_neighbour advert =
        neighbour(ICMP6_NEIGH_ADVERT, ND_OVERRIDE | (nobody ? 0 : ND_SOLICITED), own);
    const struct nd_message message = {
        .src = *own,
        .dst = nobody ? ip6_all_nodes : *asker,
        .to = asker_mac,
        .data = &advert,
        .bytes = sizeof(advert),
        .link_option = ND_OPT_TARGET_LINK,
    };

    (void)nd_send(iface, &message); /* who asked asks again */
}

/* ---- in ---- */

/* Every option has a length, and ends in the message (4.6). */
static bool options_are_right(const uint8_t *at, uint32_t bytes)
{
    while (bytes >= sizeof(struct nd_option)) {
        const struct nd_option *option = (const struct nd_option *)(const void *)at;
        const uint32_t length = option->words * ND_OPTION_WORD_BYTES;

        if (length == 0 || length > bytes)
            return false;
        at += length;
        bytes -= length;
    }
    return bytes == 0;
}

const uint8_t *nd_find_link(const uint8_t *at, uint32_t bytes, uint8_t type)
{
    for (uint32_t i = 0; i < bytes; i += at[i + 1] * ND_OPTION_WORD_BYTES) {
        const struct nd_link_option *link = (const struct nd_link_option *)(const void *)(at + i);

        RT_ASSERT_NE(link->head.words, 0);
        if (link->head.type == type && link->head.words == 1 && (link->mac[0] & 1) == 0)
            return link->mac;
    }
    return NULL;
}

/* Who is not on the link is nobody's neighbour: he takes no place in the table. */
static bool is_neighbour(const struct net_if *iface, const struct ip_addr *addr)
{
    return ip_addr_is_link_local(addr) || ip6_prefix_bits(iface, addr) != 0 ||
           if_addr_for(iface, addr) != NULL;
}

static void solicited(const struct ip_packet *message, const struct ip_addr *target,
                      const uint8_t *mac)
{
    struct net_if *iface = message->iface;
    struct if_addr *own = if_addr_any(iface, target);

    if (own == NULL)
        return;
    if (own->state == IF_ADDR_TENTATIVE) {
        if (ip_addr_is_unspecified(&message->src))
            ip6_addr_taken(iface, target); /* two test it at once: nobody gets it (4862 5.4.3) */
        return;
    }
    if (mac != NULL && is_neighbour(iface, &message->src))
        neigh_heard(iface, &message->src, mac);
    answer(iface, target, &message->src, mac);
}

static void advertised(const struct ip_packet *message, const struct nd_neighbour *advert,
                       const struct ip_addr *target, const uint8_t *mac)
{
    const uint32_t flags = be32_get(advert->flags);
    struct net_if *iface = message->iface;

    if (if_addr_any(iface, target) != NULL) {
        ip6_addr_taken(iface, target);
        return;
    }
    neigh_answered(iface, target, mac, (flags & ND_SOLICITED) != 0, (flags & ND_OVERRIDE) != 0);
    if ((flags & ND_ROUTER) == 0)
        ip6_router_gone(iface, target); /* it is one no more (7.3.3) */
}

static void neighbour_input(const struct ip_packet *message)
{
    const struct nd_neighbour *nd = (const struct nd_neighbour *)buf_data(message->buf);
    const uint8_t *options = (const uint8_t *)(nd + 1);
    const uint32_t bytes = message->bytes - (uint32_t)sizeof(*nd);
    struct ip_addr target;

    __builtin_memcpy(&target, nd->target, sizeof(target));
    if (ip_addr_is_v4(&target) || !ip_addr_is_host(&target)) {
        message->iface->net->counters.nd_bad++;
        return;
    }
    if (nd->type == ICMP6_NEIGH_SOLICIT)
        solicited(message, &target, nd_find_link(options, bytes, ND_OPT_SOURCE_LINK));
    else
        advertised(message, nd, &target, nd_find_link(options, bytes, ND_OPT_TARGET_LINK));
}

/* Bytes in front of the options; 0: we read no such message. */
static uint32_t head_bytes(uint8_t type)
{
    if (type == ICMP6_NEIGH_SOLICIT || type == ICMP6_NEIGH_ADVERT)
        return sizeof(struct nd_neighbour);
    return type == ICMP6_ROUTER_ADVERT ? sizeof(struct nd_router_advert) : 0;
}

/* Who has no address may ask a solicited-node group only (4861 7.1.1), and tells no MAC. */
static bool may_ask(const struct ip_packet *message, uint32_t head)
{
    const struct ip_addr group = ip6_solicited_node(&message->dst);

    return ip_addr_equal(&group, &message->dst) &&
           nd_find_link(buf_data(message->buf) + head, message->bytes - head,
                        ND_OPT_SOURCE_LINK) == NULL;
}

/* An answer to many answers nobody's question (7.1.2). */
static bool may_answer(const struct ip_packet *message)
{
    const struct nd_neighbour *nd = (const struct nd_neighbour *)buf_data(message->buf);

    return !ip_addr_is_multicast(&message->dst) || (be32_get(nd->flags) & ND_SOLICITED) == 0;
}

/* From this link, in one piece and one segment, from whom may say it. */
static bool is_right(const struct ip_packet *message, uint32_t head)
{
    const struct icmp_header *icmp = (const struct icmp_header *)buf_data(message->buf);
    const bool nobody = ip_addr_is_unspecified(&message->src);

    if (message->hops != ND_HOPS || icmp->code != 0 || message->whole_sum ||
        message->buf->data_len != message->bytes || message->bytes < head ||
        !options_are_right(buf_data(message->buf) + head, message->bytes - head))
        return false;
    if (icmp->type == ICMP6_ROUTER_ADVERT)
        return ip_addr_is_link_local(&message->src);
    if (icmp->type == ICMP6_NEIGH_SOLICIT)
        return !nobody || may_ask(message, head);
    return !nobody && may_answer(message);
}

void nd_input(const struct ip_packet *message)
{
    struct net_counters *counters = &message->iface->net->counters;
    const uint8_t type = buf_data(message->buf)[0];
    const uint32_t head = head_bytes(type);

    RT_ASSERT_LE((uint32_t)sizeof(struct icmp_header), message->bytes);
    if (head == 0)
        counters->nd_ignored++; /* redirects; what hosts ask routers */
    else if (!is_right(message, head))
        counters->nd_bad++;
    else if (type == ICMP6_ROUTER_ADVERT)
        nd_router_advert(message);
    else
        neighbour_input(message);
}
