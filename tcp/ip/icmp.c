/* SPDX-License-Identifier: BSD-2-Clause */
#include "icmp.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/ip.h"

#include <mempool/pool.h>

static void send_message(struct net *net, const struct ip_addr *src, const struct ip_addr *dst,
                         uint8_t tos, struct buf *message_owned)
{
    const struct ip_how how = {
        .src = *src,
        .dst = *dst,
        .protocol = IP_ICMP,
        .hops = IP_HOPS_DEFAULT,
        .tos = tos,
        .sum_offset = offsetof(struct icmp_header, checksum),
    };

    net->counters.icmp_out_msgs++;
    (void)!ip_send(net, &how, message_owned); /* dropped and counted: who asked asks again */
}

/* The request itself goes back as the reply (RFC 1122 3.2.2.6: with all its data). */
static void answer_echo(struct net *net, struct ip_packet *message_owned)
{
    struct buf *b = message_owned->buf;
    struct icmp_header *icmp = (struct icmp_header *)(void *)buf_data(b);

    icmp->type = ICMP_ECHO_REPLY;
    b->flags = 0;
    send_message(net, &message_owned->dst, &message_owned->src, message_owned->tos, b);
}

static enum icmp_what what_of(const struct icmp_header *icmp)
{
    if (icmp->type != ICMP_UNREACHABLE)
        return ICMP_SAYS_OTHER;
    if (icmp->code == ICMP_FRAGMENTATION_NEEDED)
        return ICMP_SAYS_TOO_BIG;
    if (icmp->code == ICMP_PROTOCOL || icmp->code == ICMP_PORT)
        return ICMP_SAYS_REFUSED;
    return ICMP_SAYS_UNREACHABLE;
}

static bool read_quote_v4(const uint8_t *quoted, uint32_t bytes, struct icmp_error *out)
{
    const struct ipv4_header *ip = (const struct ipv4_header *)(const void *)quoted;
    const uint32_t header_bytes = (ip->version_words & 0x0fu) * 4;

    if (header_bytes < sizeof(*ip) || bytes < header_bytes ||
        bytes - header_bytes < sizeof(out->quote))
        return false;
    out->src = ip_addr_v4(ip->src);
    out->dst = ip_addr_v4(ip->dst);
    out->protocol = ip->protocol;
    __builtin_memcpy(out->quote, quoted + header_bytes, sizeof(out->quote));
    return true;
}

/* What we send whole has no extension headers: what has is not looked at. */
static bool read_quote_v6(const uint8_t *quoted, uint32_t bytes, struct icmp_error *out)
{
    const struct ipv6_header *ip = (const struct ipv6_header *)(const void *)quoted;

    if (bytes < sizeof(*ip) || bytes - sizeof(*ip) < sizeof(out->quote))
        return false;
    __builtin_memcpy(&out->src, ip->src, sizeof(out->src));
    __builtin_memcpy(&out->dst, ip->dst, sizeof(out->dst));
    out->protocol = ip->next;
    __builtin_memcpy(out->quote, ip + 1, sizeof(out->quote));
    return !ip_addr_is_v4(&out->src) && !ip_addr_is_v4(&out->dst);
}

bool icmp_read_quote(const uint8_t *quoted, uint32_t bytes, struct icmp_error *out)
{
    if (bytes < sizeof(struct ipv4_header))
        return false;
    if (quoted[0] >> 4 == 4)
        return read_quote_v4(quoted, bytes, out);
    return quoted[0] >> 4 == 6 && read_quote_v6(quoted, bytes, out);
}

/* Reads what an error quotes of our packet. False: it quotes too little, or no packet of ours. */
static bool read_error(const struct ip_packet *message, struct icmp_error *out)
{
    const struct icmp_header *icmp = (const struct icmp_header *)buf_data(message->buf);

    *out = (struct icmp_error){.what = what_of(icmp), .mtu_bytes = be16_get(icmp->sequence)};
    return icmp_read_quote((const uint8_t *)(icmp + 1),
                           message->buf->data_len - (uint32_t)sizeof(*icmp), out) &&
           ip_addr_is_v4(&out->src) && if_addr_find(message->iface, &out->src) != NULL;
}

static bool is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED ||
           type == ICMP_PARAMETER_PROBLEM;
}

bool icmp_input(struct net *net, struct ip_packet *message_owned, struct icmp_error *out)
{
    struct buf *b = message_owned->buf;
    const struct icmp_header *icmp = (const struct icmp_header *)buf_data(b);
    bool reports = false;

    net->counters.icmp_in_msgs++;
    if (b->data_len < sizeof(*icmp) || !ip_sum_is_right(message_owned)) {
        net->counters.icmp_in_errors++;
    } else if (icmp->type == ICMP_ECHO_REQUEST && icmp->code == 0 && !message_owned->to_group) {
        answer_echo(net, message_owned);
        return false;
    } else if (is_error(icmp->type)) {
        reports = read_error(message_owned, out);
        net->counters.icmp_in_errors += !reports;
    } else {
        net->counters.icmp_in_ignored++;
    }
    buf_free(b);
    return reports;
}

/* A bucket of errors that fills by the second. */
bool icmp_may_send_error(struct net *net)
{
    const uint64_t since_us = net->now_us - net->icmp_tokens_us;
    const uint64_t more = since_us / (1000000 / ICMP_ERRORS_PER_S);

    if (more != 0) {
        net->icmp_tokens = (uint32_t)RT_MIN(net->icmp_tokens + more, ICMP_ERRORS_PER_S);
        net->icmp_tokens_us = net->now_us;
    }
    if (net->icmp_tokens == 0) {
        net->counters.icmp_out_limited++;
        return false;
    }
    net->icmp_tokens--;
    return true;
}

void icmp_send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                     uint8_t code)
{
    const uint32_t quoted = RT_MIN(packet->bytes, (uint32_t)ICMP_QUOTE_BYTES);
    struct icmp_header *icmp;
    struct buf *b;

    if (!ip_addr_is_v4(&packet->src)) {
        icmp6_send_error(net, packet, type, code);
        return;
    }
    if (packet->to_group || packet->header_bytes == 0 || !icmp_may_send_error(net))
        return;
    b = pool_take(net->config.pool);
    if (b == NULL) {
        net->counters.icmp_out_errors++;
        return;
    }
    icmp = (struct icmp_header *)(void *)buf_data(b);
    *icmp = (struct icmp_header){.type = type, .code = code};
    __builtin_memcpy(icmp + 1, buf_data(packet->buf) - packet->header_bytes,
                     packet->header_bytes);
    chain_copy_out(packet->buf, 0, (uint8_t *)(icmp + 1) + packet->header_bytes, quoted);
    b->data_len = (uint16_t)(sizeof(*icmp) + packet->header_bytes + quoted);
    b->pkt_len = b->data_len;
    send_message(net, &packet->dst, &packet->src, 0, b);
}
