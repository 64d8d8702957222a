/* SPDX-License-Identifier: BSD-2-Clause */
#include "segment.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"

#include <mempool/pool.h>

uint32_t segment_length(const struct tcp_segment *segment)
{
    return segment->bytes + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
}

static uint32_t read32(const uint8_t *from)
{
    be32_t value;

    __builtin_memcpy(&value, from, sizeof(value));
    return be32_get(value);
}

static void read_sacks(const uint8_t *at, uint32_t bytes, struct tcp_options *out)
{
    for (uint32_t i = 0; i + 8 <= bytes && out->sack_count < TCP_SACK_BLOCKS_MAX; i += 8) {
        out->sacks[out->sack_count].first = read32(at + i);
        out->sacks[out->sack_count].end = read32(at + i + 4);
        out->sack_count++;
    }
}

/* One option, of `bytes` bytes with its head; of a wrong length it counts as absent. */
static void read_option(const uint8_t *at, uint32_t bytes, bool syn, struct tcp_options *out)
{
    if (at[0] == TCP_OPT_MSS && bytes == 4 && syn) {
        out->mss = (uint16_t)RT_MAX(at[2] << 8 | at[3], 1); /* 0 is said, and as good as 1 */
    } else if (at[0] == TCP_OPT_WINDOW_SCALE && bytes == 3 && syn) {
        out->scale = RT_MIN(at[2], TCP_SCALE_MAX);
    } else if (at[0] == TCP_OPT_SACK_PERMITTED && bytes == 2 && syn) {
        out->sack_permitted = true;
    } else if (at[0] == TCP_OPT_SACK && bytes >= 10 && (bytes - 2) % 8 == 0) {
        read_sacks(at + 2, bytes - 2, out);
    } else if (at[0] == TCP_OPT_TIMESTAMPS && bytes == 10) {
        out->has_time = true;
        out->time = read32(at + 2);
        out->time_echo = read32(at + 6);
    }
}

/* False: a length that runs over, or is 0: nothing behind it can be believed. */
static bool read_options(const uint8_t *at, uint32_t bytes, bool syn, struct tcp_options *out)
{
    *out = (struct tcp_options){.scale = TCP_NO_SCALE};
    for (uint32_t i = 0; i < bytes && at[i] != TCP_OPT_END;) {
        uint32_t length = 1;

        if (at[i] != TCP_OPT_NOP) {
            if (bytes - i < 2 || at[i + 1] < 2 || at[i + 1] > bytes - i)
                return false;
            length = at[i + 1];
            read_option(at + i, length, syn, out);
        }
        i += length;
    }
    return true;
}

bool segment_parse(struct net *net, struct ip_packet *packet_owned, struct tcp_segment *out)
{
    struct buf *b = packet_owned->buf;
    const struct tcp_header *tcp = (const struct tcp_header *)buf_data(b);
    uint32_t header_bytes, offset_flags;

    net->counters.tcp_in_segs++;
    if (packet_owned->to_group) /* RFC 9293 3.9.2.3, MUST-57 */
        goto drop;
    if (b->data_len < sizeof(*tcp))
        goto drop;
    offset_flags = be16_get(tcp->offset_flags);
    header_bytes = (offset_flags >> TCP_OFFSET_SHIFT) * 4;
    if (header_bytes < sizeof(*tcp) || header_bytes > b->data_len ||
        !ip_sum_is_right(packet_owned))
        goto drop;
    *out = (struct tcp_segment){
        .buf = b,
        .iface = packet_owned->iface,
        .src = packet_owned->src,
        .dst = packet_owned->dst,
        .src_port = be16_get(tcp->src),
        .dst_port = be16_get(tcp->dst),
        .seq = be32_get(tcp->seq),
        .ack = be32_get(tcp->ack),
        .bytes = packet_owned->bytes - header_bytes,
        .window = be16_get(tcp->window),
        .flags = offset_flags & TCP_FLAGS,
        .tos = packet_owned->tos,
    };
    if (!read_options((const uint8_t *)(tcp + 1), header_bytes - (uint32_t)sizeof(*tcp),
                      (out->flags & TCP_SYN) != 0, &out->options))
        goto drop;
    out->buf = chain_skip(b, header_bytes); /* no empty buffer in front of what it carries */
    return true;
drop:
    net->counters.tcp_in_errs++;
    buf_free(b);
    return false;
}

/* ---- out ---- */

static uint8_t *write32(uint8_t *to, uint32_t value)
{
    const be32_t wire = be32_put(value);

    __builtin_memcpy(to, &wire, sizeof(wire));
    return to + sizeof(wire);
}

/* In the order that Linux uses: MSS, SACK permitted, timestamps, NOP, scale. */
static uint32_t syn_option_bytes(const struct tcp_options *o)
{
    const uint32_t mss = o->mss != 0 ? 4 : 0;
    const uint32_t time = o->has_time ? 10 : 0;
    const uint32_t sack = o->sack_permitted || o->has_time ? 2 : 0; /* SACK or two NOPs */

    return mss + sack + time + (o->scale != TCP_NO_SCALE ? 4 : 0);
}

static uint32_t option_bytes(const struct tcp_options *o)
{
    if (o->mss != 0 || o->sack_permitted || o->scale != TCP_NO_SCALE)
        return RT_ALIGN_UP(syn_option_bytes(o), 4u);
    return (o->has_time ? 12u : 0u) + (o->sack_count != 0 ? 4 + 8 * o->sack_count : 0);
}

uint32_t segment_header_bytes(const struct tcp_options *options)
{
    return (uint32_t)sizeof(struct tcp_header) + option_bytes(options);
}

uint32_t segment_both_headers_bytes(const struct ip_addr *peer)
{
    const uint32_t ip = ip_addr_is_v4(peer) ? sizeof(struct ipv4_header)
                                            : sizeof(struct ipv6_header);

    return ip + (uint32_t)sizeof(struct tcp_header);
}

static uint8_t *write_time(uint8_t *at, const struct tcp_options *o)
{
    *at++ = TCP_OPT_TIMESTAMPS;
    *at++ = 10;
    return write32(write32(at, o->time), o->time_echo);
}

static void write_syn_options(uint8_t *at, const struct tcp_options *o)
{
    if (o->mss != 0) {
        *at++ = TCP_OPT_MSS;
        *at++ = 4;
        *at++ = (uint8_t)(o->mss >> 8);
        *at++ = (uint8_t)o->mss;
    }
    if (o->sack_permitted || o->has_time) {
        *at++ = o->sack_permitted ? TCP_OPT_SACK_PERMITTED : TCP_OPT_NOP;
        *at++ = o->sack_permitted ? 2 : TCP_OPT_NOP;
    }
    if (o->has_time)
        at = write_time(at, o);
    if (o->scale != TCP_NO_SCALE) {
        *at++ = TCP_OPT_NOP;
        *at++ = TCP_OPT_WINDOW_SCALE;
        *at++ = 3;
        *at++ = o->scale;
    }
}

static void write_options(uint8_t *at, const struct tcp_options *o)
{
    if (o->has_time) {
        *at++ = TCP_OPT_NOP;
        *at++ = TCP_OPT_NOP;
        at = write_time(at, o);
    }
    if (o->sack_count == 0)
        return;
    *at++ = TCP_OPT_NOP;
    *at++ = TCP_OPT_NOP;
    *at++ = TCP_OPT_SACK;
    *at++ = (uint8_t)(2 + 8 * o->sack_count);
    for (uint32_t i = 0; i < o->sack_count; i++)
        at = write32(write32(at, o->sacks[i].first), o->sacks[i].end);
}

void segment_push_header(struct buf *segment, const struct tcp_fields *fields)
{
    const uint32_t bytes = segment_header_bytes(&fields->options);
    struct tcp_header *tcp = chain_push(segment, bytes);

    RT_ASSERT_LE(bytes, (uint32_t)TCP_HEADER_BYTES_MAX);
    __builtin_memset(tcp, 0, bytes); /* END options behind those that are written */
    tcp->src = be16_put(fields->src_port);
    tcp->dst = be16_put(fields->dst_port);
    tcp->seq = be32_put(fields->seq);
    tcp->ack = be32_put(fields->ack);
    tcp->offset_flags = be16_put((uint16_t)(bytes / 4 << TCP_OFFSET_SHIFT | fields->flags));
    tcp->window = be16_put(fields->window);
    if ((fields->flags & TCP_SYN) != 0)
        write_syn_options((uint8_t *)(tcp + 1), &fields->options);
    else
        write_options((uint8_t *)(tcp + 1), &fields->options);
}
