/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: echoes are answered, errors reported in both directions (RFC 792, RFC 1122 3.2.2;
 * RFC 4443). */
#ifndef TCP_IP_ICMP_H
#define TCP_IP_ICMP_H

#include "ip.h"
#include "ip6_headers.h"

#define ICMP_ERRORS_PER_S 100 /* sent, at most (RFC 1812 4.3.2.8) */

/* What an error says to the layer above, by whichever family's ICMP (RFC 1122 4.2.3.9). */
enum icmp_what {
    ICMP_SAYS_UNREACHABLE, /* there is no way now: of something that stands, no reason to end */
    ICMP_SAYS_REFUSED,     /* the host has no such protocol, or nobody at that port */
    ICMP_SAYS_TOO_BIG,     /* for the next link */
    ICMP_SAYS_OTHER,       /* it went round in circles, or its header was not understood */
};

/* Something went wrong with a packet of ours, says somebody who saw it. */
struct icmp_error {
    enum icmp_what what;
    uint16_t mtu_bytes; /* TOO_BIG: of the next link; 0: not said */
    uint8_t protocol;
    uint8_t quote[8]; /* what follows the IP header of our packet */
    struct ip_addr src, dst; /* of our packet */
};

/* An ICMP message; consumed. True: it reports an error, for the layer above to judge. */
bool icmp_input(struct net *net, struct ip_packet *message_owned, struct icmp_error *out);
bool icmp6_input(struct net *net, struct ip_packet *message_owned, struct icmp_error *out);
/* Reads a header of ours and what follows it, of which `bytes` are there. False: not enough. */
bool icmp_read_quote(const uint8_t *quoted, uint32_t bytes, struct icmp_error *out);
/* Tells the sender of a packet what went wrong with it, quoting it; unless nobody may be told, or
 * too many were. The packet stays the caller's, its IP headers still in front of its data. `type`
 * and `code` are IPv4's; of an IPv6 packet those that mean the same are sent. */
void icmp_send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                     uint8_t code);
/* ... what went wrong among its headers. */
void icmp6_send_problem(struct net *net, const struct ip_packet *packet,
                        const struct ip6_walk *walk);

/* For the two of them: the same answer in IPv6; true: an error may be sent now. */
void icmp6_send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                      uint8_t code);
bool icmp_may_send_error(struct net *net);

#endif
