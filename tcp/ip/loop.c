/* SPDX-License-Identifier: BSD-2-Clause */
/* A looped packet keeps its addresses in front of its transport header, in the order of struct
 * looped: no header is written and parsed again, no checksum made and looked at. */
#include "loop.h"

#include "../chain.h"
#include "../state.h"

struct looped {
    struct ip_addr src, dst;
    struct net_if *iface;
    uint8_t protocol, hops, tos;
};
_Static_assert(sizeof(struct looped) <= BUF_HEADROOM_BYTES - 40, "and a transport header");

enum rt_status loop_put(struct net *net, const struct ip_how *how, const struct ip_route *route,
                        struct buf *datagram_owned)
{
    const struct looped looped = {
        .src = how->src,
        .dst = how->dst,
        .iface = route->iface,
        .protocol = how->protocol,
        .hops = how->hops,
        .tos = how->tos,
    };

    if (net->loop_count == LOOP_MAX) {
        net->counters.ip_out_discards++;
        buf_free(datagram_owned);
        return RT_FULL;
    }
    __builtin_memcpy(chain_push(datagram_owned, sizeof(looped)), &looped, sizeof(looped));
    datagram_owned->user = 0;
    if (net->loop_last != NULL)
        net->loop_last->user = (uintptr_t)datagram_owned;
    else
        net->loop_first = datagram_owned;
    net->loop_last = datagram_owned;
    net->loop_count++;
    return RT_OK;
}

bool loop_take(struct net *net, struct ip_packet *out)
{
    struct buf *b = net->loop_first;
    struct looped looped;

    if (b == NULL)
        return false;
    net->loop_first = (struct buf *)(uintptr_t)b->user;
    if (net->loop_first == NULL)
        net->loop_last = NULL;
    net->loop_count--;
    __builtin_memcpy(&looped, buf_data(b), sizeof(looped));
    chain_pull(b, sizeof(looped));
    b->flags = BUF_RX_L4_GOOD;
    *out = (struct ip_packet){
        .buf = b,
        .iface = looped.iface,
        .src = looped.src,
        .dst = looped.dst,
        .bytes = b->pkt_len,
        .protocol = looped.protocol,
        .hops = looped.hops,
        .tos = looped.tos,
    };
    net->counters.ip_in_receives++;
    return true;
}

void loop_close(struct net *net)
{
    struct ip_packet packet;

    while (loop_take(net, &packet)) /* LOOP_MAX at most */
        buf_free(packet.buf);
}
