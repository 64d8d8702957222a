/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack of ours on a link whose other end the test plays: it gives frames, byte by byte as
 * they are on the wire, and looks at what comes back. Virtual time. Every buffer must be home at
 * the end.
 */
#ifndef TESTS_TCP_STATION_H
#define TESTS_TCP_STATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <tcp/net.h>

#define STATION_FRAMES 256
#define STATION_FRAME_BYTES 9216

struct frame {
    uint32_t bytes;
    uint8_t data[STATION_FRAME_BYTES];
};

struct station {
    struct net *net;
    struct pool *pool;
    uint64_t now_us;
    uint32_t accepts; /* frames the device still takes; UINT32_MAX: all */
    uint32_t sent, seen; /* frames that left, and of them looked at */
    struct frame *frames; /* STATION_FRAMES of them, in a ring */
};

extern const uint8_t our_mac[6], peer_mac[6];
#define OUR_IP 192, 0, 2, 1
#define PEER_IP 192, 0, 2, 2
#define FAR_IP 198, 51, 100, 7
#define GATEWAY_IP 192, 0, 2, 254

RT_INLINE struct ip_addr ours(void)
{
    return ip_addr_v4_of(OUR_IP);
}
RT_INLINE struct ip_addr peer(void)
{
    return ip_addr_v4_of(PEER_IP);
}

/* One interface, OUR_IP/24, the gateway, MTU 1500, a pool of `buffers`. */
void station_start(struct station *s, uint32_t buffers);
/* The same with another interface. */
void station_start_with(struct station *s, uint32_t buffers, struct net_if_config config);
/* Closes the stack; all buffers are home. */
void station_stop(struct station *s);

/* A frame comes in, in segments of `cut` bytes (0: the usual room); its turn ends. */
void station_give(struct station *s, const struct frame *frame, uint32_t cut);
/* The same with receive flags of a device. */
void station_give_flags(struct station *s, const struct frame *frame, uint32_t cut,
                        uint32_t flags);
void station_advance_us(struct station *s, uint64_t us); /* in turns, whenever one is due */
/* The next frame that left; NULL: none did. Good until STATION_FRAMES others left. */
const struct frame *station_next(struct station *s);
void station_silent(struct station *s); /* nothing left */

/* ---- frames: begun, then built from front to back ---- */
void frame_eth(struct frame *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type);
void frame_add(struct frame *f, const void *data, uint32_t bytes);
void frame_arp(struct frame *f, uint16_t op, struct ip_addr sender, struct ip_addr target);
/* Header of an IPv4 packet that carries `bytes` bytes, right in all its parts; to be changed,
 * then frame_ip_sum(). */
struct ipv4_header *frame_ip(struct frame *f, struct ip_addr src, struct ip_addr dst,
                             uint8_t protocol, uint32_t bytes);
void frame_ip_sum(struct ipv4_header *ip);
/* A whole ping of that many bytes, from the peer to us. */
void frame_ping(struct frame *f, struct ip_addr src, struct ip_addr dst, uint32_t bytes);
void frame_pad(struct frame *f); /* to 60 bytes, with what must not be read */

/* The neighbour is known: the peer asks for us, and is answered. */
void station_meet(struct station *s, struct ip_addr peer);

#endif
