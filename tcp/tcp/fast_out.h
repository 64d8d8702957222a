/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The usual segment goes out: a whole buffer, the first time, all headers written in front of it in
 * place. What is not as usual is left to output.c, which says what is right.
 */
#ifndef TCP_TCP_FAST_OUT_H
#define TCP_TCP_FAST_OUT_H

#include "../link/neigh.h"
#include "../state.h"
#include "acks.h"
#include "conn.h"
#include "../wire/ip.h"
#include "fast_frame.h"
#include "lists.h"
#include "plain.h"
#include "sendq.h"
#include "seq.h"

/* The way to a peer is looked up again after 8 s, or when ways have changed. */
#define FAST_PATH_BITS 23

RT_INLINE uint32_t fast_path_epoch(const struct net *net)
{
    return net->ways_changed + (uint32_t)(net->now_us >> FAST_PATH_BITS);
}
/* Looks it up (fast_out.c). */
RT_COLD void fast_path_find(struct tcp_conn *conn);

/* The neighbour is known, is still the one it was (its place in the table may be another's now),
 * and need not be asked. */
RT_INLINE bool fast_path_is_good(struct tcp_conn *conn)
{
    const struct neigh *n;

    if (RT_UNLIKELY(conn->path.epoch != fast_path_epoch(conn->net)))
        fast_path_find(conn);
    n = conn->path.neigh;
    return RT_LIKELY(n != NULL) && RT_LIKELY(n->state == NEIGH_REACHABLE) &&
           RT_LIKELY(n->iface == conn->iface) &&
           RT_LIKELY(n->addr.words[3].raw == conn->path.next_hop) &&
           RT_LIKELY(n->addr.words[2].raw == IP_MAPPED_WORD) &&
           RT_LIKELY(if_room(conn->iface) != 0);
}

/* Bytes of the next buffer, which is a segment of its own and may leave now; 0: else. */
RT_INLINE uint32_t fast_next_bytes(const struct tcp_conn *conn, const struct buf *b)
{
    const uint32_t bytes = sendq_end(b) - conn->snd_nxt, flight = conn->snd_nxt - conn->snd_una;
    const bool last = sendq_end(b) == conn->snd_end;

    if (RT_UNLIKELY(*b->owner != BUF_KEPT) || RT_UNLIKELY(b->data_len != bytes) ||
        RT_UNLIKELY(b->data_off < FAST_HEADER_BYTES) || RT_UNLIKELY(bytes > conn->mss) ||
        RT_UNLIKELY(flight + bytes > conn->cc.cwnd) ||
        RT_UNLIKELY(flight + bytes > conn->snd_wnd))
        return 0;
    if (flight == 0 && RT_UNLIKELY((uint32_t)conn->net->now_us - conn->cc.sent_us >
                                   conn->rtt.rto_us))
        return 0; /* after a pause cwnd may be too old (RFC 5681 4.1) */
    if (bytes < conn->mss && RT_UNLIKELY(!last || (flight != 0 && !conn->nodelay)))
        return 0; /* more of what waits fits in, or it waits itself */
    return bytes;
}

/* What the card wants in the checksum's place: the sum of the pseudo header. */
RT_INLINE uint16_t fast_sum(const struct tcp_conn *conn, uint32_t bytes)
{
    const uint64_t sum = (conn->wire_addrs & UINT32_MAX) + (conn->wire_addrs >> 32) +
                         __builtin_bswap16(IP_TCP) +
                         __builtin_bswap16((uint16_t)(bytes + FAST_TCP_BYTES));
    const uint32_t once = (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16 & 0xffff) +
                          (uint32_t)(sum >> 32);

    return (uint16_t)((once & 0xffff) + (once >> 16));
}

/* Ethernet and IPv4. */
RT_INLINE void fast_put_ip(const struct tcp_conn *conn, uint8_t *f, uint32_t bytes)
{
    const struct neigh *n = conn->path.neigh;
    const uint64_t ours = n->iface->mac_word >> 16;
    const uint64_t theirs = fast_get64(n->mac) & UINT64_C(0xffffffffffff);
    const uint64_t addrs = conn->wire_addrs;

    fast_put64(f, theirs | ours << 48);
    fast_put64(f + 8, ours >> 16 | (uint64_t)FAST_TYPE_VERSION << 32);
    fast_put32(f + FAST_TOTAL,
               __builtin_bswap16((uint16_t)(bytes + FAST_IP_BYTES + FAST_TCP_BYTES)));
    fast_put32(f + FAST_FRAGMENT, FAST_DF_64_TCP);
    fast_put16(f + FAST_IP_SUM, 0);
    fast_put64(f + FAST_ADDRS, addrs << 32 | addrs >> 32);
}

/* Acknowledges all we have, and offers what there is room for. */
RT_INLINE void fast_put_tcp(struct tcp_conn *conn, uint8_t *f, uint32_t bytes, uint32_t flags)
{
    /* Read first: whatever is stored might be what is read behind it, for all the compiler knows */
    const uint32_t edge = lists_right_edge(conn), next = conn->rcv_nxt, seq = conn->snd_nxt;
    const uint32_t window = RT_MIN((edge - next) >> conn->rcv_scale, (uint32_t)UINT16_MAX);
    const uint32_t ports = conn->wire_ports, echo = conn->time_recent;
    const uint32_t time = (uint32_t)(conn->net->now_us / 1000) + conn->iss;
    const uint32_t sum = fast_sum(conn, bytes);

    fast_put32(f + FAST_PORTS, ports << 16 | ports >> 16);
    fast_put32(f + FAST_SEQ, __builtin_bswap32(seq));
    fast_put32(f + FAST_ACK, __builtin_bswap32(next));
    fast_put32(f + FAST_FLAGS, flags | (uint32_t)__builtin_bswap16((uint16_t)window) << 16);
    fast_put32(f + FAST_SUM, sum);
    fast_put32(f + FAST_OPTIONS, FAST_TIME_OPTION);
    fast_put32(f + FAST_TIME, __builtin_bswap32(time));
    fast_put32(f + FAST_ECHO, __builtin_bswap32(echo));
    conn->rcv_adv = edge;
    conn->last_ack_sent = next;
    conn->ack_now = false;
    conn->owed_segments = 0;
    conn->deadlines_us[TCP_AT_ACK] = TCP_NEVER;
}

RT_INLINE void fast_send(struct tcp_conn *conn, struct buf *b, uint32_t bytes)
{
    struct net_if *iface = conn->path.neigh->iface;
    struct net *net = conn->net;
    const bool last = sendq_end(b) == conn->snd_end;
    const uint32_t end = conn->snd_nxt + bytes;
    uint8_t *f = buf_data(b) - FAST_HEADER_BYTES;

    fast_put_ip(conn, f, bytes);
    fast_put_tcp(conn, f, bytes, FAST_FLAGS_ACK | (last ? FAST_FLAGS_PSH : 0));
    b->data_off = (uint16_t)(b->data_off - FAST_HEADER_BYTES);
    b->data_len = (uint16_t)(bytes + FAST_HEADER_BYTES);
    b->pkt_len = bytes + FAST_HEADER_BYTES;
    b->next = NULL;
    b->segments = 1;
    b->flags = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM;
    b->l2_bytes = FAST_ETH_BYTES;
    b->l3_bytes = FAST_IP_BYTES;
    b->rss_type = (uint32_t)net->now_us;
    conn->cc.sent_us = (uint32_t)net->now_us;
    conn->path.neigh->used_us = net->now_us;
    conn->snd_nxt = end;
    conn->queue.next = sendq_after(b);
    net->counters.tcp_out_segs++;
    net->counters.ip_out_requests++;
    iface->out.buf[iface->out.count++] = b;
}

/* True: all that waited has left, and nothing else is to be done. */
RT_INLINE bool fast_output(struct tcp_conn *conn)
{
    struct buf *b = conn->queue.next;
    uint32_t bytes;

    if (RT_UNLIKELY(conn->predict == 0))
        return false;
    if (b == NULL) {
        if (conn->ack_now)
            acks_send(conn);
        else
            acks_delay(conn);
        return true;
    }
    if (conn->snd_end - conn->snd_nxt > conn->mss && conn->iface->config.tx_tso)
        return false; /* one frame for all of it */
    while (fast_path_is_good(conn) && (bytes = fast_next_bytes(conn, b)) != 0) {
        fast_send(conn, b, bytes);
        b = conn->queue.next;
        if (b == NULL) {
            plain_sent(conn);
            return true;
        }
    }
    return false;
}

#endif
