/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments become datagrams again (RFC 791 3.2, RFC 815; RFC 8200 4.5), both families alike.
 *
 * The result is the chain of the fragments' own buffers: nothing is copied. Whoever sends pieces
 * decides what we keep, so all is bounded: datagrams, buffers, pieces of a datagram, time. When
 * there is no room the datagram that began longest ago makes it. Pieces that overlap end their
 * datagram, and those that still come (RFC 5722 4, RFC 8200 4.5); one that came before as it is,
 * the same place and length, is dropped alone.
 */
#ifndef TCP_IP_REASM_H
#define TCP_IP_REASM_H

#include "ip.h"

#include <rt/timer.h>

#define REASM_DATAGRAMS 64
#define REASM_PIECES_MAX 128 /* of a datagram: 65,535 bytes on a path of 576 */
#define REASM_BUFS_MAX 512   /* of all, and at most a quarter of the pool */
#define REASM_V4_US 30000000 /* what Linux waits; RFC 1122 3.3.2 wants 60 s, of slow links */
#define REASM_V6_US 60000000 /* RFC 8200 4.5 */

struct reasm {
    struct ip_addr src, dst;
    struct net *net;
    struct net_if *iface;
    uint32_t id;
    uint8_t protocol; /* IPv4: one number may be in use for several */
    bool used;
    bool ended;      /* a piece was wrong: those that still come are dropped */
    bool congested;  /* a piece met congestion (RFC 3168 5.3) */
    uint32_t total;  /* bytes; 0: the last piece has not come yet */
    uint32_t bytes, pieces, bufs; /* that came */
    struct buf *first, *last;     /* by offset; each a piece */
    uint16_t header_bytes, next_at; /* of the first piece, when it is there */
    uint8_t next;                   /* ... what it carries */
    uint64_t began_us;
    struct timer timer;
};

/* A fragment whose headers were read. */
struct reasm_piece {
    uint32_t id, offset;
    uint32_t room; /* bytes that a datagram with these headers may have */
    uint8_t protocol; /* part of the key; 0 of IPv6 */
    bool more;
};

RT_NODISCARD enum rt_status reasm_create(struct net *net);
/* Takes a fragment, its data at what it carries, headers in front. Consumed. True: it was the last
 * that was missing, and `packet` is the whole datagram now, yours. */
bool reasm_put(struct ip_packet *packet_owned, const struct reasm_piece *piece);
/* Pieces go, of the oldest datagrams first, while less than an eighth of the buffers is free. */
void reasm_relieve(struct net *net);
void reasm_close(struct net *net);

#endif
