/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMPv6 (RFC 4443): the same as ICMP's work, by other numbers, and the door of those messages
 * that neighbours and routers speak by. */
#include "../chain.h"
#include "../link/nd.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/ip6.h"
#include "icmp.h"
#include "mld.h"

#include <mempool/pool.h>

/* An error is no longer than what every link carries (RFC 4443 2.4 (c)). */
#define QUOTE_BYTES_MAX                                                                          \
    (IPV6_MTU_MIN - (uint32_t)sizeof(struct ipv6_header) - (uint32_t)sizeof(struct icmp_header))

/* The second word of the header. */
static uint32_t word_of(const struct icmp_header *icmp)
{
    return (uint32_t)be16_get(icmp->id) << 16 | be16_get(icmp->sequence);
}

/* From the address it was sent to, or, when that is a group, from the one a route chooses. */
static void send_message(struct net *net, const struct ip_packet *answered,
                         struct buf *message_owned)
{
    struct ip_how how = {
        .dst = answered->src,
        .protocol = IP_ICMPV6,
        .hops = IP_HOPS_DEFAULT,
        .sum_offset = offsetof(struct icmp_header, checksum),
    };

    if (!ip_addr_is_multicast(&answered->dst))
        how.src = answered->dst;
    net->counters.icmp_out_msgs++;
    (void)!ip_send(net, &how, message_owned); /* dropped and counted: who asked asks again */
}

/* The request itself goes back as the reply, to a group's asker, too (RFC 4443 4.2). */
static void answer_echo(struct net *net, struct ip_packet *message_owned)
{
    struct buf *b = message_owned->buf;
    struct icmp_header *icmp = (struct icmp_header *)(void *)buf_data(b);

    icmp->type = ICMP6_ECHO_REPLY;
    b->flags = 0;
    send_message(net, message_owned, b);
}

static enum icmp_what what_of(const struct icmp_header *icmp)
{
    if (icmp->type == ICMP6_TOO_BIG)
        return ICMP_SAYS_TOO_BIG;
    if (icmp->type == ICMP6_PARAMETER_PROBLEM && icmp->code == ICMP6_UNKNOWN_NEXT)
        return ICMP_SAYS_REFUSED;
    if (icmp->type == ICMP6_UNREACHABLE)
        return icmp->code == ICMP6_NO_PORT ? ICMP_SAYS_REFUSED : ICMP_SAYS_UNREACHABLE;
    return ICMP_SAYS_OTHER;
}

/* False: it quotes too little, or no packet of ours, or a link that carries less than all must
 * (RFC 8201 4: nobody sends less for it). */
static bool read_error(const struct ip_packet *message, struct icmp_error *out)
{
    const struct icmp_header *icmp = (const struct icmp_header *)buf_data(message->buf);
    const uint32_t word = word_of(icmp);

    *out = (struct icmp_error){.what = what_of(icmp)};
    if (out->what == ICMP_SAYS_TOO_BIG) {
        if (word < IPV6_MTU_MIN)
            return false;
        out->mtu_bytes = (uint16_t)RT_MIN(word, (uint32_t)UINT16_MAX);
    }
    return icmp_read_quote((const uint8_t *)(icmp + 1),
                           message->buf->data_len - (uint32_t)sizeof(*icmp), out) &&
           !ip_addr_is_v4(&out->src) && if_addr_find(message->iface, &out->src) != NULL;
}

bool icmp6_input(struct net *net, struct ip_packet *message_owned, struct icmp_error *out)
{
    struct buf *b = message_owned->buf;
    const struct icmp_header *icmp = (const struct icmp_header *)buf_data(b);
    bool reports = false;

    net->counters.icmp_in_msgs++;
    if (b->data_len < sizeof(*icmp) || !ip_sum_is_right(message_owned)) {
        net->counters.icmp_in_errors++;
    } else if (icmp->type < ICMP6_INFORMATION) {
        reports = read_error(message_owned, out);
        net->counters.icmp_in_errors += !reports;
    } else if (icmp->type == ICMP6_ECHO_REQUEST && icmp->code == 0 &&
               !ip_addr_is_unspecified(&message_owned->src)) {
        answer_echo(net, message_owned);
        return false;
    } else if (icmp->type >= ICMP6_ROUTER_SOLICIT && icmp->type <= ICMP6_REDIRECT) {
        nd_input(message_owned);
    } else if (icmp->type == ICMP6_MLD_QUERY) {
        mld_input(message_owned);
    } else {
        net->counters.icmp_in_ignored++;
    }
    buf_free(b);
    return reports;
}

static void send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                       uint8_t code, uint32_t word)
{
    const uint32_t front = RT_MIN((uint32_t)packet->header_bytes, QUOTE_BYTES_MAX);
    const uint32_t quoted = RT_MIN(packet->bytes, QUOTE_BYTES_MAX - front);
    struct icmp_header *icmp;
    struct buf *b;

    if (packet->header_bytes == 0 || ip_addr_is_unspecified(&packet->src) ||
        !icmp_may_send_error(net))
        return;
    b = pool_take(net->config.pool);
    if (b == NULL) {
        net->counters.icmp_out_errors++;
        return;
    }
    icmp = (struct icmp_header *)(void *)buf_data(b);
    *icmp = (struct icmp_header){
        .type = type,
        .code = code,
        .id = be16_put((uint16_t)(word >> 16)),
        .sequence = be16_put((uint16_t)word),
    };
    __builtin_memcpy(icmp + 1, buf_data(packet->buf) - packet->header_bytes, front);
    chain_copy_out(packet->buf, 0, (uint8_t *)(icmp + 1) + front, quoted);
    b->data_len = (uint16_t)(sizeof(*icmp) + front + quoted);
    b->pkt_len = b->data_len;
    send_message(net, packet, b);
}

void icmp6_send_problem(struct net *net, const struct ip_packet *packet,
                        const struct ip6_walk *walk)
{
    if (!packet->to_group || walk->to_all)
        send_error(net, packet, ICMP6_PARAMETER_PROBLEM, walk->code, walk->pointer);
}

void icmp6_send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                      uint8_t code)
{
    RT_ASSERT(type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED);
    if (packet->to_group)
        return;
    if (type == ICMP_TIME_EXCEEDED)
        send_error(net, packet, ICMP6_TIME_EXCEEDED, ICMP6_REASSEMBLY, 0);
    else if (code == ICMP_PROTOCOL)
        send_error(net, packet, ICMP6_PARAMETER_PROBLEM, ICMP6_UNKNOWN_NEXT, packet->next_at);
    else
        send_error(net, packet, ICMP6_UNREACHABLE, ICMP6_NO_PORT, 0);
}
