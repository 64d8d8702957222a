/* SPDX-License-Identifier: BSD-2-Clause */
#include "self.h"

#include "../state.h"
#include "sendq.h"

#include <mempool/pool.h>

struct buf *self_frame(struct tcp_conn *conn, struct buf *first, uint32_t start, uint32_t count,
                       uint32_t bytes)
{
    struct buf *frame = NULL, **link = &frame, *b = first;

    RT_ASSERT_LT(0u, count);
    for (uint32_t i = 0; i < count; i++, b = sendq_after(b)) {
        const uint32_t each = sendq_end(b) - start;
        struct buf *copy = pool_take(conn->net->config.pool);

        if (copy == NULL) {
            buf_free(frame);
            return NULL;
        }
        RT_ASSERT_LE(each, buf_bytes(b));
        RT_ASSERT_LE(each, (uint32_t)BUF_ROOM_BYTES);
        __builtin_memcpy(buf_data(copy), buf_start(b) + buf_bytes(b) - each, each);
        copy->data_len = (uint16_t)each;
        b->rss_type = (uint32_t)conn->net->now_us; /* when it was sent */
        *link = copy;
        link = &copy->next;
        start += each;
    }
    frame->segments = (uint8_t)count;
    frame->pkt_len = bytes;
    conn->net->counters.tcp_copied_bytes += bytes;
    return frame;
}
