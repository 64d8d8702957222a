/* SPDX-License-Identifier: BSD-2-Clause */
/* An IPv6 packet goes out (RFC 8200 3, 4.5): one header, or as many as it has pieces. */
#include "../chain.h"
#include "../link/eth.h"
#include "../state.h"
#include "../wire/eth.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "ip.h"

#include <mempool/pool.h>

static void put_header(const struct ip_how *how, uint8_t next, struct buf *datagram)
{
    const uint32_t payload_bytes = datagram->pkt_len;
    struct ipv6_header *ip = chain_push(datagram, sizeof(*ip));

    RT_ASSERT_LE(payload_bytes, (uint32_t)UINT16_MAX);
    *ip = (struct ipv6_header){
        .version_class_flow = be32_put(IP6_VERSION | (uint32_t)how->tos << IP6_CLASS_SHIFT),
        .payload_bytes = be16_put((uint16_t)payload_bytes),
        .next = next,
        .hops = how->hops,
    };
    __builtin_memcpy(ip->src, &how->src, sizeof(ip->src));
    __builtin_memcpy(ip->dst, &how->dst, sizeof(ip->dst));
    datagram->l3_bytes = sizeof(*ip);
    if ((datagram->flags & (BUF_TX_TCP_CSUM | BUF_TX_UDP_CSUM)) != 0)
        datagram->flags |= BUF_TX_IPV6;
}

void ipv6_output_to(struct net_if *iface, const struct ip_how *how, const uint8_t mac[6],
                    struct buf *datagram_owned)
{
    RT_ASSERT_LE(datagram_owned->pkt_len, iface->ip6.mtu_bytes - sizeof(struct ipv6_header));
    iface->net->counters.ip_out_requests++;
    ip_fill_sum(NULL, how, datagram_owned);
    put_header(how, how->protocol, datagram_owned);
    eth_send(iface, datagram_owned, mac, ETH_IPV6);
}

/* A piece of the datagram behind its fragment header; NULL: there is no buffer. */
static struct buf *make_piece(struct net *net, const struct ip_how *how,
                              const struct buf *datagram, uint32_t offset, uint32_t bytes)
{
    const bool more = offset + bytes < datagram->pkt_len;
    struct buf *piece = ip_copy_piece(net, datagram, offset, bytes);
    struct ip6_fragment *fragment;

    if (piece == NULL)
        return NULL;
    RT_ASSERT_EQ(offset % 8, 0u);
    fragment = chain_push(piece, sizeof(*fragment));
    *fragment = (struct ip6_fragment){
        .next = how->protocol,
        .offset_more = be16_put((uint16_t)(offset | (more ? IP6_MORE_FRAGMENTS : 0))),
    };
    return piece;
}

/* All pieces or, when a buffer or room is missing, the first of them. They are as small as every
 * link carries: so no router on the way can find them too big. */
static enum rt_status send_pieces(struct net *net, const struct ip_how *how,
                                  const struct ip_route *route, const struct buf *datagram)
{
    const uint32_t most =
        RT_ALIGN_DOWN(IPV6_MTU_MIN - (uint32_t)sizeof(struct ipv6_header) -
                          (uint32_t)sizeof(struct ip6_fragment), 8u);
    const be32_t id = be32_put(ip_fragment_id(net, how));
    uint32_t bytes;

    for (uint32_t offset = 0; offset < datagram->pkt_len; offset += bytes) {
        struct buf *piece;
        enum rt_status st;

        bytes = RT_MIN(datagram->pkt_len - offset, most);
        piece = make_piece(net, how, datagram, offset, bytes);
        if (piece == NULL)
            return RT_NO_MEMORY;
        ((struct ip6_fragment *)(void *)buf_data(piece))->id = id;
        put_header(how, IP6_FRAGMENT, piece);
        net->counters.ip_out_frag_creates++;
        st = ip_link_send(route, piece);
        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

enum rt_status ipv6_output(struct net *net, const struct ip_how *how,
                           const struct ip_route *route, struct buf *datagram_owned)
{
    const uint32_t bytes = datagram_owned->pkt_len;
    uint32_t whole = route->iface->ip6.mtu_bytes;
    enum rt_status st;

    if (how->cut_above != 0)
        whole = RT_MIN(whole, (uint32_t)how->cut_above);
    if (bytes + sizeof(struct ipv6_header) <= whole || how->cut_bytes != 0) {
        ip_fill_sum(route->iface, how, datagram_owned);
        put_header(how, how->protocol, datagram_owned);
        return ip_link_send(route, datagram_owned);
    }
    if (how->dont_cut || bytes > UINT16_MAX) {
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
