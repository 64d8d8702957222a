/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stack of ours with virtual time, and the internet around it as a script plays it: IP packets
 * go in by one function and come out by another; Ethernet, ARP and ND are done here. Our address is
 * 192.168.0.1, the gateway's 192.168.0.2, the peer's 192.0.2.1, as packetdrill has them; of IPv6
 * 2001:db8::2 and 2001:db8::1.
 *
 *     script --world_give()--> stack --world_take()--> script        time: world_until()
 */
#ifndef TESTS_PACKETDRILL_WORLD_H
#define TESTS_PACKETDRILL_WORLD_H

#include <tcp/tcp.h>

#define WORLD_PACKET_BYTES 9216
#define WORLD_PACKETS 1024 /* that left and nobody has looked at, at most */

struct packet {
    uint64_t at_us; /* when it left */
    uint32_t bytes; /* from the IP header on */
    uint8_t data[WORLD_PACKET_BYTES];
};

struct world_config {
    uint32_t buffers; /* 0: 2048 */
    uint16_t mtu_bytes; /* 0: 1500 */
    uint64_t start_us; /* what the clock begins with; 0: 1 s */
    bool ipv6; /* instead of IPv4; the clock is 10 s further then, when its address is ready */
    struct tcp_config tcp;
};

struct world {
    struct net *net;
    struct pool *pool;
    uint64_t now_us;
    void (*turned)(void *ctx); /* after each turn; may be NULL */
    void *ctx;
    struct packet *packets; /* a ring of WORLD_PACKETS */
    uint32_t left, taken;
    bool arp_answers; /* the gateway, with the next turn */
    uint8_t arp_answer[28];
    bool nd_answers; /* the peer, with the next turn */
};

void world_start(struct world *w, const struct world_config *config);
/* Closes the stack. False: a buffer is not home, or a hand-over was refused. */
bool world_stop(struct world *w);
struct ip_addr world_addr(void); /* ours */
struct ip_addr world_peer(void);

/* An IP packet comes in, now; its turn ends. */
void world_give(struct world *w, const uint8_t *packet, uint32_t bytes);
/* The turn in which applications' calls are sent. */
void world_turn(struct world *w);
/* Turns, whenever one is due, until then. */
void world_until(struct world *w, uint64_t us);
/* When something is due next; UINT64_MAX: never. */
uint64_t world_next_us(const struct world *w);
/* The oldest packet that left and was not taken yet; NULL: none. Good until the next call. */
const struct packet *world_take(struct world *w);
bool world_has_packet(const struct world *w);

/* For mistakes of this program: says it and ends. */
_Noreturn void world_fail(const char *what);

#endif
