/* SPDX-License-Identifier: BSD-2-Clause */
/* The usual data: next in order (rx_data.c). What a batch brought is told as one chain. */
#ifndef TCP_TCP_FAST_DATA_H
#define TCP_TCP_FAST_DATA_H

#include "acks.h"
#include "conn.h"
#include "fast_frame.h"
#include "held.h"
#include "lists.h"

#include <mempool/take.h>

/* Puts the buffer behind those to be told; headers are taken off. */
RT_INLINE void fast_append(struct tcp_conn *conn, struct buf *b_owned, uint32_t bytes)
{
    b_owned->data_off = (uint16_t)(b_owned->data_off + FAST_HEADER_BYTES);
    b_owned->data_len = (uint16_t)bytes;
    b_owned->pkt_len = bytes;
    held_take_one(conn, b_owned);
    conn->rcv_nxt += bytes;
    conn->rx_bytes += bytes;
    if (conn->rx_first != NULL) {
        conn->rx_last->next = b_owned;
        conn->rx_first->pkt_len += bytes;
    } else {
        conn->rx_first = b_owned;
    }
    conn->rx_last = b_owned;
}

RT_INLINE void fast_data(struct tcp_conn *conn, struct buf *b_owned, uint32_t bytes, bool push)
{
    if (bytes == 0) {
        buf_free_inline(b_owned);
        return;
    }
    fast_append(conn, b_owned, bytes);
    lists_tell(conn, TCP_EV_DATA);
    acks_owe(conn, 1, push);
}

#endif
