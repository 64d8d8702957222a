/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection sends, until it is acknowledged: buffers in order, KEPT, each with a few bytes
 * of the stream. What the queue knows of a buffer is in words of its header that nobody needs
 * meanwhile: no memory of its own, no line more to touch.
 *
 *     user        next buffer             rss_hash   sequence number behind its bytes
 *     vlan_tci    enum sendq_mark         rss_type   when it was sent last, us
 *
 * The last byte of a buffer stays where it is; headers grow to the front of it. So what is left
 * of it are the last (end - start) bytes, whatever was pushed in front or acknowledged.
 *
 * A header for bytes that lie elsewhere (EXT, <mempool/ext.h>) is in the queue as a buffer is, but
 * it stays EXT, and may name more than a segment takes (pinned.h):
 *
 *     outside     its first byte          pkt_len    bytes, of any number
 */
#ifndef TCP_TCP_SENDQ_H
#define TCP_TCP_SENDQ_H

#include "conn.h"
#include "held.h"

enum sendq_mark {
    SENDQ_AGAIN = 1,  /* sent more than once: says nothing about the round trip (Karn) */
    SENDQ_SACKED = 2, /* with the peer, in front of a hole */
    SENDQ_LOST = 4,   /* waits to be sent again */
};

RT_INLINE struct buf *sendq_after(const struct buf *b)
{
    return (struct buf *)(uintptr_t)b->user;
}
RT_INLINE uint32_t sendq_end(const struct buf *b)
{
    return b->rss_hash;
}

/* Its bytes lie elsewhere; whoever has it now. */
RT_INLINE bool sendq_is_pinned(const struct buf *b)
{
    return b->pool->pins != NULL;
}
/* Where the last `bytes` bytes of a buffer of the queue begin. */
RT_INLINE const uint8_t *sendq_last(const struct buf *b, uint32_t bytes)
{
    if (!sendq_is_pinned(b)) {
        RT_ASSERT_LE(bytes, (uint32_t)b->data_off + b->data_len);
        return buf_data(b) + b->data_len - bytes;
    }
    RT_ASSERT_LE(bytes, b->pkt_len);
    return (const uint8_t *)b->outside + (b->pkt_len - bytes);
}

/* The application's or the stack's. */
RT_INLINE bool sendq_is_givers(const struct buf *b)
{
    return *b->owner == BUF_STACK || (*b->owner >= BUF_APP && *b->owner < BUF_EXT);
}
/* Puts a buffer that is kept behind the others. */
RT_INLINE void sendq_link(struct tcp_conn *conn, struct buf *b_owned, uint32_t bytes)
{
    struct tcp_sendq *q = &conn->queue;

    b_owned->next = NULL;
    b_owned->user = 0;
    b_owned->vlan_tci = 0;
    conn->snd_end += bytes;
    b_owned->rss_hash = conn->snd_end;
    if (q->last != NULL)
        q->last->user = (uintptr_t)b_owned;
    else
        q->first = b_owned;
    q->last = b_owned;
    if (q->next == NULL)
        q->next = b_owned;
    q->bytes += bytes;
    q->bufs++;
}
/* Appends one buffer that sendq_may_append() would take, and that is not pinned. */
RT_INLINE void sendq_append_one(struct tcp_conn *conn, struct buf *b_owned)
{
    held_give_one(conn->net, b_owned);
    buf_move(b_owned, b_owned->owner, *b_owned->owner, BUF_KEPT);
    b_owned->flags = 0;
    sendq_link(conn, b_owned, b_owned->data_len);
}

/* What a chain is that is to be sent. */
struct sendq_sum {
    uint32_t bytes, bufs;
    uint32_t pinned_bytes; /* of these, bytes that take none of our room */
};
/* True: the chain is the application's or the stack's, inside its rooms, or names bytes that lie
 * elsewhere; may be appended. */
bool sendq_may_append(const struct buf *chain, struct sendq_sum *sum);
/* Appends all buffers of a chain for which sendq_may_append() said yes. */
void sendq_append(struct tcp_conn *conn, struct buf *chain_owned, const struct sendq_sum *sum);
/* Lets go of what lies before `ack`, and takes it out of the sums of marks. `known`: one that was
 * sent once is acknowledged, none that was sent again (then nobody knows what the peer answers,
 * and what lay behind a hole has waited for it); it left at `sent_us`. */
void sendq_acked(struct tcp_conn *conn, uint32_t ack, struct recovery_news *news);
/* `more` comes behind `b`, and has what it had behind sequence number `middle`. */
void sendq_insert(struct tcp_conn *conn, struct buf *b, uint32_t middle, struct buf *more_owned);
/* A buffer that no device has is its last `bytes` bytes, and nothing else. */
void sendq_make_plain(struct buf *b, uint32_t bytes);
/* Cuts the buffer that begins at `start`, so that one ends behind at most `bytes` of its bytes:
 * what is pinned is named by two headers then, else the rest is copied to new buffers. Returns the
 * buffer that begins there now. NULL: not now, there is no buffer, or the device still has it. */
struct buf *sendq_cut(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes);
/* Makes one frame of `count` buffers, the first from `start` on, that carry `bytes` bytes; its
 * first segment has room for headers. NULL: no buffer, or the device still has one of them. */
struct buf *sendq_frame(struct tcp_conn *conn, struct buf *first, uint32_t start, uint32_t count,
                        uint32_t bytes);
/* The last buffer that was sent, which begins at `*start`; NULL: there is none, or too many. */
struct buf *sendq_newest(const struct tcp_conn *conn, uint32_t *start);
/* Frames with its data that wait at its interface are taken back: it leaves by another one. */
void sendq_withdraw(struct tcp_conn *conn);
void sendq_close(struct tcp_conn *conn);

#endif
