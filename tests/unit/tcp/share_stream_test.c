/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams between a plain stack and several that share an address: some begun by either side. The
 * wire loses and reorders, frames come in by any queue, messages between the cores are late, and
 * lost when a ring is full. share_stream_test SEEDS [FIRST] runs others.
 */
#include "stacks.h"

#include "wire/eth.h"

#include <mempool/ext.h>
#include <rt/host.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAMS = 6,
    BYTES = POOL_HOSTILE ? 20000 : 100000, /* of each, there and back */
    WINDOW = 32768,
    FLYING = 512,
    ROUND_US = 200,
    LIMIT_US = 600000000,
    LOST = 20, REORDERED = 50, LATE = 300, /* of 1000: frames, frames, stacks in a round */
};

static uint32_t seeds = 60, first_seed = 1;

/* One end of a connection: it sends bytes and compares what comes back, or sends back. */
struct end {
    struct tcp_conn *conn;
    bool talks, connected, closed;
    enum tcp_reason reason;
    uint32_t sent, received;
    struct buf *waiting[64]; /* to be sent back, when there is room */
    uint32_t count;
    bool ended; /* the other sends no more */
};

struct flying {
    bool to_plain;
    struct frame frame;
};

static struct {
    struct stacks *t;
    struct net *plain; /* on the core behind the others */
    struct pool *pool;
    uint64_t random;
    struct flying flying[FLYING];
    uint32_t flying_count;
    struct end talkers[STREAMS], echoes[STREAMS];
    uint32_t echo_count;
} w;

static uint32_t draw(uint32_t below)
{
    w.random ^= w.random << 13;
    w.random ^= w.random >> 7;
    w.random ^= w.random << 17;
    return (uint32_t)(w.random >> 16) % below;
}

static uint8_t byte_at(uint32_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}

/* ---- the applications ---- */

static void talk(struct end *e)
{
    while (e->sent < BYTES) {
        const uint32_t wanted = 1 + draw(2000), bytes = RT_MIN(wanted, BYTES - e->sent);
        struct buf *b = pool_take(e->conn->net->config.pool);

        if (b == NULL)
            return;
        for (uint32_t i = 0; i < bytes; i++)
            buf_data(b)[i] = byte_at(e->sent + i);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
        if (!tcp_try_send(e->conn, &b, 0)) {
            buf_free(b);
            return;
        }
        e->sent += bytes;
        if (e->sent == BYTES)
            tcp_shutdown(e->conn);
    }
}

static void send_back(struct end *e)
{
    uint32_t sent = 0;

    while (sent < e->count && tcp_try_send(e->conn, &e->waiting[sent], 0))
        sent++;
    e->count -= sent;
    memmove(e->waiting, e->waiting + sent, e->count * sizeof(e->waiting[0]));
    if (e->ended && e->count == 0)
        tcp_close(e->conn);
}

static void on_accepted(struct tcp_conn *conn)
{
    assert_true(w.echo_count < STREAMS);
    w.echoes[w.echo_count].conn = conn;
    tcp_set_ctx(conn, &w.echoes[w.echo_count++]);
}

static void on_connected(struct tcp_conn *conn)
{
    struct end *e = tcp_ctx(conn);

    e->connected = true;
    talk(e);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct end *e = tcp_ctx(conn);

    if (!e->talks) {
        assert_true(e->count < RT_ARRAY_SIZE(e->waiting));
        e->waiting[e->count++] = chain_owned;
        send_back(e);
        return;
    }
    for (const struct buf *b = chain_owned; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++)
            assert_int_equal(buf_data(b)[i], byte_at(e->received++));
    tcp_give_back(conn->net, chain_owned);
}

static void on_ended(struct tcp_conn *conn)
{
    struct end *e = tcp_ctx(conn);

    e->ended = true;
    if (e->talks)
        tcp_close(conn);
    else
        send_back(e);
}

static void on_room(struct tcp_conn *conn)
{
    struct end *e = tcp_ctx(conn);

    if (e->talks)
        talk(e);
    else
        send_back(e);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct end *e = tcp_ctx(conn);

    for (uint32_t i = 0; i < e->count; i++)
        tcp_give_back(conn->net, e->waiting[i]);
    e->count = 0;
    assert_false(e->closed);
    e->closed = true;
    e->reason = reason;
}

static const struct tcp_ops ops = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .ended = on_ended,
    .room = on_room,
    .closed = on_closed,
};

/* ---- the wire ---- */

static void fly(const struct frame *f, bool to_plain)
{
    const uint8_t type = f->data[13];

    if (type == (ETH_IPV4 & 0xff) && draw(1000) < LOST)
        return;
    assert_true(w.flying_count < FLYING);
    w.flying[w.flying_count].to_plain = to_plain;
    w.flying[w.flying_count++].frame = *f;
}

static void plain_send(void *ctx, struct buf_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct frame f = {.bytes = 0};
        struct buf *next;

        for (struct buf *b = batch->buf[i]; b != NULL; b = next) {
            next = b->next;
            frame_add(&f, buf_start(b), buf_bytes(b));
            buf_to_nic(b->owner);
            buf_sent((struct buf_ref){b, b->owner});
        }
        fly(&f, false);
    }
    batch->count = 0;
}

/* What the card has no buffer for is lost. */
static void arrive(const struct flying *f, struct net *net, struct pool *pool)
{
    struct buf_batch batch = {.count = 1};
    struct buf *b = pool_take(pool);

    if (b == NULL)
        return;
    memcpy(buf_data(b), f->frame.data, f->frame.bytes);
    b->data_len = (uint16_t)f->frame.bytes;
    b->pkt_len = f->frame.bytes;
    b->segments = 1;
    batch.buf[0] = b;
    net_input(net, 0, &batch, w.t->now_us);
}

static struct net *on_plain(void)
{
    host_set_core(w.t->count);
    return w.plain;
}

/* All frames that fly arrive, the stacks' ones by any queue, but ARP, which has no hash. */
static void land(void)
{
    const uint32_t count = w.flying_count;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct flying *f = &w.flying[i];
        const bool arp = f->frame.data[13] == (ETH_ARP & 0xff);
        const uint32_t queue = arp ? 0 : draw(w.t->count);

        if (draw(1000) < REORDERED) {
            w.flying[kept++] = *f; /* with the next round */
            continue;
        }
        if (f->to_plain)
            arrive(f, on_plain(), w.pool);
        else
            arrive(f, stacks_on(w.t, queue), w.t->one[queue].pool);
    }
    memmove(&w.flying[kept], &w.flying[count],
            (w.flying_count - count) * sizeof(w.flying[0])); /* sent meanwhile */
    w.flying_count = kept + w.flying_count - count;
}

/* ---- a run ---- */

static void push(struct end *e)
{
    if (e->connected && !e->closed && e->sent < BYTES)
        talk(e); /* where a buffer was missing before */
}

static void round_of_all(void)
{
    const struct frame *f;
    uint32_t by;

    w.t->now_us += ROUND_US;
    land();
    for (uint32_t i = 0; i < w.t->count; i++) {
        if (draw(1000) < LATE)
            continue; /* this core is busy with something else */
        stacks_on(w.t, i);
        for (uint32_t k = STREAMS / 2 + i; k < STREAMS; k += w.t->count)
            push(&w.talkers[k]);
        stacks_step(w.t, i);
    }
    on_plain();
    for (uint32_t k = 0; k < STREAMS / 2; k++)
        push(&w.talkers[k]);
    net_turn(w.plain, w.t->now_us);
    while ((f = stacks_next(w.t, &by)) != NULL)
        fly(f, true);
}

static void make_plain(void)
{
    static const struct tcp_config tcp = {.conns = 16, .rx_window = WINDOW, .tx_room = WINDOW};
    const struct tcp_listen listen = {.port = STACKS_PORT, .backlog = 8, .ops = &ops};
    struct net_config config = {.core = w.t->count, .key = "a secret of its"};
    struct net_if_config iface = {.mtu_bytes = 1500, .send = plain_send};
    const struct ip_addr addr = peer();
    struct tcp_listener *listener;
    uint32_t index;

    host_set_core_count(w.t->count + 1);
    on_plain();
    assert_int_equal(pool_create("plain", w.t->count, w.t->count + 1, 512, &w.pool), RT_OK);
    config.pool = w.pool;
    memcpy(iface.mac, peer_mac, 6);
    assert_int_equal(net_create(&config, w.t->now_us, &w.plain), RT_OK);
    assert_int_equal(tcp_create(w.plain, &tcp), RT_OK);
    assert_int_equal(net_if_add(w.plain, &iface, &index), RT_OK);
    assert_int_equal(net_addr_add(w.plain, 0, &addr, 24), RT_OK);
    assert_int_equal(tcp_listen(w.plain, &listen, &listener), RT_OK);
}

static void connect_all(void)
{
    const struct ip_addr ends[2] = {ours(), peer()};

    for (uint32_t k = 0; k < STREAMS; k++) {
        const bool from_plain = k < STREAMS / 2;
        struct net *net = from_plain ? on_plain()
                                     : stacks_on(w.t, (k - STREAMS / 2) % w.t->count);

        w.talkers[k].talks = true;
        assert_int_equal(tcp_connect(net, &ends[!from_plain], STACKS_PORT, &ops, &w.talkers[k],
                                     &w.talkers[k].conn), RT_OK);
    }
}

static bool all_closed(void)
{
    for (uint32_t k = 0; k < STREAMS; k++)
        if (!w.talkers[k].closed || k >= w.echo_count || !w.echoes[k].closed)
            return false;
    return true;
}

static void run_seed(uint64_t seed)
{
    const uint32_t count = 2 + seed % 2;

    memset(&w, 0, sizeof(w));
    w.random = seed * 2 + 1;
    w.t = stacks_start_with(count, &ops, WINDOW);
    w.t->mail_room = 4 + draw(STACKS_MAIL - 4);
    make_plain();
    pool_takes_fail(true);
    connect_all();
    for (uint32_t us = 0; us < LIMIT_US && !all_closed(); us += ROUND_US)
        round_of_all();
    for (uint32_t k = 0; k < STREAMS; k++)
        if (w.talkers[k].reason != TCP_DONE || w.talkers[k].received != BYTES)
            fail_msg("seed %llu: stream %u: %s, %u bytes back", (unsigned long long)seed, k,
                     tcp_reason_name(w.talkers[k].reason), w.talkers[k].received);
    assert_true(all_closed());
    net_close(on_plain());
    assert_int_equal(w.pool->free, w.pool->total);
    stacks_stop(w.t);
}

static void run_seeds(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
        run_seed(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_seeds)};

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 0);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
