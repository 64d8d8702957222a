/* SPDX-License-Identifier: BSD-2-Clause */
#include "sendq.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/eth.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "held.h"
#include "pinned.h"
#include "seq.h"

#include <mempool/ext.h>

/* Before a segment's data: all headers there can be. */
#define HEADERS_BYTES_MAX                                                                      \
    ((uint32_t)(sizeof(struct eth_header) + sizeof(struct eth_vlan_tag) +                      \
                sizeof(struct ipv6_header)) + TCP_HEADER_BYTES_MAX)
_Static_assert(HEADERS_BYTES_MAX <= BUF_HEADROOM_BYTES, "a fresh buffer has the room");

static struct buf_ref ref_of(struct buf *b)
{
    return (struct buf_ref){b, b->owner};
}

bool sendq_may_append(const struct buf *chain, struct sendq_sum *sum)
{
    uint64_t bytes = 0, pinned_bytes = 0;

    sum->bufs = 0;
    for (const struct buf *b = chain; b != NULL; b = b->next) {
        const bool pinned = pinned_may_append(b);

        if (!pinned && (!sendq_is_givers(b) || b->data_len == 0))
            return false;
        if (!buf_is_inside(b) || sum->bufs == BUF_CHAIN_MAX)
            return false;
        bytes += buf_bytes(b);
        pinned_bytes += pinned ? buf_bytes(b) : 0;
        sum->bufs++;
    }
    sum->bytes = (uint32_t)bytes;
    sum->pinned_bytes = (uint32_t)pinned_bytes;
    return bytes <= TCP_SEND_BYTES_MAX;
}

void sendq_append(struct tcp_conn *conn, struct buf *chain_owned, const struct sendq_sum *sum)
{
    const uint32_t bufs_before = conn->queue.bufs, bytes_before = conn->queue.bytes;
    struct buf *next;

    for (struct buf *b = chain_owned; b != NULL; b = next) {
        next = b->next;
        if (*b->owner == BUF_EXT)
            pinned_append(conn, b);
        else
            sendq_append_one(conn, b);
    }
    RT_ASSERT_EQ(conn->queue.bytes - bytes_before, sum->bytes);
    RT_ASSERT_EQ(conn->queue.bufs - bufs_before, sum->bufs);
}

/* The first buffer is the queue's no more. A frame that waits for the device with it goes, too. */
static void let_go_first(struct tcp_conn *conn)
{
    struct tcp_sendq *q = &conn->queue;
    struct buf *b = q->first;

    if (RT_UNLIKELY(conn->iface != NULL && conn->iface->left != 0))
        if_withdraw(conn->iface, b);
    q->first = sendq_after(b);
    if (q->next == b)
        q->next = q->first;
    if (q->first == NULL)
        q->last = NULL;
    q->bufs--;
    b->next = NULL;
    buf_let_go(ref_of(b));
}

/* Bytes of a buffer are acknowledged: all of it, or its first ones. */
static void account(struct tcp_conn *conn, const struct buf *b, uint32_t bytes,
                    struct recovery_news *news)
{
    struct tcp_recovery *r = &conn->recovery;

    if ((b->vlan_tci & SENDQ_SACKED) != 0) {
        r->sacked_bytes -= bytes;
        return;
    }
    news->delivered += bytes;
    if ((b->vlan_tci & SENDQ_LOST) != 0)
        r->lost_bytes -= bytes;
}

/* A whole one: what it says about time. */
static void note_time(struct tcp_conn *conn, const struct buf *b, bool *again,
                      struct recovery_news *news)
{
    const bool repeated = (b->vlan_tci & SENDQ_AGAIN) != 0;

    *again |= repeated;
    if ((b->vlan_tci & SENDQ_SACKED) != 0)
        return; /* it was there before */
    news->known = true;
    news->sent_us = b->rss_type;
    if (RT_LIKELY(conn->recovery.state == RECOVERY_NONE && conn->recovery.sacked_bytes == 0))
        return;
    if (seq_before(sendq_end(b), conn->recovery.high) && !repeated)
        conn->recovery.reordered = true;
    rack_delivered(conn, sendq_end(b), b->rss_type, repeated);
}

void sendq_acked(struct tcp_conn *conn, uint32_t ack, struct recovery_news *news)
{
    struct tcp_sendq *q = &conn->queue;
    uint32_t start = conn->snd_una;
    bool again = false;

    while (q->first != NULL && !seq_after(sendq_end(q->first), ack)) {
        account(conn, q->first, sendq_end(q->first) - start, news);
        note_time(conn, q->first, &again, news);
        start = sendq_end(q->first);
        let_go_first(conn);
    }
    if (q->first != NULL && seq_after(ack, start))
        account(conn, q->first, ack - start, news); /* somebody cut it differently */
    news->known &= !again;
}

void sendq_make_plain(struct buf *b, uint32_t bytes)
{
    const uint32_t tail = (uint32_t)b->data_off + b->data_len;

    b->next = NULL;
    b->segments = 1;
    if (sendq_is_pinned(b)) {
        pinned_name(b, sendq_last(b, bytes), bytes);
        return;
    }
    RT_ASSERT_LE(bytes, tail);
    b->data_off = (uint16_t)(tail - bytes);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    b->flags = 0;
}

/* No device, and no frame that waits for one, has any of them. */
static bool all_here(const struct tcp_conn *conn, const struct buf *first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, first = sendq_after(first)) {
        if (*first->owner != BUF_KEPT && *first->owner != BUF_EXT)
            return false;
        if (conn->iface != NULL && conn->iface->left != 0 && if_has(conn->iface, first))
            return false;
    }
    return true;
}

void sendq_insert(struct tcp_conn *conn, struct buf *b, uint32_t middle, struct buf *more_owned)
{
    struct tcp_sendq *q = &conn->queue;

    RT_ASSERT(seq_before(middle, sendq_end(b)));
    more_owned->rss_hash = sendq_end(b);
    more_owned->rss_type = b->rss_type;
    more_owned->vlan_tci = b->vlan_tci;
    more_owned->user = b->user;
    b->rss_hash = middle;
    b->user = (uintptr_t)more_owned;
    if (q->last == b)
        q->last = more_owned;
    q->bufs++;
}

/* Its first `bytes` bytes stay; the others, for which a buffer has the room, are copied. */
static bool cut_off(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes)
{
    const uint32_t all = sendq_end(b) - start, rest = all - bytes;
    struct buf *more = few_take(conn->net);

    if (more == NULL)
        return false;
    RT_ASSERT_LE(rest, (uint32_t)BUF_ROOM_BYTES);
    sendq_make_plain(b, all);
    __builtin_memcpy(buf_data(more), buf_data(b) + bytes, rest);
    conn->net->counters.tcp_copied_bytes += rest;
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    more->data_len = (uint16_t)rest;
    more->pkt_len = rest;
    sendq_insert(conn, b, start + bytes, more);
    buf_move(more, more->owner, BUF_STACK, BUF_KEPT);
    return true;
}

/* A buffer of the application's may be wider than ours: it is cut from its end on. */
struct buf *sendq_cut(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes)
{
    uint32_t left = sendq_end(b) - start;

    RT_ASSERT_LT(0u, bytes);
    RT_ASSERT_LT(bytes, left);
    if (!all_here(conn, b, 1))
        return NULL; /* its headers are in front of it still */
    if (sendq_is_pinned(b))
        return pinned_cut(conn, b, start, bytes);
    while (left != bytes) { /* UINT16_MAX / BUF_ROOM_BYTES times */
        left = left - bytes > BUF_ROOM_BYTES ? left - BUF_ROOM_BYTES : bytes;
        if (!cut_off(conn, b, start, left))
            return NULL;
    }
    return b;
}

struct buf *sendq_frame(struct tcp_conn *conn, struct buf *first, uint32_t start, uint32_t count,
                        uint32_t bytes)
{
    const uint32_t now_us = (uint32_t)conn->net->now_us;
    struct buf *frame = first, *b = first, *last = NULL;

    if (!all_here(conn, first, count))
        return NULL;
    for (uint32_t i = 0; i < count; i++, b = sendq_after(b)) {
        sendq_make_plain(b, sendq_end(b) - start);
        RT_ASSERT_LT(0u, (uint32_t)b->data_len); /* in one frame there is no more than that */
        start = sendq_end(b);
        b->rss_type = now_us;
        if (last != NULL)
            last->next = b;
        last = b;
    }
    if (sendq_is_pinned(first) || first->data_off < HEADERS_BYTES_MAX) {
        frame = few_take(conn->net);
        if (frame == NULL)
            return NULL;
        frame->next = first;
        count++;
    }
    frame->segments = (uint8_t)count;
    frame->pkt_len = bytes;
    return frame;
}

struct buf *sendq_newest(const struct tcp_conn *conn, uint32_t *start)
{
    struct buf *b = conn->queue.first;

    *start = conn->snd_una;
    for (uint32_t looked = 0; b != conn->queue.next && looked < RECOVERY_WALK_MAX; looked++) {
        if (sendq_after(b) == conn->queue.next)
            return b;
        *start = sendq_end(b);
        b = sendq_after(b);
    }
    return NULL;
}

void sendq_withdraw(struct tcp_conn *conn)
{
    RT_ASSERT(conn->iface != NULL);
    if (conn->iface->out.count == 0)
        return;
    for (struct buf *b = conn->queue.first; b != conn->queue.next; b = sendq_after(b))
        if_withdraw(conn->iface, b);
}

void sendq_close(struct tcp_conn *conn)
{
    while (conn->queue.first != NULL)
        let_go_first(conn);
    conn->queue = (struct tcp_sendq){.bytes = 0};
}
