/* SPDX-License-Identifier: BSD-2-Clause */
#include "ip.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "loop.h"

#include <mempool/pool.h>
#include <rt/siphash.h>

enum rt_status ip_send(struct net *net, const struct ip_how *how, struct buf *datagram_owned)
{
    struct ip_how complete = *how;
    struct ip_route route;

    net->counters.ip_out_requests++;
    if (!ip_route_how(net, how, &route)) {
        net->counters.ip_out_no_routes++;
        buf_free(datagram_owned);
        return RT_NOT_FOUND;
    }
    if (ip_addr_is_unspecified(&complete.src))
        complete.src = route.src;
    if (route.to_us)
        return loop_put(net, &complete, &route, datagram_owned);
    if (!ip_addr_is_v4(&how->dst))
        return ipv6_output(net, &complete, &route, datagram_owned);
    return ipv4_output(net, &complete, &route, datagram_owned);
}

uint32_t ip_fragment_id(struct net *net, const struct ip_how *how)
{
    const struct ip_addr ends[2] = {how->src, how->dst};
    const uint64_t hash = rt_siphash(net->config.key, ends, sizeof(ends));

    return (uint32_t)hash + net->fragment_ids[hash >> 32 & (IP_FRAGMENT_IDS - 1)]++;
}

struct buf *ip_copy_piece(struct net *net, const struct buf *datagram, uint32_t offset,
                          uint32_t bytes)
{
    struct buf *piece = pool_take(net->config.pool);

    if (piece == NULL)
        return NULL;
    RT_ASSERT_LE(bytes, (uint32_t)BUF_ROOM_BYTES);
    chain_copy_out(datagram, offset, buf_data(piece), bytes);
    piece->data_len = (uint16_t)bytes;
    piece->pkt_len = bytes;
    return piece;
}
