/* SPDX-License-Identifier: BSD-2-Clause */
/* What a segment acknowledges (RFC 9293 3.10.7.4, fifth; RFC 5681, RFC 6582; RFC 5961 5). */
#include "../state.h"
#include "../wire/tcp.h"
#include "rx.h"
#include "sendq.h"
#include "seq.h"
#include "used.h"

/* A SYN that had to be repeated measures nothing, and the path is slow or full: so is the start
 * (RFC 6298 5.7, RFC 6928 2). */
void conn_first_rtt(struct tcp_conn *conn)
{
    if (conn->retries == 0) {
        rtt_sample(&conn->rtt, (uint32_t)(conn->net->now_us - conn->syn_sent_us));
        return;
    }
    if (conn->net->now_us == conn->syn_sent_us)
        return; /* nobody knows: of a cookie */
    rtt_syn_lost(&conn->rtt);
    conn->cc.cwnd = conn->mss;
}

/* The last step of the handshake of a connection that a peer began. False: it is refused. */
static bool established(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (segment->ack != conn->snd_nxt && !rx_other_answer(conn, segment)) {
        tcp_refuse(conn->net, segment);
        return false;
    }
    if (!listener_serves(conn))
        return false; /* it comes again, and so does our SYN */
    conn_first_rtt(conn);
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
    /* The fast path does not move snd_wl1 while the window stays the same. Ahead of all that the
     * peer may send, it is in truth half a circle behind. */
    const bool is_old = seq_after(conn->snd_wl1, conn->rcv_adv);

    if (is_old || seq_before(conn->snd_una, segment->ack) ||
        seq_before(conn->snd_wl1, segment->seq) ||
        (conn->snd_wl1 == segment->seq && !seq_after(conn->snd_wl2, segment->ack)))
        rx_window(conn, segment, conn->snd_scale);
}

/* How long the answer took: by our own notes, or, to what was sent again, by the timestamp that
 * comes back (RFC 7323 4.1). */
static void measure(struct tcp_conn *conn, const struct tcp_segment *segment,
                    const struct recovery_news *news)
{
    const uint32_t echoed_ms = conn_time(conn) - segment->options.time_echo;

    if (news->known)
        rtt_sample(&conn->rtt, (uint32_t)conn->net->now_us - news->sent_us);
    else if (conn->time_on && segment->options.has_time &&
             echoed_ms <= RTT_RTO_MAX_US / 1000) /* else it is not one that we sent */
        rtt_sample(&conn->rtt, RT_MAX(echoed_ms, 1u) * 1000); /* within one is not at once */
}

/* Something is acknowledged that was not. */
static void acked_new(struct tcp_conn *conn, const struct tcp_segment *segment,
                      struct recovery_news *news)
{
    const uint32_t flight = conn->snd_nxt - conn->snd_una;

    news->acked = segment->ack - conn->snd_una;
    news->limited = used_look(conn, flight);
    sendq_acked(conn, segment->ack, news);
    measure(conn, segment, news);
    conn->queue.bytes -= RT_MIN(news->acked, conn->queue.bytes);
    conn->snd_una = segment->ack;
    conn->retries = 0;
    conn->more = false; /* it need not wait for a whole round trip */
    ip_confirm(conn->net, &conn->remote);
    timeout_arm(conn);
    if (conn->room_wanted && tcp_room(conn) != 0) {
        conn->room_wanted = false;
        conn_tell(conn, TCP_EV_ROOM);
    }
    conn_output(conn);
}

/* RFC 5681 2: nothing new, no data, no new window, though something is on its way, or a tail was
 * sent twice. With a closed window it is the answer to a probe of that. */
static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_segment *segment,
                         uint32_t window_before)
{
    return segment->bytes == 0 && (segment->flags & (TCP_SYN | TCP_FIN)) == 0 &&
           conn->snd_wnd == window_before && conn->snd_wnd != 0 &&
           (conn->snd_nxt != conn->snd_una || conn->recovery.tail_out);
}

/* True: nothing is lost, nobody says so. */
static bool is_plain(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    return conn->recovery.state == RECOVERY_NONE && segment->options.sack_count == 0 &&
           (conn->recovery.sacked_bytes | conn->recovery.duplicates) == 0 &&
           !conn->recovery.tail_out;
}

/* The peer's window moved, or its probe was answered. */
static void window_moved(struct tcp_conn *conn, uint32_t window_before)
{
    if (conn->recovery.timer == TIMER_WINDOW)
        conn->retries = 0; /* it lives (3.8.6.1) */
    if (conn->snd_wnd <= window_before)
        return;
    if (conn->recovery.timer == TIMER_WINDOW) {
        conn->rtt.backoff = 0;
        if (conn->snd_nxt != conn->snd_una)
            recovery_all_lost(conn); /* what lay behind the edge; the path lost nothing */
        timeout_arm(conn);
    }
    if (conn->queue.next != NULL || conn->recovery.lost_bytes != 0)
        conn_output(conn);
}

bool rx_ack(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const uint32_t window_before = conn->snd_wnd;
    struct recovery_news news = {.acked = 0};
    bool duplicate;

    if ((segment->flags & TCP_ACK) == 0) {
        conn->net->counters.tcp_in_ignored++;
        return false;
    }
    if (conn->state == TCP_SYN_RECEIVED && !established(conn, segment))
        return false;
    /* Of what we never sent, or long ago: a blind guess (RFC 5961 5.2). */
    if (!seq_within(segment->ack, conn->snd_una - conn->snd_wnd_max, conn->snd_nxt)) {
        rx_challenge(conn);
        return false;
    }
    if (seq_before(segment->ack, conn->snd_una)) { /* an old one; its data may be new */
        if (conn->sack_on && segment->options.sack_count != 0)
            recovery_ack(conn, segment, &news, false); /* so may its blocks (RFC 6675 5) */
        return true;
    }
    update_window(conn, segment);
    duplicate = segment->ack == conn->snd_una && is_duplicate(conn, segment, window_before);
    if (segment->ack != conn->snd_una)
        acked_new(conn, segment, &news);
    if (RT_LIKELY(is_plain(conn, segment) && !duplicate)) {
        if (news.acked != 0)
            recovery_grow(conn, news.acked, news.limited);
    } else {
        recovery_ack(conn, segment, &news, duplicate);
    }
    if (RT_UNLIKELY(conn->ecn.on && (segment->flags & TCP_ECE) != 0))
        ecn_echoed(conn);
    window_moved(conn, window_before);
    if (conn->fin_wanted && conn->snd_una == conn->snd_end + 1)
        rx_fin_acked(conn);
    return conn->state != TCP_CLOSED;
}
