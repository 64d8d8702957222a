/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several stacks of ours, a core each, with the same addresses behind one device
 * (<tcp/share.h>). The test says by whose queue a frame comes in; one thread plays all
 * cores. Virtual time. Every buffer must be home at the end.
 */
#ifndef TESTS_TCP_STACKS_H
#define TESTS_TCP_STACKS_H

#include "station.h"

#include "state.h"
#include "tcp/conn.h"
#include "wire/tcp.h"

#include <tcp/share.h>

#define STACKS_MAX 3
#define STACKS_MAIL 64
#define STACKS_PORT 80

struct stacks;

struct stack {
    struct stacks *all;
    struct net *net;
    struct pool *pool;
    struct net_share share;
    struct buf *mail[STACKS_MAIL]; /* for it */
    uint32_t mails;
};

struct stacks {
    struct stack one[STACKS_MAX];
    uint32_t count;
    uint64_t now_us;
    uint32_t mail_room; /* messages that wait for a stack, at most */
    uint32_t sent, seen; /* frames that left, and of them looked at */
    uint32_t by[STATION_FRAMES]; /* which stack each left by */
    struct frame frames[STATION_FRAMES];
};

/* What the applications of all stacks were told; they send back what they get. */
struct stacks_told {
    uint32_t accepted, connected, received_bytes, closed;
    enum tcp_reason reason;
    struct tcp_conn *conn; /* the last that was accepted or connected */
};
extern struct stacks_told stacks_told;
extern const struct tcp_ops stacks_ops;

/* Stacks without addresses, each with a listener at STACKS_PORT. */
struct stacks *stacks_start(uint32_t count);
/* The same with OUR_IP/24, the gateway and PEER_IP as a neighbour, known to all. */
struct stacks *stacks_start_ready(uint32_t count);
/* The same, known to nobody, with another application and windows of so many bytes. */
struct stacks *stacks_start_with(uint32_t count, const struct tcp_ops *ops, uint32_t window);
/* Closes them; mail is thrown away; all buffers are home. */
void stacks_stop(struct stacks *t);

/* The stack that a flow is for: its ports added, modulo the number of stacks. */
uint32_t stacks_home(const struct stacks *t, uint32_t src_port, uint32_t dst_port);
/* Calls that follow are made on this stack's core. */
struct net *stacks_on(struct stacks *t, uint32_t number);
/* A frame comes in by this stack; all have turns until nobody has mail. */
void stacks_give(struct stacks *t, uint32_t number, const struct frame *frame);
void stacks_turn(struct stacks *t);
/* One turn of one of them: its mail, then what it has to send. */
void stacks_step(struct stacks *t, uint32_t number);
/* Turns of all, whenever one of them wants one. */
void stacks_wait_us(struct stacks *t, uint64_t us);
/* The next frame that left, and by which stack; NULL: none did. */
const struct frame *stacks_next(struct stacks *t, uint32_t *by);
void stacks_silent(struct stacks *t);

/* A TCP segment of the peer's, right in all its parts; a SYN says a segment size of 1460. */
void frame_tcp(struct frame *f, uint16_t src_port, uint16_t dst_port, uint16_t flags,
               uint32_t seq, uint32_t ack);
/* ... with so many bytes behind it. */
void frame_tcp_data(struct frame *f, uint16_t src_port, uint16_t dst_port, uint32_t seq,
                    uint32_t ack, uint32_t bytes);
/* The next frame that left, which is TCP; by which stack. */
const struct tcp_header *stacks_hear(struct stacks *t, uint32_t *by);
/* The peer connects from this port, its segments come by stack `number`. Ours: its first
 * number. */
struct tcp_conn *stacks_accept(struct stacks *t, uint32_t number, uint16_t port, uint32_t *iss);

#endif
