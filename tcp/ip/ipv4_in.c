/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv4 packet comes in (RFC 791, RFC 1122 3.2.1). Lengths come from its header alone: what
 * Ethernet padded is cut off here, before anybody counts or sums it. */
#include "../chain.h"
#include "../state.h"
#include "../wire/checksum.h"
#include "../wire/ip.h"
#include "ip.h"
#include "reasm.h"

#include <mempool/pool.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };

/* The header is whole and says nothing impossible; `counter` gets the drop reason. */
static bool header_is_right(struct net *net, const struct buf *packet, uint64_t **counter)
{
    const struct ipv4_header *ip = (const struct ipv4_header *)buf_data(packet);
    uint32_t header_bytes, total;

    *counter = &net->counters.ip_in_hdr_errors;
    if (packet->data_len < sizeof(*ip) || ip->version_words >> 4 != 4)
        return false;
    header_bytes = (ip->version_words & 0x0fu) * 4;
    total = be16_get(ip->total_bytes);
    if (header_bytes < sizeof(*ip) || header_bytes > packet->data_len || total < header_bytes)
        return false;
    if ((packet->flags & BUF_RX_IP_GOOD) == 0 &&
        csum_fold(csum_add(0, ip, header_bytes)).raw != 0)
        return false;
    *counter = &net->counters.ip_in_truncated;
    return total <= packet->pkt_len;
}

/* A packet that a stranger sends by a way of his choice is dropped (RFC 7126 4.3, 4.4); all
 * other options are skipped. */
static bool has_source_route(const uint8_t *options, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes && options[i] != OPTION_END;) {
        uint32_t length = 1;

        if (options[i] == OPTION_LOOSE_ROUTE || options[i] == OPTION_STRICT_ROUTE)
            return true;
        if (options[i] != OPTION_NOP) {
            if (bytes - i < 2 || options[i + 1] < 2 || options[i + 1] > bytes - i)
                return true; /* overruns: as bad */
            length = options[i + 1];
        }
        i += length;
    }
    return false;
}

/* From a host, and to us: an address of the interface, a group or a broadcast (RFC 1122
 * 3.2.1.3); what the link brought to many must be for many (3.3.6). */
static bool addresses_are_right(const struct net_if *iface, const struct ip_packet *p,
                                bool link_group)
{
    if (!ip_addr_is_host(&p->src) || if_is_broadcast(iface, &p->src) ||
        ip_is_ours(iface->net, &p->src))
        return false;
    if (if_hears_group(iface, &p->dst))
        return true;
    return !link_group && if_addr_find(iface, &p->dst) != NULL;
}

/* A piece of a datagram; its data is at what it carries. */
static bool fragment_input(struct ip_packet *packet_owned, const struct ipv4_header *ip)
{
    const uint16_t fragment = be16_get(ip->fragment);
    const struct reasm_piece piece = {
        .id = be16_get(ip->id),
        .offset = (fragment & IPV4_OFFSET) * 8u,
        .room = UINT16_MAX - packet_owned->header_bytes,
        .protocol = packet_owned->protocol,
        .more = (fragment & IPV4_MORE_FRAGMENTS) != 0,
    };

    return reasm_put(packet_owned, &piece);
}

bool ipv4_input(struct net_if *iface, struct buf *packet_owned, bool to_group,
                struct ip_packet *out)
{
    struct net *net = iface->net;
    const struct ipv4_header *ip = (const struct ipv4_header *)buf_data(packet_owned);
    uint64_t *counter;

    net->counters.ip_in_receives++;
    if (!header_is_right(net, packet_owned, &counter))
        goto drop;
    chain_cut(packet_owned, be16_get(ip->total_bytes));
    *out = (struct ip_packet){
        .buf = packet_owned,
        .iface = iface,
        .src = ip_addr_v4(ip->src),
        .dst = ip_addr_v4(ip->dst),
        .header_bytes = (uint16_t)((ip->version_words & 0x0f) * 4),
        .protocol = ip->protocol,
        .hops = ip->hops,
        .tos = ip->tos,
    };
    out->to_group = to_group || ip_addr_is_multicast(&out->dst) ||
                    if_is_broadcast(iface, &out->dst);
    counter = &net->counters.ip_in_addr_errors;
    if (!addresses_are_right(iface, out, to_group))
        goto drop;
    counter = &net->counters.ip_in_options;
    if (has_source_route((const uint8_t *)(ip + 1), out->header_bytes - (uint32_t)sizeof(*ip)))
        goto drop;
    chain_pull(packet_owned, out->header_bytes);
    out->bytes = packet_owned->pkt_len;
    if (RT_UNLIKELY((be16_get(ip->fragment) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET)) != 0))
        return fragment_input(out, ip);
    return true;
drop:
    ++*counter;
    buf_free(packet_owned);
    return false;
}
