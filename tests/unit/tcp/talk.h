/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP peer that the test plays, segment by segment, on a station. Sequence numbers are relative:
 * both sides begin at 0. One application serves all connections and notes what it was told.
 */
#ifndef TESTS_TCP_TALK_H
#define TESTS_TCP_TALK_H

#include "station.h"

#include "state.h"
#include "tcp/conn.h"
#include "wire/tcp.h"

#include <mempool/pool.h>

#define TALK_PORT 80
#define S TCP_SYN
#define A TCP_ACK
#define F TCP_FIN
#define R TCP_RST
#define P TCP_PSH

/* What the application was told, of all connections. */
struct talk_told {
    uint32_t accepted, connected, received_bytes, ended, room, closed;
    enum tcp_reason reason;
    struct tcp_conn *conn; /* the last that was accepted or connected */
};

/* Options of the segments that the peer sends; a SYN has those that only it may have. */
struct talk_options {
    uint16_t mss;
    uint8_t scale; /* TCP_NO_SCALE: none */
    bool sack, time_on;
    uint32_t time, time_echo;
};

struct talk {
    struct station s;
    struct tcp_listener *listener;
    struct ip_addr from;
    uint16_t port, our_port;
    uint32_t irs, iss; /* theirs, ours: what 0 is */
    uint16_t window;
    uint16_t urgent; /* pointer, of segments with TCP_URG */
    struct talk_options options;
    bool keeps, closes; /* the application keeps what it gets; it closes when the peer ends */
    bool checks;        /* it compares what it gets (of one connection) with what the peer sent */
    bool batch;         /* segments wait for talk_flush() */
    bool wire; /* frames as on a wire: short ones padded, and no card has looked at checksums */
    struct buf_batch waiting;
};
extern struct talk_told told;
extern struct buf *talk_kept; /* chains by `user`: what the application keeps */

/* A segment of ours that left; numbers relative to the talk's. */
struct heard {
    uint32_t seq, ack, bytes;
    uint16_t flags, window, src_port, dst_port;
    struct ip_addr dst;
    struct tcp_options options;
};

/* A stack with one listener at TALK_PORT; the peer's neighbour is known. */
void talk_start(struct talk *t, const struct tcp_config *config, struct tcp_listen listen);
void talk_stop(struct talk *t);
/* Another connection: from this port, both numbers as they fall; no options but an MSS. */
void talk_new(struct talk *t, uint16_t port);
/* The peer sends; with `batch` it waits for talk_flush(). */
void talk_give(struct talk *t, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t bytes);
void talk_flush(struct talk *t);
/* The next segment that left; fails when there is none. */
struct heard talk_hear(struct talk *t);
/* ... which is this one. */
void talk_expect(struct talk *t, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t bytes);
void talk_silent(struct talk *t);
void talk_drop_all(struct talk *t); /* what left is not looked at */
void talk_wait_ms(struct talk *t, uint32_t ms);
/* The whole handshake of a new connection that the peer begins, resp. that we begin. */
struct tcp_conn *talk_accept(struct talk *t, uint16_t port);
struct tcp_conn *talk_connect(struct talk *t);
/* The application sends that many bytes, in buffers of `each`. */
void talk_send(struct talk *t, struct tcp_conn *conn, uint32_t bytes, uint32_t each);
void talk_give_back(struct talk *t); /* all that the application keeps */

extern const struct tcp_ops talk_ops;

#endif
