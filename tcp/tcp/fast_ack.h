/* SPDX-License-Identifier: BSD-2-Clause */
/* The usual acknowledgement: nothing was lost, nobody says so (rx_ack.c). */
#ifndef TCP_TCP_FAST_ACK_H
#define TCP_TCP_FAST_ACK_H

#include "../state.h"
#include "../link/neigh.h"
#include "conn.h"
#include "lists.h"
#include "plain.h"
#include "sendq.h"
#include "seq.h"
#include "used.h"

#include <mempool/take.h>

/* No frame waits for the device with what goes now, and the oldest buffer was sent once. */
RT_INLINE bool fast_may_ack(const struct tcp_conn *conn)
{
    return RT_LIKELY(conn->queue.first != NULL) &&
           RT_LIKELY(conn->queue.first->vlan_tci == 0) &&
           RT_LIKELY(conn->path.neigh != NULL) && RT_LIKELY(conn->iface->left == 0);
}

/* Buffers that end at or before `ack` go; the newest says when it was sent. All were sent: what
 * is to be sent lies behind them. */
RT_INLINE void fast_release(struct tcp_conn *conn, uint32_t ack, uint32_t *sent_us,
                            bool *known)
{
    struct tcp_sendq *q = &conn->queue;
    struct buf *b = q->first;

    *known = false;
    do {
        struct buf *after;

        if (RT_UNLIKELY(seq_after(sendq_end(b), ack)))
            break;
        after = sendq_after(b);
        *known = b->vlan_tci == 0;
        *sent_us = b->rss_type;
        b->next = NULL;
        buf_let_go_inline((struct buf_ref){b, b->owner});
        q->bufs--;
        b = after;
    } while (b != NULL);
    q->first = b;
    if (b == NULL)
        q->last = NULL;
}

/* What is left waits, or nothing does. */
RT_INLINE void fast_timeout(struct tcp_conn *conn)
{
    if (RT_LIKELY(conn->snd_nxt == conn->snd_una) && RT_LIKELY(conn->queue.next == NULL)) {
        conn->recovery.timer = TIMER_RTO;
        conn->deadlines_us[TCP_AT_RETRANSMIT] = TCP_NEVER;
        return;
    }
    plain_acked(conn);
}

RT_INLINE void fast_acked(struct tcp_conn *conn, uint32_t ack)
{
    const uint32_t flight = conn->snd_nxt - conn->snd_una, acked = ack - conn->snd_una;
    const bool limited = RT_UNLIKELY(used_may(conn, flight)) && used_look(conn, flight);
    uint32_t sent_us = 0;
    bool known;

    fast_release(conn, ack, &sent_us, &known);
    if (RT_LIKELY(known))
        rtt_sample(&conn->rtt, (uint32_t)conn->net->now_us - sent_us);
    conn->queue.bytes -= acked;
    conn->snd_una = ack;
    if (RT_UNLIKELY(conn->path.neigh->state != NEIGH_REACHABLE))
        ip_confirm(conn->net, &conn->remote);
    fast_timeout(conn);
    if (RT_UNLIKELY(conn->room_wanted) && tcp_room(conn) != 0) {
        conn->room_wanted = false;
        lists_tell(conn, TCP_EV_ROOM);
    }
    if (RT_UNLIKELY(limited))
        plain_grow(conn, acked);
    if (conn->queue.next != NULL)
        lists_output(conn);
}

#endif
