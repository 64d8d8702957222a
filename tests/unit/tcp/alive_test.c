/* SPDX-License-Identifier: BSD-2-Clause */
/* Peers that say nothing any more: keepalive, user timeout, windows that stay closed. */
#include "talk.h"

static const struct tcp_config config = {.conns = 256};
static const struct tcp_listen listen = {.backlog = 8};

static void start(struct talk *t)
{
    talk_start(t, &config, listen);
    talk_accept(t, 1000);
}

/* Asked after 10 s of silence; the answer begins the silence anew. */
static void run_keepalive_answered(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_keepalive(told.conn, 10000, 1000, 3);
    talk_wait_ms(&t, 9000);
    talk_give(&t, A, 1, 1, 10); /* heard */
    talk_wait_ms(&t, 9900);
    talk_expect(&t, A, 1, 11, 0);
    talk_silent(&t);
    for (uint32_t i = 0; i < 5; i++) {
        talk_wait_ms(&t, i == 0 ? 200 : 10100);
        talk_expect(&t, A, 0, 11, 0); /* one number too old: it must be answered */
        talk_give(&t, A, 11, 1, 0);
        talk_silent(&t);
    }
    assert_int_equal(told.closed, 0);
    assert_int_equal(net_counters(t.s.net)->tcp_keepalives, 5);
    talk_stop(&t);
}

static void run_keepalive_silent(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_keepalive(told.conn, 10000, 1000, 3);
    talk_wait_ms(&t, 12900);
    for (uint32_t i = 0; i < 3; i++)
        talk_expect(&t, A, 0, 1, 0);
    talk_silent(&t);
    assert_int_equal(told.closed, 0);
    talk_wait_ms(&t, 200);
    talk_expect(&t, R | A, 1, 1, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_TIMED_OUT);
    talk_stop(&t);
}

/* Off again: nobody is asked. And one that is over leaves no timer. */
static void run_keepalive_off(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_keepalive(told.conn, 10000, 1000, 3);
    tcp_set_keepalive(told.conn, 0, 0, 0);
    talk_wait_ms(&t, 60000);
    talk_silent(&t);
    tcp_set_keepalive(told.conn, 10000, 1000, 3);
    tcp_abort(told.conn);
    talk_wait_ms(&t, 60000);
    assert_int_equal(net_counters(t.s.net)->tcp_keepalives, 0);
    talk_stop(&t);
}

/* While something is on its way its own timer asks. */
static void run_keepalive_with_data(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_keepalive(told.conn, 500, 100, 1);
    talk_send(&t, told.conn, 10, 10);
    talk_expect(&t, A, 1, 1, 10);
    talk_wait_ms(&t, 950);
    assert_int_equal(told.closed, 0);
    assert_int_equal(net_counters(t.s.net)->tcp_keepalives, 0);
    talk_stop(&t);
}

/* Nothing is acknowledged for five seconds. */
static void run_user_timeout(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_user_timeout(told.conn, 5000);
    talk_wait_ms(&t, 60000); /* idle: nothing to be acknowledged */
    assert_int_equal(told.closed, 0);
    talk_send(&t, told.conn, 10, 10);
    talk_wait_ms(&t, 4900);
    assert_int_equal(told.closed, 0);
    talk_wait_ms(&t, 300);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_TIMED_OUT);
    talk_stop(&t);
}

/* ... though something was every three. */
static void run_user_timeout_progress(void **state)
{
    struct talk t;

    start(&t);
    tcp_set_user_timeout(told.conn, 5000);
    talk_send(&t, told.conn, 100, 10);
    for (uint32_t i = 1; i <= 10; i++) {
        talk_wait_ms(&t, 3000);
        talk_give(&t, A, 1, 1 + 10 * i, 0);
    }
    assert_int_equal(told.closed, 0);
    talk_stop(&t);
}

/* A window that stays closed, and probes that are answered: the connection lives as long as its
 * application wants it to (RFC 9293 3.8.6.1). */
static void hold(uint32_t user_timeout_ms, uint32_t wait_ms, bool lives)
{
    struct talk t;

    start(&t);
    tcp_set_user_timeout(told.conn, user_timeout_ms);
    t.window = 0;
    talk_give(&t, A, 1, 1, 0);
    talk_send(&t, told.conn, 100, 100);
    for (uint32_t ms = 0; ms < wait_ms; ms += 100) {
        const uint32_t sent = t.s.sent;

        talk_wait_ms(&t, 100);
        if (t.s.sent != sent)
            talk_give(&t, A, 1, 1, 0);
        talk_drop_all(&t);
    }
    assert_int_equal(told.closed, !lives);
    if (!lives) {
        assert_int_equal(told.reason, TCP_TIMED_OUT);
        assert_int_equal(t.s.pool->free, t.s.pool->total);
    }
    talk_stop(&t);
}

static void run_zero_window(void **state)
{
    hold(0, 1200000, true);
    hold(30000, 29000, true);
    hold(30000, 31500, false);
}

/* Many peers that take nothing (sockstress): memory comes back when the user timeout is over,
 * or, when the applications have closed, by the time of orphans. */
static void hold_many(bool closes)
{
    const struct tcp_config timed = {.conns = 64, .orphans = 64,
                                     .user_timeout_ms = closes ? 0 : 60000};
    struct talk t;

    talk_start(&t, &timed, (struct tcp_listen){.backlog = 64});
    for (uint16_t i = 0; i < 50; i++) {
        talk_accept(&t, 1000 + i);
        t.window = 0;
        talk_give(&t, A, 1, 1, 0);
        talk_send(&t, told.conn, 1000, 1000);
        if (closes)
            tcp_close(told.conn);
        t.window = 65535;
    }
    assert_true(t.s.pool->free + 50 <= t.s.pool->total);
    for (uint32_t s = 0; s < 200; s++) {
        talk_wait_ms(&t, 1000);
        talk_drop_all(&t);
        t.window = 0;
        for (uint16_t i = 0; i < 50; i++) { /* each answers every second */
            struct tcp_conn *conn = &t.s.net->tcp->conns[i];

            talk_new(&t, 1000 + i);
            if (conn->state == TCP_CLOSED)
                continue;
            t.port = conn->remote_port;
            t.irs = conn->irs;
            t.iss = conn->iss;
            talk_give(&t, A, 1, 1, 0);
        }
        talk_drop_all(&t);
    }
    assert_int_equal(told.closed, 50);
    assert_int_equal(told.reason, TCP_TIMED_OUT);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

static void run_sockstress(void **state)
{
    hold_many(false);
    hold_many(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_keepalive_answered),
        cmocka_unit_test(run_keepalive_silent),
        cmocka_unit_test(run_keepalive_off),
        cmocka_unit_test(run_keepalive_with_data),
        cmocka_unit_test(run_user_timeout),
        cmocka_unit_test(run_user_timeout_progress),
        cmocka_unit_test(run_zero_window),
        cmocka_unit_test(run_sockstress),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
