/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv6 packet comes in (RFC 8200): its header, those that follow it, and for whom it is. */
#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "icmp.h"
#include "ip.h"
#include "ip6_headers.h"
#include "reasm.h"

#include <mempool/pool.h>

static uint32_t payload_of(const struct buf *packet)
{
    return be16_get(((const struct ipv6_header *)buf_data(packet))->payload_bytes);
}

/* The header is whole and says nothing impossible; `counter` gets the drop reason. */
static bool header_is_right(struct net *net, const struct buf *packet, uint64_t **counter)
{
    const struct ipv6_header *ip = (const struct ipv6_header *)buf_data(packet);

    *counter = &net->counters.ip_in_hdr_errors;
    if (packet->data_len < sizeof(*ip) || be32_get(ip->version_class_flow) >> 28 != 6)
        return false;
    *counter = &net->counters.ip_in_truncated;
    return payload_of(packet) <= packet->pkt_len - sizeof(*ip);
}

/* From a host, and to us. An IPv4 address in disguise would be taken for IPv4 by all above
 * (RFC 4942 2.2); who has no address yet (::) speaks to groups. */
static bool addresses_are_right(const struct net_if *iface, const struct ip_packet *p)
{
    if (ip_addr_is_v4(&p->src) || ip_addr_is_v4(&p->dst))
        return false;
    if (ip_addr_is_unspecified(&p->src))
        return if_group_find(iface, &p->dst);
    if (!ip_addr_is_host(&p->src) || ip_is_ours(iface->net, &p->src))
        return false;
    return ip_addr_is_multicast(&p->dst) ? if_group_find(iface, &p->dst)
                                         : if_addr_find(iface, &p->dst) != NULL;
}

static struct ip_packet read_header(struct net_if *iface, struct buf *packet, bool to_group)
{
    const struct ipv6_header *ip = (const struct ipv6_header *)buf_data(packet);
    struct ip_packet out = {
        .buf = packet,
        .iface = iface,
        .header_bytes = sizeof(*ip),
        .protocol = ip->next,
        .hops = ip->hops,
        .tos = (uint8_t)(be32_get(ip->version_class_flow) >> IP6_CLASS_SHIFT),
    };

    __builtin_memcpy(&out.src, ip->src, sizeof(out.src));
    __builtin_memcpy(&out.dst, ip->dst, sizeof(out.dst));
    out.to_group = to_group || ip_addr_is_multicast(&out.dst);
    return out;
}

static enum ip6_verdict problem(struct ip_packet *p, const struct ip6_walk *walk)
{
    chain_pull(p->buf, p->header_bytes);
    p->bytes = p->buf->pkt_len;
    icmp6_send_problem(p->iface->net, p, walk);
    return IP6_IS_PROBLEM;
}

/* Passes extension headers from where `walk` is; the data is at the IPv6 header. */
static enum ip6_verdict pass_headers(struct ip_packet *p, struct ip6_walk *walk)
{
    const enum ip6_verdict verdict = ip6_walk(walk, buf_data(p->buf), p->buf->data_len);

    if (verdict == IP6_IS_PROBLEM)
        return problem(p, walk);
    p->protocol = walk->next;
    p->next_at = (uint16_t)walk->next_at;
    p->whole_sum |= walk->headers != 0; /* no card was asked about such */
    p->header_bytes = (uint16_t)walk->offset;
    return verdict;
}

/* A piece of a datagram, or wrong in what its sender is to be told of (4.5). Consumed; true:
 * it is whole now, its data at the IPv6 header. */
static bool fragment_input(struct ip_packet *packet_owned, struct ip6_walk *walk)
{
    struct buf *b = packet_owned->buf;
    const struct ip6_fragment *fragment =
        (const struct ip6_fragment *)(const void *)(buf_data(b) + walk->offset);
    const uint32_t headers = walk->offset + (uint32_t)sizeof(*fragment);
    const uint16_t offset_more = be16_get(fragment->offset_more);
    const struct reasm_piece piece = {
        .id = be32_get(fragment->id),
        .offset = offset_more & IP6_OFFSET,
        .room = UINT16_MAX - (walk->offset - (uint32_t)sizeof(struct ipv6_header)),
        .more = (offset_more & IP6_MORE_FRAGMENTS) != 0,
    };

    packet_owned->bytes = b->pkt_len - headers;
    walk->code = ICMP6_WRONG_FIELD;
    walk->pointer = offsetof(struct ipv6_header, payload_bytes);
    if (!piece.more || packet_owned->bytes % 8 == 0)
        walk->pointer = walk->offset + (uint32_t)offsetof(struct ip6_fragment, offset_more);
    if ((piece.more && packet_owned->bytes % 8 != 0) || piece.offset > piece.room ||
        packet_owned->bytes > piece.room - piece.offset) {
        packet_owned->header_bytes = sizeof(struct ipv6_header);
        problem(packet_owned, walk);
        packet_owned->iface->net->counters.ip_reasm_reqds++;
        packet_owned->iface->net->counters.ip_reasm_fails++;
        buf_free(b);
        return false;
    }
    packet_owned->protocol = fragment->next;
    packet_owned->next_at = (uint16_t)walk->offset;
    packet_owned->header_bytes = (uint16_t)headers;
    chain_pull(b, headers);
    if (!reasm_put(packet_owned, &piece))
        return false;
    chain_push(packet_owned->buf, packet_owned->header_bytes);
    *walk = (struct ip6_walk){
        .offset = packet_owned->header_bytes,
        .next = packet_owned->protocol,
        .headers = 1,
        .next_at = packet_owned->next_at,
    };
    return true;
}

bool ipv6_input(struct net_if *iface, struct buf *packet_owned, bool to_group,
                struct ip_packet *out)
{
    struct net *net = iface->net;
    struct ip6_walk walk;
    enum ip6_verdict verdict;
    uint64_t *counter;

    net->counters.ip_in_receives++;
    if (!header_is_right(net, packet_owned, &counter))
        goto drop;
    *out = read_header(iface, packet_owned, to_group);
    chain_cut(packet_owned, payload_of(packet_owned) + (uint32_t)sizeof(struct ipv6_header));
    counter = &net->counters.ip_in_addr_errors;
    if (!addresses_are_right(iface, out))
        goto drop;
    ip6_walk_begin(&walk, out->protocol);
    verdict = pass_headers(out, &walk);
    if (RT_UNLIKELY(verdict == IP6_IS_FRAGMENT)) {
        if (!fragment_input(out, &walk))
            return false;
        packet_owned = out->buf;
        verdict = pass_headers(out, &walk);
    }
    counter = &net->counters.ip_in_options;
    if (verdict != IP6_IS_UPPER)
        goto drop;
    counter = &net->counters.ip6_in_no_next;
    if (out->protocol == IP6_NONE)
        goto drop;
    counter = &net->counters.ip_in_addr_errors;
    if (ip_addr_is_unspecified(&out->src) && out->protocol != IP_ICMPV6)
        goto drop;
    chain_pull(packet_owned, out->header_bytes);
    out->bytes = packet_owned->pkt_len;
    return true;
drop:
    ++*counter;
    buf_free(packet_owned);
    return false;
}
