/* SPDX-License-Identifier: BSD-2-Clause */
/* A datagram comes in (RFC 768, RFC 1122 4.1.3). */
#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/udp.h"
#include "udp.h"

/* Its length and its checksum are right, and it is cut to that length: behind it there may be
 * more of the packet, which is nobody's. */
static bool is_right(struct ip_packet *packet)
{
    const struct udp_header *udp = (const struct udp_header *)buf_data(packet->buf);
    uint32_t bytes;

    if (packet->buf->data_len < sizeof(*udp))
        return false;
    bytes = be16_get(udp->bytes);
    if (bytes < sizeof(*udp) || bytes > packet->bytes)
        return false;
    if (bytes < packet->bytes) {
        chain_cut(packet->buf, bytes);
        packet->bytes = bytes;
    }
    if (udp->checksum.raw == 0) /* none was made; IPv6 wants one (RFC 8200 8.1) */
        return ip_addr_is_v4(&packet->src);
    return ip_sum_is_right(packet);
}

void udp_input(struct net *net, struct ip_packet *packet_owned)
{
    const struct udp_header *udp = (const struct udp_header *)buf_data(packet_owned->buf);
    struct udp_way way;
    struct udp_sock *sock;

    if (!is_right(packet_owned)) {
        net->counters.udp_in_errors++;
        buf_free(packet_owned->buf);
        return;
    }
    sock = udp_find(net, &packet_owned->dst, be16_get(udp->dst_port));
    if (sock == NULL) {
        net->counters.udp_no_ports++;
        icmp_send_error(net, packet_owned, ICMP_UNREACHABLE, ICMP_PORT);
        buf_free(packet_owned->buf);
        return;
    }
    way = (struct udp_way){
        .peer = packet_owned->src,
        .own = packet_owned->dst,
        .port = be16_get(udp->src_port),
        .iface = (uint32_t)(packet_owned->iface - net->ifs),
    };
    RT_ASSERT_LT(way.iface, net->if_count);
    /* No empty buffer in front of what it carries: a first fragment may be a header alone. */
    udp_queue(sock, &way, chain_skip(packet_owned->buf, sizeof(*udp)));
}

static enum udp_error error_of(enum icmp_what what)
{
    if (what == ICMP_SAYS_REFUSED)
        return UDP_NO_PORT;
    return what == ICMP_SAYS_TOO_BIG ? UDP_TOO_LONG : UDP_NO_WAY;
}

/* Only a hint: UDP keeps nothing of what was sent that a stranger would have to know. */
void udp_icmp(struct net *net, const struct icmp_error *error)
{
    const uint8_t *quote = error->quote; /* our port, then the peer's */
    const struct udp_way way = {
        .peer = error->dst,
        .own = error->src,
        .port = (uint16_t)(quote[2] << 8 | quote[3]),
    };
    struct udp_sock *sock = udp_find(net, &error->src, (uint16_t)(quote[0] << 8 | quote[1]));

    if (sock == NULL || error->what == ICMP_SAYS_OTHER) {
        net->counters.icmp_in_unbelieved += sock == NULL;
        return; /* a route that loops, or a header: nothing that the socket could do */
    }
    if (error->what == ICMP_SAYS_TOO_BIG)
        udp_path_learn(net, &error->dst, error->mtu_bytes, (uint32_t)(quote[4] << 8 | quote[5]));
    udp_fail(sock, &way, error_of(error->what));
}
