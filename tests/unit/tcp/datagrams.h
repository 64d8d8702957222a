/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams between a station and the test, and a socket that writes down what it is told. */
#ifndef TESTS_TCP_DATAGRAMS_H
#define TESTS_TCP_DATAGRAMS_H

#include "station.h"

#include "wire/udp.h"

#include <mempool/pool.h>
#include <tcp/udp.h>

enum { OUR_PORT = 5000, PEER_PORT = 6000 };

struct seen {
    struct net *net;
    uint32_t received, failed, bytes; /* how often; of the last */
    uint8_t data[STATION_FRAME_BYTES];
    struct udp_way way;
    enum udp_error error;
    bool keep, close, echo; /* what it does with a datagram; else it gives it back */
    struct buf *kept;
};

extern const struct udp_ops seen_ops;

/* A station with UDP. */
void datagrams_start(struct station *s, uint32_t buffers);
/* A socket whose ctx is `seen`, which is cleared. */
struct udp_sock *datagrams_open(struct station *s, struct seen *seen, uint16_t port);

/* A datagram from the peer's PEER_PORT, right in all its parts; its header. */
struct udp_header *frame_udp(struct frame *f, struct ip_addr dst, uint16_t dst_port,
                             uint32_t bytes);
/* The header of a datagram that left, with right lengths and checksums. */
const struct udp_header *udp_of(const struct frame *f);
/* Frames come in with one batch, without a turn. */
void datagrams_give(struct station *s, const struct frame *f, uint32_t count);

/* A buffer of ours with so many bytes, and where it goes to. */
struct buf *filled(struct station *s, uint32_t bytes);
struct udp_way to_peer(void);

#endif
