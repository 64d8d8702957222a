/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of all connections at once; and that each connection has exactly one last event,
 * whatever happens to it. drain_test SEEDS [FIRST] plays others. */
#include "talk.h"

#include <stdlib.h>

static const struct tcp_config config = {.conns = 16};
static const struct tcp_listen listen = {.backlog = 8};
static uint32_t seeds = 120, first_seed = 1;

/* What was given is sent, then FIN; nobody new comes in; half-open ones are told. */
static void run_drain(void **state)
{
    struct talk t;
    struct tcp_conn *conn, *out;

    talk_start(&t, &config, listen);
    conn = talk_accept(&t, 1000);
    talk_send(&t, conn, 100, 100);
    talk_expect(&t, A, 1, 1, 100);
    talk_new(&t, 1001);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    tcp_drain(t.s.net);
    net_turn(t.s.net, t.s.now_us);
    talk_expect(&t, R | A, 1, 1, 0);
    talk_new(&t, 1002);
    talk_drop_all(&t);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, R | A, (uint32_t)0 - t.iss, 1, 0);
    assert_int_equal(tcp_connect(t.s.net, &t.from, 7, &talk_ops, NULL, &out), RT_FULL);
    assert_false(tcp_drained(t.s.net));
    talk_new(&t, 1000);
    t.irs = conn->irs;
    t.iss = conn->iss;
    talk_give(&t, A, 1, 101, 10); /* it may still say something */
    assert_int_equal(told.received_bytes, 10);
    talk_give(&t, F | A, 11, 102, 0);
    assert_int_equal(told.ended, 1);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_DONE);
    assert_true(tcp_drained(t.s.net));
    talk_stop(&t);
}

/* No more time: all are reset, and what they held is home. */
static void run_reset_all(void **state)
{
    struct talk t;

    talk_start(&t, &config, listen);
    for (uint16_t i = 0; i < 10; i++) {
        talk_accept(&t, 1000 + i);
        talk_send(&t, told.conn, 1000, 1000);
        talk_drop_all(&t);
    }
    talk_connect(&t);
    tcp_drain(t.s.net);
    talk_wait_ms(&t, 500);
    talk_drop_all(&t);
    tcp_reset_all(t.s.net);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(talk_hear(&t).flags, R | A);
    talk_silent(&t);
    assert_true(tcp_drained(t.s.net));
    assert_int_equal(told.closed, 1); /* the attempt; the others are told with the turn */
    net_turn(t.s.net, t.s.now_us);
    assert_int_equal(told.closed, 11);
    assert_int_equal(told.reason, TCP_STOPPED);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

/* ---- exactly one last event ---- */

static uint64_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16) % below;
}

/* Calls that were made for the one connection, in an order that has rules. */
static uint32_t opens, ends;
static bool over;
static struct tcp_conn *live; /* the application may call of it */

static void on_open(struct tcp_conn *conn)
{
    assert_false(over);
    assert_int_equal(opens++, 0);
    live = conn;
}

static void on_received(struct tcp_conn *conn, struct buf *chain_owned, uint32_t bytes)
{
    assert_false(over);
    assert_int_equal(opens, 1);
    assert_int_equal(ends, 0);
    tcp_give_back(conn->net, chain_owned);
}

static void on_ended(struct tcp_conn *conn)
{
    assert_false(over);
    assert_int_equal(opens, 1);
    assert_int_equal(ends++, 0);
    if (random_below(3) == 0)
        tcp_close(conn);
}

static void on_closed(struct tcp_conn *conn, enum tcp_reason reason)
{
    assert_false(over);
    assert_true(reason <= TCP_STOPPED);
    assert_string_not_equal(tcp_reason_name(reason), "");
    over = true;
    live = NULL;
}

static const struct tcp_ops random_ops = {
    .accepted = on_open,
    .connected = on_open,
    .received = on_received,
    .ended = on_ended,
    .closed = on_closed,
};

static void application_step(struct talk *t)
{
    struct buf *b;

    switch (random_below(8)) {
    case 0:
        tcp_shutdown(live);
        break;
    case 1:
        tcp_close(live);
        break;
    case 2:
        if (random_below(4) == 0)
            tcp_abort(live);
        break;
    case 3:
        tcp_set_keepalive(live, 1000 * random_below(3), 500, 1);
        tcp_set_user_timeout(live, 1000 * random_below(10));
        tcp_set_linger(live, 1000 * random_below(5));
        break;
    default:
        b = pool_take(t->s.pool);
        assert_non_null(b);
        b->data_len = 100;
        b->pkt_len = 100;
        if (!tcp_try_send(live, &b, 0))
            buf_free(b);
    }
}

/* A segment near what the connection expects: numbers a few off, any flags. */
static void peer_step(struct talk *t, const struct tcp_conn *conn)
{
    static const uint16_t flags[] = {A, A, A, A | P, F | A, F | A, S, S | A, R, R | A, 0,
                                     A | TCP_URG};
    const uint32_t seq = conn->rcv_nxt + (random_below(3) == 0 ? random_below(400) - 200 : 0);
    const uint32_t acks[] = {conn->snd_una, conn->snd_nxt, conn->snd_nxt + 1};

    t->irs = 0;
    t->iss = 0;
    t->window = random_below(3) == 0 ? 0 : 1000;
    talk_give(t, flags[random_below(RT_ARRAY_SIZE(flags))], seq,
              acks[random_below(RT_ARRAY_SIZE(acks))],
              random_below(3) == 0 ? random_below(300) : 0);
}

static void play(uint64_t seed)
{
    const struct tcp_config small = {.conns = 2, .time_waits = 1, .orphans = 1};
    struct talk t;
    struct tcp_conn *conn;
    const bool passive = seed % 2 != 0;

    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    opens = ends = 0;
    over = false;
    live = NULL;
    talk_start(&t, &small, listen);
    t.listener->ops = &random_ops;
    conn = &t.s.net->tcp->conns[0];
    if (passive) {
        talk_give(&t, S, 0, 0, 0);
        t.listener->paused = true; /* it is the only one */
    } else {
        assert_int_equal(tcp_connect(t.s.net, &t.from, t.port, &random_ops, NULL, &live), RT_OK);
        net_turn(t.s.net, t.s.now_us);
    }
    t.our_port = conn->local_port;
    for (uint32_t i = 0; i < 60; i++) {
        t.listener->paused = opens != 0;
        if (live != NULL && random_below(4) == 0)
            application_step(&t);
        else if (conn->state != TCP_CLOSED && random_below(8) != 0)
            peer_step(&t, conn);
        else
            talk_wait_ms(&t, 1 + random_below(3000));
        talk_drop_all(&t);
    }
    if (seed % 5 == 0)
        tcp_reset_all(t.s.net);
    else
        tcp_drain(t.s.net);
    for (uint32_t s = 0; s < 1000 && !tcp_drained(t.s.net); s += 10) {
        talk_wait_ms(&t, 10000);
        talk_drop_all(&t);
    }
    if (!tcp_drained(t.s.net))
        tcp_reset_all(t.s.net); /* a half-close may stay for ever */
    net_turn(t.s.net, t.s.now_us);
    assert_int_equal(over, opens != 0 || !passive);
    talk_stop(&t);
}

static void run_one_last_event(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
        play(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_drain),
        cmocka_unit_test(run_reset_all),
        cmocka_unit_test(run_one_last_event),
    };

    if (argc > 1)
        seeds = (uint32_t)atoi(argv[1]);
    if (argc > 2)
        first_seed = (uint32_t)atoi(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
