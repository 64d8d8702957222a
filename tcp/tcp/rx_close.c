/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a connection, from either side (RFC 9293 3.6, 3.10.7.4 fifth and eighth). */
#include "../state.h"
#include "../wire/tcp.h"
#include "order.h"
#include "rx.h"
#include "seq.h"

#define TIME_WAIT_US 60000000u /* 2 MSL, as Linux has it */

void rx_time_wait(struct tcp_conn *conn)
{
    const bool told = conn->state == TCP_TIME_WAIT;

    conn->net->tcp->open -= !told;
    conn->state = TCP_TIME_WAIT;
    listener_serves_no_more(conn);
    life_wait(conn);
    conn_at(conn, TCP_AT_RETRANSMIT, TCP_NEVER);
    conn_at(conn, TCP_AT_END, conn->net->now_us + TIME_WAIT_US);
    conn->reason = TCP_DONE;
    if (!told && !conn->app_gone)
        conn_tell(conn, TCP_EV_CLOSED);
}

void rx_fin_acked(struct tcp_conn *conn)
{
    if (conn->state == TCP_FIN_WAIT_1) {
        conn->state = TCP_FIN_WAIT_2;
        if (conn->app_closed)
            conn_at(conn, TCP_AT_END, conn->net->now_us + TCP_FIN_WAIT_2_US);
    } else if (conn->state == TCP_CLOSING) {
        rx_time_wait(conn);
    } else if (conn->state == TCP_LAST_ACK) {
        conn_end(conn, TCP_DONE);
    }
}

void rx_fin(struct tcp_conn *conn)
{
    conn->rcv_nxt++;
    if (seq_after(conn->rcv_nxt, conn->rcv_adv)) /* behind the last byte that had room */
        conn->rcv_adv = conn->rcv_nxt;
    conn->ack_now = true;
    conn_output(conn);
    order_close(conn); /* nothing lies behind the end */
    if (!conn->app_closed)
        conn_tell(conn, TCP_EV_ENDED);
    if (conn->state == TCP_ESTABLISHED)
        conn->state = TCP_CLOSE_WAIT;
    else if (conn->state == TCP_FIN_WAIT_1)
        conn->state = TCP_CLOSING;
    else if (conn->state == TCP_FIN_WAIT_2)
        rx_time_wait(conn);
}

bool rx_time_wait_reused(struct tcp_conn *conn, struct tcp_segment *segment)
{
    const bool times = conn->time_on && segment->options.has_time;
    const bool later = seq_after(segment->seq, conn->rcv_nxt);
    const uint32_t recent = conn->time_recent;

    if ((segment->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    if (times ? !seq_after(segment->options.time, recent) &&
                    (segment->options.time != recent || !later)
              : !later)
        return false;
    /* What is on its way yet of the old one must not fit into the new one (RFC 9293 3.4.3). */
    segment->takes_over = true;
    segment->first_seq = conn->snd_nxt + UINT16_MAX;
    conn_end(conn, TCP_DONE);
    return true;
}
