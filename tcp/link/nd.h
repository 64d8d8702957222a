/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours and routers of IPv6 (RFC 4861, RFC 4862): what they ask and say, and what we do.
 *
 *     nd.c      who has an address: solicitations, advertisements
 *     router.c  what routers advertise: themselves, prefixes, an MTU; addresses follow from it
 *     ip6.c     an address is tested before its first use, and has an end; all by one timer
 *
 * Every message must have been sent on this very link (hop limit 255), whole, and in one piece
 * (RFC 6980 5); all state is bounded. Redirects are ignored: a router that is not the best way is
 * a way, and a stranger's word is none.
 */
#ifndef TCP_LINK_ND_H
#define TCP_LINK_ND_H

#include "../ip/ip.h"

/* Asks for `target`. `to`: the MAC it had, NULL: its group. False: no buffer, or no address of ours
 * to ask from yet. */
bool nd_solicit(struct net_if *iface, const struct ip_addr *target, const uint8_t *to);
/* Asks whether somebody has `target`, which is to be ours (RFC 4862 5.4.2). False: no buffer. */
bool nd_probe(struct net_if *iface, const struct ip_addr *target);
/* Asks for routers (RFC 4861 6.3.7). False: no buffer, or no address to ask from. */
bool nd_solicit_routers(struct net_if *iface);
/* A message of ICMPv6 from 133 to 137, its checksum is right; borrowed. */
void nd_input(const struct ip_packet *message);

/* ---- between nd.c and router.c ---- */
/* A message of ours with an option of our MAC, if that is to be there, to a group or a MAC. */
struct nd_message {
    struct ip_addr src, dst;
    const uint8_t *to;  /* NULL: the group's */
    const void *data;   /* from the ICMPv6 header on */
    uint32_t bytes;
    uint8_t link_option; /* enum nd_option_type; 0: none */
};
bool nd_send(struct net_if *iface, const struct nd_message *message);
/* The MAC that an option of this type says; NULL: there is none. Options are at [at, at + bytes),
 * and right. */
const uint8_t *nd_find_link(const uint8_t *at, uint32_t bytes, uint8_t type);
/* A router's advertisement, whose options are right. */
void nd_router_advert(const struct ip_packet *message);

#endif
