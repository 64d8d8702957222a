/* SPDX-License-Identifier: BSD-2-Clause */
#include "stacks.h"

#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>
#include <tcp/udp.h>

enum { L4 = 14 + 20, BUFFERS = 512, TURNS_MAX = 64 };

struct stacks_told stacks_told;

/* ---- the applications ---- */

static void on_accepted(struct tcp_conn *conn)
{
    stacks_told.accepted++;
    stacks_told.conn = conn;
}

static void on_connected(struct tcp_conn *conn)
{
    stacks_told.connected++;
    stacks_told.conn = conn;
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct buf *chain = chain_owned;

    stacks_told.received_bytes += bytes;
    if (!conn->passive || !tcp_try_send(conn, &chain, 0)) /* who began does not send it back */
        tcp_give_back(conn->net, chain);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    stacks_told.closed++;
    stacks_told.reason = reason;
}

const struct tcp_ops stacks_ops = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .closed = on_closed,
};

/* ---- device and mail ---- */

static void device_done(struct buf *frame)
{
    struct buf *next;

    for (struct buf *b = frame; b != NULL; b = next) {
        next = b->next;
        buf_to_nic(b->owner);
        buf_sent((struct buf_ref){b, b->owner});
    }
}

static void device_send(void *ctx, struct buf_batch *batch)
{
    const struct stack *own = ctx;
    struct stacks *t = own->all;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct frame *f = &t->frames[t->sent % STATION_FRAMES];

        t->by[t->sent++ % STATION_FRAMES] = own->share.number;
        f->bytes = 0;
        for (const struct buf *b = batch->buf[i]; b != NULL; b = b->next)
            frame_add(f, buf_start(b), buf_bytes(b));
        device_done(batch->buf[i]);
    }
    batch->count = 0;
}

uint32_t stacks_home(const struct stacks *t, uint32_t src_port, uint32_t dst_port)
{
    return (src_port + dst_port) % t->count;
}

static uint32_t home(void *ctx, const struct net_flow *flow)
{
    const struct stack *own = ctx;

    return stacks_home(own->all, flow->src_port, flow->dst_port);
}

static void move_all(struct buf *message, enum buf_owner from, enum buf_owner to)
{
    for (struct buf *b = message; b != NULL; b = b->next)
        assert_true(buf_move(b, b->owner, from, to));
}

static bool send(void *ctx, uint32_t to, struct buf *message_owned)
{
    const struct stack *own = ctx;
    struct stack *other = &own->all->one[to];

    assert_int_not_equal(to, own->share.number);
    if (other->mails == own->all->mail_room) {
        buf_free(message_owned);
        return false;
    }
    move_all(message_owned, BUF_STACK, BUF_RING);
    other->mail[other->mails++] = message_owned;
    return true;
}

struct net *stacks_on(struct stacks *t, uint32_t number)
{
    host_set_core(number);
    pool_collect(t->one[number].pool);
    return t->one[number].net;
}

static void read_mail(struct stacks *t, uint32_t number)
{
    struct stack *own = &t->one[number];
    struct buf *mail[STACKS_MAIL];
    const uint32_t count = own->mails;

    memcpy(mail, own->mail, sizeof(mail));
    own->mails = 0; /* it may get more */
    for (uint32_t i = 0; i < count; i++) {
        move_all(mail[i], BUF_RING, BUF_STACK);
        net_share_input(own->net, 0, mail[i], t->now_us);
    }
}

void stacks_step(struct stacks *t, uint32_t number)
{
    struct net *net = stacks_on(t, number);

    read_mail(t, number);
    net_turn(net, t->now_us);
}

void stacks_turn(struct stacks *t)
{
    uint32_t waiting = 1;

    for (uint32_t turn = 0; turn < TURNS_MAX && waiting != 0; turn++) {
        waiting = 0;
        for (uint32_t i = 0; i < t->count; i++)
            stacks_step(t, i);
        for (uint32_t i = 0; i < t->count; i++)
            waiting += t->one[i].mails + (t->mail_room != 0 && net_next_us(t->one[i].net) == 0);
    }
    assert_int_equal(waiting, 0);
}

void stacks_wait_us(struct stacks *t, uint64_t us)
{
    const uint64_t end_us = t->now_us + us;

    for (uint32_t turn = 0; turn < 100000; turn++) {
        uint64_t next_us = UINT64_MAX;

        stacks_turn(t);
        for (uint32_t i = 0; i < t->count; i++)
            next_us = RT_MIN(next_us, net_next_us(t->one[i].net));
        if (next_us > end_us || next_us == 0)
            break;
        t->now_us = RT_MAX(t->now_us, next_us);
    }
    t->now_us = end_us;
    stacks_turn(t);
}

/* ---- begin and end ---- */

static void make(struct stacks *t, uint32_t number, const struct tcp_ops *ops, uint32_t window)
{
    const struct tcp_config tcp = {.conns = 64, .rx_window = window, .tx_room = window};
    const struct tcp_listen listen = {.port = STACKS_PORT, .backlog = 8, .ops = ops};
    const struct udp_config udp = {.socks = 0};
    struct net_config config = {.core = number, .neighs = 8, .key = "a secret of 16"};
    struct net_if_config iface = {.mtu_bytes = 1500, .send = device_send};
    struct stack *own = &t->one[number];
    struct tcp_listener *listener;
    uint32_t index;

    config.key[0] = (uint8_t)number;
    own->all = t;
    own->share = (struct net_share){
        .number = number, .count = t->count, .home = home, .send = send, .ctx = own};
    assert_int_equal(pool_create("stack", number, t->count, BUFFERS, &own->pool), RT_OK);
    config.pool = own->pool;
    assert_int_equal(net_create(&config, t->now_us, &own->net), RT_OK);
    assert_int_equal(tcp_create(own->net, &tcp), RT_OK);
    assert_int_equal(udp_create(own->net, &udp), RT_OK);
    memcpy(iface.mac, our_mac, 6);
    iface.ctx = own;
    iface.share = &own->share;
    assert_int_equal(net_if_add(own->net, &iface, &index), RT_OK);
    assert_int_equal(tcp_listen(own->net, &listen, &listener), RT_OK);
}

static struct stacks *start(uint32_t count, const struct tcp_ops *ops, uint32_t window)
{
    struct stacks *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    pool_takes_fail(false); /* each frame is accounted for */
    host_memory_reset();
    host_clock_virtual(1000000);
    host_set_core_count(count);
    host_set_core(0);
    stacks_told = (struct stacks_told){0};
    t->count = count;
    t->now_us = 1000000;
    t->mail_room = STACKS_MAIL;
    for (uint32_t i = 0; i < count; i++)
        make(t, i, ops, window);
    return t;
}

struct stacks *stacks_start(uint32_t count)
{
    return start(count, &stacks_ops, 0);
}

struct stacks *stacks_start_with(uint32_t count, const struct tcp_ops *ops, uint32_t window)
{
    const struct ip_addr own = ours();
    struct stacks *t = start(count, ops, window);

    assert_int_equal(net_addr_add(stacks_on(t, 0), 0, &own, 24), RT_OK);
    stacks_turn(t);
    return t;
}

struct stacks *stacks_start_ready(uint32_t count)
{
    const struct ip_addr own = ours(), gateway = ip_addr_v4_of(GATEWAY_IP);
    struct stacks *t = stacks_start(count);
    struct net *first = stacks_on(t, 0);
    struct frame f;

    assert_int_equal(net_addr_add(first, 0, &own, 24), RT_OK);
    assert_int_equal(net_gateway_set(first, 0, &gateway), RT_OK);
    frame_arp(&f, ARP_REQUEST, peer(), own);
    stacks_give(t, 0, &f);
    t->seen = t->sent;
    return t;
}

void stacks_stop(struct stacks *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        net_close(stacks_on(t, i));
        for (uint32_t k = 0; k < t->one[i].mails; k++) {
            move_all(t->one[i].mail[k], BUF_RING, BUF_STACK);
            buf_free(t->one[i].mail[k]);
        }
    }
    for (uint32_t i = 0; i < t->count; i++) {
        stacks_on(t, i);
        assert_int_equal(t->one[i].pool->free, t->one[i].pool->total);
    }
    assert_int_equal(buf_refusals(), 0);
    host_set_core(0);
    host_set_core_count(1);
    pool_forget_all();
    host_memory_reset();
    free(t);
}

/* ---- frames ---- */

void stacks_give(struct stacks *t, uint32_t number, const struct frame *frame)
{
    struct net *net = stacks_on(t, number);
    struct buf_batch batch = {.count = 1};
    struct buf *b = pool_take(t->one[number].pool);

    assert_non_null(b);
    assert_true(frame->bytes <= BUF_ROOM_BYTES);
    memcpy(buf_data(b), frame->data, frame->bytes);
    b->data_len = (uint16_t)frame->bytes;
    b->pkt_len = frame->bytes;
    b->segments = 1;
    batch.buf[0] = b;
    net_input(net, 0, &batch, t->now_us);
    stacks_turn(t);
}

const struct frame *stacks_next(struct stacks *t, uint32_t *by)
{
    assert_true(t->sent - t->seen <= STATION_FRAMES);
    if (t->seen == t->sent)
        return NULL;
    *by = t->by[t->seen % STATION_FRAMES];
    return &t->frames[t->seen++ % STATION_FRAMES];
}

void stacks_silent(struct stacks *t)
{
    assert_int_equal(t->sent - t->seen, 0);
}

static void add_tcp(struct frame *f, struct tcp_header tcp, uint32_t bytes)
{
    static const uint8_t mss[4] = {TCP_OPT_MSS, 4, 1460 >> 8, 1460 & 0xff};
    const bool syn = (be16_get(tcp.offset_flags) & TCP_SYN) != 0;
    const uint32_t header = sizeof(tcp) + (syn ? sizeof(mss) : 0);
    const struct ip_addr src = peer(), dst = ours();
    uint8_t data[1460];
    be16_t sum;

    tcp.offset_flags = be16_put((uint16_t)(be16_get(tcp.offset_flags) |
                                           header / 4 << TCP_OFFSET_SHIFT));
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)i;
    frame_ip(f, src, dst, IP_TCP, header + bytes);
    frame_add(f, &tcp, sizeof(tcp));
    frame_add(f, mss, header - (uint32_t)sizeof(tcp));
    frame_add(f, data, bytes);
    sum = csum_fold(csum_add(csum_pseudo(&src, &dst, IP_TCP, header + bytes), f->data + L4,
                             header + bytes));
    memcpy(f->data + L4 + offsetof(struct tcp_header, checksum), &sum, sizeof(sum));
}

void frame_tcp(struct frame *f, uint16_t src_port, uint16_t dst_port, uint16_t flags,
               uint32_t seq, uint32_t ack)
{
    const struct tcp_header tcp = {
        .src = be16_put(src_port), .dst = be16_put(dst_port), .seq = be32_put(seq),
        .ack = be32_put(ack), .offset_flags = be16_put(flags), .window = be16_put(65535)};

    add_tcp(f, tcp, 0);
}

void frame_tcp_data(struct frame *f, uint16_t src_port, uint16_t dst_port, uint32_t seq,
                    uint32_t ack, uint32_t bytes)
{
    const struct tcp_header tcp = {
        .src = be16_put(src_port), .dst = be16_put(dst_port), .seq = be32_put(seq),
        .ack = be32_put(ack), .offset_flags = be16_put(TCP_ACK | TCP_PSH),
        .window = be16_put(65535)};

    add_tcp(f, tcp, bytes);
}

const struct tcp_header *stacks_hear(struct stacks *t, uint32_t *by)
{
    const struct frame *f = stacks_next(t, by);

    assert_non_null(f);
    assert_int_equal(f->data[12] << 8 | f->data[13], ETH_IPV4);
    assert_int_equal(f->data[14 + 9], IP_TCP);
    return (const void *)(f->data + L4);
}

struct tcp_conn *stacks_accept(struct stacks *t, uint32_t number, uint16_t port, uint32_t *iss)
{
    const struct tcp_header *tcp;
    const uint32_t accepted = stacks_told.accepted;
    struct frame f;
    uint32_t by;

    frame_tcp(&f, port, STACKS_PORT, TCP_SYN, 1000, 0);
    stacks_give(t, number, &f);
    tcp = stacks_hear(t, &by);
    assert_int_equal(by, stacks_home(t, port, STACKS_PORT));
    assert_int_equal(be16_get(tcp->offset_flags) & TCP_FLAGS, TCP_SYN | TCP_ACK);
    *iss = be32_get(tcp->seq);
    frame_tcp(&f, port, STACKS_PORT, TCP_ACK, 1001, *iss + 1);
    stacks_give(t, number, &f);
    assert_int_equal(stacks_told.accepted, accepted + 1);
    assert_ptr_equal(stacks_told.conn->net, t->one[by].net);
    stacks_silent(t);
    return stacks_told.conn;
}
