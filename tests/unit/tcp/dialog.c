/* SPDX-License-Identifier: BSD-2-Clause */
#include "dialog.h"

#include "state.h"
#include "wire/eth.h"
#include "wire/ip.h"

#include <mempool/ext.h>
#include <mempool/pool.h>
#include <string.h>

enum { PORT = 80, OUR_BUFFERS = 900 };

static struct dialog *current; /* the one of this test */

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}

/* ---- our application ---- */

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct dialog *t = tcp_ctx(conn);

    t->received += bytes;
    if (t->holds)
        t->chains[t->chain_count++] = chain_owned;
    else
        tcp_give_back(conn->net, chain_owned);
}

static void on_ended(struct tcp_conn *conn)
{
}

static void on_room(struct tcp_conn *conn)
{
    struct dialog *t = tcp_ctx(conn);

    t->rooms++;
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct dialog *t = tcp_ctx(conn);

    t->closed++;
    t->why = reason;
}

static const struct tcp_ops ops = {
    .received = on_received, .ended = on_ended, .room = on_room, .closed = on_closed};

/* ---- a device that may hold what it sends ---- */

static void device_done(struct buf *frame)
{
    struct buf *next;

    for (struct buf *b = frame; b != NULL; b = next) {
        next = b->next;
        buf_to_nic(b->owner);
        if (current->device_holds)
            current->kept[current->kept_count++] = b;
        else
            buf_sent((struct buf_ref){b, b->owner});
    }
}

static void device_send(void *ctx, struct buf_batch *batch)
{
    struct station *s = ctx;
    uint32_t taken = 0;

    for (; taken < batch->count && s->accepts != 0; taken++) {
        struct frame *f = &s->frames[s->sent++ % STATION_FRAMES];

        s->accepts -= s->accepts != UINT32_MAX;
        f->bytes = 0;
        for (const struct buf *b = batch->buf[taken]; b != NULL; b = b->next)
            frame_add(f, buf_start(b), buf_bytes(b));
        device_done(batch->buf[taken]);
    }
    batch->count -= taken;
    memmove(batch->buf, batch->buf + taken, batch->count * sizeof(batch->buf[0]));
}

void dialog_device_done(struct dialog *t)
{
    for (uint32_t i = 0; i < t->kept_count; i++)
        buf_sent((struct buf_ref){t->kept[i], t->kept[i]->owner});
    t->kept_count = 0;
}

/* ---- the peer ---- */

static void put_options(uint8_t *to, const struct tcp_options *o, uint16_t flags,
                        uint32_t *bytes)
{
    struct buf *b = pool_take(current->s.pool);
    const struct tcp_fields fields = {.options = *o, .flags = flags};

    assert_non_null(b);
    b->data_off += 64;
    b->data_len = 0;
    segment_push_header(b, &fields);
    *bytes = b->data_len - (uint32_t)sizeof(struct tcp_header);
    memcpy(to, buf_data(b) + sizeof(struct tcp_header), *bytes);
    buf_free(b);
}

static void give(struct dialog *t, const struct said *said, const struct tcp_options *options)
{
    uint8_t option[40], data[4096];
    uint32_t option_bytes;
    struct tcp_header tcp = {
        .src = be16_put(PORT),
        .dst = be16_put(t->conn->local_port),
        .seq = be32_put(t->peer_iss + said->seq),
        .window = be16_put((uint16_t)said->window),
    };
    const uint16_t flags = said->flags != 0 ? said->flags : TCP_ACK;
    struct ipv4_header *ip;
    struct frame f;

    put_options(option, options, flags, &option_bytes);
    if ((flags & TCP_ACK) != 0)
        tcp.ack = be32_put(t->our_iss + said->ack);
    tcp.offset_flags = be16_put((uint16_t)((5 + option_bytes / 4) << TCP_OFFSET_SHIFT | flags));
    for (uint32_t i = 0; i < said->bytes; i++)
        data[i] = (uint8_t)(said->seq + i);
    ip = frame_ip(&f, ip_addr_v4_of(PEER_IP), ip_addr_v4_of(OUR_IP), 6,
                  (uint32_t)sizeof(tcp) + option_bytes + said->bytes);
    ip->tos = t->tos;
    frame_ip_sum(ip);
    frame_add(&f, &tcp, sizeof(tcp));
    frame_add(&f, option, option_bytes);
    frame_add(&f, data, said->bytes);
    station_give_flags(&t->s, &f, 0, BUF_RX_L4_GOOD);
}

void dialog_give(struct dialog *t, const struct said *said)
{
    struct tcp_options options = said->options;

    options.scale = TCP_NO_SCALE;
    if (t->how.time && !options.has_time) {
        options.has_time = true;
        options.time = t->peer_time_ms;
        options.time_echo = t->peer_echo;
    }
    for (uint32_t i = 0; i < options.sack_count; i++) {
        options.sacks[i].first += t->our_iss;
        options.sacks[i].end += t->our_iss;
    }
    give(t, said, &options);
}

void dialog_ack(struct dialog *t, uint32_t ack, uint32_t window, const uint32_t *blocks)
{
    struct said said = {.seq = t->conn->rcv_nxt - t->peer_iss, .ack = ack, .window = window};

    for (uint32_t i = 0; blocks != NULL && blocks[i] != 0; i += 2) {
        said.options.sacks[i / 2].first = blocks[i];
        said.options.sacks[i / 2].end = blocks[i + 1];
        said.options.sack_count++;
    }
    dialog_give(t, &said);
}

/* ---- what we say ---- */

static void read_options(const uint8_t *at, uint32_t bytes, struct tcp_options *out)
{
    for (uint32_t i = 0, length; i < bytes && at[i] != TCP_OPT_END; i += length) {
        be32_t words[8];

        length = at[i] == TCP_OPT_NOP ? 1 : at[i + 1];
        if (at[i] == TCP_OPT_NOP)
            continue;
        assert_in_range(length, 2, bytes - i);
        memcpy(words, at + i + 2, RT_MIN(length - 2, sizeof(words)));
        if (at[i] == TCP_OPT_TIMESTAMPS) {
            out->has_time = true;
            out->time = be32_get(words[0]);
            out->time_echo = be32_get(words[1]);
        } else if (at[i] == TCP_OPT_SACK) {
            out->sack_count = (length - 2) / 8;
            for (uint32_t k = 0; k < out->sack_count; k++) {
                out->sacks[k].first = be32_get(words[2 * k]) - current->peer_iss;
                out->sacks[k].end = be32_get(words[2 * k + 1]) - current->peer_iss;
            }
        }
    }
}

static bool is_arp(const struct frame *f)
{
    return ((const struct eth_header *)(const void *)f->data)->type.raw ==
           be16_put(ETH_ARP).raw;
}

bool dialog_next(struct dialog *t, struct said *out)
{
    const struct frame *f = station_next(&t->s);
    const struct ipv4_header *ip;
    const struct tcp_header *tcp;
    uint32_t header_bytes;

    while (f != NULL && is_arp(f))
        f = station_next(&t->s);
    if (f == NULL)
        return false;
    ip = (const struct ipv4_header *)(const void *)(f->data + sizeof(struct eth_header));
    tcp = (const struct tcp_header *)(const void *)(ip + 1);
    assert_int_equal(ip->protocol, IP_TCP);
    header_bytes = (be16_get(tcp->offset_flags) >> TCP_OFFSET_SHIFT) * 4u;
    *out = (struct said){
        .seq = be32_get(tcp->seq) - t->our_iss,
        .ack = be32_get(tcp->ack) - t->peer_iss,
        .window = be16_get(tcp->window),
        .bytes = be16_get(ip->total_bytes) - (uint32_t)sizeof(*ip) - header_bytes,
        .flags = be16_get(tcp->offset_flags) & TCP_FLAGS,
        .tos = ip->tos,
    };
    t->peer_echo = 0;
    read_options((const uint8_t *)(tcp + 1), header_bytes - (uint32_t)sizeof(*tcp),
                 &out->options);
    t->peer_echo = out->options.time;
    for (uint32_t i = 0; i < out->bytes && out->seq != 0; i++)
        assert_int_equal(((const uint8_t *)tcp)[header_bytes + i], byte_at(out->seq + i - 1));
    return true;
}

void dialog_expect(struct dialog *t, uint32_t seq, uint32_t bytes)
{
    struct said said;

    if (!dialog_next(t, &said))
        fail_msg("nothing was sent, not %u:%u", seq, seq + bytes);
    if (said.seq != seq || said.bytes != bytes)
        fail_msg("%u:%u was sent, not %u:%u", said.seq, said.seq + said.bytes, seq, seq + bytes);
}

uint32_t dialog_expect_run(struct dialog *t, uint32_t seq, uint32_t bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        dialog_expect(t, seq + i * bytes, bytes);
    return seq + count * bytes;
}

void dialog_expect_ack(struct dialog *t, uint32_t seq, uint32_t ack)
{
    struct said said;

    assert_true(dialog_next(t, &said));
    assert_int_equal(said.bytes, 0);
    assert_int_equal(said.flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK), TCP_ACK);
    assert_int_equal(said.seq, seq);
    assert_int_equal(said.ack, ack);
}

void dialog_silent(struct dialog *t)
{
    struct said said;

    if (dialog_next(t, &said))
        fail_msg("%u:%u ack %u flags %x was sent", said.seq, said.seq + said.bytes, said.ack,
                 said.flags);
}

/* The peer answers whoever asks for its MAC. */
static void answer_arp(struct dialog *t)
{
    for (; t->arp_seen < t->s.sent; t->arp_seen++) {
        struct frame reply;

        if (!is_arp(&t->s.frames[t->arp_seen % STATION_FRAMES]))
            continue;
        frame_arp(&reply, ARP_REPLY, peer(), ours());
        station_give(&t->s, &reply, 0);
    }
}

void dialog_wait_us(struct dialog *t, uint64_t us)
{
    const uint64_t step_us = 500000;

    for (; us > step_us; us -= step_us) {
        station_advance_us(&t->s, step_us);
        answer_arp(t);
    }
    station_advance_us(&t->s, us);
    answer_arp(t);
}

/* ---- begun and ended ---- */

static void set_first(struct tcp_conn *conn, uint32_t iss)
{
    conn->iss = iss;
    conn->snd_una = iss;
    conn->snd_nxt = conn->snd_end = iss + 1;
}

void dialog_start(struct dialog *t, const struct dialog_how *how)
{
    const struct ip_addr to = peer();
    struct said syn, answer = {.flags = TCP_SYN | TCP_ACK, .ack = 1, .window = how->window};
    struct tcp_options options = {.scale = how->scale != 0 ? how->scale : TCP_NO_SCALE,
                                  .sack_permitted = how->sack, .has_time = how->time};

    *t = (struct dialog){.how = *how, .peer_time_ms = 1000};
    current = t;
    station_start(&t->s, how->buffers != 0 ? how->buffers : OUR_BUFFERS);
    t->s.net->ifs[0].config.send = device_send;
    t->how.config.conns = 1;
    assert_int_equal(tcp_create(t->s.net, &t->how.config), RT_OK);
    station_meet(&t->s, to);
    assert_int_equal(tcp_connect(t->s.net, &to, PORT, &ops, t, &t->conn), RT_OK);
    if (how->our_iss != 0)
        set_first(t->conn, how->our_iss);
    t->our_iss = t->conn->iss;
    t->peer_iss = how->peer_iss != 0 ? how->peer_iss : 7000;
    station_advance_us(&t->s, 1);
    assert_true(dialog_next(t, &syn));
    t->syn_flags = syn.flags;
    options.mss = how->mss == DIALOG_NO_MSS ? 0 : how->mss != 0 ? how->mss : 1460;
    options.time = t->peer_time_ms;
    options.time_echo = syn.options.time;
    answer.flags |= how->ecn ? TCP_ECE : 0;
    dialog_wait_us(t, 9999); /* a round trip of 10 ms */
    give(t, &answer, &options);
    assert_int_equal(t->conn->state, TCP_ESTABLISHED);
    assert_true(dialog_next(t, &syn));
    dialog_silent(t);
}

void dialog_stop(struct dialog *t)
{
    dialog_device_done(t);
    t->device_holds = false;
    for (uint32_t i = 0; i < t->chain_count; i++)
        tcp_give_back(t->s.net, t->chains[i]);
    if (t->closed == 0) {
        tcp_abort(t->conn);
        dialog_wait_us(t, 1);
    }
    assert_int_equal(t->closed, 1);
    station_stop(&t->s);
}

void dialog_send(struct dialog *t, uint32_t bytes, uint32_t most, uint32_t flags)
{
    while (bytes > 0) {
        struct buf *b = pool_take(t->s.pool);
        const uint32_t part = RT_MIN(bytes, most);

        assert_non_null(b);
        for (uint32_t i = 0; i < part; i++)
            buf_data(b)[i] = byte_at(t->given + i);
        b->data_len = (uint16_t)part;
        b->pkt_len = part;
        assert_true(tcp_try_send(t->conn, &b, flags));
        t->given += part;
        bytes -= part;
    }
    dialog_wait_us(t, 0);
}
