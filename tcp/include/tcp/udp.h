/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams: UDP (RFC 768, RFC 1122 4.1, RFC 8085) with buffers that are owned, never copied.
 *
 *     received   a chain of buffers, data at the first byte behind the header, becomes the
 *                application's (its domain's, by the owner byte): give it back, or send it
 *     sent       a chain of the application becomes the stack's, all of it or none; the header is
 *                written in front of its bytes, in the same buffer
 *
 * Functions here never call back. What happened is told by the functions of struct udp_ops, from
 * net_turn() only; each may call any function of its core, udp_close() of its own socket, too.
 *
 * Nothing here is sent again, ordered or slowed down: what has no room is refused, what got lost
 * is lost. A datagram longer than a packet is sent in pieces (IPv4: also by routers on the way).
 * All functions: the core of the stack.
 */
#ifndef TCP_UDP_H
#define TCP_UDP_H

#include <tcp/net.h>

struct udp_sock;

/* Where a datagram came from, and where one goes: an answer takes what the question had. */
struct udp_way {
    struct ip_addr peer;
    /* What the peer wrote to: an address of ours, a group, a broadcast. Sent from it where it
     * is an address of ours, else from the socket's, else from what the route says. */
    struct ip_addr own;
    uint16_t port;  /* the peer's */
    uint32_t iface; /* that it came in by; sent: of a group or broadcast only */
};

/* Why a datagram did not arrive, as somebody on the way says: whoever that is, an application
 * counts it as a hint (RFC 1122 4.1.3.3, RFC 8085 5.2). */
enum udp_error {
    UDP_NO_PORT,  /* nobody listens there (ICMP port unreachable) */
    UDP_NO_WAY,   /* no route, or the neighbour does not answer */
    UDP_TOO_LONG, /* for a link on the way: the next one as long leaves in pieces
                   * (udp_whole_bytes()) */
};

struct udp_ops {
    /* A datagram of `chain_owned->pkt_len` bytes, which may be 0: the application's now. */
    void (*received)(struct udp_sock *sock, struct buf *chain_owned, const struct udp_way *way);
    /* One of ours did not arrive; of several in a turn the last is told. May be NULL. */
    void (*failed)(struct udp_sock *sock, const struct udp_way *way, enum udp_error error);
};

struct udp_config {
    uint32_t socks; /* at most; 0: 64 */
};

/* Adds UDP to a stack. Before the seal. RT_NO_MEMORY. */
RT_NODISCARD enum rt_status udp_create(struct net *net, const struct udp_config *config);

struct udp_open {
    const struct ip_addr *addr; /* of ours; NULL: every one, groups and broadcasts, too */
    uint16_t port;              /* 0: any that is free, which nobody can foresee (RFC 6056) */
    uint32_t queue_bytes;       /* true size of buffers that wait for a turn; 0: 256 KiB */
    const struct udp_ops *ops;
    void *ctx; /* udp_ctx() */
};

/* Opens a socket. RT_BUSY: somebody has that port (and address); RT_FULL: no socket, or no port,
 * is free. */
RT_NODISCARD enum rt_status udp_open(struct net *net, const struct udp_open *how,
                                     struct udp_sock **out);
/* What waits for the socket is dropped. Its pointer means nothing any more. */
void udp_close(struct udp_sock *sock);

/* Sends a chain of buffers, owned by the application (its domain) or the stack: one datagram.
 * RT_OK: they are the stack's, `*chain` is NULL. Else all stay the caller's, as they were:
 * RT_FULL: no room, later there is; RT_NOT_FOUND: no way there; RT_INVALID: too long, in
 * more buffers than the device takes (tx_bufs of struct net_if_config), or a buffer that is not
 * the caller's to send, or an empty one among others. */
RT_NODISCARD enum rt_status udp_try_send(struct udp_sock *sock, const struct udp_way *way,
                                         struct buf **chain);

/* The longest datagram that leaves in one packet, as far as is known: by the link, and by what
 * routers have said in the last ten minutes (IPv6). 0: there is no way. */
uint32_t udp_whole_bytes(struct udp_sock *sock, const struct udp_way *way);

/* Gives back what received() gave; NULL: nothing. tidy: owned: as tcp_give_back() */
void udp_give_back(struct net *net, struct buf *chain_owned);

/* The socket's own port, and what it was opened with. */
uint16_t udp_port(const struct udp_sock *sock);
void *udp_ctx(const struct udp_sock *sock);

#endif
