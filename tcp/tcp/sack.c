/* SPDX-License-Identifier: BSD-2-Clause */
#include "conn.h"
#include "recovery.h"
#include "sendq.h"
#include "seq.h"

/* Blocks of an ACK that are about what is on its way, cut to it. */
struct blocks {
    uint32_t count;
    uint32_t end; /* behind all of them */
    struct {
        uint32_t first, end;
    } of[TCP_SACK_BLOCKS_MAX];
};

/* The first block tells of bytes that came twice: acknowledged before, or inside the second (RFC
 * 2883 4). */
static bool is_dsack(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    const struct tcp_options *o = &segment->options;

    if (!seq_before(o->sacks[0].first, o->sacks[0].end) ||
        seq_before(o->sacks[0].first, conn->snd_una - conn->snd_wnd_max))
        return false;
    if (!seq_after(o->sacks[0].end, segment->ack))
        return true;
    return o->sack_count > 1 && !seq_before(o->sacks[0].first, o->sacks[1].first) &&
           !seq_after(o->sacks[0].end, o->sacks[1].end) &&
           seq_before(o->sacks[1].first, o->sacks[1].end);
}

/* Reversed, empty, acknowledged before, or never sent: no block. */
static struct blocks read_blocks(const struct tcp_conn *conn, const struct tcp_options *o)
{
    struct blocks blocks = {.end = conn->snd_una};

    RT_ASSERT_LE(o->sack_count, (uint32_t)TCP_SACK_BLOCKS_MAX);
    for (uint32_t i = 0; i < o->sack_count; i++) {
        const uint32_t first = o->sacks[i].first, end = o->sacks[i].end;

        if (!seq_before(first, end) || seq_before(first, conn->snd_una) ||
            seq_after(end, conn->snd_nxt))
            continue;
        blocks.of[blocks.count].first = first;
        blocks.of[blocks.count++].end = end;
        if (seq_after(end, blocks.end))
            blocks.end = end;
    }
    return blocks;
}

static bool covers(const struct blocks *blocks, uint32_t start, uint32_t end)
{
    for (uint32_t i = 0; i < blocks->count; i++)
        if (!seq_before(start, blocks->of[i].first) && !seq_after(end, blocks->of[i].end))
            return true;
    return false;
}

static void mark(struct tcp_conn *conn, struct buf *b, uint32_t start,
                 struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;
    const uint32_t end = sendq_end(b), bytes = end - start;

    if ((b->vlan_tci & SENDQ_LOST) != 0)
        r->lost_bytes -= bytes;
    b->vlan_tci = (uint16_t)((b->vlan_tci & ~SENDQ_LOST) | SENDQ_SACKED);
    r->sacked_bytes += bytes;
    news->delivered += bytes;
    news->sacked = true;
    /* RFC 8985 6.2, step 3: it was sent once, and something sent later has overtaken it. */
    if (seq_before(end, r->high) && (b->vlan_tci & SENDQ_AGAIN) == 0)
        r->reordered = true;
    rack_delivered(conn, end, b->rss_type, (b->vlan_tci & SENDQ_AGAIN) != 0);
}

void sack_apply(struct tcp_conn *conn, const struct tcp_segment *segment,
                struct recovery_news *news)
{
    const struct blocks blocks = read_blocks(conn, &segment->options);
    uint32_t start = conn->snd_una, looked = 0;

    if (conn->recovery.sacked_bytes == 0 && conn->recovery.state == RECOVERY_NONE) {
        conn->recovery.high = conn->snd_una; /* what was noted before may be of long ago */
        conn->recovery.rack_rtt_us = 0;
    }
    news->dsack = is_dsack(conn, segment);
    for (struct buf *b = conn->queue.first;
         b != conn->queue.next && seq_before(start, blocks.end) && looked < RECOVERY_WALK_MAX;
         b = sendq_after(b), looked++) {
        if ((b->vlan_tci & SENDQ_SACKED) == 0 && covers(&blocks, start, sendq_end(b)))
            mark(conn, b, start, news);
        start = sendq_end(b);
    }
    if (news->sacked && seq_after(blocks.end, conn->recovery.high))
        conn->recovery.high = blocks.end;
    RT_ASSERT_LE(conn->recovery.sacked_bytes, conn->snd_nxt - conn->snd_una);
}

void sack_forget(struct tcp_conn *conn)
{
    for (struct buf *b = conn->queue.first; b != conn->queue.next; b = sendq_after(b))
        b->vlan_tci &= (uint16_t)~SENDQ_SACKED;
    conn->recovery.sacked_bytes = 0;
    conn->recovery.high = conn->snd_una;
}
