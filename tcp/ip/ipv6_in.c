/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv6 packet comes in (RFC 8200): its header, those that follow it, and for whom it is. */
#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "icmp.h"
#include "ip.h"
#include "ip6_headers.h"

#include <mempool/pool.h>

/* The header is whole and says nothing impossible; `counter` gets the drop reason. */
static bool header_is_right(struct net *net, const struct buf *packet, uint64_t **counter)
{
    const struct ipv6_header *ip = (const struct ipv6_header *)buf_data(packet);

    *counter = &net->counters.ip_in_hdr_errors;
    if (packet->data_len < sizeof(*ip) || be32_get(ip->version_class_flow) >> 28 != 6)
        return false;
    *counter = &net->counters.ip_in_truncated;
    return be16_get(ip->payload_bytes) <= packet->pkt_len - sizeof(*ip);
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

/* Passes the extension headers; false: the packet goes no further, and is the caller's still. */
static bool pass_headers(struct ip_packet *p, uint64_t **counter)
{
    struct net *net = p->iface->net;
    struct ip6_walk walk;
    enum ip6_verdict verdict;

    ip6_walk_begin(&walk, p->protocol);
    verdict = ip6_walk(&walk, buf_data(p->buf), p->buf->data_len);
    *counter = verdict == IP6_IS_FRAGMENT ? &net->counters.ip_reasm_fails
                                          : &net->counters.ip_in_options;
    if (verdict == IP6_IS_PROBLEM) {
        chain_pull(p->buf, p->header_bytes);
        p->bytes = p->buf->pkt_len;
        icmp6_send_problem(net, p, &walk);
    }
    if (verdict != IP6_IS_UPPER)
        return false;
    *counter = &net->counters.ip6_in_no_next;
    p->protocol = walk.next;
    p->next_at = (uint16_t)walk.next_at;
    p->whole_sum = walk.headers != 0; /* no card was asked about such */
    p->header_bytes = (uint16_t)walk.offset;
    return walk.next != IP6_NONE;
}

bool ipv6_input(struct net_if *iface, struct buf *packet_owned, bool to_group,
                struct ip_packet *out)
{
    struct net *net = iface->net;
    uint64_t *counter;

    net->counters.ip_in_receives++;
    if (!header_is_right(net, packet_owned, &counter))
        goto drop;
    *out = read_header(iface, packet_owned, to_group);
    chain_cut(packet_owned, be16_get(((const struct ipv6_header *)buf_data(packet_owned))
                                         ->payload_bytes) +
                                (uint32_t)sizeof(struct ipv6_header));
    counter = &net->counters.ip_in_addr_errors;
    if (!addresses_are_right(iface, out))
        goto drop;
    if (!pass_headers(out, &counter))
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
