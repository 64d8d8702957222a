/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include "tcp/segment.h"
#include "wire/checksum.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <string.h>

struct talk_told told;
struct buf *talk_kept;
static struct talk *talks; /* the one that runs */

/* ---- the application ---- */

static void on_accepted(struct tcp_conn *conn)
{
    told.accepted++;
    told.conn = conn;
}

static void on_connected(struct tcp_conn *conn)
{
    told.connected++;
    told.conn = conn;
}

static void check(const struct buf *chain, uint32_t bytes)
{
    uint32_t at = told.received_bytes;

    for (const struct buf *b = chain; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++, at++)
            if (buf_data(b)[i] != (uint8_t)(1 + at))
                fail_msg("byte %u", at);
    assert_int_equal(at, told.received_bytes + bytes);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    if (talks->checks)
        check(chain_owned, bytes);
    told.received_bytes += bytes;
    if (!talks->keeps) {
        tcp_give_back(conn->net, chain_owned);
        return;
    }
    chain_owned->user = (uintptr_t)talk_kept;
    talk_kept = chain_owned;
}

static void on_ended(struct tcp_conn *conn)
{
    told.ended++;
    if (talks->closes)
        tcp_close(conn);
}

static void on_room(struct tcp_conn *conn)
{
    told.room++;
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    told.closed++;
    told.reason = reason;
}

const struct tcp_ops talk_ops = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .ended = on_ended,
    .room = on_room,
    .closed = on_closed,
};

void talk_give_back(struct talk *t)
{
    while (talk_kept != NULL) {
        struct buf *chain = talk_kept;

        talk_kept = (struct buf *)(uintptr_t)chain->user;
        tcp_give_back(t->s.net, chain);
    }
}

void talk_send(struct talk *t, struct tcp_conn *conn, uint32_t bytes, uint32_t each)
{
    for (uint32_t done = 0; done < bytes; done += each) {
        struct buf *b = pool_take(t->s.pool);

        assert_non_null(b);
        b->data_len = (uint16_t)RT_MIN(each, bytes - done);
        b->pkt_len = b->data_len;
        memset(buf_data(b), (int)done, b->data_len);
        assert_true(tcp_try_send(conn, &b, 0));
    }
    net_turn(t->s.net, t->s.now_us);
}

/* ---- the peer ---- */

void talk_start(struct talk *t, const struct tcp_config *config, struct tcp_listen listen)
{
    *t = (struct talk){.window = 65535, .our_port = TALK_PORT};
    talks = t;
    told = (struct talk_told){0};
    talk_kept = NULL;
    station_start(&t->s, 2048);
    pool_takes_fail(false); /* each frame is accounted for */
    assert_int_equal(tcp_create(t->s.net, config), RT_OK);
    listen.port = TALK_PORT;
    listen.ops = &talk_ops;
    assert_int_equal(tcp_listen(t->s.net, &listen, &t->listener), RT_OK);
    station_meet(&t->s, peer());
    station_meet(&t->s, ip_addr_v4_of(GATEWAY_IP));
    talk_new(t, 1000);
}

void talk_stop(struct talk *t)
{
    talk_give_back(t);
    buf_batch_free(&t->waiting);
    station_stop(&t->s);
    assert_null(talk_kept);
}

void talk_new(struct talk *t, uint16_t port)
{
    t->from = peer();
    t->port = port;
    t->our_port = TALK_PORT;
    t->irs = 0x7ffffff0u + port * 7919u;
    t->iss = 0;
    t->options = (struct talk_options){.mss = 1460, .scale = TCP_NO_SCALE};
}

/* The checksum, and what Ethernet puts behind a short frame. */
static void finish_frame(const struct talk *t, struct frame *f, uint32_t segment_bytes)
{
    const struct ip_addr to = ours();
    const csum_t pseudo = csum_pseudo(&t->from, &to, IP_TCP, segment_bytes);
    const be16_t sum = csum_fold(csum_add(pseudo, f->data + 34, segment_bytes));

    memcpy(f->data + 34 + offsetof(struct tcp_header, checksum), &sum, sizeof(sum));
    frame_pad(f);
}

static void build(const struct talk *t, struct frame *f, uint16_t flags, uint32_t seq,
                  uint32_t ack, uint32_t bytes)
{
    const struct tcp_fields fields = {
        .src_port = t->port,
        .dst_port = t->our_port,
        .seq = t->irs + seq,
        .ack = (flags & A) != 0 ? t->iss + ack : 0,
        .flags = flags,
        .window = t->window,
        .options = {
            .mss = (flags & S) != 0 ? t->options.mss : 0,
            .scale = (flags & S) != 0 ? t->options.scale : TCP_NO_SCALE,
            .sack_permitted = (flags & S) != 0 && t->options.sack,
            .has_time = t->options.time_on,
            .time = t->options.time,
            .time_echo = t->options.time_echo,
        },
    };
    const uint32_t header_bytes = segment_header_bytes(&fields.options);
    struct buf *b = pool_take(t->s.pool);
    uint8_t data[2000];

    assert_non_null(b);
    segment_push_header(b, &fields);
    ((struct tcp_header *)(void *)buf_data(b))->urgent = be16_put(t->urgent);
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(seq + i);
    frame_ip(f, t->from, ours(), IP_TCP, header_bytes + bytes);
    frame_add(f, buf_data(b), header_bytes);
    frame_add(f, data, bytes);
    buf_free(b);
    if (t->wire)
        finish_frame(t, f, header_bytes + bytes);
}

void talk_flush(struct talk *t)
{
    net_input(t->s.net, 0, &t->waiting, t->s.now_us);
    net_turn(t->s.net, t->s.now_us);
}

void talk_give(struct talk *t, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    struct frame f;
    struct buf *b;

    build(t, &f, flags, seq, ack, bytes);
    b = pool_take(t->s.pool);
    assert_non_null(b);
    memcpy(buf_data(b), f.data, f.bytes);
    b->data_len = (uint16_t)f.bytes;
    b->pkt_len = f.bytes;
    b->flags = t->wire ? 0 : BUF_RX_L4_GOOD;
    t->waiting.buf[t->waiting.count++] = b;
    if (t->batch && t->waiting.count == BUF_BATCH_MAX) {
        net_input(t->s.net, 0, &t->waiting, t->s.now_us); /* no turn in between */
        return;
    }
    if (!t->batch)
        talk_flush(t);
}

/* ---- what left ---- */

/* NULL: none did. Frames that are no TCP are passed over. */
static const struct frame *next_segment(struct talk *t)
{
    const struct frame *f;

    while ((f = station_next(&t->s)) != NULL)
        if (f->data[12] == 0x08 && f->data[13] == 0x00 && f->data[23] == IP_TCP)
            return f;
    return NULL;
}

struct heard talk_hear(struct talk *t)
{
    const struct frame *f = next_segment(t);
    struct ip_packet packet = {.protocol = IP_TCP};
    struct tcp_segment segment;
    struct heard heard;
    be32_t dst;

    if (f == NULL)
        fail_msg("%s", "no segment left");
    memcpy(&dst, f->data + 30, sizeof(dst));
    packet.buf = pool_take(t->s.pool);
    assert_non_null(packet.buf);
    memcpy(buf_data(packet.buf), f->data + 34, f->bytes - 34);
    packet.buf->data_len = (uint16_t)((f->data[16] << 8 | f->data[17]) - 20);
    packet.buf->pkt_len = packet.bytes = packet.buf->data_len;
    packet.src = ours();
    packet.dst = ip_addr_v4(dst);
    assert_true(segment_parse(t->s.net, &packet, &segment));
    heard = (struct heard){
        .seq = segment.seq,
        .ack = segment.ack,
        .bytes = segment.bytes,
        .flags = segment.flags,
        .window = (uint16_t)segment.window,
        .src_port = segment.src_port,
        .dst_port = segment.dst_port,
        .dst = ip_addr_v4(dst),
        .options = segment.options,
    };
    buf_free(segment.buf);
    if ((heard.flags & S) != 0 && t->iss == 0)
        t->iss = heard.seq;
    heard.seq -= t->iss;
    heard.ack -= (heard.flags & A) != 0 ? t->irs : 0;
    if (heard.options.has_time)
        t->options.time_echo = heard.options.time;
    return heard;
}

void talk_expect(struct talk *t, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    const struct heard heard = talk_hear(t);

    assert_int_equal(heard.flags & ~P, flags);
    assert_int_equal(heard.seq, seq);
    assert_int_equal(heard.ack, ack);
    assert_int_equal(heard.bytes, bytes);
}

void talk_silent(struct talk *t)
{
    assert_null(next_segment(t));
}

void talk_drop_all(struct talk *t)
{
    t->s.seen = t->s.sent;
}

/* The neighbours are asked meanwhile, and answer. */
void talk_wait_ms(struct talk *t, uint32_t ms)
{
    struct frame f;

    for (uint32_t left = ms; left != 0;) {
        const uint32_t step = RT_MIN(left, 10000u);

        station_advance_us(&t->s, (uint64_t)step * 1000);
        left -= step;
        if (ms < 1000)
            continue;
        frame_arp(&f, ARP_REQUEST, peer(), ours());
        station_give(&t->s, &f, 0);
        frame_arp(&f, ARP_REQUEST, ip_addr_v4_of(GATEWAY_IP), ours());
        station_give(&t->s, &f, 0);
    }
}

/* ---- handshakes ---- */

struct tcp_conn *talk_accept(struct talk *t, uint16_t port)
{
    const uint32_t before = told.accepted;

    talk_new(t, port);
    talk_give(t, S, 0, 0, 0);
    talk_expect(t, S | A, 0, 1, 0);
    talk_give(t, A, 1, 1, 0);
    talk_silent(t);
    assert_int_equal(told.accepted, before + 1);
    return told.conn;
}

struct tcp_conn *talk_connect(struct talk *t)
{
    const struct ip_addr to = peer();
    struct tcp_conn *conn;
    struct heard syn;

    talk_new(t, 7);
    assert_int_equal(tcp_connect(t->s.net, &to, t->port, &talk_ops, NULL, &conn), RT_OK);
    net_turn(t->s.net, t->s.now_us);
    syn = talk_hear(t);
    assert_int_equal(syn.flags, S);
    t->our_port = syn.src_port;
    return conn;
}
