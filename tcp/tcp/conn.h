/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection and the tables they are in. */
#ifndef TCP_TCP_CONN_H
#define TCP_TCP_CONN_H

#include "../ip/icmp.h"
#include "../ip/ip.h"
#include "alarm.h"
#include "cc.h"
#include "ecn.h"
#include "life.h"
#include "listener.h"
#include "merge.h"
#include "order.h"
#include "pmtu.h"
#include "recovery.h"
#include "rtt.h"
#include "secret.h"
#include "segment.h"
#include "table.h"

#include <tcp/tcp.h>

/* RFC 9293 3.3.2; LISTEN is struct tcp_listener. */
enum tcp_state {
    TCP_CLOSED,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
};

/* What the application is still to be told, in this order. */
enum tcp_event {
    TCP_EV_OPEN = 1, /* accepted() or connected() */
    TCP_EV_DATA = 2,
    TCP_EV_ENDED = 4,
    TCP_EV_ROOM = 8,
    TCP_EV_CLOSED = 16,
};

enum tcp_deadline {
    TCP_AT_RETRANSMIT, /* the oldest that is not acknowledged, or a probe of a closed window */
    TCP_AT_ACK,        /* what we owe the peer, at last */
    TCP_AT_END,        /* TIME-WAIT, FIN-WAIT-2 of a closed one, a handshake nobody finishes */
    TCP_AT_ALIVE,      /* nothing was heard for so long that we ask (life.h) */
    TCP_DEADLINES,
};
#define TCP_NEVER ALARM_NEVER

#define TCP_FIN_WAIT_2_US 60000000u /* of a connection that nobody reads any more */
#define TCP_PORT_FIRST 49152 /* RFC 6335 6: dynamic ports */
#define TCP_PORTS 16384
#define TCP_PORT_ROUNDS 64

/* Bytes that we send, from the oldest that is not acknowledged on (sendq.h). */
struct tcp_sendq {
    struct buf *first, *last;
    struct buf *next; /* to be sent; NULL: all were */
    uint32_t bytes, bufs;
};

/* The way to the peer, for the fast path (fast_out.h). */
struct tcp_path {
    struct neigh *neigh; /* NULL: none that may be used so */
    uint32_t next_hop;   /* its IPv4 address, as on the wire */
    uint32_t epoch;      /* when it was looked up */
};

/* What the acknowledgements of a peer's data depend on (acks.h). */
struct tcp_acks {
    uint32_t pushed_at; /* the end of what we had sent when a push came last */
    uint8_t every;      /* so many segments owe one */
    uint8_t soon;       /* batch mode: so many more are acknowledged two by two */
    bool answers;       /* the application answers a push, and that acknowledges it */
};

/* The most that was on its way at once, until `end` is acknowledged (used.h). */
struct tcp_used {
    uint32_t most, end;
};

#define TCP_HOT_LINES 5 /* that a usual segment touches */

struct tcp_conn {
    /* who, and what comes in: as it stands in a frame from the peer (table.h); IPv4 only */
    uint64_t wire_addrs;
    uint32_t wire_ports;
    uint16_t predict; /* plain.h */
    uint8_t rcv_scale, snd_scale;
    uint32_t rcv_nxt, rcv_adv; /* rcv_adv: right edge of the window that was offered */
    uint32_t last_ack_sent;
    uint32_t time_recent; /* RFC 7323 TS.Recent */
    uint64_t time_recent_us;
    uint32_t snd_una, snd_nxt;
    uint32_t snd_wnd;
    uint32_t number;     /* of this place in the table of connections */
    uint32_t generation; /* of what stands in it: buffers outlive connections */
    uint32_t held_bytes; /* true size of buffers that the application has, or will get */

    /* whose, and what it is still to be told */
    struct net *net;
    const struct tcp_ops *ops;
    void *ctx;
    struct tcp_conn *event_next, *output_next;
    struct buf *rx_first, *rx_last; /* in order, to be told */
    uint32_t rx_bytes;
    uint16_t mss; /* most bytes in a segment, options taken off */
    uint16_t owed_segments; /* since our last ACK */

    /* what goes out */
    struct tcp_sendq queue;
    struct tcp_path path;
    uint32_t snd_end; /* behind all bytes that were given: the number of our FIN */
    uint32_t iss;
    uint8_t state;  /* enum tcp_state */
    uint8_t events; /* enum tcp_event, to be told */
    bool event_listed, output_listed;

    /* time */
    uint64_t deadlines_us[TCP_DEADLINES]; /* the first two are of usual segments */
    struct alarm alarm; /* at the earliest of them, or before */
    struct net_if *iface; /* that its segments leave by */
    bool ack_now, room_wanted, nodelay;
    bool listens_alive; /* keepalive is on */
    struct tcp_acks acks;
    struct tcp_rtt rtt;
    struct tcp_cc cc;
    struct tcp_used used;
    struct tcp_recovery recovery; /* without a loss only its first bytes are touched */

    /* from here on a usual segment touches the history of the window, no more */
    struct tcp_listener *listener; /* that it is half open at, or waits to be accepted; NULL */
    struct tcp_conn *chain;        /* free: the next free one */
    uint32_t hash;                 /* that it has in the table */
    struct ip_addr local, remote;
    uint16_t local_port, remote_port;
    uint8_t reason; /* enum tcp_reason */
    bool passive, app_closed; /* a peer began it; tcp_close() was called */
    bool app_gone;            /* closed() was called, or there is no application yet to tell */
    bool fin_wanted, fin_sent;
    bool fin_alone;     /* it left without data, and is a segment of its own */
    bool time_on, sack_on, scale_on; /* agreed on (RFC 7323, RFC 2018) */
    bool no_way;        /* said of the first SYN */
    bool fin_early;     /* the peer's FIN came, out of order */
    bool to_us;         /* both ends are ours */
    bool more;          /* TCP_MORE was said last: what is no full segment waits */
    uint8_t quick_left; /* so many segments more are acknowledged at once */
    uint32_t irs;
    struct buf *order; /* out of order: the tree's root (order.h) */
    uint32_t snd_wl1, snd_wl2, snd_wnd_max;
    struct tcp_ecn ecn;
    struct tcp_pmtu pmtu;
    uint32_t retries; /* of the retransmission timer, since the peer moved on */
    uint64_t syn_sent_us; /* the first */
    struct tcp_served served;
    struct tcp_life life;
    struct tcp_order holes;
} RT_ALIGNED(RT_CACHE_LINE);
_Static_assert(offsetof(struct tcp_conn, net) == RT_CACHE_LINE, "the first line");
_Static_assert(offsetof(struct tcp_conn, queue) == 2 * RT_CACHE_LINE, "the second");
_Static_assert(offsetof(struct tcp_conn, deadlines_us) == 3 * RT_CACHE_LINE, "the third");
_Static_assert(offsetof(struct tcp_conn, cc) + sizeof(uint32_t) <=
                   TCP_HOT_LINES * RT_CACHE_LINE, "cwnd is in the last of them");

struct tcp_stack {
    struct tcp_config config;
    uint32_t window_most; /* offered: config.rx_window, or less while buffers are few */
    struct tcp_conn *conns;
    struct tcp_conn *free;
    struct tcp_table table;
    struct alarms alarms;
    struct tcp_listener *listeners;
    struct tcp_conn *event_first, *event_last;
    struct tcp_conn *output_first, *output_last;
    uint32_t ports_next[TCP_PORT_ROUNDS];
    uint32_t open; /* connections, without those in TIME-WAIT */
    bool draining; /* tcp_drain() was called */
    uint64_t fast_segs; /* that took the fast path */
    struct tcp_merge merge;
    struct tcp_secret secret;
    struct tcp_line time_waits, orphans;
    struct tcp_line early; /* that keep what came out of order; or did */
};

/* ---- ports.c ---- */
/* A port of ours that is free towards this peer; 0: none. */
uint16_t tcp_port_choose(struct net *net, const struct ip_addr *local,
                         const struct ip_addr *remote, uint16_t remote_port);

/* ---- conn.c ---- */
struct tcp_conn *conn_find(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port);
/* A connection in state CLOSED, in the table; NULL: none is free. */
struct tcp_conn *conn_make(struct net *net, const struct ip_addr *local, uint16_t local_port,
                           const struct ip_addr *remote, uint16_t remote_port);
/* Nothing of it is sent or taken any more: buffers go home, the application is told. */
void conn_end(struct tcp_conn *conn, enum tcp_reason reason);
/* The place is free again; the application was told. */
void conn_free(struct tcp_conn *conn);

/* ---- events.c ---- */
void conn_tell(struct tcp_conn *conn, uint32_t events); /* enum tcp_event */
void tcp_tell_all(struct net *net);

/* ---- deadline.c ---- */
/* The alarm moves to an earlier deadline. */
RT_COLD void conn_alarm(struct tcp_conn *conn, uint64_t due_us);
/* Sets a deadline; TCP_NEVER: takes it back. */
RT_INLINE void conn_at(struct tcp_conn *conn, enum tcp_deadline which, uint64_t due_us)
{
    conn->deadlines_us[which] = due_us;
    if (RT_UNLIKELY(alarm_is_later(&conn->alarm, due_us)))
        conn_alarm(conn, due_us);
}
RT_INLINE bool conn_has_deadline(const struct tcp_conn *conn, enum tcp_deadline which)
{
    return conn->deadlines_us[which] != TCP_NEVER;
}
void conn_timer_init(struct tcp_conn *conn);
/* Looks at connections whose deadlines may be due, at most `max`. */
void tcp_deadlines(struct net *net, uint32_t max);
uint64_t tcp_deadlines_next_us(const struct net *net);

/* ---- input.c, rx_*.c ---- */
void tcp_input(struct net *net, struct ip_packet *packet_owned);
/* Frames that came in by an interface, consumed: usual segments are taken at once, `other` gets the
 * rest, all in their order (batch.c). */
void tcp_batch(struct net *net, struct net_if *iface, struct buf_batch *frames_owned,
               void (*other)(struct net *net, struct net_if *iface, struct buf *frame_owned));
void tcp_icmp(struct net *net, const struct icmp_error *error);
/* relieve.c: buffers are few, or are no more (few.h). */
void tcp_relieve(struct net *net);

/* ---- output.c, transmit.c ---- */
void conn_output(struct tcp_conn *conn); /* at the end of the turn, something may be sent */
void tcp_output_all(struct net *net);
bool tcp_output_waits(const struct net *net);
/* Sets what a SYN offers, and its sequence number (rx_syn.c). */
void conn_offer(struct tcp_conn *conn, uint32_t first_seq);
/* SYN, or SYN and ACK; once more. */
void conn_send_syn(struct tcp_conn *conn);
/* An ACK without data, now. */
void conn_send_ack(struct tcp_conn *conn);
void conn_send_probe(struct tcp_conn *conn);
void conn_send_rst(struct tcp_conn *conn);
/* Answers a segment that belongs to nothing (RFC 9293 3.10.7.1). */
void tcp_refuse(struct net *net, const struct tcp_segment *segment);

/* The timestamp of now: milliseconds, begun elsewhere for each connection (RFC 7323 5.4, 7.1). */
uint32_t tcp_time(const struct net *net, uint32_t first_seq);
uint32_t conn_time(const struct tcp_conn *conn);

void tcp_close_all(struct net *net);
/* addr_gone.c: ends the connections from an address that is ours no more. */
void tcp_addr_gone(struct net *net, const struct ip_addr *addr);

#endif
