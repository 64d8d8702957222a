/* SPDX-License-Identifier: BSD-2-Clause */
#include "transmit.h"

#include "../ip/loop.h"
#include "../link/neigh.h"
#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "lists.h"
#include "order.h"
#include "rx.h"
#include "self.h"
#include "sendq.h"
#include "seq.h"
#include "tso.h"

#include <mempool/pool.h>

uint32_t tcp_time(const struct net *net, uint32_t first_seq)
{
    return (uint32_t)(net->now_us / 1000) + first_seq;
}

uint32_t conn_time(const struct tcp_conn *conn)
{
    return tcp_time(conn->net, conn->iss);
}

static void fill_options(const struct tcp_conn *conn, struct tcp_options *options)
{
    *options = (struct tcp_options){.scale = TCP_NO_SCALE, .has_time = conn->time_on};
    if (conn->time_on) {
        options->time = conn_time(conn);
        options->time_echo = conn->time_recent;
    }
}

/* What is left of the window that was offered, behind `ack`, as the header says it. */
static uint16_t window_from(const struct tcp_conn *conn, uint32_t ack)
{
    RT_ASSERT_LE(conn->rcv_scale, TCP_SCALE_MAX);
    return (uint16_t)RT_MIN((conn->rcv_adv - ack) >> conn->rcv_scale, (uint32_t)UINT16_MAX);
}

/* Whatever leaves acknowledges all we have, and offers what there is room for. */
static void acknowledge(struct tcp_conn *conn, struct tcp_fields *fields)
{
    conn->rcv_adv = lists_right_edge(conn);
    fields->ack = conn->rcv_nxt;
    fields->window = window_from(conn, conn->rcv_nxt);
    conn->last_ack_sent = conn->rcv_nxt;
    conn->ack_now = false;
    conn->owed_segments = 0;
    conn_at(conn, TCP_AT_ACK, TCP_NEVER);
}

/* `cut_bytes`: of struct ip_how. */
static enum rt_status send(struct tcp_conn *conn, uint8_t tos, uint16_t cut_bytes,
                           struct buf *segment_owned)
{
    const struct ip_how how = {
        .src = conn->local,
        .dst = conn->remote,
        .protocol = IP_TCP,
        .hops = IP_HOPS_DEFAULT,
        .tos = tos,
        .dont_cut = true,
        .cut_bytes = cut_bytes,
        .sum_offset = offsetof(struct tcp_header, checksum),
    };

    return ip_send(conn->net, &how, segment_owned);
}

bool transmit_possible(struct tcp_conn *conn)
{
    struct ip_route route;

    if (!ip_route(conn->net, &conn->remote, &route))
        return false;
    if (RT_UNLIKELY(conn->iface != route.iface))
        sendq_withdraw(conn);
    conn->iface = route.iface;
    conn->to_us = route.to_us;
    if (route.to_us) {
        if (conn->net->loop_count < LOOP_MAX)
            return true;
        conn_output(conn); /* with the next turn, which takes them in */
        return false;
    }
    if (!neigh_ready(route.iface, &route.next_hop))
        return false;
    if (if_room(route.iface) == 0)
        if_flush(route.iface);
    return if_room(route.iface) != 0;
}

bool transmit_data(struct tcp_conn *conn, struct buf *first, uint32_t seq, uint32_t count,
                   uint32_t bytes, bool fin)
{
    struct tcp_fields fields = {
        .src_port = conn->local_port,
        .dst_port = conn->remote_port,
        .seq = seq,
        .flags = (uint16_t)(TCP_ACK | (fin ? TCP_FIN : 0) |
                            (seq + bytes == conn->snd_end ? TCP_PSH : 0)),
    };
    struct buf *frame = NULL;
    uint8_t tos = 0;

    if (conn->to_us)
        frame = self_frame(conn, first, seq, count, bytes);
    else if (pmtu_carries(conn, RT_MIN(bytes, (uint32_t)conn->mss)))
        frame = sendq_frame(conn, first, seq, count, bytes);
    if (frame == NULL)
        return false;
    fill_options(conn, &fields.options);
    if (conn->ecn.on)
        fields.flags |= ecn_flags(conn, seq == conn->snd_nxt, &tos);
    acknowledge(conn, &fields);
    segment_push_header(frame, &fields);
    if (!seq_before(seq, conn->snd_nxt))
        conn->net->counters.tcp_out_segs += tso_packets(conn, bytes);
    return send(conn, tos, bytes > conn->mss && !conn->to_us ? conn->mss : 0, frame) == RT_OK;
}

static bool bare(struct tcp_conn *conn, uint32_t seq, uint16_t flags, uint32_t ack)
{
    struct tcp_fields fields = {
        .src_port = conn->local_port,
        .dst_port = conn->remote_port,
        .seq = seq,
        .flags = flags,
    };
    struct buf *segment = few_take(conn->net);

    if (segment == NULL)
        return false;
    fill_options(conn, &fields.options);
    if (conn->sack_on && order_has_sacks(conn)) /* in a full segment there is no room for them */
        order_sacks(conn, &fields.options, conn->time_on ? 3 : TCP_SACK_BLOCKS_MAX);
    fields.flags |= conn->ecn.echo && (flags & TCP_RST) == 0 ? TCP_ECE : 0;
    acknowledge(conn, &fields);
    fields.ack = ack;
    fields.window = window_from(conn, ack);
    segment_push_header(segment, &fields);
    conn->net->counters.tcp_out_segs++;
    return send(conn, 0, 0, segment) == RT_OK;
}

bool transmit_bare(struct tcp_conn *conn, uint32_t seq, uint16_t flags)
{
    return bare(conn, seq, flags, conn->rcv_nxt);
}

/* From the end of what was sent, or of the peer's window if it has taken back some of it: what lies
 * outside would not be believed. */
bool transmit_ack(struct tcp_conn *conn, uint32_t ack)
{
    const uint32_t edge = conn->snd_una + conn->snd_wnd;

    return bare(conn, seq_before(edge, conn->snd_nxt) ? edge : conn->snd_nxt, TCP_ACK, ack);
}

void conn_send_ack(struct tcp_conn *conn)
{
    transmit_ack(conn, conn->rcv_nxt);
}

/* One number too old: the peer must answer with what it wants (RFC 9293 3.8.6.1). It does not look
 * at what such a segment acknowledges: that is owed as before. */
void conn_send_probe(struct tcp_conn *conn)
{
    const bool owed = conn->ack_now || conn->owed_segments != 0;

    transmit_bare(conn, conn->snd_una - 1, TCP_ACK);
    conn->ack_now = owed;
    if (owed)
        conn_output(conn);
}

void conn_send_rst(struct tcp_conn *conn)
{
    if (conn->state == TCP_SYN_SENT)
        return; /* the peer may not know of it */
    conn->net->counters.tcp_out_rsts++;
    transmit_bare(conn, conn->snd_nxt, TCP_RST | TCP_ACK);
}

void conn_send_syn(struct tcp_conn *conn)
{
    const bool answer = conn->state == TCP_SYN_RECEIVED;
    struct tcp_fields fields = {
        .src_port = conn->local_port,
        .dst_port = conn->remote_port,
        .seq = conn->iss,
        .ack = answer ? conn->rcv_nxt : 0,
        .flags = (uint16_t)((answer ? TCP_SYN | TCP_ACK : TCP_SYN) | ecn_offer(conn)),
        .window = (uint16_t)RT_MIN(conn->net->tcp->config.rx_window, (uint32_t)UINT16_MAX),
        .options = {
            .mss = rx_mss_ours(conn->iface, &conn->remote),
            .scale = conn->scale_on ? conn->rcv_scale : TCP_NO_SCALE,
            .sack_permitted = conn->sack_on,
            .has_time = conn->time_on,
            .time = conn_time(conn),
            .time_echo = conn->time_recent,
        },
    };
    struct buf *segment = few_take(conn->net);

    if (segment == NULL)
        return; /* the timer comes back to it */
    segment_push_header(segment, &fields);
    conn->net->counters.tcp_out_segs++;
    (void)!send(conn, 0, 0, segment); /* the timer comes back to it; of no way tcp_icmp() hears */
}

void tcp_refuse(struct net *net, const struct tcp_segment *segment)
{
    const bool acks = (segment->flags & TCP_ACK) != 0;
    const struct tcp_fields fields = {
        .src_port = segment->dst_port,
        .dst_port = segment->src_port,
        .seq = acks ? segment->ack : 0,
        .ack = acks ? 0 : segment->seq + segment_length(segment),
        .flags = acks ? TCP_RST : TCP_RST | TCP_ACK,
        .options = {.scale = TCP_NO_SCALE},
    };
    const struct ip_how how = {
        .src = segment->dst,
        .dst = segment->src,
        .protocol = IP_TCP,
        .hops = IP_HOPS_DEFAULT,
        .dont_cut = true,
        .sum_offset = offsetof(struct tcp_header, checksum),
    };
    struct buf *b;

    if ((segment->flags & TCP_RST) != 0)
        return;
    b = few_take(net);
    if (b == NULL)
        return;
    segment_push_header(b, &fields);
    net->counters.tcp_out_rsts++;
    net->counters.tcp_out_segs++;
    (void)!ip_send(net, &how, b);
}
