/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP: a packet that came in becomes a datagram for the layer above; what that layer sends gets a
 * header, a route, and is cut when it must be.
 */
#ifndef TCP_IP_IP_H
#define TCP_IP_IP_H

#include "../link/iface.h"

/* What came in: the transport header is at the data of `buf`, the IP header still in front. */
struct ip_packet {
    struct buf *buf; /* yours */
    struct net_if *iface;
    struct ip_addr src, dst;
    uint32_t bytes;        /* transport header and what it carries: all of the chain */
    uint16_t header_bytes; /* of the IP headers in front of the data; 0: they are gone */
    uint16_t next_at;      /* IPv6: where in them the protocol is named */
    uint8_t protocol, hops, tos;
    bool to_group;   /* to a multicast or broadcast address, or MAC: never answered by an error */
    bool whole_sum;  /* in fragments, or behind extension headers: no card has summed it */
};

/* Where a packet goes. */
struct ip_route {
    struct net_if *iface;
    struct ip_addr next_hop, src;
    bool to_us;
    bool to_group; /* a group or a broadcast: no neighbour is asked */
};

/* How to send one. */
struct ip_how {
    struct ip_addr src, dst; /* unspecified src: the route's */
    struct net_if *iface;    /* a group or 255.255.255.255 is behind it; NULL: the first one */
    uint8_t protocol, hops, tos;
    bool dont_cut;       /* IPv4's DF, of both families: too long is refused */
    uint16_t cut_above;  /* of IPv6: longer packets leave in pieces; 0: than the link carries */
    uint16_t cut_bytes;  /* of TCP: the device makes packets of it that carry so many bytes each
                          * (tx_tso of struct net_if_config); 0: it is one packet */
    uint16_t sum_offset; /* of the checksum in the transport header; IP_NO_SUM: none to fill in */
};
#define IP_NO_SUM UINT16_MAX

/* An address of ours that is in use, of any interface. */
bool ip_is_ours(const struct net *net, const struct ip_addr *addr);
/* False: there is no way there. */
bool ip_route(struct net *net, const struct ip_addr *dst, struct ip_route *route);
/* The same, also to groups and broadcasts. */
bool ip_route_how(struct net *net, const struct ip_how *how, struct ip_route *route);
/* Puts a packet, from its IP header on, on its way to the route's next hop; as neigh_send(). */
enum rt_status ip_link_send(const struct ip_route *route, struct buf *packet_owned);
/* The address of the interface that a packet to `dst`, by that next hop, comes from. False: it has
 * none of that family that may be used. */
bool ip_source(const struct net_if *iface, const struct ip_addr *dst,
               const struct ip_addr *next_hop, struct ip_addr *src);

/* Sends a datagram (STACK), its data begins at the transport header, in front of which there is
 * headroom for all others (128 bytes are). Consumed. RT_NOT_FOUND: no route, or the next host
 * does not answer; RT_INVALID: too long and not to be cut; RT_FULL, RT_NO_MEMORY: no room. */
RT_NODISCARD enum rt_status ip_send(struct net *net, const struct ip_how *how,
                                    struct buf *datagram_owned);

/* A connection with this host moves on: the way to it works (RFC 4861 7.3.1). */
void ip_confirm(struct net *net, const struct ip_addr *dst);
/* A packet of ours, from its IP header on, has no neighbour that answers: who sent it is told, as
 * by ICMP (net.c). Consumed. */
void ip_undeliverable(struct net *net, struct buf *packet_owned);

/* Takes a packet apart; its data is at the IP header. True: `out` is for the layer above. False:
 * it was consumed: dropped and counted, or a fragment kept. */
bool ipv4_input(struct net_if *iface, struct buf *packet_owned, bool to_group,
                struct ip_packet *out);
bool ipv6_input(struct net_if *iface, struct buf *packet_owned, bool to_group,
                struct ip_packet *out);
/* Puts the header in front, the checksums in, and sends it to the route's next hop. */
enum rt_status ipv4_output(struct net *net, const struct ip_how *how,
                           const struct ip_route *route, struct buf *datagram_owned);
enum rt_status ipv6_output(struct net *net, const struct ip_how *how,
                           const struct ip_route *route, struct buf *datagram_owned);
/* Sends a whole datagram to a MAC, whatever a route says; `how->src` as it is. */
void ipv6_output_to(struct net_if *iface, const struct ip_how *how, const uint8_t mac[6],
                    struct buf *datagram_owned);

/* The number of a packet that may be cut: not used for its peer for long, and nobody learns from
 * those that he is sent how many others are (RFC 7739 5.3). */
uint32_t ip_fragment_id(struct net *net, const struct ip_how *how);
/* Copies `bytes` bytes behind `offset` of a datagram, which has them, into a buffer of their own;
 * NULL: there is none. */
struct buf *ip_copy_piece(struct net *net, const struct buf *datagram, uint32_t offset,
                          uint32_t bytes);

/* Fills in the transport checksum: by the device of `iface` where it can, else, and without one
 * (NULL), now. The chain's data is at the transport header. */
void ip_fill_sum(const struct net_if *iface, const struct ip_how *how, struct buf *datagram);
/* True: the transport checksum is right. */
bool ip_sum_is_right(const struct ip_packet *packet);

#endif
