/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: TCP (RFC 9293) with buffers that are owned, never copied.
 *
 *     received   a chain of buffers becomes the application's (its domain's, by the owner byte);
 *                the peer's window opens again when they come back: tcp_give_back(), or sent on
 *     sent       buffers of the application become the connection's, all of a chain or none; it
 *                keeps them until the peer has acknowledged them
 *     pinned     so do headers for bytes that lie elsewhere: these are sent from where they are
 *
 * Functions here never call back. What happened is told by the functions of struct tcp_ops, from
 * net_turn() only; each may call any function on any connection of its core. What a turn
 * caused is sent at its end: segments are filled from all that was given until then.
 *
 * A connection lives from tcp_connect() or accepted() until closed() has been called, which it
 * is exactly once, whatever happened; it says why. Then its pointer means nothing any more. Buffers
 * that the application holds stay its own.
 * All functions: the core of the stack.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <tcp/net.h>

struct tcp_conn;
struct tcp_listener;

/* Why a connection ended. */
enum tcp_reason {
    TCP_DONE,        /* both sides closed it, all was acknowledged */
    TCP_REFUSED,     /* nobody listens there (RST to a SYN) */
    TCP_RESET,       /* the peer broke it off */
    TCP_ABORTED,     /* we did: tcp_abort(), or closed with data that nobody read */
    TCP_TIMED_OUT,   /* the peer does not answer */
    TCP_UNREACHABLE, /* there is no way to it, or its neighbour does not answer */
    TCP_STOPPED,     /* the stack was closed */
    TCP_NO_ADDRESS,  /* our address is not ours any more: a lease ended */
};
const char *tcp_reason_name(enum tcp_reason reason);

/* What an application wants to hear; those that may be NULL are not called. */
struct tcp_ops {
    /* A peer connected to a listener. May be NULL. */
    void (*accepted)(struct tcp_conn *conn);
    /* tcp_connect() succeeded. May be NULL. */
    void (*connected)(struct tcp_conn *conn);
    /* Bytes that came in, in order: the application's now. */
    void (*received)(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes);
    /* The peer sends no more; we may. May be NULL: then it is closed at once. */
    void (*ended)(struct tcp_conn *conn);
    /* tcp_try_send() was refused before; now there is room. May be NULL. */
    void (*room)(struct tcp_conn *conn);
    /* The last call for this connection. May be NULL. */
    void (*closed)(struct tcp_conn *conn, enum tcp_reason reason);
};

/* How the amount that is on its way grows and shrinks. */
enum tcp_congestion {
    TCP_NEWRENO, /* RFC 5681, RFC 6582 */
    TCP_CUBIC,   /* RFC 9438 */
};

/* Congestion that routers mark (RFC 3168). */
enum tcp_ecn_use {
    TCP_ECN_ACCEPT, /* where a peer asks for it */
    TCP_ECN_ASK,    /* ... and we do, too */
    TCP_ECN_OFF,
};

/* How often a peer's data is acknowledged, when nothing is missing and nobody waits. */
enum tcp_acks_use {
    TCP_ACKS_SECOND, /* every second segment (RFC 9293 3.8.6.3) */
    TCP_ACKS_EIGHTH, /* batch mode: every eighth, which costs both sides less */
};

struct tcp_config {
    uint32_t conns;         /* at most; 0: 1024 */
    uint32_t listeners;     /* at most; 0: 8 */
    uint32_t rx_window;     /* bytes a peer may send ahead; 0: 65535 * 4 */
    uint32_t tx_room;       /* bytes a connection keeps, at most; 0: 256 KiB */
    uint32_t time_waits;    /* in TIME-WAIT, at most: the oldest goes; 0: a quarter of conns */
    uint32_t orphans;       /* closed and not acknowledged yet, at most: the oldest is reset; 0: a
                             * quarter of conns */
    uint32_t user_timeout_ms; /* of new connections: tcp_set_user_timeout(); 0: none */
    /* sending */
    enum tcp_congestion congestion;
    enum tcp_ecn_use ecn;
    enum tcp_acks_use acks; /* receiving */
    uint32_t rto_min_us; /* least wait for an acknowledgement beyond the usual round trip; 0: 200
                          * ms; 1000 suits a rack */
    uint32_t clock_us;   /* steps of the time that calls are given; 0: fine ones */
    uint16_t slow_start_segments; /* by which one ACK lets cwnd grow, at most; 0: 8 */
    /* what peers are told */
    uint16_t mss_max;    /* largest segment that is offered and sent; 0: what the link carries */
    uint8_t quick_acks;  /* so many segments at the beginning are acknowledged at once, since a
                          * peer's slow start waits for it; 0: none */
    bool no_timestamps;  /* not offered, nor accepted (RFC 7323): no PAWS */
};

/* Adds TCP to a stack. Before the seal. RT_NO_MEMORY. */
RT_NODISCARD enum rt_status tcp_create(struct net *net, const struct tcp_config *config);

struct tcp_listen {
    const struct ip_addr *addr; /* of ours; NULL: every one */
    uint16_t port;
    uint32_t backlog; /* peers that were answered and have not come back yet, at most; the next
                       * ones are answered by a cookie, of which nothing is kept (RFC 4987) */
    uint32_t conns_max; /* connections at a time; 0: as many as the stack has */
    const struct tcp_ops *ops;
    void *ctx; /* first tcp_ctx() of each connection */
};

/* Accepts connections. While `conns_max` of them are there SYNs are dropped, and come again; no
 * peer that was answered is broken off for a limit of ours. RT_BUSY: somebody listens there;
 * RT_FULL. */
RT_NODISCARD enum rt_status tcp_listen(struct net *net, const struct tcp_listen *how,
                                       struct tcp_listener **out);
/* No more accepts; connections that were accepted stay. */
void tcp_unlisten(struct tcp_listener *listener);
/* On: none is accepted for a while; SYNs are dropped, and come again. */
void tcp_pause(struct tcp_listener *listener, bool on);

/* Connects to a peer. RT_NOT_FOUND: no way there; RT_FULL: no connection or no port is free. */
RT_NODISCARD enum rt_status tcp_connect(struct net *net, const struct ip_addr *addr,
                                        uint16_t port, const struct tcp_ops *ops, void *ctx,
                                        struct tcp_conn **out);

enum tcp_send_flags {
    TCP_MORE = 1, /* more follows soon: a segment that is not full waits for it, or until something
                   * is acknowledged, or for a time-out, or until tcp_set_nodelay() is called */
};

#define TCP_SEND_BYTES_MAX (1u << 30) /* of a call: half of what sequence numbers can tell apart */

/* Sends a chain of buffers, owned by the application (its domain) or the stack. True: they are
 * the connection's, `*chain` is NULL. False: all stay the caller's, as they were: no room
 * (tcp_room(); room() will be called), more than TCP_SEND_BYTES_MAX, or the sending side is closed.
 *
 * Buffers of the chain may be headers for bytes that lie elsewhere (EXT, <mempool/ext.h>; of a pool
 * of headers of this core), of any length: a value behind the line that announces it, or a file of
 * a GiB alone. Where a segment ends inside one, another header is taken from its pool; while
 * that is empty such bytes are copied. A pool with two for each send and one for each segment on
 * its way never is. They need no room, but are taken only while there is some.
 *     Each header is let go of when its bytes are acknowledged, or the connection ends, and is home
 * when no device has it any more. So a pin's release() is called once, from net_input(),
 * net_turn(), net_close(), tcp_close(), tcp_abort() or from where <mempool/ext.h> says; it calls
 * nothing of tcp/. */
RT_NODISCARD bool tcp_try_send(struct tcp_conn *conn, struct buf **chain, uint32_t flags);
/* So many bytes, in any number of buffers, are not refused now. */
uint32_t tcp_room(const struct tcp_conn *conn);

/* Gives back what received() gave: freed, and the peer may send as much again. Any chain of any
 * connection of the stack, also of one that is closed; NULL: nothing.
 * tidy: owned: no function returns such chains, received() hands them over. */
void tcp_give_back(struct net *net, struct buf *chain_owned);

/* We send no more; what was given is sent, then the peer is told. It may go on. */
void tcp_shutdown(struct tcp_conn *conn);
/* We neither send nor want to receive. What was given is sent; what was received and not given
 * to the application, or arrives later, breaks the connection off: the peer must not
 * believe that it was read (RFC 2525 2.17). closed() comes when it is over. */
void tcp_close(struct tcp_conn *conn);
/* How long tcp_close() may take: after `ms` what is not acknowledged is given up, and the peer is
 * reset; 0: at once. Otherwise it may take as long as the peer acknowledges something new every
 * two minutes. Before tcp_close(). */
void tcp_set_linger(struct tcp_conn *conn, uint32_t ms);
/* Breaks it off: what was not acknowledged is lost. closed() comes with the next turn. */
void tcp_abort(struct tcp_conn *conn);

/* On: a segment that is not full never waits for acknowledgements (Nagle). It is off at first. What
 * was held back by TCP_MORE waits no longer. */
void tcp_set_nodelay(struct tcp_conn *conn, bool on);

/* When nothing was heard of the peer for `idle_ms`, it is asked, up to `count` times, `interval_ms`
 * apart (RFC 9293 3.8.4); then it is reset, TCP_TIMED_OUT. idle_ms 0: never, as at first. */
void tcp_set_keepalive(struct tcp_conn *conn, uint32_t idle_ms, uint32_t interval_ms,
                       uint32_t count);
/* When nothing of what was sent is acknowledged for so long, the connection ends, TCP_TIMED_OUT
 * (RFC 5482 2), though the peer may answer probes of its closed window. 0: never for that. */
void tcp_set_user_timeout(struct tcp_conn *conn, uint32_t ms);

/* The end of all: nobody is accepted any more, and each connection sends what it was given, then
 * FIN; applications hear ended() and closed() as always. With turns until tcp_drained(), or until
 * there is no more time: then tcp_reset_all(). A second call does nothing. */
void tcp_drain(struct net *net);
bool tcp_drained(const struct net *net);
/* Every connection is broken off, and the peers are told, now: nobody is called back. For the end
 * of a drain. What reports a fault does not call it: this stack may be what is broken; its peers
 * learn of it when they next send, by the reset of the stack that was started again. */
void tcp_reset_all(struct net *net);

/* The application's own, of the connection: what tcp_listen() or tcp_connect() got, until it is
 * set. */
void *tcp_ctx(const struct tcp_conn *conn);
void tcp_set_ctx(struct tcp_conn *conn, void *ctx);
void tcp_peer(const struct tcp_conn *conn, struct ip_addr *addr, uint16_t *port);
void tcp_local(const struct tcp_conn *conn, struct ip_addr *addr, uint16_t *port);

#endif
