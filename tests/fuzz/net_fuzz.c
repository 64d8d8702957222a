/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and calls against the whole stack with virtual time: the input is a list of steps, and
 * those that are packets get right lengths, checksums and, if the step wants it, the numbers that a
 * peer would use. Whatever comes: no sanitizer has anything to say, invariants hold, and every
 * buffer is home at the end.
 */
#include "net_frame.h"

#include "wire/tcp.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>
#include <tcp/tcp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
/* Each input has a stack of its own: memory that was freed is used again soon. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1";
}

enum {
    BUFFERS = 56, /* beyond 128 KiB AddressSanitizer maps memory anew for each input */
    STEPS_MAX = 96,
    PEERS = 4,
    PORT = 80,
    PEER_PORT = 5000,
    KEPT_MAX = 64,
    TURNS_MAX = 100000,
};

/* What is left of the input; behind its end come zeros. */
struct input {
    const uint8_t *at, *end;
};

/* A peer knows what we sent last to its port. */
struct peer {
    uint32_t their_next, our_next; /* as it would use them in seq and ack */
};

static struct {
    struct net *net;
    struct pool *pool;
    uint64_t now_us;
    struct peer peers[PEERS];
    struct tcp_conn *conns[PEERS];
    uint32_t conn_count;
    struct buf *kept[KEPT_MAX];
    uint32_t kept_count;
} w;

static uint32_t take(struct input *in, uint32_t count)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < count; i++)
        value = value << 8 | (in->at < in->end ? *in->at++ : 0);
    return value;
}

/* ---- the application ---- */

static void on_accepted(struct tcp_conn *conn)
{
    if (w.conn_count < PEERS)
        w.conns[w.conn_count++] = conn;
    else
        tcp_abort(conn);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    if (chain_owned->pkt_len != bytes || bytes == 0)
        abort();
    if (w.kept_count < KEPT_MAX)
        w.kept[w.kept_count++] = chain_owned;
    else
        tcp_give_back(w.net, chain_owned);
}

static void on_ended(struct tcp_conn *conn)
{
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    for (uint32_t i = 0; i < w.conn_count; i++)
        if (w.conns[i] == conn)
            w.conns[i] = w.conns[--w.conn_count];
}

static const struct tcp_ops ops = {
    .accepted = on_accepted, .received = on_received, .ended = on_ended, .closed = on_closed};

/* ---- the other end of the line ---- */

/* Peers keep up with what we say: the handshake can be finished. */
static void look_at(const uint8_t *frame, uint32_t bytes)
{
    const struct eth_header *eth = (const struct eth_header *)frame;
    const bool v6 = be16_get(eth->type) == ETH_IPV6;
    const uint32_t ip_bytes = v6 ? sizeof(struct ipv6_header) : sizeof(struct ipv4_header);
    const struct tcp_header *tcp = (const struct tcp_header *)(frame + sizeof(*eth) + ip_bytes);
    uint32_t peer;

    if (bytes < sizeof(*eth) + ip_bytes + sizeof(*tcp) ||
        (!v6 && be16_get(eth->type) != ETH_IPV4))
        return;
    peer = be16_get(tcp->dst) - PEER_PORT;
    if (peer >= PEERS)
        return;
    w.peers[peer].our_next = be32_get(tcp->seq) + ((be16_get(tcp->offset_flags) & TCP_SYN) != 0);
    if ((be16_get(tcp->offset_flags) & TCP_ACK) != 0)
        w.peers[peer].their_next = be32_get(tcp->ack);
}

static void device_send(void *ctx, struct buf_batch *batch)
{
    uint8_t frame[128];
    struct buf *next;

    for (uint32_t i = 0; i < batch->count; i++) {
        uint32_t bytes = 0;

        for (struct buf *b = batch->buf[i]; b != NULL; b = next) {
            const uint32_t part = RT_MIN(buf_bytes(b), (uint32_t)sizeof(frame) - bytes);

            next = b->next;
            memcpy(frame + bytes, buf_start(b), part);
            bytes += part;
            buf_to_nic(b->owner);
            buf_sent((struct buf_ref){b, b->owner});
        }
        look_at(frame, bytes);
    }
    batch->count = 0;
}

/* ---- steps ---- */

static void turn(void)
{
    for (uint32_t i = 0; i < TURNS_MAX; i++) {
        net_turn(w.net, w.now_us);
        if (net_next_us(w.net) > w.now_us)
            return;
    }
    abort(); /* turns without end */
}

static void give(const uint8_t *frame, uint32_t bytes, uint32_t cut)
{
    struct buf_batch batch = {.count = 1};
    struct buf *first = NULL, **link = &first;
    uint32_t segments = 0;

    for (uint32_t at = 0; at < bytes || first == NULL; segments++) {
        const uint32_t part = RT_MIN(bytes - at, cut);
        struct buf *b = pool_take(w.pool);

        if (b == NULL) {
            if (first != NULL)
                buf_free(first);
            return;
        }
        memcpy(buf_data(b), frame + at, part);
        b->data_len = (uint16_t)part;
        *link = b;
        link = &b->next;
        at += part;
        first->segments = (uint8_t)(segments + 1);
        first->pkt_len = at;
    }
    batch.buf[0] = first;
    net_input(w.net, 0, &batch, w.now_us);
    turn();
}

/* A segment of a peer: numbers are offsets from those that would be right. */
static void step_tcp(struct input *in, bool v6)
{
    static uint8_t frame[4096];
    uint8_t *start = payload_of(frame, v6);
    const struct ip_addr src = addr_of(v6, false), dst = addr_of(v6, true);
    const uint32_t head = take(in, 1), peer = head % PEERS;
    const uint32_t flags = take(in, 1), option_words = take(in, 1) % 11;
    const uint32_t data_bytes = take(in, 1) * ((head >> 2) % 8);
    const uint32_t seq_off = (uint32_t)(int32_t)(int16_t)take(in, (head & 64) != 0 ? 2 : 0);
    const uint32_t ack_off = (uint32_t)(int32_t)(int16_t)take(in, (head & 128) != 0 ? 2 : 0);
    const uint32_t bytes = (uint32_t)sizeof(struct tcp_header) + option_words * 4 + data_bytes;
    struct tcp_header tcp = {
        .src = be16_put((uint16_t)(PEER_PORT + peer)),
        .dst = be16_put(PORT),
        .seq = be32_put(w.peers[peer].their_next + seq_off),
        .ack = be32_put(w.peers[peer].our_next + ack_off),
        .offset_flags = be16_put((uint16_t)((5 + option_words) << TCP_OFFSET_SHIFT | flags)),
        .window = be16_put((uint16_t)take(in, 2)),
    };

    memset(start, 0, bytes);
    for (uint32_t i = 0; i < option_words * 4; i++)
        start[sizeof(tcp) + i] = (uint8_t)take(in, 1);
    memcpy(start, &tcp, sizeof(tcp));
    tcp.checksum = csum_fold(csum_add(csum_pseudo(&src, &dst, IP_TCP, bytes), start, bytes));
    memcpy(start, &tcp, sizeof(tcp));
    give(frame, wrap(frame, v6, IP_TCP, bytes), (head & 32) != 0 ? 64 : BUF_ROOM_BYTES);
    if (seq_off == 0)
        w.peers[peer].their_next += data_bytes + ((flags & TCP_SYN) != 0) +
                                    ((flags & TCP_FIN) != 0);
}

/* Any payload of any protocol, its checksum right where the first word says so. */
static void step_ip(struct input *in, bool v6)
{
    static uint8_t frame[1024];
    static const uint8_t protocols[] = {IP_ICMP, IP_ICMPV6, IP_UDP, IP_TCP, 0, 43, 44, 60};
    const struct ip_addr src = addr_of(v6, false), dst = addr_of(v6, true);
    const uint8_t protocol = protocols[take(in, 1) % sizeof(protocols)];
    const uint32_t bytes = take(in, 1) % 200, sum_at = take(in, 1) % 20;
    uint8_t *start = payload_of(frame, v6);
    be16_t sum = {0};

    for (uint32_t i = 0; i < bytes; i++)
        start[i] = (uint8_t)take(in, 1);
    if (sum_at + 2 <= bytes) {
        memcpy(start + sum_at, &sum, sizeof(sum));
        sum = csum_fold(csum_add(protocol == IP_ICMP
                                     ? 0
                                     : csum_pseudo(&src, &dst, protocol, bytes), start, bytes));
        memcpy(start + sum_at, &sum, sizeof(sum));
    }
    give(frame, wrap(frame, v6, protocol, bytes), BUF_ROOM_BYTES);
}

static void step_frame(struct input *in)
{
    static uint8_t frame[1024];
    const uint32_t bytes = 14 + take(in, 1);
    static const uint16_t types[] = {ETH_ARP, ETH_IPV4, ETH_IPV6, ETH_VLAN};
    const be16_t type = be16_put(types[take(in, 1) % 4]);

    memcpy(frame, our_mac, 6);
    memcpy(frame + 6, peer_mac, 6);
    memcpy(frame + 12, &type, sizeof(type));
    for (uint32_t i = 14; i < bytes; i++)
        frame[i] = (uint8_t)take(in, 1);
    give(frame, bytes, BUF_ROOM_BYTES);
}

static void step_time(struct input *in)
{
    const uint64_t end_us = w.now_us + (UINT64_C(1) << take(in, 1) % 36);

    for (uint32_t i = 0; i < TURNS_MAX; i++) {
        const uint64_t next_us = net_next_us(w.net);

        if (next_us > end_us)
            break;
        w.now_us = RT_MAX(w.now_us, next_us);
        turn();
    }
    w.now_us = end_us;
    turn();
}

static void step_send(struct input *in)
{
    struct buf *b = w.conn_count != 0 ? pool_take(w.pool) : NULL;
    const uint32_t bytes = 1 + take(in, 1) * 8;

    if (b == NULL)
        return;
    memset(buf_data(b), 'x', bytes);
    b->data_len = (uint16_t)bytes;
    b->pkt_len = bytes;
    if (!tcp_try_send(w.conns[bytes % w.conn_count], &b, bytes % 3 == 0 ? TCP_MORE : 0))
        buf_free(b);
    turn();
}

static void step_call(struct input *in)
{
    const struct ip_addr peer = addr_of((take(in, 1) & 1) != 0, false);
    const uint32_t what = take(in, 1) % 6;
    struct tcp_conn *conn = w.conn_count != 0 ? w.conns[what % w.conn_count] : NULL;

    if (what == 0 && w.conn_count < PEERS) {
        if (tcp_connect(w.net, &peer, PEER_PORT, &ops, NULL, &conn) == RT_OK)
            w.conns[w.conn_count++] = conn;
    } else if (what == 1 && conn != NULL) {
        tcp_shutdown(conn);
    } else if (what == 2 && conn != NULL) {
        tcp_close(conn);
    } else if (what == 3 && conn != NULL) {
        tcp_abort(conn);
    } else if (what == 4 && conn != NULL) {
        tcp_set_keepalive(conn, 1000, 1000, 3);
    } else if (w.kept_count != 0) {
        tcp_give_back(w.net, w.kept[--w.kept_count]);
    }
    turn();
}

/* `late`: seconds before the low 32 bits of microseconds wrap. */
static void start(bool late)
{
    static const struct tcp_config tcp = {.conns = 8, .rx_window = 20000, .tx_room = 30000};
    static const struct tcp_listen listen = {.port = PORT, .backlog = 2, .ops = &ops};
    struct net_config config = {.neighs = 8, .key = "key of a fuzzer"};
    struct net_if_config iface = {.mtu_bytes = 1500, .send = device_send};
    const struct ip_addr v4 = addr_of(false, true), v6 = addr_of(true, true);
    struct tcp_listener *listener;
    uint32_t index;

    host_memory_reset();
    memset(&w, 0, sizeof(w));
    w.now_us = late ? UINT32_MAX - 3000000u : 1000000;
    host_clock_virtual(w.now_us);
    host_set_core_count(1);
    memcpy(iface.mac, our_mac, 6);
    if (pool_create("fuzz", 0, 1, BUFFERS, &w.pool) != RT_OK)
        abort();
    config.pool = w.pool;
    if (net_create(&config, w.now_us, &w.net) != RT_OK ||
        net_if_add(w.net, &iface, &index) != RT_OK ||
        net_ip6_start(w.net, 0, true) != RT_OK || net_addr_add(w.net, 0, &v4, 24) != RT_OK ||
        net_addr_add(w.net, 0, &v6, 64) != RT_OK || tcp_create(w.net, &tcp) != RT_OK ||
        tcp_listen(w.net, &listen, &listener) != RT_OK)
        abort();
}

static void stop(void)
{
    while (w.kept_count != 0)
        tcp_give_back(w.net, w.kept[--w.kept_count]);
    net_close(w.net);
    if (w.pool->free != w.pool->total || buf_refusals() != 0)
        abort(); /* a buffer is not home */
    pool_forget_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input in = {data, data + bytes};

    start(bytes % 2 != 0);
    for (uint32_t i = 0; i < STEPS_MAX && in.at < in.end; i++) {
        const uint32_t step = take(&in, 1);

        switch (step % 8) {
        case 0:
            step_frame(&in);
            break;
        case 1:
            step_ip(&in, (step & 8) != 0);
            break;
        case 2:
            step_time(&in);
            break;
        case 3:
            step_send(&in);
            break;
        case 4:
            step_call(&in);
            break;
        default:
            step_tcp(&in, (step & 8) != 0);
        }
    }
    stop();
    return 0;
}
