/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a connection, from either side, and what a peer may still say. */
#include "talk.h"

static const struct tcp_config config = {.conns = 16, .time_waits = 3, .orphans = 3};
static const struct tcp_listen listen = {.backlog = 8};

static uint32_t free_conns(const struct talk *t)
{
    uint32_t count = 0;

    for (const struct tcp_conn *c = t->s.net->tcp->free; c != NULL; c = c->chain)
        count++;
    return count;
}

static void start(struct talk *t)
{
    talk_start(t, &config, listen);
    talk_accept(t, 1000);
}

static void run_half_close(void **state)
{
    struct talk t;

    start(&t);
    tcp_shutdown(told.conn);
    talk_wait_ms(&t, 1);
    talk_expect(&t, F | A, 1, 1, 0);
    talk_give(&t, A, 1, 2, 0);
    talk_wait_ms(&t, 300000); /* only closed ones are given up in FIN-WAIT-2 */
    for (uint32_t i = 0; i < 10; i++) {
        talk_give(&t, A, 1 + i * 100, 2, 100);
        talk_wait_ms(&t, 50);
        talk_expect(&t, A, 2, 101 + i * 100, 0);
    }
    assert_int_equal(told.received_bytes, 1000);
    talk_give(&t, F | A, 1001, 2, 0);
    talk_expect(&t, A, 2, 1002, 0);
    assert_int_equal(told.ended, 1);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_DONE);
    talk_stop(&t);
}

/* The peer's data crosses our FIN, or rides on its own: counted, delivered, both FINs too. */
static void run_data_crosses_fin(void **state)
{
    for (uint32_t one = 0; one < 2; one++) {
        struct talk t;

        start(&t);
        tcp_shutdown(told.conn);
        talk_wait_ms(&t, 1);
        talk_expect(&t, F | A, 1, 1, 0);
        if (one == 0)
            talk_give(&t, A | P, 1, 1, 23);
        talk_give(&t, F | A, one == 0 ? 24 : 1, 1, one == 0 ? 0 : 23);
        talk_wait_ms(&t, 50);
        talk_expect(&t, A, 2, 25, 0);
        assert_int_equal(told.received_bytes, 23);
        assert_int_equal(told.conn->state, TCP_CLOSING);
        talk_give(&t, A, 25, 2, 0);
        assert_int_equal(told.conn->state, TCP_TIME_WAIT);
        assert_int_equal(told.closed, 1);
        assert_int_equal(told.reason, TCP_DONE);
        talk_stop(&t);
    }
}

/* Closed with 3000 bytes queued and a window of 1000; the peer's FIN is there first; our FIN is
 * lost twice. */
static void run_fin_behind_queue(void **state)
{
    struct talk t;

    talk_start(&t, &config, listen);
    t.window = 1000;
    talk_accept(&t, 1000);
    talk_send(&t, told.conn, 3000, 1000);
    talk_expect(&t, A, 1, 1, 1000);
    tcp_close(told.conn);
    talk_give(&t, F | A, 1, 1, 0);
    talk_expect(&t, A, 1001, 2, 0);
    talk_give(&t, A, 2, 1001, 0);
    talk_expect(&t, A, 1001, 2, 1000);
    talk_give(&t, A, 2, 2001, 0);
    talk_expect(&t, F | A, 2001, 2, 1000);
    talk_wait_ms(&t, 100);
    talk_silent(&t);
    for (uint32_t i = 0; i < 2; i++) {
        talk_give(&t, A, 2, 3001, 0); /* all but the FIN */
        talk_wait_ms(&t, 2000u << i);
        talk_expect(&t, F | A, 3001, 2, 0);
        talk_drop_all(&t);
    }
    talk_give(&t, A, 2, 3002, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_DONE);
    talk_stop(&t);
}

/* Closed while something was not read: the peer must not believe that it was. */
static void run_unread(void **state)
{
    struct talk t;
    struct tcp_conn *conn;

    start(&t);
    conn = told.conn;
    t.keeps = true;
    talk_give(&t, A, 1, 1, 1000);
    t.batch = true;
    talk_give(&t, A, 1001, 1, 1000);
    net_input(t.s.net, 0, &t.waiting, t.s.now_us); /* not told yet */
    talk_drop_all(&t);
    tcp_close(conn);
    net_turn(t.s.net, t.s.now_us);
    talk_expect(&t, R | A, 1, 2001, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_ABORTED);
    assert_int_equal(told.received_bytes, 1000);
    for (uint32_t i = 0; i < 1000; i++) /* still the application's */
        assert_int_equal(buf_data(talk_kept)[i], (uint8_t)(1 + i));
    t.batch = false;
    talk_stop(&t);
}

/* All was read; what comes behind close is refused. */
static void run_data_behind_close(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, A, 1, 1, 100);
    tcp_close(told.conn);
    talk_wait_ms(&t, 1);
    talk_expect(&t, F | A, 1, 101, 0);
    talk_give(&t, A, 101, 2, 0);
    assert_int_equal(told.closed, 0);
    talk_give(&t, A, 101, 2, 100);
    talk_expect(&t, R, 2, 0, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_ABORTED);
    assert_int_equal(free_conns(&t), config.conns);
    talk_stop(&t);
}

static void run_abort(void **state)
{
    struct talk t;

    start(&t);
    talk_send(&t, told.conn, 3000, 1000);
    talk_drop_all(&t);
    tcp_abort(told.conn);
    assert_int_equal(told.closed, 0); /* with the turn, not from inside the call */
    tcp_abort(told.conn);
    net_turn(t.s.net, t.s.now_us);
    talk_expect(&t, R | A, 2001, 1, 0); /* the last one waits (Nagle) */
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_ABORTED);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

/* Lingering: acknowledged in time, too late, and no time at all. */
static void run_linger(void **state)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct talk t;

        start(&t);
        talk_send(&t, told.conn, 100, 100);
        talk_expect(&t, A, 1, 1, 100);
        tcp_set_linger(told.conn, i < 2 ? 3000 : 0);
        tcp_close(told.conn);
        talk_wait_ms(&t, 1);
        if (i == 0) {
            talk_expect(&t, F | A, 101, 1, 0);
            talk_give(&t, F | A, 1, 102, 0);
            assert_int_equal(told.reason, TCP_DONE);
        } else {
            if (i == 1) {
                assert_int_equal(told.closed, 0);
                talk_wait_ms(&t, 2900);
                assert_int_equal(told.closed, 0);
                talk_drop_all(&t);
                talk_wait_ms(&t, 101);
            }
            talk_expect(&t, R | A, 101 + (i == 1), 1, 0);
            assert_int_equal(told.reason, i == 1 ? TCP_TIMED_OUT : TCP_ABORTED);
        }
        assert_int_equal(told.closed, 1);
        talk_stop(&t);
    }
}

/* ---- bounded numbers ---- */

static void run_orphans(void **state)
{
    struct talk t;
    struct tcp_conn *conns[5];

    talk_start(&t, &config, listen);
    for (uint16_t i = 0; i < 5; i++) {
        conns[i] = talk_accept(&t, 1000 + i);
        talk_send(&t, conns[i], 100, 100);
        talk_drop_all(&t);
    }
    for (uint32_t i = 0; i < 5; i++)
        tcp_close(conns[i]);
    talk_wait_ms(&t, 1);
    assert_int_equal(told.closed, 2); /* the two that were closed first */
    assert_int_equal(told.reason, TCP_ABORTED);
    assert_int_equal(conns[0]->state, TCP_CLOSED);
    assert_int_equal(conns[1]->state, TCP_CLOSED);
    assert_int_equal(conns[2]->state, TCP_FIN_WAIT_1);
    assert_int_equal(net_counters(t.s.net)->tcp_out_rsts, 2);
    assert_int_equal(net_counters(t.s.net)->tcp_orphans_full, 2);
    talk_wait_ms(&t, 300000); /* and nobody answers the others */
    assert_int_equal(told.closed, 5);
    assert_int_equal(told.reason, TCP_TIMED_OUT);
    assert_int_equal(free_conns(&t), config.conns);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

static void to_time_wait(struct talk *t, uint16_t port)
{
    talk_accept(t, port);
    tcp_close(told.conn);
    talk_wait_ms(t, 1);
    talk_expect(t, F | A, 1, 1, 0);
    talk_give(t, F | A, 1, 2, 0);
    talk_expect(t, A, 2, 2, 0);
    assert_int_equal(told.conn->state, TCP_TIME_WAIT);
}

/* More than may be: the oldest goes. A table without room: also. */
static void run_time_waits(void **state)
{
    struct talk t;
    uint32_t told_before;

    talk_start(&t, &config, listen);
    for (uint16_t i = 0; i < 5; i++)
        to_time_wait(&t, 1000 + i);
    assert_int_equal(told.closed, 5);
    assert_int_equal(free_conns(&t), config.conns - 3);
    assert_int_equal(net_counters(t.s.net)->tcp_time_wait_full, 2);
    told_before = told.closed;
    for (uint16_t i = 0; i < config.conns; i++)
        talk_accept(&t, 2000 + i);
    assert_int_equal(told.closed, told_before);
    assert_int_equal(free_conns(&t), 0);
    assert_int_equal(net_counters(t.s.net)->tcp_time_wait_full, 5);
    talk_stop(&t);
}

static void run_time_wait_ends(void **state)
{
    struct talk t;

    talk_start(&t, &config, listen);
    to_time_wait(&t, 1000);
    assert_int_equal(told.closed, 1);
    talk_wait_ms(&t, 59000);
    talk_give(&t, F | A, 1, 2, 0); /* our last ACK was lost: again, and the time begins anew */
    talk_expect(&t, A, 2, 2, 0);
    talk_wait_ms(&t, 59000);
    assert_int_equal(free_conns(&t), config.conns - 1);
    talk_wait_ms(&t, 1100);
    assert_int_equal(free_conns(&t), config.conns);
    assert_int_equal(told.closed, 1);
    talk_stop(&t);
}

/* A peer that vanishes: in every state that waits for it, timers end it, and buffers come home. */
static void run_vanished(void **state)
{
    for (uint32_t kind = 0; kind < 6; kind++) {
        struct talk t;

        start(&t);
        if (kind == 4)
            talk_send(&t, told.conn, 1000, 100);
        if (kind == 1 || kind == 3) {
            talk_give(&t, F | A, 1, 1, 0);
            talk_drop_all(&t);
        }
        if (kind != 4)
            tcp_close(told.conn); /* FIN-WAIT-1; 1: LAST-ACK */
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
        if (kind == 2) /* FIN-WAIT-2 */
            talk_give(&t, A, 1, 2, 0);
        if (kind == 5) /* CLOSING */
            talk_give(&t, F | A, 1, 1, 0);
        for (uint32_t s = 0; s < 1200 && told.closed == 0; s += 10) {
            talk_wait_ms(&t, 10000);
            talk_drop_all(&t);
        }
        assert_int_equal(told.closed, 1);
        assert_int_equal(told.reason, TCP_TIMED_OUT);
        assert_int_equal(free_conns(&t), config.conns);
        assert_int_equal(t.s.pool->free, t.s.pool->total);
        talk_stop(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_half_close),
        cmocka_unit_test(run_data_crosses_fin),
        cmocka_unit_test(run_fin_behind_queue),
        cmocka_unit_test(run_unread),
        cmocka_unit_test(run_data_behind_close),
        cmocka_unit_test(run_abort),
        cmocka_unit_test(run_linger),
        cmocka_unit_test(run_orphans),
        cmocka_unit_test(run_time_waits),
        cmocka_unit_test(run_time_wait_ends),
        cmocka_unit_test(run_vanished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
