/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a segment one of this connection's, and of now? (RFC 9293 3.10.7.4, first to fourth; RFC 5961
 * 3, 4; RFC 7323 5) */
#include "../chain.h"
#include "../state.h"
#include "../wire/tcp.h"
#include "rx.h"
#include "seq.h"

#define PAWS_IDLE_US (24 * UINT64_C(86400000000)) /* RFC 7323 5.5 */

/* Older than what came before, by its timestamp (RFC 7323 5.3); after 24 idle days nobody can
 * tell (5.5). */
static bool is_old(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    return conn->time_on && segment->options.has_time && (segment->flags & TCP_RST) == 0 &&
           seq_before(segment->options.time, conn->time_recent) &&
           conn->net->now_us - conn->time_recent_us < PAWS_IDLE_US;
}

/* Some of it is in the window, or it is empty and at one of its edges (3.4, table 6). The right one
 * is more than the table allows: a peer that has filled our window and lost what it sent says so
 * from there, and its acknowledgements must count, or neither side ever moves. */
static bool is_acceptable(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const uint32_t window = conn->rcv_adv - conn->rcv_nxt;
    const uint32_t length = segment_length(segment);
    const uint32_t last = segment->seq + length - 1;

    if (length == 0)
        return seq_within(segment->seq, conn->rcv_nxt, conn->rcv_adv);
    if (window == 0)
        return false;
    return seq_within(segment->seq, conn->rcv_nxt, conn->rcv_adv - 1) ||
           seq_within(last, conn->rcv_nxt, conn->rcv_adv - 1) ||
           (seq_before(segment->seq, conn->rcv_nxt) && seq_after(last, conn->rcv_adv - 1));
}

/* Nothing is acceptable while our window is closed, but what a segment acknowledges that would be
 * next counts all the same (3.10.7.4, first). */
static bool is_probe(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    return conn->rcv_adv == conn->rcv_nxt && segment->seq == conn->rcv_nxt &&
           (segment->flags & (TCP_ACK | TCP_SYN)) == TCP_ACK && !is_old(conn, segment);
}

/* Cuts off what came before and what lies behind the window. */
static void trim(struct tcp_conn *conn, struct tcp_segment *segment)
{
    if (seq_before(segment->seq, conn->rcv_nxt)) {
        uint32_t before = conn->rcv_nxt - segment->seq;

        if ((segment->flags & TCP_SYN) != 0) {
            segment->flags &= (uint16_t)~TCP_SYN;
            before--;
        }
        before = RT_MIN(before, segment->bytes);
        segment->buf = chain_skip(segment->buf, before);
        segment->bytes -= before;
        segment->seq = conn->rcv_nxt;
    }
    if (segment->bytes > conn->rcv_adv - segment->seq) {
        segment->bytes = conn->rcv_adv - segment->seq;
        chain_cut(segment->buf, segment->bytes);
        segment->flags &= (uint16_t)~(TCP_FIN | TCP_PSH);
    }
}

/* A reset must name exactly the next number; a near miss is asked about (RFC 5961 3.2). */
static void on_reset(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (segment->seq != conn->rcv_nxt)
        rx_challenge(conn);
    else if (conn->state == TCP_SYN_RECEIVED && !conn->passive)
        conn_end(conn, TCP_REFUSED);
    else if (conn->state != TCP_TIME_WAIT) /* RFC 1337 */
        conn_end(conn, TCP_RESET);
}

/* RFC 7323 4.3 (2) */
static bool is_time(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    return conn->time_on && segment->options.has_time &&
           !seq_after(segment->seq, conn->last_ack_sent) &&
           !seq_before(segment->options.time, conn->time_recent);
}

void rx_keep_time(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    conn->time_recent = segment->options.time;
    conn->time_recent_us = conn->net->now_us;
}

bool rx_check(struct tcp_conn *conn, struct tcp_segment *segment)
{
    const bool reset = (segment->flags & TCP_RST) != 0;
    bool syn;

    if (conn->state == TCP_SYN_RECEIVED && segment->seq == conn->irs &&
        rx_syn_again(conn, segment))
        return false;
    syn = (segment->flags & TCP_SYN) != 0;
    if (is_old(conn, segment) || !is_acceptable(conn, segment)) {
        conn->net->counters.tcp_unacceptable++;
        if (reset)
            return false;
        if (is_probe(conn, segment))
            rx_ack(conn, segment);
        if (conn->state != TCP_CLOSED)
            rx_answer(conn, segment);
        return false;
    }
    if (reset) {
        on_reset(conn, segment);
        return false;
    }
    if (syn) { /* RFC 5961 4.2 */
        rx_challenge(conn);
        return false;
    }
    segment->is_time = is_time(conn, segment);
    if (RT_UNLIKELY(conn->ecn.on))
        ecn_received(conn, segment);
    trim(conn, segment);
    return true;
}
