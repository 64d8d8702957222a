/* SPDX-License-Identifier: BSD-2-Clause */
#include "adaptor.h"

#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#include <string.h>

enum { OPTION_BYTES_MAX = 40 };

static bool is_v6(const uint8_t *packet)
{
    return packet[0] >> 4 == 6;
}

/* Ours have neither options nor extension headers. */
static uint32_t ip_bytes(const uint8_t *packet)
{
    return is_v6(packet) ? (uint32_t)sizeof(struct ipv6_header)
                         : (uint32_t)sizeof(struct ipv4_header);
}

static struct tcp_header *tcp_of(uint8_t *packet)
{
    return (struct tcp_header *)(packet + ip_bytes(packet));
}

static uint32_t header_bytes(const struct tcp_header *tcp)
{
    return (uint32_t)(be16_get(tcp->offset_flags) >> TCP_OFFSET_SHIFT) * 4;
}

/* The IP header as it must be; the addresses. */
static void head_again(uint8_t *packet, uint32_t bytes, struct ip_addr *src, struct ip_addr *dst)
{
    struct ipv4_header *ip = (struct ipv4_header *)packet;
    struct ipv6_header *ip6 = (struct ipv6_header *)packet;

    if (is_v6(packet)) {
        ip6->payload_bytes = be16_put((uint16_t)(bytes - sizeof(*ip6)));
        memcpy(src, ip6->src, sizeof(*src));
        memcpy(dst, ip6->dst, sizeof(*dst));
        return;
    }
    ip->total_bytes = be16_put((uint16_t)bytes);
    ip->checksum = be16_put(0);
    ip->checksum = csum_fold(csum_add(0, ip, sizeof(*ip)));
    *src = ip_addr_v4(ip->src);
    *dst = ip_addr_v4(ip->dst);
}

static void sum_again(uint8_t *packet, uint32_t bytes)
{
    const uint32_t tcp_bytes = bytes - ip_bytes(packet);
    struct tcp_header *tcp = tcp_of(packet);
    struct ip_addr src, dst;

    head_again(packet, bytes, &src, &dst);
    tcp->checksum = be16_put(0);
    tcp->checksum =
        csum_fold(csum_add(csum_pseudo(&src, &dst, IP_TCP, tcp_bytes), tcp, tcp_bytes));
}

/* Copies an option of this kind behind `at`; returns where the next goes. */
static uint8_t *copy_option(uint8_t *at, const uint8_t *options, uint32_t bytes, uint8_t kind)
{
    for (uint32_t i = 0; i + 1 < bytes && options[i] != TCP_OPT_END;) {
        const uint32_t length = options[i] == TCP_OPT_NOP ? 1 : options[i + 1];

        if (options[i] == kind) {
            memcpy(at, options + i, length);
            return at + length;
        }
        i += RT_MAX(length, 1u);
    }
    return at;
}

void adaptor_like_linux(uint8_t *packet, uint32_t bytes)
{
    struct tcp_header *tcp = tcp_of(packet);
    uint8_t *const options = (uint8_t *)(tcp + 1);
    const uint32_t count = header_bytes(tcp) - (uint32_t)sizeof(*tcp);
    uint8_t ordered[OPTION_BYTES_MAX + 8], *at = ordered, *before;

    if ((be16_get(tcp->offset_flags) & TCP_SYN) == 0 || count > OPTION_BYTES_MAX)
        return;
    adaptor.first_seq = be32_get(tcp->seq);
    memset(ordered, TCP_OPT_NOP, sizeof(ordered));
    at = copy_option(at, options, count, TCP_OPT_MSS);
    before = copy_option(at + 2, options, count, TCP_OPT_TIMESTAMPS);
    if (before != at + 2) { /* SACK permitted, or two NOPs, in front of the timestamps */
        copy_option(at, options, count, TCP_OPT_SACK_PERMITTED);
        at = before;
    } else {
        before = copy_option(at + 2, options, count, TCP_OPT_SACK_PERMITTED);
        at = before != at + 2 ? before : at;
    }
    before = copy_option(at + 1, options, count, TCP_OPT_WINDOW_SCALE);
    at = before != at + 1 ? before : at;
    if ((uint32_t)(at - ordered) != count)
        return; /* options that Linux would not send */
    memcpy(options, ordered, count);
    sum_again(packet, bytes);
}

bool adaptor_merge(uint8_t *packet, uint32_t *bytes, uint32_t most, const uint8_t *next,
                   uint32_t next_bytes)
{
    struct tcp_header *a = tcp_of(packet);
    const struct tcp_header *b = (const struct tcp_header *)(next + ip_bytes(next));
    const uint32_t headers = ip_bytes(packet) + header_bytes(a);
    const uint32_t flags = be16_get(a->offset_flags) & TCP_FLAGS;
    const uint32_t more = next_bytes - headers;

    if (header_bytes(a) != header_bytes(b) || *bytes == headers || next_bytes <= headers ||
        (flags & ~(uint32_t)TCP_PSH) != TCP_ACK || *bytes + more > most ||
        be32_get(a->seq) + *bytes - headers != be32_get(b->seq) ||
        memcmp(&a->src, &b->src, 4) != 0 || memcmp(&a->ack, &b->ack, 4) != 0 ||
        memcmp(a + 1, b + 1, header_bytes(a) - sizeof(*a)) != 0 || a->window.raw != b->window.raw)
        return false;
    memcpy(packet + *bytes, next + headers, more);
    *bytes += more;
    a->offset_flags = b->offset_flags;
    sum_again(packet, *bytes);
    return true;
}

uint32_t adaptor_first(uint8_t *packet)
{
    return be32_get(tcp_of(packet)->seq) - adaptor.first_seq;
}

uint32_t adaptor_end(uint8_t *packet, uint32_t bytes)
{
    const struct tcp_header *tcp = tcp_of(packet);

    return adaptor_first(packet) + bytes - ip_bytes(packet) - header_bytes(tcp);
}

void adaptor_push(uint8_t *packet, uint32_t bytes, bool push)
{
    struct tcp_header *tcp = tcp_of(packet);
    const uint32_t others = be16_get(tcp->offset_flags) & ~(uint32_t)TCP_PSH;

    tcp->offset_flags = be16_put((uint16_t)(others | (push ? TCP_PSH : 0)));
    sum_again(packet, bytes);
}
