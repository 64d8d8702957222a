/* SPDX-License-Identifier: BSD-2-Clause */
/* The station (station.h) with IPv6: its addresses, and frames as a neighbour sends them. */
#ifndef TESTS_TCP_STATION6_H
#define TESTS_TCP_STATION6_H

#include "station.h"

#include "wire/ip.h"
#include "wire/ip6.h"

#define STATION_JOINS_MAX 16

struct station6 {
    struct station s;
    uint32_t joins; /* groups that the device was told of */
    uint8_t joined[STATION_JOINS_MAX][6];
};

/* Of a text; it is one. */
struct ip_addr addr_of(const char *text);
#define OUR6 "2001:db8::1"
#define PEER6 "2001:db8::2"
#define FAR6 "2001:db8:ffff::7"
#define OUR6_LINK "fe80::ff:fe00:1"
#define PEER6_LINK "fe80::ff:fe00:2"

/* As station_start_with(), with IPv6 begun; `automatic`: routers are listened to. */
void station6_begin(struct station6 *t, struct net_if_config config, bool automatic);
/* ... and OUR6/64, tested and in use; what it took is not looked at. */
void station6_start(struct station6 *t);
/* The peer, by its address, is a neighbour that answered. */
void station6_meet(struct station6 *t, const char *peer);

/* Header of a packet that carries `bytes` bytes, right in all its parts. */
struct ipv6_header *frame_ip6(struct frame *f, struct ip_addr src, struct ip_addr dst,
                              uint8_t next, uint32_t bytes);
/* A whole ICMPv6 message: header and what follows; its checksum, too. */
void frame_icmp6(struct frame *f, struct ip_addr src, struct ip_addr dst,
                 struct icmp_header icmp, const void *data, uint32_t bytes);
/* The checksum of the transport behind `offset`, as it is in the frame: 0 when it is right. */
uint16_t frame_sum6(const struct frame *f, uint32_t offset, uint8_t protocol);
void frame_ping6(struct frame *f, const char *src, const char *dst, uint32_t bytes);
/* The next frame that left, which is an ICMPv6 message of that type without extension headers and
 * right; its header. */
const struct icmp_header *station6_icmp(struct station6 *t, uint8_t type);
/* The next frame that left is a report of groups from `src` (RFC 3810 5.2), whose first record has
 * this type and OUR6_LINK's group; how many records it has. */
uint32_t station6_report(struct station6 *t, const char *src, uint8_t type);
/* The last frame that left. */
const struct frame *station6_last(const struct station6 *t);

#endif
