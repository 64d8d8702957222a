/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a connection is as usual, so that its segments may take the fast path (fast_in.h,
 * fast_out.h), and what that path asks of those who recover and time.
 *
 * `conn->predict` is what the offset and flags of the next segment will be, as they lie in the
 * header (PSH left out), or 0: nothing is predicted, all takes the steps. Whoever makes a
 * connection unusual between two of the places that work it out anew (a segment that took the
 * steps, the turn's output, a deadline) calls plain_not_now().
 */
#ifndef TCP_TCP_PLAIN_H
#define TCP_TCP_PLAIN_H

#include "conn.h"

/* Works `predict` out anew. */
void plain_predict(struct tcp_conn *conn);
RT_INLINE void plain_not_now(struct tcp_conn *conn)
{
    conn->predict = 0;
}

/* New bytes were acknowledged, others wait: the timer starts anew. */
void plain_acked(struct tcp_conn *conn);
/* Something was sent: the timer starts, if none runs. */
RT_INLINE void plain_sent(struct tcp_conn *conn)
{
    if (!conn_has_deadline(conn, TCP_AT_RETRANSMIT))
        plain_acked(conn);
}
/* cwnd was in use, and so many bytes were acknowledged. */
void plain_grow(struct tcp_conn *conn, uint32_t bytes);

#endif
