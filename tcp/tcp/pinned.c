/* SPDX-License-Identifier: BSD-2-Clause */
#include "pinned.h"

#include "../state.h"
#include "sendq.h"

#include <mempool/ext.h>

bool pinned_may_append(const struct buf *b)
{
    if (*b->owner != BUF_EXT)
        return false;
    RT_ASSERT_EQ(b->flags & BUF_QUEUED, 0u); /* given twice: two would let go of it */
    return true;
}

void pinned_name(struct buf *b, const uint8_t *first, uint32_t bytes)
{
    b->outside = first;
    b->pkt_len = bytes;
    b->data_len = bytes <= UINT16_MAX ? (uint16_t)bytes : 0;
    b->flags = BUF_QUEUED;
}

void pinned_append(struct tcp_conn *conn, struct buf *b_owned)
{
    const uint32_t bytes = buf_bytes(b_owned); /* in a word that the queue needs */

    RT_ASSERT_EQ(*b_owned->owner, (uint8_t)BUF_EXT);
    RT_ASSERT_EQ(b_owned->pool->core, conn->net->config.core); /* more are taken from it */
    pinned_name(b_owned, b_owned->outside, bytes);
    sendq_link(conn, b_owned, bytes);
}

/* Another header names the rest. */
static bool name_rest(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes)
{
    const uint32_t all = sendq_end(b) - start, rest = all - bytes;
    const uint8_t *first = sendq_last(b, all);
    struct buf *more = buf_ext_take(b->pool, buf_ext_pin(b), first + bytes, rest);

    if (more == NULL)
        return false;
    pinned_name(more, first + bytes, rest);
    sendq_make_plain(b, all);
    pinned_name(b, first, bytes);
    sendq_insert(conn, b, start + bytes, more);
    return true;
}

/* The one in front of `b` is `copy` from now on, up to sequence number `end`. */
static void put_before(struct tcp_conn *conn, struct buf *b, uint32_t end, struct buf *copy_owned)
{
    struct tcp_sendq *q = &conn->queue;
    struct buf *before = q->first;

    for (uint32_t i = 0; before != b && sendq_after(before) != b; i++) {
        RT_ASSERT_LT(i, q->bufs);
        before = sendq_after(before);
    }
    copy_owned->rss_hash = end;
    copy_owned->rss_type = b->rss_type;
    copy_owned->vlan_tci = b->vlan_tci;
    copy_owned->user = (uintptr_t)b;
    if (before == b)
        q->first = copy_owned;
    else
        before->user = (uintptr_t)copy_owned;
    if (q->next == b)
        q->next = copy_owned;
    q->bufs++;
}

/* No header is free: the first bytes are copied. */
static struct buf *copy_first(struct tcp_conn *conn, struct buf *b, uint32_t start,
                              uint32_t bytes)
{
    const uint32_t all = sendq_end(b) - start;
    struct buf *copy = pool_take(conn->net->config.pool);

    if (copy == NULL)
        return NULL;
    bytes = RT_MIN(bytes, (uint32_t)BUF_ROOM_BYTES);
    __builtin_memcpy(buf_data(copy), sendq_last(b, all), bytes);
    conn->net->counters.tcp_copied_bytes += bytes;
    copy->data_len = (uint16_t)bytes;
    copy->pkt_len = bytes;
    sendq_make_plain(b, all - bytes);
    put_before(conn, b, start + bytes, copy);
    buf_move(copy, copy->owner, BUF_STACK, BUF_KEPT);
    return copy;
}

struct buf *pinned_cut(struct tcp_conn *conn, struct buf *b, uint32_t start, uint32_t bytes)
{
    RT_ASSERT_EQ(*b->owner, (uint8_t)BUF_EXT);
    if (name_rest(conn, b, start, bytes))
        return b;
    return copy_first(conn, b, start, bytes);
}
