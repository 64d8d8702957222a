/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

#include "wire/ip.h"
#include "wire/tcp.h"

#include <string.h>

enum { HOPS = 64 };

/* RFC 1071, the plain way. */
static uint32_t sum_of(uint32_t sum, const uint8_t *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static uint32_t sum_tcp(const struct ipv4_header *ip, const uint8_t *tcp, uint32_t bytes)
{
    const uint8_t rest[4] = {0, IP_TCP, (uint8_t)(bytes >> 8), (uint8_t)bytes};
    const uint32_t sum = sum_of(0, (const uint8_t *)&ip->src, 8);

    return sum_of(sum_of(sum, rest, sizeof(rest)), tcp, bytes);
}

static void write_ip(const struct wire_ends *ends, uint8_t protocol, uint8_t ecn,
                     uint32_t bytes, uint8_t *to)
{
    struct ipv4_header ip = {
        .version_words = IPV4_VERSION_WORDS,
        .tos = ecn,
        .total_bytes = be16_put((uint16_t)(sizeof(ip) + bytes)),
        .hops = HOPS,
        .protocol = protocol,
        .src = ip_addr_get_v4(&ends->src),
        .dst = ip_addr_get_v4(&ends->dst),
    };

    ip.checksum = be16_put((uint16_t)~sum_of(0, (const uint8_t *)&ip, sizeof(ip)));
    memcpy(to, &ip, sizeof(ip));
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value >> shift);
    return at;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t *write_option(const struct script_packet *p, const struct script_option *o,
                             uint8_t *at)
{
    static const uint8_t lengths[] = {
        [TCP_OPT_MSS] = 4, [TCP_OPT_WINDOW_SCALE] = 3, [TCP_OPT_SACK_PERMITTED] = 2,
        [TCP_OPT_TIMESTAMPS] = 10};

    *at++ = o->kind;
    if (o->kind == TCP_OPT_NOP || o->kind == TCP_OPT_END)
        return at;
    if (o->kind == TCP_OPT_SACK) {
        *at++ = (uint8_t)(2 + 8 * p->sack_count);
        for (uint32_t i = 0; i < p->sack_count; i++)
            at = put32(put32(at, p->sacks[i].first), p->sacks[i].end);
        return at;
    }
    *at++ = lengths[o->kind];
    if (o->kind == TCP_OPT_MSS)
        *at++ = (uint8_t)(o->value >> 8);
    if (o->kind == TCP_OPT_MSS || o->kind == TCP_OPT_WINDOW_SCALE)
        *at++ = (uint8_t)o->value;
    if (o->kind == TCP_OPT_TIMESTAMPS)
        at = put32(put32(at, o->value), o->echo);
    return at;
}

uint32_t wire_write_tcp(const struct wire_ends *ends, const struct script_packet *p,
                        wire_byte byte, void *ctx, uint8_t *to)
{
    uint8_t *const start = to + sizeof(struct ipv4_header);
    uint8_t *at = start + sizeof(struct tcp_header);
    struct tcp_header tcp = {
        .src = be16_put(ends->src_port),
        .dst = be16_put(ends->dst_port),
        .seq = be32_put(p->seq),
        .ack = be32_put(p->ack),
        .window = be16_put((uint16_t)p->window),
        .urgent = be16_put((uint16_t)p->urgent),
    };
    uint32_t bytes;

    for (uint32_t i = 0; i < p->option_count; i++)
        at = write_option(p, &p->options[i], at);
    while ((at - start) % 4 != 0)
        *at++ = TCP_OPT_END;
    tcp.offset_flags = be16_put((uint16_t)((at - start) / 4 << TCP_OFFSET_SHIFT | p->flags));
    for (uint32_t i = 0; i < p->bytes; i++)
        *at++ = byte(ctx, p->seq + i);
    bytes = (uint32_t)(at - start);
    memcpy(start, &tcp, sizeof(tcp));
    write_ip(ends, IP_TCP, p->ecn > 0 ? (uint8_t)p->ecn : 0, bytes, to);
    tcp.checksum = be16_put((uint16_t)~sum_tcp((const struct ipv4_header *)to, start, bytes));
    memcpy(start, &tcp, sizeof(tcp));
    return (uint32_t)sizeof(struct ipv4_header) + bytes;
}

uint32_t wire_write_icmp(const struct wire_ends *quoted, const struct script_packet *p,
                         uint8_t *to)
{
    const struct wire_ends back = {.src = quoted->dst, .dst = quoted->src};
    struct icmp_header icmp = {.type = p->type, .code = p->code, .sequence = be16_put(p->mtu)};
    uint8_t *const start = to + sizeof(struct ipv4_header);
    uint8_t *const quote = start + sizeof(icmp);
    const struct tcp_header tcp = {
        .src = be16_put(quoted->src_port),
        .dst = be16_put(quoted->dst_port),
        .seq = be32_put(p->seq),
    };
    const uint32_t bytes =
        (uint32_t)(sizeof(icmp) + sizeof(struct ipv4_header)) + ICMP_QUOTE_BYTES;

    memcpy(start, &icmp, sizeof(icmp));
    write_ip(quoted, IP_TCP, 0, (uint32_t)sizeof(tcp) + p->bytes, quote);
    memcpy(quote + sizeof(struct ipv4_header), &tcp, ICMP_QUOTE_BYTES);
    icmp.checksum = be16_put((uint16_t)~sum_of(0, start, bytes));
    memcpy(start, &icmp, sizeof(icmp));
    write_ip(&back, IP_ICMP, 0, bytes, to);
    return (uint32_t)sizeof(struct ipv4_header) + bytes;
}

/* ---- read ---- */

static bool read_option(const uint8_t *at, uint32_t bytes, struct script_packet *out)
{
    struct script_option *o = &out->options[out->option_count++];

    *o = (struct script_option){.kind = at[0]};
    if (at[0] == TCP_OPT_MSS && bytes == 4) {
        o->value = (uint32_t)(at[2] << 8 | at[3]);
    } else if (at[0] == TCP_OPT_WINDOW_SCALE && bytes == 3) {
        o->value = at[2];
    } else if (at[0] == TCP_OPT_TIMESTAMPS && bytes == 10) {
        o->value = get32(at + 2);
        o->echo = get32(at + 6);
    } else if (at[0] == TCP_OPT_SACK && bytes >= 10 && (bytes - 2) % 8 == 0) {
        for (uint32_t i = 2; i < bytes && out->sack_count < SCRIPT_SACKS_MAX; i += 8) {
            out->sacks[out->sack_count].first = get32(at + i);
            out->sacks[out->sack_count++].end = get32(at + i + 4);
        }
    } else if (at[0] != TCP_OPT_SACK_PERMITTED || bytes != 2) {
        return false;
    }
    return true;
}

/* NOPs are left out: an order of options is compared, not how they are padded. */
static bool read_options(const uint8_t *at, uint32_t bytes, struct script_packet *out)
{
    for (uint32_t i = 0; i < bytes && at[i] != TCP_OPT_END;) {
        uint32_t length = 1;

        if (at[i] != TCP_OPT_NOP) {
            if (bytes - i < 2 || at[i + 1] < 2 || at[i + 1] > bytes - i)
                return false;
            length = at[i + 1];
            if (out->option_count == SCRIPT_OPTIONS_MAX || !read_option(at + i, length, out))
                return false;
        }
        i += length;
    }
    return true;
}

static const char *read_ip(const uint8_t *packet, uint32_t bytes, struct ipv4_header *ip)
{
    if (bytes < sizeof(*ip))
        return "no IPv4 header";
    memcpy(ip, packet, sizeof(*ip));
    if (ip->version_words != IPV4_VERSION_WORDS)
        return "no IPv4 header without options";
    if (be16_get(ip->total_bytes) != bytes)
        return "the IP header's length is wrong";
    if (sum_of(0, packet, sizeof(*ip)) != 0xffff)
        return "the IP header's checksum is wrong";
    return NULL;
}

const char *wire_read_tcp(const uint8_t *packet, uint32_t bytes, struct wire_ends *ends,
                          struct script_packet *out, const uint8_t **payload)
{
    const uint8_t *const start = packet + sizeof(struct ipv4_header);
    const uint32_t tcp_bytes = bytes - (uint32_t)sizeof(struct ipv4_header);
    struct ipv4_header ip;
    struct tcp_header tcp;
    uint32_t header_bytes;
    const char *wrong = read_ip(packet, bytes, &ip);

    if (wrong != NULL)
        return wrong;
    if (ip.protocol != IP_TCP || tcp_bytes < sizeof(tcp))
        return "no TCP segment";
    memcpy(&tcp, start, sizeof(tcp));
    header_bytes = (uint32_t)(be16_get(tcp.offset_flags) >> TCP_OFFSET_SHIFT) * 4;
    if (header_bytes < sizeof(tcp) || header_bytes > tcp_bytes)
        return "the TCP header's length is wrong";
    if (sum_tcp(&ip, start, tcp_bytes) != 0xffff)
        return "the TCP checksum is wrong";
    *ends = (struct wire_ends){ip_addr_v4(ip.src), ip_addr_v4(ip.dst), be16_get(tcp.src),
                               be16_get(tcp.dst)};
    *out = (struct script_packet){
        .seq = be32_get(tcp.seq),
        .bytes = tcp_bytes - header_bytes,
        .ack = be32_get(tcp.ack),
        .has_ack = (be16_get(tcp.offset_flags) & TCP_ACK) != 0,
        .window = be16_get(tcp.window),
        .has_window = true,
        .urgent = be16_get(tcp.urgent),
        .flags = be16_get(tcp.offset_flags) & TCP_FLAGS,
        .ecn = ip.tos & IP_ECN_BITS,
    };
    *payload = start + header_bytes;
    if (!read_options(start + sizeof(tcp), header_bytes - (uint32_t)sizeof(tcp), out))
        return "an option of TCP is malformed";
    return NULL;
}
