/* SPDX-License-Identifier: BSD-2-Clause */
/* Losses by time (RFC 8985). Times are of our own clock, which may be coarse: a step of it is added
 * wherever two of them are compared. */
#include "../state.h"
#include "conn.h"
#include "recovery.h"
#include "sendq.h"
#include "seq.h"

enum {
    REORDER_RECOVERIES = 16, /* RFC 8985 6.2, step 4 */
    TAIL_ACK_DELAY_US = 200000, /* 7.2: how long a peer may keep the ACK of a single segment */
};

/* Sent later than the other, or at once with it and behind it. */
static bool sent_after(uint32_t us, uint32_t end, uint32_t other_us, uint32_t other_end)
{
    return seq_after(us, other_us) || (us == other_us && seq_after(end, other_end));
}

void rack_delivered(struct tcp_conn *conn, uint32_t end, uint32_t sent_us, bool again)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t rtt_us = (uint32_t)conn->net->now_us - sent_us;

    /* Sooner than any round trip: it was the first sending that arrived (step 2). */
    if (again && rtt_us <= RT_MAX(conn->rtt.min_us, conn->net->tcp->config.clock_us))
        return;
    if (r->rack_rtt_us == 0 || sent_after(sent_us, end, r->rack_sent_us, r->rack_end)) {
        r->rack_sent_us = sent_us;
        r->rack_end = end;
    }
    r->rack_rtt_us = RT_MAX(rtt_us, 1u); /* of one that came late, too: others may */
}

/* How long what was overtaken may still come (step 4). */
static uint32_t reorder_us(const struct tcp_conn *conn)
{
    const struct tcp_recovery *r = &conn->recovery;
    const uint32_t step_us = conn->net->tcp->config.clock_us;
    uint32_t window_us;

    if (!r->reordered &&
        (r->state != RECOVERY_NONE || r->duplicates >= RECOVERY_DUPLICATES ||
         r->sacked_bytes > (RECOVERY_DUPLICATES - 1) * (uint32_t)conn->mss))
        return 0;
    window_us = conn->rtt.min_us / 4 * (r->reorder_steps + 1u);
    return RT_MIN(window_us, RT_MAX(conn->rtt.srtt_us, step_us)) + step_us;
}

static void mark_lost(struct tcp_conn *conn, struct buf *b, uint32_t bytes,
                      struct recovery_news *news)
{
    b->vlan_tci |= SENDQ_LOST;
    conn->recovery.lost_bytes += bytes;
    news->lost = true;
}

void rack_detect(struct tcp_conn *conn, struct recovery_news *news)
{
    const struct tcp_recovery *r = &conn->recovery;
    const uint32_t now_us = (uint32_t)conn->net->now_us;
    const uint32_t patience_us = r->rack_rtt_us + reorder_us(conn);
    uint32_t start = conn->snd_una, looked = 0, wait_us = 0;

    if (r->rack_rtt_us == 0)
        return;
    for (struct buf *b = conn->queue.first; b != conn->queue.next && looked < RECOVERY_WALK_MAX;
         b = sendq_after(b), looked++) {
        const uint32_t bytes = sendq_end(b) - start, since_us = now_us - b->rss_type;

        start = sendq_end(b);
        if ((b->vlan_tci & (SENDQ_SACKED | SENDQ_LOST)) != 0 ||
            !sent_after(r->rack_sent_us, r->rack_end, b->rss_type, start))
            continue;
        if (since_us >= patience_us)
            mark_lost(conn, b, bytes, news);
        else
            wait_us = RT_MAX(wait_us, patience_us - since_us);
    }
    if (wait_us == 0)
        return;
    conn->recovery.timer = TIMER_REORDER;
    conn_at(conn, TCP_AT_RETRANSMIT, conn->net->now_us + wait_us);
}

/* We repeated what was not lost: more patience, for a while (step 4). */
void rack_dsack(struct tcp_conn *conn)
{
    struct tcp_recovery *r = &conn->recovery;

    if (r->reorder_steps != 0 && seq_before(conn->snd_una, r->dsack_round))
        return;
    r->dsack_round = conn->snd_nxt;
    r->reorder_steps = (uint8_t)RT_MIN(r->reorder_steps + 1, UINT8_MAX - 1);
    r->reorder_left = REORDER_RECOVERIES;
}

/* ---- the tail (7) ---- */

uint32_t rack_tail_us(const struct tcp_conn *conn)
{
    const struct tcp_recovery *r = &conn->recovery;
    const uint32_t flight = conn->snd_nxt - conn->snd_una;
    uint32_t us;

    if (!conn->sack_on || r->state != RECOVERY_NONE || r->tail_out ||
        (r->sacked_bytes | r->lost_bytes) != 0 || conn->retries != 0 || conn->rtt.srtt_us == 0)
        return 0;
    us = 2 * conn->rtt.srtt_us + 2 * conn->net->tcp->config.clock_us;
    return flight <= conn->mss ? us + TAIL_ACK_DELAY_US : us;
}

/* A repetition was needless when the peer says that it came twice, or the same once more. If
 * something behind it is acknowledged and neither was said, it has mended a loss that nobody saw:
 * cwnd must know (7.4.2). */
void rack_tail_acked(struct tcp_conn *conn, const struct tcp_segment *segment,
                     const struct recovery_news *news, bool duplicate)
{
    struct tcp_recovery *r = &conn->recovery;
    const bool same = duplicate && segment->ack == r->tail_end &&
                      segment->options.sack_count == 0;

    RT_ASSERT(r->tail_out);
    if (news->dsack || same || (!r->tail_again && news->acked != 0)) {
        r->tail_out = false;
        return;
    }
    if (!r->tail_again || !seq_after(conn->snd_una, r->tail_end))
        return;
    r->tail_out = false;
    cc_lost(&conn->cc, conn->mss, conn->snd_nxt - conn->snd_una + news->acked);
    conn->cc.cwnd = RT_MIN(conn->cc.cwnd, conn->cc.ssthresh);
}
