/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake: SYNs at a listener, answers to our own (RFC 9293 3.10.7.2, 3.10.7.3). */
#include "../state.h"
#include "../wire/tcp.h"
#include "acks.h"
#include "cookie.h"
#include "rx.h"
#include "seq.h"

#include <mempool/pool.h>

enum {
    MSS_DEFAULT_V4 = 536,  /* RFC 9293 3.7.1 */
    MSS_DEFAULT_V6 = 1220,
    TIME_OPTION_BYTES = 12,
};

void rx_window(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t scale)
{
    conn->snd_wnd = segment->window << scale;
    conn->snd_wnd_max = RT_MAX(conn->snd_wnd_max, conn->snd_wnd);
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
}

uint32_t rx_mss_theirs(const struct tcp_segment *syn)
{
    if (syn->options.mss != 0)
        return syn->options.mss;
    return ip_addr_is_v4(&syn->src) ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;
}

uint16_t rx_mss_ours(const struct net_if *iface, const struct ip_addr *peer)
{
    const uint32_t carried = if_mtu(iface, peer) - segment_both_headers_bytes(peer);
    const uint32_t most = iface->net->tcp->config.mss_max;

    return (uint16_t)(most != 0 ? RT_MIN(carried, most) : carried);
}

uint8_t rx_scale_ours(const struct net *net)
{
    uint8_t scale = 0;

    while (net->tcp->config.rx_window >> scale > UINT16_MAX)
        scale++;
    RT_ASSERT_LE(scale, TCP_SCALE_MAX);
    return scale;
}

void rx_agree(struct tcp_conn *conn, const struct tcp_segment *syn)
{
    const struct tcp_options *o = &syn->options;
    const uint32_t mss = RT_MIN(rx_mss_theirs(syn), (uint32_t)rx_mss_ours(syn->iface, &syn->src));

    RT_ASSERT_LT((uint32_t)TIME_OPTION_BYTES, mss); /* our own link may be a small one, too */
    conn->time_on = conn->time_on && o->has_time;
    conn->sack_on = conn->sack_on && o->sack_permitted;
    conn->scale_on = conn->scale_on && o->scale != TCP_NO_SCALE;
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
    conn->quick_left = conn->net->tcp->config.quick_acks;
    cc_init(&conn->cc, conn->mss, conn->net->tcp->config.congestion);
    pmtu_init(conn);
    ecn_agree(conn, syn);
    acks_begin(conn);
    rx_window(conn, syn, 0);
}

void conn_offer(struct tcp_conn *conn, uint32_t first_seq)
{
    RT_ASSERT_EQ(conn->snd_una, conn->snd_nxt);
    conn->time_on = !conn->net->tcp->config.no_timestamps;
    conn->sack_on = true;
    conn->scale_on = true;
    conn->rcv_scale = rx_scale_ours(conn->net);
    conn->syn_sent_us = conn->net->now_us;
    conn->iss = first_seq;
    conn->snd_una = conn->iss;
    conn->recovery.until = conn->iss;
    conn->snd_nxt = conn->snd_end = conn->iss + 1;
}

/* ---- at a listener ---- */

static uint32_t first_seq(const struct tcp_conn *conn, const struct tcp_segment *syn)
{
    const uint32_t seq = secret_first_seq(conn);

    return syn->takes_over && seq_before(seq, syn->first_seq) ? syn->first_seq : seq;
}

/* Half open; NULL: no connection is free. */
static struct tcp_conn *make_half_open(struct tcp_listener *listener,
                                       const struct tcp_segment *syn)
{
    struct tcp_conn *conn =
        conn_make(listener->net, &syn->dst, syn->dst_port, &syn->src, syn->src_port);

    if (conn == NULL)
        return NULL;
    conn->iface = syn->iface;
    conn->ops = listener->ops;
    conn->ctx = listener->ctx;
    conn->passive = true;
    conn->state = TCP_SYN_RECEIVED;
    listener_waits(listener, conn);
    return conn;
}

static void accept_syn(struct tcp_listener *listener, const struct tcp_segment *syn)
{
    struct net *net = listener->net;
    struct tcp_conn *conn;

    if (!listener_has_room(listener) || few_is(&net->few, FEW_EIGHTH)) {
        net->counters.tcp_syn_dropped++;
        return;
    }
    if (listener->waiting >= listener->backlog) {
        cookie_answer(listener, syn);
        return;
    }
    conn = make_half_open(listener, syn);
    if (conn == NULL) {
        net->counters.tcp_syn_dropped++;
        return;
    }
    conn_offer(conn, first_seq(conn, syn));
    rx_agree(conn, syn);
    conn_send_syn(conn);
    if (conn->state != TCP_CLOSED)
        conn_at(conn, TCP_AT_RETRANSMIT, net->now_us + rtt_wait_us(&conn->rtt));
}

/* An ACK of nothing that stands. It may be of a cookie; while the listener cannot serve, nobody
 * can tell whether a half-open connection of ours was given up before. Consumed. */
static void accept_ack(struct tcp_listener *listener, struct tcp_segment *segment_owned)
{
    struct net *net = listener->net;
    struct tcp_segment syn;
    struct tcp_conn *conn = NULL;

    if (listener_has_room(listener) && !cookie_returns(listener, segment_owned, &syn)) {
        tcp_refuse(net, segment_owned);
        buf_free(segment_owned->buf);
        return;
    }
    if (listener_has_room(listener))
        conn = make_half_open(listener, &syn);
    if (conn == NULL) {
        net->counters.tcp_accept_full++;
        buf_free(segment_owned->buf);
        return;
    }
    conn_offer(conn, segment_owned->ack - 1);
    rx_agree(conn, &syn);
    conn->retries = 1; /* its SYN was not timed */
    rx_segment(conn, segment_owned);
    if (conn->state == TCP_SYN_RECEIVED)
        conn_end(conn, TCP_ABORTED);
}

bool rx_other_answer(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    struct tcp_segment syn;

    RT_ASSERT_EQ(conn->state, (uint8_t)TCP_SYN_RECEIVED);
    if (!conn->passive || segment->seq != conn->irs + 1 ||
        !cookie_returns(conn->listener, segment, &syn))
        return false;
    conn->snd_una = conn->snd_nxt; /* the other number is nobody's */
    conn_offer(conn, segment->ack - 1);
    rx_agree(conn, &syn);
    conn->retries = 1; /* its SYN was not timed */
    return true;
}

void rx_listen(struct tcp_listener *listener, struct tcp_segment *segment_owned)
{
    const uint16_t flags = segment_owned->flags & (TCP_RST | TCP_SYN | TCP_ACK | TCP_FIN);
    struct net_counters *counters = &listener->net->counters;

    if ((flags & (TCP_RST | TCP_SYN | TCP_ACK)) == TCP_ACK) {
        accept_ack(listener, segment_owned);
        return;
    }
    if ((flags & (TCP_RST | TCP_ACK)) == TCP_ACK)
        tcp_refuse(listener->net, segment_owned);
    else if (flags != TCP_SYN)
        counters->tcp_in_ignored++;
    else if (rx_mss_theirs(segment_owned) < RX_MSS_MIN)
        counters->tcp_mss_refused++;
    else
        accept_syn(listener, segment_owned);
    counters->tcp_syn_data += flags == TCP_SYN && segment_owned->bytes != 0;
    buf_free(segment_owned->buf); /* data of a SYN comes again */
}

/* ---- of our own ---- */

/* Our SYN was acknowledged, and theirs came: the connection stands. */
static void connected(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    rx_agree(conn, segment);
    conn_first_rtt(conn);
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
    struct net_counters *counters = &conn->net->counters;

    if (acks && segment_owned->ack != conn->snd_nxt) {
        counters->tcp_unacceptable++;
        if ((flags & TCP_RST) == 0)
            tcp_refuse(conn->net, segment_owned); /* an old connection of theirs */
    } else if ((flags & TCP_RST) != 0 && acks) {
        conn_end(conn, TCP_REFUSED);
    } else if ((flags & (TCP_RST | TCP_SYN)) != TCP_SYN) {
        counters->tcp_in_ignored++;
    } else if (rx_mss_theirs(segment_owned) < RX_MSS_MIN) {
        counters->tcp_mss_refused++;
        conn_end(conn, TCP_REFUSED);
    } else if (acks) {
        connected(conn, segment_owned);
    } else { /* both at once (3.5) */
        rx_agree(conn, segment_owned);
        conn->state = TCP_SYN_RECEIVED;
        conn_send_syn(conn);
    }
    counters->tcp_syn_data += (flags & TCP_SYN) != 0 && segment_owned->bytes != 0;
    buf_free(segment_owned->buf);
}

bool rx_syn_again(struct tcp_conn *conn, struct tcp_segment *segment)
{
    const uint16_t flags = segment->flags & (TCP_SYN | TCP_ACK | TCP_RST);

    RT_ASSERT_EQ(conn->state, (uint8_t)TCP_SYN_RECEIVED);
    if (flags == TCP_SYN) {
        if ((segment->flags & (TCP_ECE | TCP_CWR)) == 0)
            conn->ecn.on = false; /* somebody on the way may mind (RFC 3168 6.1.1.1) */
        conn_send_syn(conn); /* ours was lost */
        return true;
    }
    if (flags == (TCP_SYN | TCP_ACK) && !conn->passive && segment->ack == conn->snd_nxt) {
        segment->flags &= (uint16_t)~TCP_SYN;
        segment->seq++;
        conn->ack_now = true; /* ours may have been lost */
        conn_output(conn);
    }
    return false;
}
