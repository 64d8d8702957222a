/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to segments that are not what they should be (RFC 9293 3.10.7.4, first; RFC 5961). */
#include "../state.h"
#include "../wire/tcp.h"
#include "rx.h"
#include "seq.h"

enum {
    CHALLENGES_MIN = 5, /* a connection and about a second */
    CHALLENGES_SPREAD = 11,
    PERIOD_MIN_US = 500000,
    PERIOD_SPREAD_US = 1000001,
};

/* Each connection counts for itself, with limit and period drawn anew each time: a limit that is
 * shared, or known, tells a stranger whether somebody else was answered (CVE-2016-5696). */
void rx_challenge(struct tcp_conn *conn)
{
    struct net *net = conn->net;
    struct tcp_life *l = &conn->life;

    if (net->now_us >= l->challenges_until_us) {
        l->challenges_until_us = net->now_us + PERIOD_MIN_US + secret_draw(net, PERIOD_SPREAD_US);
        l->challenges = CHALLENGES_MIN + secret_draw(net, CHALLENGES_SPREAD);
    }
    if (l->challenges == 0) {
        net->counters.tcp_challenges_limited++;
        return;
    }
    l->challenges--;
    net->counters.tcp_challenges++;
    conn_send_ack(conn);
}

/* What has data or FIN, and no SYN, is a segment once more whose acknowledgement was lost, and is
 * answered every time (once a turn): none of ours has that, so two such answers never follow each
 * other for ever. */
void rx_answer(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const uint16_t flags = segment->flags;

    if ((flags & TCP_SYN) != 0 || conn->state == TCP_SYN_RECEIVED ||
        (segment->bytes == 0 && (flags & TCP_FIN) == 0)) {
        rx_challenge(conn);
        return;
    }
    if (conn->state == TCP_TIME_WAIT && (flags & TCP_FIN) != 0)
        rx_time_wait(conn); /* our last ACK was lost: the time begins anew */
    if (segment->bytes != 0 && seq_before(segment->seq, conn->rcv_nxt))
        order_twice(conn, segment->seq, segment->seq +
                    RT_MIN(segment->bytes, conn->rcv_nxt - segment->seq));
    conn->ack_now = true;
    conn_output(conn);
}
