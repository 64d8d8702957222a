/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams between two stacks: an echo server, and a client that compares what comes back, over
 * a wire with every fault. stream_test SEEDS [FIRST] runs others. */
#include "pair.h"

#include <stdlib.h>
#include <string.h>

#define PORT 7

static uint32_t seeds = 30, first_seed = 1;

/* ---- the server: sends back what it gets ---- */
struct echo {
    struct net *net;
    struct buf *waiting[64]; /* what had no room, in order */
    uint32_t count;
    uint32_t accepted, closed;
    bool ended; /* the client sends no more */
};

static void echo_push(struct tcp_conn *conn)
{
    struct echo *e = tcp_ctx(conn);
    uint32_t sent = 0;

    while (sent < e->count && tcp_try_send(conn, &e->waiting[sent], 0))
        sent++;
    e->count -= sent;
    memmove(e->waiting, e->waiting + sent, e->count * sizeof(e->waiting[0]));
    if (e->ended && e->count == 0)
        tcp_close(conn);
}

static void echo_accepted(struct tcp_conn *conn)
{
    struct echo *e = tcp_ctx(conn);

    e->accepted++;
}

static void echo_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct echo *e = tcp_ctx(conn);

    assert_true(e->count < RT_ARRAY_SIZE(e->waiting));
    e->waiting[e->count++] = chain_owned;
    echo_push(conn);
}

static void echo_ended(struct tcp_conn *conn)
{
    struct echo *e = tcp_ctx(conn);

    e->ended = true;
    echo_push(conn);
}

static void echo_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct echo *e = tcp_ctx(conn);

    e->closed++;
    for (uint32_t i = 0; i < e->count; i++)
        tcp_give_back(e->net, e->waiting[i]);
    e->count = 0;
}

static const struct tcp_ops echo_ops = {
    .accepted = echo_accepted,
    .received = echo_received,
    .ended = echo_ended,
    .room = echo_push,
    .closed = echo_closed,
};

/* ---- the client: numbered bytes out, the same bytes in ---- */
struct client {
    struct pair *p;
    struct tcp_conn *conn;
    uint64_t total, sent, received;
    bool connected, ended, closed;
    enum tcp_reason reason;
};

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void client_push(struct client *c)
{
    while (c->sent < c->total) {
        struct buf *b = pool_take(pair_pool(c->p, 0));
        uint32_t bytes = 1 + pair_random(c->p, 2000);

        if (b == NULL)
            return;
        bytes = (uint32_t)RT_MIN(c->total - c->sent, bytes);
        for (uint32_t i = 0; i < bytes; i++)
            buf_data(b)[i] = byte_at(c->sent + i);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
        if (!tcp_try_send(c->conn, &b, 0)) {
            buf_free(b);
            return;
        }
        c->sent += bytes;
    }
    tcp_shutdown(c->conn);
}

static void client_connected(struct tcp_conn *conn)
{
    struct client *c = tcp_ctx(conn);

    c->connected = true;
    client_push(c);
}

static void client_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct client *c = tcp_ctx(conn);
    uint32_t seen = 0;

    for (const struct buf *b = chain_owned; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++, seen++)
            if (buf_data(b)[i] != byte_at(c->received + seen))
                fail_msg("byte %llu", (unsigned long long)(c->received + seen));
    assert_int_equal(seen, bytes);
    c->received += bytes;
    tcp_give_back(pair_net(c->p, 0), chain_owned);
}

static void client_ended(struct tcp_conn *conn)
{
    struct client *c = tcp_ctx(conn);

    c->ended = true;
    tcp_close(conn);
}

static void client_room(struct tcp_conn *conn)
{
    client_push(tcp_ctx(conn));
}

static void client_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct client *c = tcp_ctx(conn);

    assert_false(c->closed);
    c->closed = true;
    c->reason = reason;
}

static const struct tcp_ops client_ops = {
    .connected = client_connected,
    .received = client_received,
    .ended = client_ended,
    .room = client_room,
    .closed = client_closed,
};

static bool is_closed(void *ctx)
{
    struct client *c = ctx;

    if (c->connected && !c->closed && c->sent < c->total)
        client_push(c); /* where a buffer was missing before */
    return c->closed;
}

static void run_stream(struct wire_rules rules, uint64_t total, uint64_t seed, uint64_t limit_us)
{
    /* The pools of a hostile build are small, and their takes fail. */
    const uint32_t most = POOL_HOSTILE ? 32768 : 0;
    const struct tcp_config config = {.conns = 8, .rx_window = most, .tx_room = most};
    struct pair p;
    struct echo echo = {.count = 0};
    struct client client = {.p = &p, .total = total};
    const struct tcp_listen listen = {.port = PORT, .backlog = 4, .ops = &echo_ops, .ctx = &echo};
    struct tcp_listener *listener;
    const struct ip_addr server = pair_addr(1);

    pair_start(&p, 1024, &config, rules, seed);
    echo.net = pair_net(&p, 1);
    assert_int_equal(tcp_listen(pair_net(&p, 1), &listen, &listener), RT_OK);
    assert_int_equal(tcp_connect(pair_net(&p, 0), &server, PORT, &client_ops, &client,
                                 &client.conn),
                     RT_OK);
    if (!pair_run(&p, limit_us, is_closed, &client))
        fail_msg("seed %llu: %llu of %llu bytes came back", (unsigned long long)seed,
                 (unsigned long long)client.received, (unsigned long long)total);
    assert_int_equal(client.reason, TCP_DONE);
    assert_int_equal(client.received, total);
    assert_int_equal(client.reason, TCP_DONE);
    assert_true(client.connected && client.ended);
    pair_run(&p, 400000000, NULL, NULL); /* TIME-WAIT is over, though it began anew */
    assert_int_equal(echo.accepted, 1);
    assert_int_equal(echo.closed, 1);
    assert_int_equal(net_next_us(pair_net(&p, 0)), UINT64_MAX); /* no timer is left */
    assert_int_equal(net_next_us(pair_net(&p, 1)), UINT64_MAX);
    pair_stop(&p);
}

/* On a clean wire nothing waits for a timer, unless a take failed. */
static void run_clean(void **state)
{
    const uint64_t slower = POOL_HOSTILE ? 100 : 1;

    for (uint64_t total = 0; total < 5; total++)
        run_stream((struct wire_rules){.delay_us = 50}, total, 1, 1000000 * slower);
    run_stream((struct wire_rules){.delay_us = 50, .hold_us = 20}, 3000000, 1,
               20000000 * slower);
    run_stream((struct wire_rules){.delay_us = 50000, .hold_us = 300000}, 300000, 1,
               60000000 * slower);
}

static void run_faults(void **state)
{
    for (uint32_t seed = first_seed; seed < first_seed + seeds; seed++)
        run_stream((struct wire_rules){.loss = 50, .repeat = 20, .reorder = 50, .delay_us = 1000,
                                       .hold_us = seed % 3 * 3000},
                   200000, seed, 600000000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_clean),
        cmocka_unit_test(run_faults),
    };

    if (argc > 1)
        seeds = (uint32_t)atoi(argv[1]);
    if (argc > 2)
        first_seed = (uint32_t)atoi(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
