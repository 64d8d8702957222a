/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The usual segment comes in: of a connection that stands, next in order, nothing odd about it or
 * the connection. Everything is looked at before anything is changed; what is not as usual is
 * refused, and takes the steps of input.c and rx_*.c, which say what is right: this says the same
 * sooner. Steps are in line, one after the other; bench tcp counts them by file.
 *
 *     frame -> connection -> as predicted? -> window, timestamp -> acknowledged -> data
 */
#ifndef TCP_TCP_FAST_IN_H
#define TCP_TCP_FAST_IN_H

#include "../link/iface.h"
#include "../state.h"
#include "../wire/ip.h"
#include "conn.h"
#include "fast_ack.h"
#include "fast_data.h"
#include "fast_frame.h"

/* A whole segment of TCP for us, its checksums right; lengths agree. */
RT_INLINE bool fast_is_plain(const struct net_if *iface, const struct buf *b, const uint8_t *f)
{
    const uint32_t bad = BUF_RX_VLAN | BUF_RX_IP_BAD | BUF_RX_L4_BAD;
    uint32_t total;

    if (RT_UNLIKELY((b->flags & (bad | BUF_RX_IP_GOOD)) != BUF_RX_IP_GOOD) ||
        RT_UNLIKELY((b->flags & BUF_RX_L4_GOOD) == 0) || RT_UNLIKELY(b->next != NULL) ||
        RT_UNLIKELY(b->data_len < FAST_HEADER_BYTES))
        return false;
    total = (uint32_t)__builtin_bswap16(fast_get16(f + FAST_TOTAL)) + FAST_ETH_BYTES;
    return RT_LIKELY(fast_get64(f) << 16 == iface->mac_word) &&
           RT_LIKELY((fast_get32(f + FAST_TYPE) & FAST_TYPE_VERSION_MASK) == FAST_TYPE_VERSION) &&
           RT_LIKELY((fast_get32(f + FAST_FRAGMENT) & FAST_WHOLE_TCP_MASK) == FAST_WHOLE_TCP) &&
           RT_LIKELY((f[FAST_TOS] & IP_ECN_BITS) != IP_ECN_CE) &&
           RT_LIKELY(total <= b->data_len) && RT_LIKELY(total >= FAST_HEADER_BYTES);
}

RT_INLINE uint32_t fast_hash(const struct tcp_stack *tcp, const uint8_t *f)
{
    return table_hash_v4(&tcp->table, fast_get64(f + FAST_ADDRS), fast_get32(f + FAST_PORTS));
}

/* The connection; NULL: there is none. */
RT_INLINE struct tcp_conn *fast_find(const struct tcp_stack *tcp, const uint8_t *f, uint32_t hash)
{
    for (uint32_t i = hash & tcp->table.mask; tcp->table.slots[i].number != 0;
         i = (i + 1) & tcp->table.mask) { /* half of them are free */
        struct tcp_conn *conn;

        if (RT_UNLIKELY(tcp->table.slots[i].hash != hash))
            continue;
        conn = &tcp->conns[tcp->table.slots[i].number - 1];
        if (RT_LIKELY(conn->wire_addrs == fast_get64(f + FAST_ADDRS)) &&
            RT_LIKELY(conn->wire_ports == fast_get32(f + FAST_PORTS)))
            return conn;
    }
    return NULL;
}

/* Next in order, within the window, not older than the last one; acknowledges what was sent, or
 * carries something. */
RT_INLINE bool fast_is_predicted(const struct tcp_conn *conn, const uint8_t *f, uint32_t bytes)
{
    const uint32_t seq = __builtin_bswap32(fast_get32(f + FAST_SEQ));
    const uint32_t ack = __builtin_bswap32(fast_get32(f + FAST_ACK));
    const uint32_t time = __builtin_bswap32(fast_get32(f + FAST_TIME));
    const uint32_t acked = ack - conn->snd_una;

    return RT_LIKELY((fast_get16(f + FAST_FLAGS) & ~FAST_FLAGS_PSH) == conn->predict) &&
           RT_LIKELY(seq == conn->rcv_nxt) &&
           RT_LIKELY(fast_get32(f + FAST_OPTIONS) == FAST_TIME_OPTION) &&
           RT_LIKELY((int32_t)(time - conn->time_recent) >= 0) &&
           RT_LIKELY(acked <= conn->snd_nxt - conn->snd_una) &&
           RT_LIKELY(bytes <= conn->rcv_adv - conn->rcv_nxt) &&
           RT_LIKELY(conn->held_bytes <= conn->net->tcp->config.rx_window || bytes == 0) &&
           RT_LIKELY((acked | bytes) != 0) && RT_LIKELY(acked == 0 || fast_may_ack(conn));
}

/* The peer's window, when it moved. */
RT_INLINE void fast_window(struct tcp_conn *conn, uint32_t window, uint32_t ack)
{
    if (window == conn->snd_wnd)
        return;
    if (RT_UNLIKELY(window > conn->snd_wnd) && conn->queue.next != NULL)
        lists_output(conn);
    conn->snd_wnd = window;
    if (RT_UNLIKELY(window > conn->snd_wnd_max))
        conn->snd_wnd_max = window;
    conn->snd_wl1 = conn->rcv_nxt; /* the segment's own number: it is next */
    conn->snd_wl2 = ack;
}

/* RFC 7323 4.3 (2). */
RT_INLINE void fast_time(struct tcp_conn *conn, uint32_t time, uint64_t now_us)
{
    if (RT_UNLIKELY((int32_t)(conn->rcv_nxt - conn->last_ack_sent) > 0))
        return;
    conn->time_recent = time;
    conn->time_recent_us = now_us;
}

/* True: it was consumed. False: nothing was changed. `b` has its hash (batch.c). */
RT_INLINE bool fast_input(struct net *net, const struct net_if *iface, struct buf *b)
{
    const uint8_t *f = buf_data(b);
    struct tcp_conn *conn;
    uint32_t bytes, ack, time, window;

    if (!fast_is_plain(iface, b, f))
        return false;
    conn = fast_find(net->tcp, f, b->rss_hash);
    if (RT_UNLIKELY(conn == NULL) || RT_UNLIKELY(conn->iface != iface))
        return false;
    bytes = (uint32_t)__builtin_bswap16(fast_get16(f + FAST_TOTAL)) -
            (FAST_IP_BYTES + FAST_TCP_BYTES);
    if (RT_UNLIKELY(!fast_is_predicted(conn, f, bytes)))
        return false;
    ack = __builtin_bswap32(fast_get32(f + FAST_ACK));
    time = __builtin_bswap32(fast_get32(f + FAST_TIME));
    window = (uint32_t)__builtin_bswap16(fast_get16(f + FAST_WINDOW)) << conn->snd_scale;
    fast_window(conn, window, ack);
    fast_time(conn, time, net->now_us);
    if (RT_UNLIKELY(conn->listens_alive))
        life_heard(conn);
    if (ack != conn->snd_una)
        fast_acked(conn, ack);
    fast_data(conn, b, bytes, (fast_get16(f + FAST_FLAGS) & FAST_FLAGS_PSH) != 0);
    return true;
}

#endif
