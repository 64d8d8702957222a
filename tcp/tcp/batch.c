/* SPDX-License-Identifier: BSD-2-Clause */
/* A batch of frames: what is as usual takes the fast path, in the order in which all came. */
#include "fast_in.h"
#include "fast_merge.h"

enum { AHEAD_FRAMES = 4 }; /* below that there is nothing to hide a cache miss behind */

/* The hash of each frame that may be a usual segment, in its header; the table's line is asked for.
 * What such a frame is not has a hash of anything, and nobody looks at it. */
RT_INLINE void hash_all(const struct tcp_stack *tcp, const struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct buf *b = batch->buf[i];

        if (RT_UNLIKELY(b->data_len < FAST_HEADER_BYTES))
            continue;
        b->rss_hash = fast_hash(tcp, buf_data(b));
        RT_PREFETCH(table_slot(&tcp->table, b->rss_hash));
    }
}

/* A second look ahead: the lines of the connections. In line: of a function that only prefetches
 * gcc believes that it does nothing. */
RT_INLINE void look_ahead(const struct tcp_stack *tcp, const struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct tcp_slot *slot = table_slot(&tcp->table, batch->buf[i]->rss_hash);
        const char *conn;

        if (slot->number == 0)
            continue;
        conn = (const char *)&tcp->conns[slot->number - 1];
        for (uint32_t k = 0; k < TCP_HOT_LINES; k++)
            RT_PREFETCH_WRITE(conn + k * RT_CACHE_LINE);
    }
}

void tcp_batch(struct net *net, struct net_if *iface, struct buf_batch *frames_owned,
               void (*other)(struct net *net, struct net_if *iface, struct buf *frame_owned))
{
    const uint32_t count = frames_owned->count;
    const bool tight = few_is_tight(&net->few);
    uint32_t fast = 0;

    RT_ASSERT_LE(count, (uint32_t)BUF_BATCH_MAX);
    merge_begin(&net->tcp->merge, count);
    hash_all(net->tcp, frames_owned);
    if (count >= AHEAD_FRAMES)
        look_ahead(net->tcp, frames_owned);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t hash = frames_owned->buf[i]->rss_hash;

        if (RT_UNLIKELY(tight) ||
            RT_UNLIKELY(!fast_input(net, iface, frames_owned->buf[i]))) {
            other(net, iface, frames_owned->buf[i]);
            continue;
        }
        fast++;
        if (i + 1 < count && frames_owned->buf[i + 1]->rss_hash == hash) {
            const uint32_t more = fast_merge(net, frames_owned, i);

            i += more;
            fast += more;
        }
    }
    merge_end(&net->tcp->merge);
    frames_owned->count = 0;
    net->counters.ip_in_receives += fast;
    net->counters.ip_in_delivers += fast;
    net->counters.tcp_in_segs += fast;
    net->tcp->fast_segs += fast;
}
