/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When what came in is acknowledged (RFC 9293 3.8.6.3, RFC 5681 4.2): every second segment, of a
 * batch, too, since a sender that counts ACKs would else grow slowly; in batch mode
 * (tcp_config.acks) every eighth. The rest goes with what the turn sends, or 40 ms later.
 *
 * At once, which is at the end of the turn: what fills a hole, what came twice, and a push, after
 * which a sender often waits. A push that our application usually answers is the exception: its
 * answer is the acknowledgement, and a bare one in front of it would be a packet more for each
 * request. What lies behind a hole is answered segment by segment, before the turn ends: a sender
 * counts these answers (RFC 5681 3.2), and their SACK blocks are few (RFC 2018 4).
 */
#ifndef TCP_TCP_ACKS_H
#define TCP_TCP_ACKS_H

#include "conn.h"
#include "lists.h"

enum {
    ACKS_SECOND = 2, /* RFC 9293 3.8.6.3: at least every second segment */
    ACKS_EIGHTH = 8, /* batch mode */
    ACKS_SOON = 64,  /* so many segments are acknowledged two by two, also in batch mode: at the
                      * start, and after a hole, when a sender's window may be smaller than eight */
    ACKS_DELAY_US = 40000,
};

/* A push, of a connection whose application has not answered the last one. */
RT_COLD void acks_pushed(struct tcp_conn *conn);
/* The connection stands. */
void acks_begin(struct tcp_conn *conn);
/* TCP_AT_ACK has come: no answer did. */
void acks_late(struct tcp_conn *conn);
/* A segment behind a hole, or one that fills it. */
void acks_hole(struct tcp_conn *conn);
/* What is owed, in bare ACKs: the turn sends nothing else. */
void acks_send(struct tcp_conn *conn);

/* So many segments of data came in, in order; `push`: the last one was pushed. */
RT_INLINE void acks_owe(struct tcp_conn *conn, uint32_t segments, bool push)
{
    conn->owed_segments = (uint16_t)(conn->owed_segments + segments);
    if (conn->owed_segments >= conn->acks.every)
        conn->ack_now = true;
    if (RT_UNLIKELY(push && !conn->acks.answers))
        acks_pushed(conn);
    lists_output(conn);
}
/* The turn sent nothing that acknowledges. Only now, because an answer usually does: a deadline of
 * 40 ms for each request would keep the alarm moving. */
RT_INLINE void acks_delay(struct tcp_conn *conn)
{
    if (conn->owed_segments == 0 || conn_has_deadline(conn, TCP_AT_ACK))
        return;
    if (RT_UNLIKELY(conn->net->few.relieves))
        acks_send(conn); /* the window is small: who waits for an ACK would stop */
    else
        conn_at(conn, TCP_AT_ACK, conn->net->now_us + ACKS_DELAY_US);
}

#endif
