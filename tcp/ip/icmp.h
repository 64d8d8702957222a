/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: echoes are answered, errors reported in both directions (RFC 792, RFC 1122 3.2.2). */
#ifndef TCP_IP_ICMP_H
#define TCP_IP_ICMP_H

#include "ip.h"

#define ICMP_ERRORS_PER_S 100 /* sent, at most (RFC 1812 4.3.2.8) */

/* Something went wrong with a packet of ours, says somebody who saw it. */
struct icmp_error {
    uint8_t type, code;
    uint16_t mtu_bytes; /* "fragmentation needed": of the next link; 0: not said */
    struct ip_addr src, dst; /* of our packet */
    uint8_t protocol;
    uint8_t quote[8]; /* what follows its IP header */
};

/* An ICMP message; consumed. True: it reports an error, for the layer above to judge. */
bool icmp_input(struct net *net, struct ip_packet *message_owned, struct icmp_error *out);
/* Tells the sender of a packet what went wrong with it, quoting it; unless nobody may be told, or
 * too many were. The packet stays the caller's, its IP header still in front of its data. */
void icmp_send_error(struct net *net, const struct ip_packet *packet, uint8_t type,
                     uint8_t code);

#endif
