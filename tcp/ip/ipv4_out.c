/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv4 packet goes out (RFC 791, RFC 1122 3.2.1): one header, or as many as it has pieces. */
#include "../chain.h"
#include "../state.h"
#include "../wire/checksum.h"
#include "../wire/eth.h"
#include "../wire/ip.h"
#include "ip.h"

#include <mempool/pool.h>

/* `id`: 0 of a packet that nobody may cut: it needs none (RFC 6864 4.1). */
static void put_header(const struct ip_how *how, const struct net_if *iface, uint16_t id,
                       struct buf *datagram, uint16_t fragment)
{
    const uint32_t total = datagram->pkt_len + (uint32_t)sizeof(struct ipv4_header);
    struct ipv4_header *ip = chain_push(datagram, sizeof(*ip));

    *ip = (struct ipv4_header){
        .version_words = IPV4_VERSION_WORDS,
        .tos = how->tos,
        .total_bytes = be16_put((uint16_t)total),
        .id = be16_put(id),
        .fragment = be16_put(fragment),
        .hops = how->hops,
        .protocol = how->protocol,
        .src = ip_addr_get_v4(&how->src),
        .dst = ip_addr_get_v4(&how->dst),
    };
    datagram->l3_bytes = sizeof(*ip);
    if (iface->config.tx_ip_checksum)
        datagram->flags |= BUF_TX_IP_CSUM;
    else
        ip->checksum = csum_fold(csum_add(0, ip, sizeof(*ip)));
}

/* All pieces or, when a buffer or room is missing, the first of them: the receiver then drops
 * what it has. */
static enum rt_status send_pieces(struct net *net, const struct ip_how *how,
                                  const struct ip_route *route, const struct buf *datagram)
{
    const uint16_t id = (uint16_t)ip_fragment_id(net, how);
    const uint32_t mtu = RT_MIN(route->iface->config.mtu_bytes, (uint32_t)BUF_ROOM_BYTES);
    const uint32_t most = RT_ALIGN_DOWN(mtu - (uint32_t)sizeof(struct ipv4_header), 8u);
    uint32_t bytes;

    for (uint32_t offset = 0; offset < datagram->pkt_len; offset += bytes) {
        struct buf *piece;
        uint16_t fragment = (uint16_t)(offset / 8);
        enum rt_status st;

        bytes = RT_MIN(datagram->pkt_len - offset, most);
        if (offset + bytes < datagram->pkt_len)
            fragment |= IPV4_MORE_FRAGMENTS;
        piece = ip_copy_piece(net, datagram, offset, bytes);
        if (piece == NULL)
            return RT_NO_MEMORY;
        put_header(how, route->iface, id, piece, fragment);
        net->counters.ip_out_frag_creates++;
        st = ip_link_send(route, piece);
        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

enum rt_status ipv4_output(struct net *net, const struct ip_how *how,
                           const struct ip_route *route, struct buf *datagram_owned)
{
    const uint32_t total = datagram_owned->pkt_len + (uint32_t)sizeof(struct ipv4_header);
    enum rt_status st;

    if (total <= route->iface->config.mtu_bytes || how->cut_bytes != 0) {
        ip_fill_sum(route->iface, how, datagram_owned);
        put_header(how, route->iface, how->dont_cut ? 0 : (uint16_t)ip_fragment_id(net, how),
                   datagram_owned, how->dont_cut ? IPV4_DONT_FRAGMENT : 0);
        return ip_link_send(route, datagram_owned);
    }
    if (how->dont_cut || total > UINT16_MAX) {
        net->counters.ip_out_frag_fails++;
        buf_free(datagram_owned);
        return RT_INVALID;
    }
    ip_fill_sum(NULL, how, datagram_owned);
    st = send_pieces(net, how, route, datagram_owned);
    if (st == RT_NO_MEMORY)
        net->counters.ip_out_discards++;
    buf_free(datagram_owned);
    return st;
}
