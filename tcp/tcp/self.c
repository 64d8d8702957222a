/* SPDX-License-Identifier: BSD-2-Clause */
#include "self.h"

#include "../state.h"
#include "sendq.h"

#include <mempool/pool.h>

/* Copies to the end of a chain, into as many buffers as it takes: an application's may be wider
 * than ours. False: there are not so many. */
static bool copy(struct pool *pool, const uint8_t *from, uint32_t bytes, struct buf **head,
                 struct buf **last, uint32_t *segments)
{
    while (bytes != 0) { /* UINT16_MAX / BUF_ROOM_BYTES times */
        const uint32_t part = RT_MIN(bytes, (uint32_t)BUF_ROOM_BYTES);
        struct buf *b = pool_take(pool);

        if (b == NULL)
            return false;
        __builtin_memcpy(buf_data(b), from, part);
        b->data_len = (uint16_t)part;
        if (*head == NULL)
            *head = b;
        else
            (*last)->next = b;
        *last = b;
        ++*segments;
        from += part;
        bytes -= part;
    }
    return true;
}

struct buf *self_frame(struct tcp_conn *conn, struct buf *first, uint32_t start, uint32_t count,
                       uint32_t bytes)
{
    struct buf *frame = NULL, *last = NULL, *b = first;
    uint32_t segments = 0;

    RT_ASSERT_LT(0u, count);
    for (uint32_t i = 0; i < count; i++, b = sendq_after(b)) {
        const uint32_t each = sendq_end(b) - start;

        if (!copy(conn->net->config.pool, sendq_last(b, each), each, &frame, &last,
                  &segments)) {
            if (frame != NULL)
                buf_free(frame);
            return NULL;
        }
        b->rss_type = (uint32_t)conn->net->now_us; /* when it was sent */
        start += each;
    }
    RT_ASSERT(frame != NULL);
    RT_ASSERT_LE(segments, (uint32_t)UINT8_MAX);
    frame->segments = (uint8_t)segments;
    frame->pkt_len = bytes;
    conn->net->counters.tcp_copied_bytes += bytes;
    return frame;
}
