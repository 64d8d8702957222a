/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection's deadlines share one alarm, which is lazy: moved only when a deadline comes before
 * it, and set again when it was looked at (alarm.h). */
#include "../state.h"
#include "acks.h"
#include "conn.h"
#include "plain.h"

enum {
    SYN_RETRIES = 5, /* 1 + 2 + ... + 32 s: about a minute */
};

static uint64_t earliest(const struct tcp_conn *conn)
{
    uint64_t due_us = TCP_NEVER;

    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        due_us = RT_MIN(due_us, conn->deadlines_us[i]);
    return due_us;
}

void conn_alarm(struct tcp_conn *conn, uint64_t due_us)
{
    conn->net->tcp->alarms.now_us = conn->net->now_us;
    alarm_set(&conn->net->tcp->alarms, conn->number, due_us);
}

static bool is_handshake(const struct tcp_conn *conn)
{
    return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
}

/* No answer to a SYN. */
static void on_handshake(struct tcp_conn *conn)
{
    if (life_is_stuck(conn) || conn->retries++ >= SYN_RETRIES) {
        conn_end(conn, TCP_TIMED_OUT);
        return;
    }
    rtt_back_off(&conn->rtt);
    conn_send_syn(conn);
    if (conn->state != TCP_CLOSED) /* the neighbour may have failed: it has ended */
        conn_at(conn, TCP_AT_RETRANSMIT,
                life_retransmit_us(conn, conn->net->now_us + rtt_wait_us(&conn->rtt)));
}

static void on_deadline(struct tcp_conn *conn, enum tcp_deadline which)
{
    switch (which) {
    case TCP_AT_RETRANSMIT:
        if (is_handshake(conn))
            on_handshake(conn);
        else
            timeout_fired(conn);
        return;
    case TCP_AT_ACK:
        acks_late(conn);
        conn_output(conn);
        return;
    case TCP_AT_END:
        life_end_due(conn);
        return;
    case TCP_AT_ALIVE:
        life_alive_due(conn);
        return;
    case TCP_DEADLINES:
        return;
    }
}

static void look(struct tcp_conn *conn)
{
    const uint64_t now_us = conn->net->now_us;

    for (uint32_t i = 0; i < TCP_DEADLINES && conn->state != TCP_CLOSED; i++)
        if (conn->deadlines_us[i] <= now_us) {
            conn->deadlines_us[i] = TCP_NEVER;
            on_deadline(conn, (enum tcp_deadline)i);
        }
    plain_predict(conn);
    if (conn->state != TCP_CLOSED && alarm_is_later(&conn->alarm, earliest(conn)))
        conn_alarm(conn, earliest(conn));
}

void tcp_deadlines(struct net *net, uint32_t max)
{
    struct tcp_stack *tcp = net->tcp;
    uint32_t number;

    for (uint32_t i = 0; i < max && alarm_next(&tcp->alarms, net->now_us, &number); i++)
        look(&tcp->conns[number]);
}

uint64_t tcp_deadlines_next_us(const struct net *net)
{
    return net->tcp != NULL ? net->tcp->alarms.next_us : TCP_NEVER;
}

void conn_timer_init(struct tcp_conn *conn)
{
    alarm_take_out(&conn->net->tcp->alarms, conn->number);
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        conn->deadlines_us[i] = TCP_NEVER;
}
