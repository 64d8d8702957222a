/* SPDX-License-Identifier: BSD-2-Clause */
#include "cookie.h"

#include "../state.h"
#include "../wire/ip.h"
#include "../wire/tcp.h"
#include "conn.h"
#include "rx.h"
#include "seq.h"

#include <mempool/pool.h>

/* Never above what a peer said: of 64 bytes it is served, less is refused before. */
static const uint16_t sizes[] = {RX_MSS_MIN, 256, 536, 1220, 1360, 1440, 1460, 8960};

static uint32_t size_number(uint32_t mss)
{
    uint32_t i = RT_ARRAY_SIZE(sizes) - 1;

    RT_ASSERT_LE(sizes[0], mss);
    while (sizes[i] > mss)
        i--;
    return i;
}

/* ---- what the low bits of our timestamp say ---- */

enum { TIME_SCALE = 0x0f, TIME_SACK = 0x10, TIME_ECN = 0x20, TIME_BITS = 0x3f };

/* Both sides want it (RFC 3168 6.1.1). */
static bool agrees_on_ecn(const struct net *net, const struct tcp_segment *syn)
{
    const uint16_t asks = TCP_ECE | TCP_CWR;

    return net->tcp->config.ecn != TCP_ECN_OFF && (syn->flags & asks) == asks;
}

static uint32_t pack(const struct net *net, const struct tcp_segment *syn)
{
    const struct tcp_options *o = &syn->options;

    return (o->scale != TCP_NO_SCALE ? o->scale : (uint32_t)TIME_SCALE) |
           (o->sack_permitted ? TIME_SACK : 0u) | (agrees_on_ecn(net, syn) ? TIME_ECN : 0u);
}

static void unpack(uint32_t time, struct tcp_segment *syn)
{
    const uint32_t scale = time & TIME_SCALE;

    syn->options.scale = scale <= TCP_SCALE_MAX ? (uint8_t)scale : TCP_NO_SCALE;
    syn->options.sack_permitted = (time & TIME_SACK) != 0;
    if ((time & TIME_ECN) != 0)
        syn->flags |= TCP_ECE | TCP_CWR;
}

/* The newest time with these low bits that is not ahead of now. */
static uint32_t time_with(uint32_t now, uint32_t bits)
{
    const uint32_t time = (now & ~(uint32_t)TIME_BITS) | bits;

    return seq_after(time, now) ? time - TIME_BITS - 1 : time;
}

/* ---- out and in ---- */

static void fill(struct net *net, const struct tcp_segment *syn, uint32_t cookie,
                 struct tcp_fields *fields)
{
    const struct tcp_options *o = &syn->options;
    const bool time = o->has_time && !net->tcp->config.no_timestamps;

    *fields = (struct tcp_fields){
        .src_port = syn->dst_port,
        .dst_port = syn->src_port,
        .seq = cookie,
        .ack = syn->seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .window = (uint16_t)RT_MIN(net->tcp->config.rx_window, (uint32_t)UINT16_MAX),
        .options = {.mss = rx_mss_ours(syn->iface, &syn->src), .scale = TCP_NO_SCALE,
                    .has_time = time},
    };
    if (!time)
        return;
    fields->options.scale = o->scale != TCP_NO_SCALE ? rx_scale_ours(net) : TCP_NO_SCALE;
    fields->options.sack_permitted = o->sack_permitted;
    if (agrees_on_ecn(net, syn))
        fields->flags |= TCP_ECE;
    fields->options.time = time_with(tcp_time(net, cookie), pack(net, syn));
    fields->options.time_echo = o->time;
}

void cookie_answer(struct tcp_listener *listener, const struct tcp_segment *syn)
{
    struct net *net = listener->net;
    const uint32_t number = size_number(rx_mss_theirs(syn));
    const struct ip_how how = {
        .src = syn->dst,
        .dst = syn->src,
        .protocol = IP_TCP,
        .hops = IP_HOPS_DEFAULT,
        .dont_cut = true,
        .sum_offset = offsetof(struct tcp_header, checksum),
    };
    struct buf *b = pool_take(net->config.pool);
    struct tcp_fields fields;

    if (b == NULL) {
        net->counters.tcp_syn_dropped++;
        return;
    }
    fill(net, syn, secret_cookie(net, syn, number), &fields);
    segment_push_header(b, &fields);
    listener->cookies_until_us = net->now_us + 2 * (uint64_t)SECRET_COOKIE_EPOCH_US;
    net->counters.tcp_cookies_sent++;
    net->counters.tcp_out_segs++;
    (void)!ip_send(net, &how, b);
}

bool cookie_returns(struct tcp_listener *listener, const struct tcp_segment *segment,
                    struct tcp_segment *syn)
{
    struct net *net = listener->net;
    uint32_t number;

    if (net->now_us >= listener->cookies_until_us)
        return false; /* none is about: no guess is worth a try */
    if (!secret_cookie_is_ours(net, segment, &number)) {
        net->counters.tcp_cookies_bad++;
        return false;
    }
    RT_ASSERT_LT(number, RT_ARRAY_SIZE(sizes));
    *syn = *segment;
    syn->buf = NULL;
    syn->seq = segment->seq - 1;
    syn->bytes = 0;
    syn->flags = TCP_SYN;
    syn->options = (struct tcp_options){
        .mss = sizes[number],
        .scale = TCP_NO_SCALE,
        .has_time = segment->options.has_time,
        .time = segment->options.time,
    };
    if (segment->options.has_time)
        unpack(segment->options.time_echo, syn);
    net->counters.tcp_cookies_good++;
    return true;
}
