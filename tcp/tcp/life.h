/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a connection may stay: what ends one that nobody speaks on, or that nobody waits for.
 *
 *     TIME-WAIT   60 s, and no more than `time_waits` of them: the oldest goes first
 *     orphan      closed by its application, and not yet acknowledged: `orphans` of them, the
 *                 oldest is reset; without progress for two minutes it ends, too
 *     stuck       nothing new is acknowledged for the user timeout (RFC 5482 2), though the peer
 *                 answers probes of its closed window
 *     silent      keepalive (RFC 9293 3.8.4)
 */
#ifndef TCP_TCP_LIFE_H
#define TCP_TCP_LIFE_H

#include <rt/base.h>

struct net;
struct tcp_conn;
struct tcp_segment;

/* Connections of one kind, oldest first. */
struct tcp_line {
    struct tcp_conn *oldest, *newest;
    uint32_t count, most;
};

/* Of a connection. Most of it is looked at by timers only. */
struct tcp_life {
    struct tcp_line *line; /* NULL: it is in none */
    struct tcp_conn *older, *newer;
    uint64_t challenges_until_us; /* RFC 5961 7: so many are left until then */
    uint32_t challenges;
    uint32_t una_seen; /* snd_una, when the retransmission timer fired last, */
    uint64_t stuck_us; /* and since when it has been there; 0: never */
    uint32_t user_timeout_ms; /* 0: none */
    uint32_t linger_ms;       /* LIFE_NO_LINGER: as long as it takes */
    uint32_t alive_idle_ms, alive_interval_ms;
    uint16_t alive_count, alive_asked;
    uint64_t heard_us;
};
#define LIFE_NO_LINGER UINT32_MAX

void life_begin(struct tcp_conn *conn);
/* It is in no line any more. */
void life_end(struct tcp_conn *conn);
/* In TIME-WAIT, or closed by its application: joins its line, at the end. */
void life_wait(struct tcp_conn *conn);
void life_orphan(struct tcp_conn *conn);
/* It keeps what came out of order: it is in that line until it ends, or joins another one. */
void life_early(struct tcp_conn *conn);
/* It is in that line no more. */
void life_late(struct tcp_conn *conn);
/* The table is full: the oldest in TIME-WAIT gives its place. */
void life_make_room(struct net *net);

/* The retransmission timer fires. True: nothing was acknowledged for too long. */
bool life_is_stuck(struct tcp_conn *conn);
/* ... and when it must fire again: at `due_us`, or before that. */
uint64_t life_retransmit_us(const struct tcp_conn *conn, uint64_t due_us);
/* A segment of the peer's came; only while keepalive is on. */
void life_heard(struct tcp_conn *conn);
void life_alive_due(struct tcp_conn *conn);
void life_end_due(struct tcp_conn *conn);

#endif
