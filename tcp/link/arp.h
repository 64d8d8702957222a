/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP: answers for our addresses, asks for others (RFC 826, RFC 5227). */
#ifndef TCP_LINK_ARP_H
#define TCP_LINK_ARP_H

#include "iface.h"

/* A frame's ARP message, its data is at the ARP header; consumed. */
void arp_input(struct net_if *iface, struct buf *message_owned);
/* Asks for `target`. `to`: the MAC it had, NULL: everybody. False: there is no buffer for it. */
bool arp_request(struct net_if *iface, const struct ip_addr *target, const uint8_t *to);
/* Asks whether somebody has it; says that it is ours (RFC 5227 1.1). False: there is no buffer. */
bool arp_probe(struct net_if *iface, const struct ip_addr *target);
bool arp_announce(struct net_if *iface, const struct ip_addr *own);

#endif
