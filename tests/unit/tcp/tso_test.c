/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments that the device cuts up: a stream is the same with and without, over a bad wire, too;
 * fewer frames, no copies. tso_test SEEDS [FIRST]. */
#include "pair.h"

#include "state.h"
#include "tcp/conn.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 7, TSO_BUFS = 32 };

static uint32_t seeds = 12, first_seed = 1;

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* ---- one way: a client that sends, a server that looks at what comes ---- */
struct flow {
    struct pair *p;
    struct tcp_conn *conn; /* of the client */
    uint64_t total, sent, received;
    uint32_t each; /* bytes of a buffer; 0: any */
    bool stood, ended;
    uint32_t closed;
    enum tcp_reason reason;
};

static struct flow flow;

static void push(struct tcp_conn *conn)
{
    while (flow.sent < flow.total) {
        struct buf *b = pool_take(pair_pool(flow.p, 0));
        uint32_t bytes = flow.each != 0 ? flow.each : 1 + pair_random(flow.p, BUF_ROOM_BYTES);

        if (b == NULL)
            return;
        bytes = (uint32_t)RT_MIN(flow.total - flow.sent, bytes);
        for (uint32_t i = 0; i < bytes; i++)
            buf_data(b)[i] = byte_at(flow.sent + i);
        b->data_len = (uint16_t)bytes;
        b->pkt_len = bytes;
        if (!tcp_try_send(conn, &b, 0)) {
            buf_free(b);
            return;
        }
        flow.sent += bytes;
    }
    tcp_close(conn);
}

static void connected(struct tcp_conn *conn)
{
    flow.stood = true;
    push(conn);
}

static void received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    for (const struct buf *b = chain_owned; b != NULL; b = b->next)
        for (uint32_t i = 0; i < b->data_len; i++)
            if (buf_data(b)[i] != byte_at(flow.received++))
                fail_msg("byte %llu", (unsigned long long)flow.received - 1);
    tcp_give_back(pair_net(flow.p, 1), chain_owned);
}

static void client_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    fail_msg("%u bytes came back", bytes);
}

static void closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    flow.closed++;
    flow.reason = reason;
}

static const struct tcp_ops client_ops = {
    .connected = connected, .room = push, .received = client_received, .closed = closed};
static const struct tcp_ops server_ops = {.received = received, .closed = closed};

static bool is_over(void *ctx)
{
    if (flow.stood && flow.sent < flow.total && flow.closed == 0)
        push(flow.conn); /* where a buffer was missing before */
    return flow.closed == 2;
}

static void run(struct pair *p, struct wire_rules rules, uint64_t seed, uint64_t total,
                uint32_t each)
{
    const uint32_t most = POOL_HOSTILE ? 32768 : 0;
    const struct tcp_config config = {.conns = 8, .rx_window = most, .tx_room = most};
    const struct tcp_listen how = {.port = PORT, .backlog = 4, .ops = &server_ops};
    const struct ip_addr server = pair_addr(1);
    struct tcp_listener *listener;

    pair_start(p, 1024, &config, rules, seed);
    flow = (struct flow){.p = p, .total = total, .each = each};
    assert_int_equal(tcp_listen(pair_net(p, 1), &how, &listener), RT_OK);
    assert_int_equal(tcp_connect(pair_net(p, 0), &server, PORT, &client_ops, NULL, &flow.conn),
                     RT_OK);
    if (!pair_run(p, 600000000, is_over, NULL))
        fail_msg("seed %llu: %llu of %llu bytes arrived", (unsigned long long)seed,
                 (unsigned long long)flow.received, (unsigned long long)total);
    assert_int_equal(flow.received, total);
    assert_int_equal(flow.reason, TCP_DONE);
}

static const struct wire_rules good = {.delay_us = 500, .hold_us = 20, .cards = true,
                                       .tso = true, .bufs = TSO_BUFS};

/* Buffers longer than a segment: without TSO each has to be cut, and that is a copy. */
static void run_good_wire(void **state)
{
    static const uint32_t sizes[] = {1448, 2048, 700, 0};
    const uint64_t total = POOL_HOSTILE ? 200000 : 3000000;

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
        struct wire_rules rules = good;
        struct pair p;
        const struct net_counters *c;
        uint64_t packets;

        run(&p, rules, 1, total, sizes[i]);
        c = net_counters(pair_net(&p, 0));
        if (!POOL_HOSTILE) { /* nothing is missing there, and nothing waits */
            assert_int_equal(c->tcp_copied_bytes, 0);
            assert_int_equal(c->tcp_retrans_segs, 0);
            packets = c->tcp_out_segs;
            assert_in_range(packets, total / 1448, total / 1448 * 2);
            assert_true((p.frames - net_counters(pair_net(&p, 1))->tcp_out_segs) * 3 < packets);
        }
        pair_stop(&p);
    }
}

static void run_bad_wire(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        const struct wire_rules rules = {.loss = 30, .repeat = 10, .reorder = 30, .delay_us = 800,
                                         .hold_us = (uint32_t)(seed % 3 * 2000), .cards = true,
                                         .tso = true, .bufs = seed % 4 == 0 ? 3 : TSO_BUFS};
        struct pair p;

        run(&p, rules, seed, 300000, seed % 2 == 0 ? 0 : 2048);
        pair_stop(&p);
    }
}

/* A device of few descriptors: no frame is longer than it takes, with TSO or without. */
static void run_few_bufs(void **state)
{
    for (uint32_t i = 0; i < 4; i++) {
        const struct wire_rules rules = {.delay_us = 500, .hold_us = 20, .cards = true,
                                         .tso = i % 2 == 0, .bufs = i < 2 ? 2 : 3};
        struct pair p;

        run(&p, rules, 1, 100000, 400); /* more than three are a segment */
        pair_stop(&p);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_good_wire),
        cmocka_unit_test(run_bad_wire),
        cmocka_unit_test(run_few_bufs),
    };

    if (argc > 1)
        seeds = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = (uint32_t)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
