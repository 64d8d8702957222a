/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake: SYNs at a listener, answers to our own (RFC 9293 3.10.7.2, 3.10.7.3). */
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "rx.h"
#include "seq.h"

#include <mempool/pool.h>

enum {
    MSS_DEFAULT_V4 = 536,  /* RFC 9293 3.7.1 */
    MSS_DEFAULT_V6 = 1220,
    MSS_MIN = 64,          /* a peer that wants less is not served */
    TIME_OPTION_BYTES = 12,
};

void rx_window(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t scale)
{
    conn->snd_wnd = segment->window << scale;
    conn->snd_wnd_max = RT_MAX(conn->snd_wnd_max, conn->snd_wnd);
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
}

void rx_agree(struct tcp_conn *conn, const struct tcp_segment *syn)
{
    const struct tcp_options *o = &syn->options;
    const bool v4 = ip_addr_is_v4(&conn->remote);
    const uint32_t headers = (v4 ? 20 : 40) + (uint32_t)sizeof(struct tcp_header);
    uint32_t mss = o->mss != 0 ? o->mss : v4 ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;

    conn->mss_peer = (uint16_t)mss;
    mss = RT_MIN(mss, if_mtu(conn->iface, &conn->remote) - headers);
    conn->time_on = conn->time_on && o->has_time;
    conn->sack_on = conn->sack_on && o->sack_permitted;
    conn->snd_scale = o->scale != TCP_NO_SCALE ? o->scale : 0;
    if (o->scale == TCP_NO_SCALE)
        conn->rcv_scale = 0; /* both or neither (RFC 7323 2.2) */
    conn->mss = (uint16_t)(mss - (conn->time_on ? TIME_OPTION_BYTES : 0));
    conn->irs = syn->seq;
    conn->rcv_nxt = syn->seq + 1;
    conn->rcv_adv = conn->rcv_nxt + RT_MIN(conn->net->tcp->config.rx_window, UINT16_MAX);
    conn->last_ack_sent = conn->rcv_nxt;
    if (conn->time_on) {
        conn->time_recent = o->time;
        conn->time_recent_us = conn->net->now_us;
    }
    cc_init(&conn->cc, conn->mss);
    rx_window(conn, syn, 0);
}

void conn_offer(struct tcp_conn *conn)
{
    conn->time_on = true;
    conn->sack_on = true;
    while (conn->net->tcp->config.rx_window >> conn->rcv_scale > UINT16_MAX)
        conn->rcv_scale++;
    conn->syn_sent_us = conn->net->now_us;
    conn->iss = conn_first_seq(conn);
    conn->snd_una = conn->iss;
    conn->snd_nxt = conn->snd_max = conn->snd_end = conn->iss + 1;
}

static void accept_syn(struct tcp_listener *listener, const struct tcp_segment *syn)
{
    struct net *net = listener->net;
    struct tcp_conn *conn = NULL;

    if (listener->waiting < listener->backlog)
        conn = conn_make(net, &syn->dst, syn->dst_port, &syn->src, syn->src_port);
    if (conn == NULL) {
        net->counters.tcp_syn_dropped++; /* it comes again: no reset for our want of room */
        return;
    }
    conn->iface = syn->iface;
    conn->ops = listener->ops;
    conn->ctx = listener->ctx;
    conn->listener = listener;
    conn->passive = true;
    conn->state = TCP_SYN_RECEIVED;
    listener->waiting++;
    conn_offer(conn);
    rx_agree(conn, syn);
    conn_send_syn(conn);
    conn_at(conn, TCP_AT_RETRANSMIT, net->now_us + rtt_wait_us(&conn->rtt));
}

void rx_listen(struct tcp_listener *listener, struct tcp_segment *segment_owned)
{
    const uint16_t flags = segment_owned->flags;

    if ((flags & TCP_RST) == 0 && (flags & TCP_ACK) != 0)
        tcp_refuse(listener->net, segment_owned);
    else if ((flags & (TCP_RST | TCP_SYN | TCP_FIN)) == TCP_SYN &&
             (segment_owned->options.mss == 0 || segment_owned->options.mss >= MSS_MIN))
        accept_syn(listener, segment_owned);
    buf_free(segment_owned->buf); /* data of a SYN comes again */
}

/* Our SYN was acknowledged, and theirs came: the connection stands. */
static void connected(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    rx_agree(conn, segment);
    if (conn->retries == 0)
        rtt_sample(&conn->rtt, (uint32_t)(conn->net->now_us - conn->syn_sent_us));
    conn->snd_una = segment->ack;
    conn->retries = 0;
    conn->rtt.backoff = 0;
    conn->state = TCP_ESTABLISHED;
    conn->net->counters.tcp_active_opens++;
    conn_at(conn, TCP_AT_RETRANSMIT, TCP_NEVER);
    conn->ack_now = true;
    conn_tell(conn, TCP_EV_OPEN);
    conn_output(conn);
}

void rx_syn_sent(struct tcp_conn *conn, struct tcp_segment *segment_owned)
{
    const uint16_t flags = segment_owned->flags;
    const bool acks = (flags & TCP_ACK) != 0;

    if (acks && segment_owned->ack != conn->snd_nxt) {
        if ((flags & TCP_RST) == 0)
            tcp_refuse(conn->net, segment_owned); /* an old connection of theirs */
    } else if ((flags & TCP_RST) != 0) {
        if (acks)
            conn_end(conn, TCP_REFUSED);
    } else if ((flags & TCP_SYN) != 0 && segment_owned->options.mss != 0 &&
               segment_owned->options.mss < MSS_MIN) {
        conn_end(conn, TCP_REFUSED);
    } else if ((flags & TCP_SYN) != 0 && acks) {
        connected(conn, segment_owned);
    } else if ((flags & TCP_SYN) != 0) { /* both at once (3.5) */
        rx_agree(conn, segment_owned);
        conn->state = TCP_SYN_RECEIVED;
        conn_send_syn(conn);
    }
    buf_free(segment_owned->buf);
}
