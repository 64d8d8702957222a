/* SPDX-License-Identifier: BSD-2-Clause */
#include "acks.h"

#include "../state.h"
#include "../wire/tcp.h"
#include "fast_out.h"
#include "transmit.h"

#include <mempool/take.h>

void acks_begin(struct tcp_conn *conn)
{
    conn->acks = (struct tcp_acks){.every = ACKS_SECOND, .pushed_at = conn->snd_nxt};
    if (conn->net->tcp->config.acks == TCP_ACKS_EIGHTH)
        conn->acks.soon = ACKS_SOON;
}

/* An application that has sent something since the push before answers what it gets. */
void acks_pushed(struct tcp_conn *conn)
{
    conn->acks.answers = conn->acks.pushed_at != conn->snd_nxt;
    conn->acks.pushed_at = conn->snd_nxt;
    if (!conn->acks.answers)
        conn->ack_now = true;
}

void acks_late(struct tcp_conn *conn)
{
    conn->acks.answers = false;
    conn->acks.pushed_at = conn->snd_nxt;
    conn->ack_now = true;
}

void acks_hole(struct tcp_conn *conn)
{
    if (conn->net->tcp->config.acks != TCP_ACKS_EIGHTH)
        return;
    conn->acks.every = ACKS_SECOND;
    conn->acks.soon = ACKS_SOON;
}

/* In batch mode: what was acknowledged two by two becomes enough. */
static void count_soon(struct tcp_conn *conn, uint32_t segments)
{
    if (conn->acks.soon == 0)
        return;
    conn->acks.soon = (uint8_t)(conn->acks.soon - RT_MIN(segments, (uint32_t)conn->acks.soon));
    if (conn->acks.soon == 0)
        conn->acks.every = ACKS_EIGHTH;
}

/* A bare ACK of the usual kind (fast_out.h), of bytes up to `ack`. False: there is no buffer. */
static bool put_usual(struct tcp_conn *conn, uint32_t ack)
{
    struct net_if *iface = conn->path.neigh->iface;
    struct buf *b = pool_take_inline(conn->net->config.pool);
    uint32_t window;
    uint8_t *f;

    if (RT_UNLIKELY(b == NULL))
        return false;
    f = buf_data(b);
    fast_put_ip(conn, f, 0);
    fast_put_tcp(conn, f, 0, FAST_FLAGS_ACK);
    window = RT_MIN((conn->rcv_adv - ack) >> conn->rcv_scale, (uint32_t)UINT16_MAX);
    fast_put32(f + FAST_ACK, __builtin_bswap32(ack));
    fast_put16(f + FAST_WINDOW, __builtin_bswap16((uint16_t)window));
    b->data_len = FAST_HEADER_BYTES;
    b->pkt_len = FAST_HEADER_BYTES;
    b->flags = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM;
    b->l2_bytes = FAST_ETH_BYTES;
    b->l3_bytes = FAST_IP_BYTES;
    conn->path.neigh->used_us = conn->net->now_us;
    conn->net->counters.tcp_out_segs++;
    conn->net->counters.ip_out_requests++;
    return if_put(iface, b);
}

static void send_one(struct tcp_conn *conn, uint32_t ack)
{
    if (RT_LIKELY(conn->predict != 0) && RT_LIKELY(fast_path_is_good(conn)) &&
        put_usual(conn, ack))
        return;
    transmit_ack(conn, ack);
}

/* Segments of one length are acknowledged two by two, each ACK at the end of one; of others nobody
 * knows any more where they ended, and one ACK is for all. Where frames have no room left in this
 * turn, too: an ACK that waits for the next turn would be late. */
void acks_send(struct tcp_conn *conn)
{
    const uint32_t owed = conn->owed_segments, every = conn->acks.every;
    const uint32_t bytes = conn->rcv_nxt - conn->last_ack_sent, end = conn->rcv_nxt;
    const uint32_t each = owed != 0 && bytes % owed == 0 ? bytes / owed : 0;
    uint32_t ack = end - bytes;

    RT_ASSERT_LT(0u, every);
    count_soon(conn, owed);
    if (each != 0 && !conn->to_us)
        for (uint32_t left = owed; left >= 2 * every && if_room(conn->iface) > 1; left -= every) {
            ack += every * each;
            send_one(conn, ack);
        }
    conn->ack_now = true; /* until it is made, whatever became of those before it */
    send_one(conn, end);
    if (RT_UNLIKELY(conn->ack_now) && !conn_has_deadline(conn, TCP_AT_ACK))
        conn_at(conn, TCP_AT_ACK, conn->net->now_us + ACKS_DELAY_US); /* no buffer: later */
}
