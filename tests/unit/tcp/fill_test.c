/* SPDX-License-Identifier: BSD-2-Clause */
/* Two applications that fill each other: both send until they are refused, and take nothing; or
 * they send back what they get and have no room for more. Their stacks ask now and then, and never
 * answer an answer; when buffers come back all go on. */
#include "pair.h"

#include <string.h>

enum { PORT = 7, WINDOW = 16384, TOTAL = 100000 };

struct end {
    struct pair *p;
    unsigned side;
    bool sends, echoes; /* bytes of its own; what it gets, while it does not read */
    struct tcp_conn *conn;
    struct buf *kept; /* chains by `user`; given back only while `reads` */
    uint32_t sent, received, given_back;
    bool reads, closed;
};

static struct end ends[2];

/* What it keeps goes back to its peer, as far as there is room. */
static void send_back(struct end *e)
{
    while (e->conn != NULL && e->kept != NULL) {
        struct buf *chain = e->kept, *next = (struct buf *)(uintptr_t)chain->user;

        if (!tcp_try_send(e->conn, &chain, 0))
            return;
        e->kept = next;
    }
}

static void give_back(struct end *e)
{
    while (e->kept != NULL) {
        struct buf *chain = e->kept;

        e->kept = (struct buf *)(uintptr_t)chain->user;
        e->given_back += chain->pkt_len;
        tcp_give_back(pair_net(e->p, e->side), chain);
    }
}

static void push(struct end *e)
{
    while (e->sends && e->conn != NULL && e->sent < TOTAL) {
        struct buf *b = pool_take(pair_pool(e->p, e->side));

        if (b == NULL)
            return;
        b->data_len = 1000;
        b->pkt_len = 1000;
        memset(buf_data(b), (int)e->side, 1000);
        if (!tcp_try_send(e->conn, &b, 0)) {
            buf_free(b);
            return;
        }
        e->sent += 1000;
    }
}

static void on_open(struct tcp_conn *conn)
{
    struct end *e = tcp_ctx(conn);

    e->conn = conn;
    push(e);
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    struct end *e = tcp_ctx(conn);

    e->received += bytes;
    chain_owned->user = (uintptr_t)e->kept;
    e->kept = chain_owned;
    if (e->reads)
        give_back(e);
    else if (e->echoes)
        send_back(e);
}

static void on_room(struct tcp_conn *conn)
{
    struct end *e = tcp_ctx(conn);

    if (e->echoes && !e->reads)
        send_back(e);
    push(e);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    struct end *e = tcp_ctx(conn);

    e->closed = true;
    e->conn = NULL;
}

static const struct tcp_ops ops = {.accepted = on_open, .connected = on_open,
                                   .received = on_received, .room = on_room,
                                   .closed = on_closed};

static bool all_came(void *ctx)
{
    for (unsigned i = 0; i < 2; i++)
        push(&ends[i]); /* where a buffer was missing before */
    return ends[0].received == TOTAL && ends[1].received == TOTAL;
}

static void start(struct pair *p)
{
    static const struct tcp_config config = {.conns = 4, .rx_window = WINDOW, .tx_room = WINDOW};
    const struct tcp_listen listen = {.port = PORT, .backlog = 2, .ops = &ops, .ctx = &ends[1]};
    const struct ip_addr server = pair_addr(1);
    struct tcp_listener *listener;

    pair_start(p, 512, &config, (struct wire_rules){.delay_us = 100}, 1);
    for (unsigned i = 0; i < 2; i++)
        ends[i] = (struct end){.p = p, .side = i, .sends = true};
    assert_int_equal(tcp_listen(pair_net(p, 1), &listen, &listener), RT_OK);
    assert_int_equal(tcp_connect(pair_net(p, 0), &server, PORT, &ops, &ends[0], &ends[0].conn),
                     RT_OK);
}

static void run_fill(void **state)
{
    struct pair p;
    uint64_t carried, received;

    start(&p);
    pair_run(&p, 30000000, NULL, NULL); /* a part that had no buffer at first went, too */
    received = ends[0].received + ends[1].received;
    carried = p.carried;
    assert_true(ends[0].kept != NULL && ends[1].kept != NULL);
    assert_in_range(received, 2000, 4 * WINDOW);
    pair_run(&p, 120000000, NULL, NULL);
    assert_int_equal(ends[0].received + ends[1].received, received);
    assert_in_range(p.carried - carried, 2, POOL_HOSTILE ? 200 : 60); /* probes, and answers */
    for (unsigned i = 0; i < 2; i++) {
        assert_false(ends[i].closed);
        ends[i].reads = true;
        give_back(&ends[i]);
    }
    assert_true(pair_run(&p, 300000000, all_came, NULL));
    for (unsigned i = 0; i < 2; i++) {
        give_back(&ends[i]);
        tcp_close(ends[i].conn);
    }
    pair_run(&p, 200000000, NULL, NULL);
    assert_true(ends[0].closed);
    assert_true(ends[1].closed);
    pair_stop(&p);
}

static bool all_was_read(void *ctx)
{
    const struct end *reader = ctx;

    for (unsigned i = 0; i < 2; i++)
        on_room(ends[i].conn); /* where a buffer was missing before */
    return reader->given_back == TOTAL;
}

/* An application that sends back what it gets, and a peer that sends and does not read: all stands
 * still, since both keep all that they may. Or a peer that sends back, too, so that bytes go round
 * for ever. Then one of them reads, and gets all. */
static void fill_echo(bool both)
{
    const uint32_t begin_us = both ? 1000000 : 60000000; /* what goes round costs time of ours */
    struct end *reader = &ends[both];
    struct pair p;
    uint64_t carried;
    uint32_t sent;

    start(&p);
    ends[1].sends = false;
    ends[1].echoes = true;
    ends[0].echoes = both;
    pair_run(&p, begin_us, NULL, NULL);
    sent = ends[0].sent;
    carried = p.carried;
    assert_in_range(sent, 2000, TOTAL - 1000);
    pair_run(&p, 2 * begin_us, NULL, NULL);
    assert_int_equal(ends[0].sent, sent);
    if (!both)
        assert_in_range(p.carried - carried, 1, POOL_HOSTILE ? 200 : 60);
    reader->reads = true;
    give_back(reader);
    assert_true(pair_run(&p, 300000000, all_was_read, reader));
    for (unsigned i = 0; i < 2; i++) {
        assert_false(ends[i].closed);
        give_back(&ends[i]);
        tcp_close(ends[i].conn);
    }
    pair_run(&p, 200000000, NULL, NULL);
    assert_true(ends[0].closed && ends[1].closed);
    pair_stop(&p);
}

static void run_echo(void **state)
{
    fill_echo(false);
    fill_echo(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_fill),
                                       cmocka_unit_test(run_echo)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
