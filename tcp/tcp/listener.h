/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who listens where, and how many may come. Two limits: peers that were answered and have not come
 * back yet (`backlog`), and connections that are served at a time (`conns_max`).
 *
 * A peer that got our SYN and ACK believes that it is connected, so no limit of ours may break it
 * off: while nothing can be served its SYN is dropped, and comes again; behind a full backlog it
 * is answered by a cookie (cookie.c); an ACK that comes while nothing can be served is dropped,
 * and the half-open connection stays.
 */
#ifndef TCP_TCP_LISTENER_H
#define TCP_TCP_LISTENER_H

#include <tcp/tcp.h>

struct tcp_conn;

struct tcp_listener {
    struct net *net; /* NULL: free */
    const struct tcp_ops *ops;
    void *ctx;
    struct ip_addr addr;
    bool any_addr, paused;
    uint16_t port;
    uint32_t backlog, waiting;  /* half open */
    uint32_t conns_max, served; /* established, until they end or are in TIME-WAIT */
    uint32_t generation;        /* of what stands in this place: connections outlive it */
    uint64_t cookies_until_us;  /* some that we made may come back until then */
};

/* Of a connection. */
struct tcp_served {
    struct tcp_listener *by; /* NULL: it is counted nowhere */
    uint32_t generation;
};

struct tcp_listener *tcp_listener_find(struct net *net, const struct ip_addr *addr,
                                       uint16_t port);
/* True: one more could be served now. */
bool listener_has_room(const struct tcp_listener *listener);
/* A connection of it is half open; it is no more. */
void listener_waits(struct tcp_listener *listener, struct tcp_conn *conn);
void listener_waits_no_more(struct tcp_conn *conn);
/* The handshake of a connection that a peer began is complete. False: it cannot be served now. */
bool listener_serves(struct tcp_conn *conn);
void listener_serves_no_more(struct tcp_conn *conn);

#endif
