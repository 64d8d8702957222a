/* SPDX-License-Identifier: BSD-2-Clause */
#include "../state.h"
#include "conn.h"
#include "recovery.h"
#include "sendq.h"
#include "seq.h"

uint32_t recovery_pipe(const struct tcp_conn *conn)
{
    const struct tcp_recovery *r = &conn->recovery;
    const bool fin_lost = conn->fin_wanted && !conn->fin_sent && conn->queue.next == NULL &&
                          seq_after(conn->snd_nxt, conn->snd_end);
    const uint32_t flight = conn->snd_nxt - conn->snd_una;
    const uint32_t gone = r->sacked_bytes + r->lost_bytes + fin_lost;

    return flight > gone ? flight - gone : 0;
}

/* ---- begun ---- */

static void keep_for_undo(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    cc_keep(&conn->cc);
    r->undo_armed = true;
    r->undo_by_time = conn->time_on;
    r->undo_cwnd = conn->cc.cwnd;
    r->undo_ssthresh = conn->cc.ssthresh;
    r->undo_end = conn->snd_nxt;
    r->undo_repeats = 0;
}

void recovery_enter(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t flight = conn->snd_nxt - conn->snd_una;

    if (r->state != RECOVERY_NONE)
        return; /* the same episode */
    RT_ASSERT_LT(0u, flight);
    keep_for_undo(conn);
    r->state = RECOVERY_FAST;
    r->until = conn->snd_nxt;
    r->tail_out = false;
    r->prr_delivered = r->prr_out = 0;
    r->prr_flight = flight;
    cc_lost(&conn->cc, conn->mss, flight);
    conn->cc.cwnd = recovery_pipe(conn) + conn->mss; /* the first leaves; ACKs call the others */
    conn->net->counters.tcp_fast_retransmits++;
    if (r->timer != TIMER_REORDER) /* what is repeated has a whole time-out to arrive */
        timeout_arm(conn);
}

void recovery_all_lost(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;
    uint32_t start = conn->snd_una;

    r->lost_bytes = 0;
    for (struct buf *b = conn->queue.first; b != conn->queue.next; b = sendq_after(b)) {
        if ((b->vlan_tci & SENDQ_SACKED) == 0) {
            b->vlan_tci |= SENDQ_LOST;
            r->lost_bytes += sendq_end(b) - start;
        }
        start = sendq_end(b);
    }
    if (conn->fin_sent)
        conn->fin_sent = seq_after(conn->snd_una, conn->snd_end); /* it goes again, too */
}

void recovery_timed_out(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    /* The oldest was with the peer, and yet is not acknowledged: it was taken back. */
    if (conn->queue.first != NULL && (conn->queue.first->vlan_tci & SENDQ_SACKED) != 0)
        sack_forget(conn);
    if (!conn->sack_on)
        r->sacked_bytes = 0;
    if (r->state != RECOVERY_LOSS) {
        if (r->state == RECOVERY_NONE)
            keep_for_undo(conn);
        r->undo_by_time = conn->time_on;
        cc_timed_out(&conn->cc, conn->mss, conn->snd_nxt - conn->snd_una);
    }
    conn->cc.cwnd = conn->mss; /* RFC 5681 3.1: the loss window */
    r->prr_out = 0;
    r->undo_repeats = 0;
    r->state = RECOVERY_LOSS;
    r->until = conn->snd_nxt;
    r->tail_out = false;
    r->duplicates = 0;
    recovery_all_lost(conn);
}

void recovery_repeated(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_recovery *r = &conn->recovery;

    r->prr_out += bytes;
    if (r->undo_repeats++ == 0)
        r->undo_time = conn_time(conn);
}

/* ---- found to be false ---- */

static void undo(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    for (struct buf *b = conn->queue.first; b != conn->queue.next; b = sendq_after(b))
        b->vlan_tci &= (uint16_t)~SENDQ_LOST;
    r->lost_bytes = 0;
    r->state = RECOVERY_NONE;
    r->undo_armed = false;
    conn->rtt.backoff = 0;
    cc_undo(&conn->cc, r->undo_cwnd, r->undo_ssthresh);
    conn->net->counters.tcp_undone++;
}

/* The first ACK that moves echoes a time before the first repetition: it answers the original
 * (RFC 3522 3.2). */
static void undo_by_time(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    struct tcp_recovery *r = &conn->recovery;
    const bool could = r->undo_armed && r->undo_by_time && r->undo_repeats != 0;

    r->undo_by_time = false;
    if (could && segment->options.has_time &&
        seq_before(segment->options.time_echo, r->undo_time))
        undo(conn);
}

/* Each repetition was needless, the peer had it all (RFC 3708 2). */
static void undo_by_dsack(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    rack_dsack(conn);
    if (!r->undo_armed || r->undo_repeats == 0 || --r->undo_repeats != 0)
        return;
    if (seq_after(conn->snd_una, r->undo_end) && r->state == RECOVERY_NONE)
        r->undo_armed = false; /* of long ago */
    else
        undo(conn);
}

/* ---- without SACK (RFC 6582): each duplicate says that a segment, nobody knows which, is with the
 * peer ---- */

static void mark_oldest(struct tcp_conn *conn, struct recovery_news *news)
{
    uint32_t start = conn->snd_una, bytes = 0;

    for (struct buf *b = conn->queue.first; b != conn->queue.next && bytes < conn->mss;
         b = sendq_after(b)) {
        const uint32_t end = sendq_end(b);

        bytes += end - start;
        if ((b->vlan_tci & SENDQ_LOST) == 0) {
            b->vlan_tci |= SENDQ_LOST;
            conn->recovery.lost_bytes += end - start;
            news->lost = true;
        }
        start = end;
    }
}

static void count_duplicate(struct tcp_conn *conn, struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t pipe = recovery_pipe(conn);

    if (r->state == RECOVERY_LOSS)
        return; /* the timer's repetitions cause them (RFC 6582 4.1) */
    r->duplicates++;
    if (pipe > conn->mss || r->lost_bytes != 0) {
        news->delivered = RT_MIN(pipe, (uint32_t)conn->mss);
        r->sacked_bytes += news->delivered;
    }
    /* 3.2, 2: not for what was sent before the last recovery */
    if (r->state == RECOVERY_NONE && r->duplicates >= RECOVERY_DUPLICATES &&
        conn->snd_una != r->until)
        mark_oldest(conn, news);
}

static void count_acked(struct tcp_conn *conn, struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t oldest = RT_MIN(news->acked, (uint32_t)conn->mss);
    const uint32_t counted = RT_MIN(news->acked - oldest, r->sacked_bytes);

    news->delivered = news->acked - counted;
    r->sacked_bytes -= counted;
    r->duplicates = 0;
    if (conn->snd_nxt == conn->snd_una)
        r->sacked_bytes = 0;
    if (r->state == RECOVERY_FAST && seq_before(conn->snd_una, r->until))
        mark_oldest(conn, news); /* a part: the next one is lost, too (3.2, 5) */
}

/* ---- meanwhile, and ended ---- */

/* In proportion down to ssthresh, then by what was delivered (RFC 6937 3). */
static void reduce(struct tcp_conn *conn, const struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t pipe = recovery_pipe(conn), ssthresh = conn->cc.ssthresh;
    int64_t send;

    if (news->delivered == 0)
        return;
    r->prr_delivered += news->delivered;
    if (pipe > ssthresh) {
        send = (int64_t)(((uint64_t)r->prr_delivered * ssthresh + r->prr_flight - 1) /
                         r->prr_flight) - r->prr_out;
    } else {
        send = RT_MAX((int64_t)r->prr_delivered - r->prr_out, (int64_t)news->delivered);
        if (news->acked != 0 && !news->lost) /* it goes well: a segment more */
            send += conn->mss;
        send = RT_MIN(send, (int64_t)(ssthresh - pipe));
    }
    if (r->prr_out == 0) /* the first repetition leaves at once */
        send = RT_MAX(send, (int64_t)conn->mss);
    conn->cc.cwnd = RT_MAX(pipe + (uint32_t)RT_MAX(send, (int64_t)0), (uint32_t)conn->mss);
}

static void leave(struct tcp_conn *conn, struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;

    if (r->state == RECOVERY_FAST)
        conn->cc.cwnd = conn->cc.ssthresh;
    r->state = RECOVERY_NONE;
    r->undo_end = conn->snd_nxt;
    r->duplicates = 0;
    if (r->reorder_left != 0 && --r->reorder_left == 0)
        r->reorder_steps = 0;
    if (r->lost_bytes != 0)
        news->lost = true; /* of what was sent meanwhile: the next episode */
}

/* What this ACK means for the marks and the episode. */
static void look(struct tcp_conn *conn, const struct tcp_segment *segment,
                 struct recovery_news *news, bool duplicate)
{
    struct tcp_recovery *r = &conn->recovery;

    if (!conn->sack_on) {
        if (news->acked != 0)
            count_acked(conn, news);
        else if (duplicate)
            count_duplicate(conn, news);
        return;
    }
    if (segment->options.sack_count != 0)
        sack_apply(conn, segment, news);
    if (news->acked != 0)
        r->duplicates = 0;
    else
        r->duplicates += news->sacked;
    if (news->dsack)
        undo_by_dsack(conn);
    if (r->tail_out)
        rack_tail_acked(conn, segment, news, duplicate);
    if (r->sacked_bytes != 0 || r->state != RECOVERY_NONE)
        rack_detect(conn, news);
}

void recovery_grow(struct tcp_conn *conn, uint32_t bytes, bool limited)
{
    const struct cc_ack ack = {
        .mss = conn->mss,
        .bytes = bytes,
        .most = conn->mss * (uint32_t)conn->net->tcp->config.slow_start_segments,
        .srtt_us = conn->rtt.srtt_us,
        .limited = limited,
        .now_us = conn->net->now_us,
    };

    cc_acked(&conn->cc, &ack);
}

void recovery_ack(struct tcp_conn *conn, const struct tcp_segment *segment,
                  struct recovery_news *news, bool duplicate)
{
    struct tcp_recovery *r = &conn->recovery;
    const bool recovered = r->state == RECOVERY_FAST; /* its end is no reason to grow */

    look(conn, segment, news, duplicate);
    if (news->acked != 0 && r->state != RECOVERY_NONE)
        undo_by_time(conn, segment);
    if (r->state != RECOVERY_NONE && !seq_before(conn->snd_una, r->until))
        leave(conn, news);
    if (news->lost)
        recovery_enter(conn);
    if (r->state == RECOVERY_FAST)
        reduce(conn, news);
    else if (news->acked != 0 && !recovered)
        recovery_grow(conn, RT_MIN(news->acked, news->delivered),
                      news->limited || r->state == RECOVERY_LOSS);
    if (news->delivered != 0 || news->lost)
        conn_output(conn);
}
