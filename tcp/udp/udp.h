/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of UDP, found by port and address, and what waits at each for the end of the turn.
 *
 * A datagram that waits keeps where it came from in front of its data, where its headers were.
 */
#ifndef TCP_UDP_UDP_H
#define TCP_UDP_UDP_H

#include "../ip/icmp.h"

#include <tcp/udp.h>

#define UDP_BUCKETS 64 /* of ports; a power of two */
#define UDP_PORT_FIRST 49152 /* RFC 6335 6: dynamic ports */
#define UDP_PORTS 16384
#define UDP_QUEUE_BYTES (256u * 1024)
#define UDP_PATHS 16 /* that are remembered */

struct udp_sock {
    struct net *net; /* NULL: free */
    const struct udp_ops *ops;
    void *ctx;
    struct ip_addr addr; /* unspecified: every one */
    uint16_t port;
    bool event_listed, has_failed;
    enum udp_error error; /* of what failed last, and where it went */
    struct udp_way failed_way;
    struct udp_sock *chain;      /* of the same bucket; free: the next free one */
    struct udp_sock *event_next; /* that has something to be told */
    struct buf *first, *last;    /* datagrams that wait, linked by `user` */
    uint32_t queue_bytes, queue_bytes_max; /* true size of their buffers */
};

/* A peer that is behind a link which carries less than ours (path.c). */
struct udp_path {
    struct ip_addr peer;
    uint16_t mtu_bytes;
    uint64_t until_us; /* then it is forgotten */
};

struct udp_stack {
    struct udp_sock *socks;
    uint32_t sock_count;
    struct udp_sock *free;
    struct udp_sock *buckets[UDP_BUCKETS];
    struct udp_sock *event_first, *event_last;
    uint64_t ports_drawn;
    struct udp_path paths[UDP_PATHS];
};

/* ---- socket.c ---- */
/* Who gets what comes in for that address and port; NULL: nobody. */
struct udp_sock *udp_find(struct net *net, const struct ip_addr *addr, uint16_t port);
void udp_close_all(struct net *net);

/* ---- input.c ---- */
void udp_input(struct net *net, struct ip_packet *packet_owned);
/* An ICMP error that quotes a datagram of ours. */
void udp_icmp(struct net *net, const struct icmp_error *error);

/* ---- path.c ---- */
/* A router said that a datagram of ours, of so many bytes with its header, was too big. */
void udp_path_learn(struct net *net, const struct ip_addr *peer, uint32_t mtu_bytes,
                    uint32_t datagram_bytes);
/* The longest packet that goes to the peer whole. */
uint32_t udp_path_mtu(const struct net *net, const struct ip_route *route,
                      const struct ip_addr *peer);

/* ---- events.c ---- */
/* A datagram for the socket; consumed. */
void udp_queue(struct udp_sock *sock, const struct udp_way *way, struct buf *datagram_owned);
void udp_fail(struct udp_sock *sock, const struct udp_way *way, enum udp_error error);
void udp_drop_queue(struct udp_sock *sock);
void udp_tell_all(struct net *net);
bool udp_tells(const struct net *net); /* something is to be told with the next turn */

#endif
