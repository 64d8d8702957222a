/* SPDX-License-Identifier: BSD-2-Clause */
/* Usual segments that follow each other in a batch: what was found and decided for the first holds
 * for those behind it, as long as their headers say the same (merge.h). */
#ifndef TCP_TCP_FAST_MERGE_H
#define TCP_TCP_FAST_MERGE_H

#include "fast_in.h"

/* What `f`, which is plain, says is what `first` said, but for where its bytes begin and how many
 * there are, the number of its packet and its hops, and the two checksums. */
RT_INLINE bool fast_says_same(const uint8_t *first, const uint8_t *f)
{
    const uint64_t ends = (fast_get64(first) ^ fast_get64(f)) |
                          (fast_get64(first + 8) ^ fast_get64(f + 8)) |
                          (fast_get64(first + FAST_ADDRS) ^ fast_get64(f + FAST_ADDRS));
    const uint64_t rest = (fast_get64(first + FAST_OPTIONS) ^ fast_get64(f + FAST_OPTIONS)) |
                          (fast_get32(first + FAST_ECHO) ^ fast_get32(f + FAST_ECHO)) |
                          (fast_get32(first + FAST_ACK) ^ fast_get32(f + FAST_ACK)) |
                          (fast_get16(first + FAST_WINDOW) ^ fast_get16(f + FAST_WINDOW));
    const uint32_t flags = fast_get16(first + FAST_FLAGS) ^ fast_get16(f + FAST_FLAGS);

    return (ends | rest | (flags & ~FAST_FLAGS_PSH)) == 0;
}

RT_INLINE bool fast_is_pushed(const uint8_t *f)
{
    return (fast_get16(f + FAST_FLAGS) & FAST_FLAGS_PSH) != 0;
}

/* Bytes of the frame, which come next and are inside our window; 0: it is for the usual way. */
RT_INLINE uint32_t fast_next_in_run(const struct tcp_conn *conn, const struct net_if *iface,
                                    const uint8_t *first, const struct buf *b)
{
    const uint8_t *f = buf_data(b);
    uint32_t bytes;

    if (!fast_is_plain(iface, b, f) || !fast_says_same(first, f) ||
        __builtin_bswap32(fast_get32(f + FAST_SEQ)) != conn->rcv_nxt ||
        RT_UNLIKELY(conn->held_bytes > conn->net->tcp->config.rx_window))
        return 0;
    bytes = (uint32_t)__builtin_bswap16(fast_get16(f + FAST_TOTAL)) -
            (FAST_IP_BYTES + FAST_TCP_BYTES);
    return RT_LIKELY(bytes <= conn->rcv_adv - conn->rcv_nxt) ? bytes : 0;
}

/* Frames behind frame `at`, whose data was taken just now, as far as they go on where it ends: how
 * many were taken, too. */
RT_INLINE uint32_t fast_merge(struct net *net, const struct buf_batch *frames, uint32_t at)
{
    const struct buf *head = frames->buf[at], *next = frames->buf[at + 1];
    const uint8_t *first;
    struct tcp_conn *conn;
    uint32_t more = 0, bytes;
    bool push;

    if (next->data_len < FAST_HEADER_BYTES)
        return 0;
    conn = fast_find(net->tcp, buf_data(next), next->rss_hash);
    if (conn == NULL || conn->rx_last != head || conn->predict == 0)
        return 0; /* frame `at` brought nothing, or another flow has the same hash */
    first = buf_data(head) - FAST_HEADER_BYTES;
    push = fast_is_pushed(first);
    while (!push && at + more + 1 < frames->count) {
        struct buf *b = frames->buf[at + more + 1];

        bytes = fast_next_in_run(conn, conn->iface, first, b);
        if (bytes == 0)
            break;
        push = fast_is_pushed(buf_data(b));
        fast_append(conn, b, bytes);
        more++;
    }
    if (more != 0)
        acks_owe(conn, more, push);
    net->tcp->merge.segs += more;
    return more;
}

#endif
