/* SPDX-License-Identifier: BSD-2-Clause */
/* What a segment acknowledges (RFC 9293 3.10.7.4, fifth; RFC 5681, RFC 6582; RFC 5961 5). */
#include "../state.h"
#include "../wire/tcp.h"
#include "rx.h"
#include "sendq.h"
#include "seq.h"

/* The last step of the handshake of a connection that a peer began. False: it is refused. */
static bool established(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (segment->ack != conn->snd_nxt) {
        tcp_refuse(conn->net, segment);
        return false;
    }
    if (!listener_serves(conn))
        return false; /* it comes again, and so does our SYN */
    if (conn->retries == 0)
        rtt_sample(&conn->rtt, (uint32_t)(conn->net->now_us - conn->syn_sent_us));
    conn->snd_una = segment->ack;
    conn->retries = 0;
    conn->state = TCP_ESTABLISHED;
    if (conn->passive)
        conn->net->counters.tcp_passive_opens++;
    rx_window(conn, segment, conn->snd_scale);
    conn_at(conn, TCP_AT_RETRANSMIT, TCP_NEVER);
    conn_tell(conn, TCP_EV_OPEN);
    if (conn->fin_wanted) { /* closed before it stood */
        conn->state = TCP_FIN_WAIT_1;
        conn_output(conn);
    }
    return true;
}

/* The newer of two windows (3.10.7.4). What acknowledges more is newer, too, though it comes with
 * data that is sent again: else a window that has closed would be believed open. */
static void update_window(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (seq_before(conn->snd_una, segment->ack) || seq_before(conn->snd_wl1, segment->seq) ||
        (conn->snd_wl1 == segment->seq && !seq_after(conn->snd_wl2, segment->ack)))
        rx_window(conn, segment, conn->snd_scale);
}

/* How long the answer took: by our own notes, or, to what was sent again, by the timestamp that
 * comes back (RFC 7323 4.1). */
static void measure(struct tcp_conn *conn, const struct tcp_segment *segment, bool known,
                    uint32_t sent_us)
{
    const uint32_t echoed_ms = conn_time(conn) - segment->options.time_echo;

    if (known)
        rtt_sample(&conn->rtt, (uint32_t)conn->net->now_us - sent_us);
    else if (conn->time_on && segment->options.has_time &&
             echoed_ms <= RTT_RTO_MAX_US / 1000) /* else it is not one that we sent */
        rtt_sample(&conn->rtt, echoed_ms * 1000);
}

static void acked_new(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const uint32_t ack = segment->ack;
    const uint32_t flight = conn->snd_nxt - conn->snd_una, bytes = ack - conn->snd_una;
    const bool limited = flight + conn->mss > conn->cc.cwnd;
    const uint32_t data_acked = RT_MIN(bytes, conn->queue.bytes);
    uint32_t sent_us = 0;

    const bool known = sendq_acked(conn, ack, &sent_us);

    measure(conn, segment, known, sent_us);
    conn->queue.bytes -= data_acked;
    conn->snd_una = ack;
    if (seq_after(ack, conn->snd_nxt)) { /* sent before a step back */
        conn->snd_nxt = ack;
        conn->queue.next = conn->queue.first;
        conn->fin_sent = ack == conn->snd_end + 1;
    }
    conn->retries = 0;
    if (!conn->cc.recovering) {
        cc_acked(&conn->cc, conn->mss, bytes, limited);
    } else if (seq_before(ack, conn->cc.recover)) {
        cc_partial(&conn->cc, conn->mss, bytes);
        conn_retransmit(conn);
    } else {
        cc_recovered(&conn->cc, conn->mss, conn->snd_nxt - ack);
    }
    ip_confirm(conn->net, &conn->remote);
    conn_at(conn, TCP_AT_RETRANSMIT,
            conn->snd_nxt != ack ? conn->net->now_us + rtt_wait_us(&conn->rtt) : TCP_NEVER);
    if (conn->room_wanted) {
        conn->room_wanted = false;
        conn_tell(conn, TCP_EV_ROOM);
    }
    conn_output(conn);
}

/* RFC 5681 2: nothing new, no data, no new window, though something is on its way. */
static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_segment *segment,
                         uint32_t window_before)
{
    return segment->ack == conn->snd_una && segment->bytes == 0 &&
           (segment->flags & (TCP_SYN | TCP_FIN)) == 0 && conn->snd_wnd == window_before &&
           conn->snd_max != conn->snd_una;
}

static void acked_again(struct tcp_conn *conn)
{
    if (conn->cc.recovering) {
        cc_duplicate(&conn->cc, conn->mss);
        conn_output(conn);
        return;
    }
    if (++conn->cc.duplicates < CC_DUPLICATES || conn->retries != 0)
        return;
    cc_lost(&conn->cc, conn->mss, conn->snd_nxt - conn->snd_una, conn->snd_max);
    conn->net->counters.tcp_fast_retransmits++;
    conn_retransmit(conn);
}

bool rx_ack(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const uint32_t window_before = conn->snd_wnd;

    if ((segment->flags & TCP_ACK) == 0)
        return false;
    if (conn->state == TCP_SYN_RECEIVED && !established(conn, segment))
        return false;
    /* Of what we never sent, or long ago: a blind guess (RFC 5961 5.2). */
    if (!seq_within(segment->ack, conn->snd_una - conn->snd_wnd_max, conn->snd_max)) {
        rx_challenge(conn);
        return false;
    }
    if (seq_before(segment->ack, conn->snd_una))
        return true; /* an old one; its data may be new */
    update_window(conn, segment);
    if (segment->ack != conn->snd_una)
        acked_new(conn, segment);
    else if (is_duplicate(conn, segment, window_before))
        acked_again(conn);
    if (conn->snd_wnd > window_before && conn->queue.next != NULL) {
        conn->retries = 0;
        conn->rtt.backoff = 0;
        conn_output(conn);
    } else if (conn->snd_una == conn->snd_nxt && conn->retries != 0) {
        conn->retries = 0; /* a probe was answered: it lives (3.8.6.1) */
    }
    if (conn->fin_wanted && conn->snd_una == conn->snd_end + 1)
        rx_fin_acked(conn);
    return conn->state != TCP_CLOSED;
}
