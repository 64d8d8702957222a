/* SPDX-License-Identifier: BSD-2-Clause */
/* A chain's header says where it lies: rss_hash its first number, rss_type the one behind its
 * last byte, vlan_tci that FIN follows, user the next chain. */
#include "order.h"

#include "../chain.h"
#include "../state.h"
#include "../wire/tcp.h"
#include "seq.h"

#include <mempool/pool.h>

static struct buf *after(const struct buf *b)
{
    return (struct buf *)(uintptr_t)b->user;
}

bool order_put(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    struct buf *b = segment_owned->buf;
    const uint32_t end = segment_owned->seq + segment_owned->bytes;
    struct buf *before = NULL, *next = conn->order;

    for (; next != NULL && !seq_after(next->rss_hash, segment_owned->seq); next = after(next))
        before = next;
    if (before != NULL && !seq_after(end, before->rss_type) &&
        (segment_owned->flags & TCP_FIN) == 0) {
        conn->order_newest = segment_owned->seq;
        buf_free(b); /* all of it is there */
        return false;
    }
    if (conn->order_bufs + b->segments > TCP_ORDER_MAX) {
        conn->net->counters.tcp_order_dropped += b->segments;
        buf_free(b);
        return false;
    }
    b->rss_hash = segment_owned->seq;
    b->rss_type = end;
    b->vlan_tci = (segment_owned->flags & TCP_FIN) != 0;
    b->user = (uintptr_t)next;
    if (before != NULL)
        before->user = (uintptr_t)b;
    else
        conn->order = b;
    conn->order_bufs += b->segments;
    conn->order_newest = segment_owned->seq;
    return true;
}

struct buf *order_take(struct tcp_conn *conn, uint32_t next, bool *fin)
{
    while (conn->order != NULL && !seq_after(conn->order->rss_hash, next)) {
        struct buf *b = conn->order;
        const uint32_t first = b->rss_hash, end = b->rss_type;

        *fin = b->vlan_tci != 0;
        conn->order = after(b);
        conn->order_bufs -= b->segments;
        if (seq_after(end, next) || (*fin && end == next))
            return chain_skip(b, next - first);
        buf_free(b);
    }
    return NULL;
}

void order_sacks(const struct tcp_conn *conn, struct tcp_options *options, uint32_t most)
{
    options->sack_count = 0;
    for (const struct buf *b = conn->order; b != NULL;) {
        const uint32_t first = b->rss_hash;
        uint32_t end = b->rss_type, at;

        for (b = after(b); b != NULL && !seq_after(b->rss_hash, end); b = after(b))
            if (seq_after(b->rss_type, end))
                end = b->rss_type;
        if (end == first)
            continue; /* a FIN alone */
        at = RT_MIN(options->sack_count, most - 1);
        if (seq_within(conn->order_newest, first, end - 1)) {
            for (; at > 0; at--)
                options->sacks[at] = options->sacks[at - 1];
        } else if (options->sack_count == most) {
            continue;
        }
        options->sacks[at].first = first;
        options->sacks[at].end = end;
        options->sack_count = RT_MIN(options->sack_count + 1, most);
    }
}

void order_close(struct tcp_conn *conn)
{
    struct buf *next;

    for (struct buf *b = conn->order; b != NULL; b = next) {
        next = after(b);
        buf_free(b);
    }
    conn->order = NULL;
    conn->order_bufs = 0;
}
