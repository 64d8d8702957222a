/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport checksums: filled in and looked at, by the device where it does that. */
#include "../wire/checksum.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "ip.h"

#include <rt/assert.h>

static be16_t *sum_in(struct buf *datagram, uint16_t offset)
{
    RT_ASSERT_LE(offset + sizeof(be16_t), datagram->data_len);
    return (be16_t *)(void *)(buf_data(datagram) + offset);
}

static uint32_t request_of(uint8_t protocol)
{
    return protocol == IP_TCP ? BUF_TX_TCP_CSUM : BUF_TX_UDP_CSUM;
}

/* Each packet that the device makes of it has a length of its own: that of the whole is left out of
 * the sum it begins with (82599 DS 7.2.4.6). */
static void ask_to_cut(const struct ip_how *how, struct buf *segment)
{
    const be16_t value = csum_partial(csum_pseudo(&how->src, &how->dst, how->protocol, 0));
    const struct tcp_header *tcp = (const struct tcp_header *)buf_data(segment);

    RT_ASSERT_EQ(how->protocol, (uint8_t)IP_TCP);
    RT_ASSERT_LT(how->cut_bytes, segment->pkt_len);
    segment->flags |= BUF_TX_TSO | BUF_TX_TCP_CSUM;
    segment->l4_bytes = (uint16_t)((be16_get(tcp->offset_flags) >> TCP_OFFSET_SHIFT) * 4);
    segment->mss_bytes = how->cut_bytes;
    __builtin_memcpy(sum_in(segment, how->sum_offset), &value, sizeof(value));
}

void ip_fill_sum(const struct net_if *iface, const struct ip_how *how, struct buf *datagram)
{
    const uint32_t bytes = datagram->pkt_len;
    const bool by_device = iface != NULL && iface->config.tx_l4_checksum &&
                           (how->protocol == IP_TCP || how->protocol == IP_UDP);
    csum_t sum = 0;
    be16_t *at, value;

    if (how->sum_offset == IP_NO_SUM)
        return;
    if (how->cut_bytes != 0) {
        RT_ASSERT(by_device);
        ask_to_cut(how, datagram);
        return;
    }
    at = sum_in(datagram, how->sum_offset);
    __builtin_memset(at, 0, sizeof(*at));
    if (how->protocol != IP_ICMP)
        sum = csum_pseudo(&how->src, &how->dst, how->protocol, bytes);
    if (by_device) {
        datagram->flags |= request_of(how->protocol);
        value = csum_partial(sum);
    } else {
        value = csum_fold(csum_add_chain(sum, datagram, 0, bytes));
        if (how->protocol == IP_UDP && value.raw == 0)
            value.raw = UINT16_MAX; /* 0 says: no checksum (RFC 768) */
    }
    __builtin_memcpy(at, &value, sizeof(value));
}

bool ip_sum_is_right(const struct ip_packet *packet)
{
    csum_t sum = 0;

    if (!packet->whole_sum && (packet->buf->flags & BUF_RX_L4_GOOD) != 0 &&
        (packet->buf->flags & BUF_RX_L4_BAD) == 0)
        return true;
    /* That the device found it wrong is no proof (82574 errata, tunnels): look. */
    if (packet->protocol != IP_ICMP)
        sum = csum_pseudo(&packet->src, &packet->dst, packet->protocol, packet->bytes);
    return csum_fold(csum_add_chain(sum, packet->buf, 0, packet->bytes)).raw == 0;
}
