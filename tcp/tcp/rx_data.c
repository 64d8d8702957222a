/* SPDX-License-Identifier: BSD-2-Clause */
/* What a segment carries (RFC 9293 3.10.7.4, seventh and eighth). */
#include "../state.h"
#include "../wire/tcp.h"
#include "acks.h"
#include "held.h"
#include "order.h"
#include "rx.h"
#include "seq.h"

#include <mempool/pool.h>

static void append(struct tcp_conn *conn, struct buf *chain_owned)
{
    struct buf *last = chain_owned;

    conn->rcv_nxt += chain_owned->pkt_len;
    conn->rx_bytes += chain_owned->pkt_len;
    held_take(conn, chain_owned);
    if (conn->rx_first != NULL) {
        conn->rx_last->next = chain_owned;
        conn->rx_first->pkt_len += chain_owned->pkt_len;
    } else {
        conn->rx_first = chain_owned;
    }
    while (last->next != NULL)
        last = last->next;
    conn->rx_last = last;
    conn_tell(conn, TCP_EV_DATA);
}

/* The chain that is next, and what was kept and follows it: one block, which ends at the next
 * hole. True: the stream ends there. */
static bool take_in_order(struct tcp_conn *conn, struct buf *chain_owned, bool fin)
{
    struct buf *more;

    if (chain_owned->pkt_len != 0)
        append(conn, chain_owned);
    else
        buf_free(chain_owned);
    if (fin)
        return true;
    if (conn->order != NULL && (more = order_take(conn, conn->rcv_nxt)) != NULL)
        append(conn, more);
    return conn->fin_early && conn->holes.fin_seq == conn->rcv_nxt;
}

static bool may_receive(const struct tcp_conn *conn)
{
    return conn->state == TCP_ESTABLISHED || conn->state == TCP_FIN_WAIT_1 ||
           conn->state == TCP_FIN_WAIT_2;
}

/* The application has gone, and more comes: the peer must not think that it is read. The reset has
 * the number that the segment acknowledges, which is exactly the peer's next one, though our FIN
 * may not have arrived (RFC 5961 3.2). */
static void break_off(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    tcp_refuse(conn->net, segment_owned);
    buf_free(segment_owned->buf);
    conn_end(conn, TCP_ABORTED);
}

/* One of the first segments, whose sender counts ACKs in slow start. */
static bool is_quick(struct tcp_conn *conn)
{
    if (conn->quick_left == 0)
        return false;
    conn->quick_left--;
    return true;
}

/* A peer that fills its window byte by byte makes us hold much more than the window in buffers. It
 * was promised, so it is taken as long as there is enough for all; else it may come again. */
static bool is_too_much(const struct tcp_conn *conn, const struct buf *b)
{
    const struct few *few = &conn->net->few;

    if (RT_LIKELY(!few_in(few, b->pool, FEW_EIGHTH)))
        return false;
    if (few_is_used_up(few) ||
        (conn->held_bytes >= FEW_HELD_BYTES && few_in(few, b->pool, FEW_SIXTEENTH)))
        return true;
    return conn->held_bytes > conn->net->tcp->config.rx_window;
}

/* It is answered before the next one is looked at, or, for want of a buffer, with the turn. */
static void behind_hole(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    RT_ASSERT_EQ(segment_owned->merged, 0u); /* a sender counts the answers */
    order_put(conn, segment_owned);
    acks_hole(conn);
    conn->ack_now = true;
    conn_output(conn);
    conn_send_ack(conn);
}

void rx_data(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    const bool gap = conn->order != NULL; /* something lies behind it, out of order */
    const bool has_fin = (segment_owned->flags & TCP_FIN) != 0;
    bool fin = has_fin;

    if ((segment_owned->bytes == 0 && !fin) || !may_receive(conn)) {
        conn->net->counters.tcp_late_data += segment_owned->bytes != 0;
        buf_free(segment_owned->buf);
        return;
    }
    if (conn->app_closed && segment_owned->bytes != 0) {
        break_off(conn, segment_owned);
        return;
    }
    if (segment_owned->seq != conn->rcv_nxt) {
        behind_hole(conn, segment_owned);
        return;
    }
    if (segment_owned->bytes != 0 && is_too_much(conn, segment_owned->buf)) {
        conn->net->counters.tcp_held_dropped++;
        buf_free(segment_owned->buf);
        return;
    }
    fin = take_in_order(conn, segment_owned->buf, fin);
    if (gap)
        acks_hole(conn);
    if (gap || has_fin || is_quick(conn))
        conn->ack_now = true;
    acks_owe(conn, 1u + segment_owned->merged, (segment_owned->flags & TCP_PSH) != 0);
    if (fin)
        rx_fin(conn);
}
