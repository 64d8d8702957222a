/* SPDX-License-Identifier: BSD-2-Clause */
#include "fast_run.h"

#include "fast_out.h"
#include "sendq.h"

bool fast_run_possible(struct tcp_conn *conn)
{
    return conn->predict != 0 && fast_path_is_good(conn);
}

bool fast_run_send(struct tcp_conn *conn, struct buf *first, uint32_t count, uint32_t bytes)
{
    const bool last = conn->snd_nxt + bytes == conn->snd_end;
    struct net_if *iface = conn->iface;
    struct net *net = conn->net;
    struct buf *frame = sendq_frame(conn, first, conn->snd_nxt, count, bytes);
    uint8_t *f;

    if (frame == NULL)
        return false;
    RT_ASSERT_LE((uint32_t)FAST_HEADER_BYTES, (uint32_t)frame->data_off);
    RT_ASSERT_LE(bytes, (uint32_t)conn->mss);
    f = buf_data(frame) - FAST_HEADER_BYTES;
    fast_put_ip(conn, f, bytes);
    fast_put_tcp(conn, f, bytes, FAST_FLAGS_ACK | (last ? FAST_FLAGS_PSH : 0));
    frame->data_off = (uint16_t)(frame->data_off - FAST_HEADER_BYTES);
    frame->data_len = (uint16_t)(frame->data_len + FAST_HEADER_BYTES);
    frame->pkt_len += FAST_HEADER_BYTES;
    frame->flags = BUF_TX_IP_CSUM | BUF_TX_TCP_CSUM;
    frame->l2_bytes = FAST_ETH_BYTES;
    frame->l3_bytes = FAST_IP_BYTES;
    conn->path.neigh->used_us = net->now_us;
    net->counters.tcp_out_segs++;
    net->counters.ip_out_requests++;
    iface->out.buf[iface->out.count++] = frame;
    return true;
}
