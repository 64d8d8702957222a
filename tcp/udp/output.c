/* SPDX-License-Identifier: BSD-2-Clause */
/* A datagram goes out: asked first whether all of it can, then taken. */
#include "../chain.h"
#include "../ip/loop.h"
#include "../state.h"
#include "../tcp/sendq.h"
#include "../wire/eth.h"
#include "../wire/ip.h"
#include "../wire/udp.h"
#include "udp.h"

#define HEADERS_BYTES_MAX                                                                      \
    ((uint32_t)(sizeof(struct eth_header) + sizeof(struct eth_vlan_tag) +                      \
                sizeof(struct ipv6_header) + sizeof(struct udp_header)))
_Static_assert(HEADERS_BYTES_MAX <= BUF_HEADROOM_BYTES, "a fresh buffer has the room");
#define SEGMENTS_MAX (UINT8_MAX - 1u) /* and one for headers */

/* What a chain carries; false: not to be sent. A datagram may be empty, a segment of several not:
 * a card could do nothing with it. */
static bool measure(const struct buf *chain, uint32_t *bytes, uint32_t *segments)
{
    *bytes = 0;
    *segments = 0;
    for (const struct buf *b = chain; b != NULL; b = b->next) {
        if (!sendq_is_givers(b) || *segments == SEGMENTS_MAX)
            return false;
        if (!buf_is_inside(b) && (b->data_len != 0 || b->next != NULL || b != chain))
            return false;
        *bytes += b->data_len;
        ++*segments;
    }
    return *segments != 0;
}

/* The device, or the queue to ourselves, takes all frames that it becomes. */
static bool has_room(struct net *net, const struct ip_route *route, uint32_t packet_bytes,
                     uint32_t most)
{
    const uint32_t mtu = ip_addr_is_v4(&route->next_hop) ? RT_MIN(most, (uint32_t)BUF_ROOM_BYTES)
                                                         : IPV6_MTU_MIN; /* of pieces */
    uint32_t frames = 1;

    if (route->to_us)
        return net->loop_count < LOOP_MAX;
    if (packet_bytes > most) {
        frames = packet_bytes / (mtu - (uint32_t)sizeof(struct ipv6_header) - 8) + 1;
        if (net->config.pool->free < frames)
            return false;
    }
    if (if_room(route->iface) < frames)
        if_flush(route->iface);
    return if_room(route->iface) >= frames;
}

/* Of IP and UDP, towards a peer. */
static uint32_t header_bytes(const struct ip_addr *peer)
{
    return (uint32_t)(sizeof(struct udp_header) + (ip_addr_is_v4(peer)
                                                       ? sizeof(struct ipv4_header)
                                                       : sizeof(struct ipv6_header)));
}

/* The device takes a frame of so many buffers. Pieces, which are copies, always fit. */
static bool fits(const struct ip_route *route, const struct buf *chain, uint32_t segments)
{
    const uint32_t most = route->iface->config.tx_bufs;
    const uint32_t headers = chain->data_off < HEADERS_BYTES_MAX;

    return most == 0 || route->to_us || segments + headers <= most;
}

/* The chain is the stack's, its first segment has room for the headers. NULL: no buffer. */
static struct buf *take_over(struct net *net, struct buf *chain, uint32_t bytes,
                             uint32_t segments)
{
    struct buf *first = chain;

    if (chain->data_off < HEADERS_BYTES_MAX) {
        first = pool_take(net->config.pool);
        if (first == NULL)
            return NULL;
        first->next = bytes != 0 ? chain : NULL;
        segments++;
    }
    for (struct buf *b = chain; b != NULL; b = b->next) {
        held_give(net, b);
        if (*b->owner != BUF_STACK)
            buf_move(b, b->owner, *b->owner, BUF_STACK);
        b->flags = 0;
    }
    if (first != chain && bytes == 0) { /* no segment without a byte */
        buf_free(chain);
        segments = 1;
    }
    first->segments = (uint8_t)segments;
    first->pkt_len = bytes;
    return first;
}

static void push_header(struct buf *datagram, uint16_t src_port, uint16_t dst_port)
{
    struct udp_header *udp = chain_push(datagram, sizeof(*udp));

    RT_ASSERT_LE(datagram->pkt_len, (uint32_t)UINT16_MAX); /* udp_try_send() saw to it */
    *udp = (struct udp_header){
        .src_port = be16_put(src_port),
        .dst_port = be16_put(dst_port),
        .bytes = be16_put((uint16_t)datagram->pkt_len),
    };
}

/* The answer leaves from where the question went to, if that is ours. */
static struct ip_addr source_of(const struct udp_sock *sock, const struct udp_way *way)
{
    return ip_is_ours(sock->net, &way->own) ? way->own : sock->addr;
}

static enum rt_status find_way(struct udp_sock *sock, const struct udp_way *way,
                               struct ip_how *how, struct ip_route *route)
{
    struct net *net = sock->net;

    RT_ASSERT_LT(way->iface, net->if_count);
    *how = (struct ip_how){
        .src = source_of(sock, way),
        .dst = way->peer,
        .iface = &net->ifs[way->iface],
        .protocol = IP_UDP,
        .hops = IP_HOPS_DEFAULT,
        .sum_offset = offsetof(struct udp_header, checksum),
    };
    if (ip_addr_is_unspecified(&way->peer) || way->port == 0)
        return RT_INVALID;
    return ip_route_how(net, how, route) ? RT_OK : RT_NOT_FOUND;
}

enum rt_status udp_try_send(struct udp_sock *sock, const struct udp_way *way, struct buf **chain)
{
    struct net *net = sock->net;
    const uint32_t most = UINT16_MAX - sizeof(struct udp_header) -
                          (ip_addr_is_v4(&way->peer) ? sizeof(struct ipv4_header) : 0);
    struct ip_how how;
    struct ip_route route;
    uint32_t bytes, segments, packet_bytes;
    enum rt_status st;
    struct buf *datagram;

    if (!measure(*chain, &bytes, &segments) || bytes > most)
        return RT_INVALID;
    st = find_way(sock, way, &how, &route);
    if (st != RT_OK)
        return st;
    packet_bytes = bytes + header_bytes(&way->peer);
    how.cut_above = (uint16_t)udp_path_mtu(net, &route, &way->peer);
    if (packet_bytes <= how.cut_above && !fits(&route, *chain, segments))
        return RT_INVALID;
    if (!has_room(net, &route, packet_bytes, how.cut_above))
        return RT_FULL;
    datagram = take_over(net, *chain, bytes, segments);
    if (datagram == NULL)
        return RT_FULL;
    *chain = NULL;
    push_header(datagram, sock->port, way->port);
    net->counters.udp_out_datagrams++;
    if (ip_send(net, &how, datagram) == RT_NOT_FOUND)
        udp_fail(sock, way, UDP_NO_WAY);
    return RT_OK;
}

uint32_t udp_whole_bytes(struct udp_sock *sock, const struct udp_way *way)
{
    const uint32_t headers = header_bytes(&way->peer);
    struct ip_how how;
    struct ip_route route;
    uint32_t mtu;

    if (find_way(sock, way, &how, &route) != RT_OK)
        return 0;
    mtu = udp_path_mtu(sock->net, &route, &way->peer);
    RT_ASSERT_LT(headers, mtu);
    return mtu - headers;
}

void udp_give_back(struct net *net, struct buf *chain_owned)
{
    tcp_give_back(net, chain_owned);
}
