/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes from both sides, and what becomes of them while we have no room. */
#include "talk.h"

#include <string.h>

static const struct tcp_config config = {.conns = 256};

static const struct net_counters *counters(const struct talk *t)
{
    return net_counters(t->s.net);
}

/* ---- ours ---- */

/* The peer still has a connection with our port: told that it is none, and asked again. */
static void run_answer_of_another(void **state)
{
    static const uint16_t flags[] = {A, A | P, A | F};
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(flags); i++) {
        struct tcp_conn *conn = talk_connect(&t);

        talk_give(&t, flags[i], 777, 500, (flags[i] & P) != 0 ? 5 : 0);
        talk_expect(&t, R, 500, 0, 0);
        assert_int_equal(conn->state, TCP_SYN_SENT);
        talk_wait_ms(&t, 1100);
        talk_expect(&t, S, 0, 0, 0);
        talk_give(&t, S | A, 0, 1, 0);
        talk_expect(&t, A, 1, 1, 0);
        assert_int_equal(told.connected, i + 1);
        tcp_abort(conn);
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
    }
    talk_stop(&t);
}

/* A refusal counts at once, when it names what we sent. */
static void run_refused(void **state)
{
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    talk_connect(&t);
    talk_give(&t, R | A, 0, 500, 0);
    talk_give(&t, R, 0, 0, 0);
    assert_int_equal(told.closed, 0);
    talk_silent(&t);
    talk_give(&t, R | A, 0, 1, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_REFUSED);
    assert_int_equal(told.connected, 0);
    talk_stop(&t);
}

/* Both at once (RFC 9293 3.5, figure 8). The answers cross, too, and neither is asked for again. */
static void run_both_at_once(void **state)
{
    struct talk t;
    struct tcp_conn *conn;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    conn = talk_connect(&t);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    assert_int_equal(conn->state, TCP_SYN_RECEIVED);
    talk_give(&t, S | A, 0, 1, 0);
    assert_int_equal(conn->state, TCP_ESTABLISHED);
    assert_int_equal(told.connected, 1);
    talk_expect(&t, A, 1, 1, 0);
    talk_silent(&t);
    talk_give(&t, A, 1, 1, 10);
    assert_int_equal(told.received_bytes, 10);
    talk_stop(&t);
}

/* ---- the peer's ---- */

/* Our answer was lost: the same again. Much later the same SYN is asked about, once. */
static void run_syn_again(void **state)
{
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_wait_ms(&t, 900);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_give(&t, A, 1, 1, 0);
    assert_int_equal(told.accepted, 1);
    talk_silent(&t);
    talk_wait_ms(&t, 10000);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, A, 1, 1, 0);
    talk_silent(&t);
    assert_int_equal(told.accepted, 1);
    assert_int_equal(told.conn->state, TCP_ESTABLISHED);
    assert_int_equal(counters(&t)->tcp_out_rsts, 0);
    talk_stop(&t);
}

/* An answer to a SYN that carried data acknowledges the SYN alone: the data comes again. */
static void run_syn_with_data(void **state)
{
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    talk_give(&t, S, 0, 0, 100);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_give(&t, A, 1, 1, 100);
    assert_int_equal(told.accepted, 1);
    assert_int_equal(told.received_bytes, 100);
    talk_stop(&t);
}

/* ---- no room ---- */

/* A hundred peers at once at a backlog of four, all before the application runs; each sends ten
 * bytes. Whoever was answered is served, none is reset. `conns`: what the application takes. */
static void burst(uint32_t conns, uint32_t served_at_once)
{
    struct talk t;
    uint32_t iss[100];

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4, .conns_max = conns});
    t.batch = true;
    for (uint16_t i = 0; i < 100; i++) {
        talk_new(&t, 2000 + i);
        talk_give(&t, S, 0, 0, 0);
    }
    talk_flush(&t);
    for (uint16_t i = 0; i < 100; i++) {
        talk_new(&t, 2000 + i);
        assert_int_equal(talk_hear(&t).ack, 1);
        iss[i] = t.iss;
    }
    for (uint16_t i = 0; i < 100; i++) {
        talk_new(&t, 2000 + i);
        t.iss = iss[i];
        talk_give(&t, A, 1, 1, 0);
    }
    talk_flush(&t);
    assert_int_equal(told.accepted, served_at_once);
    for (uint32_t round = 0; round < 100 && told.received_bytes < 1000; round++) {
        t.s.now_us += 500000;
        for (uint16_t i = 0; i < 100; i++) {
            talk_new(&t, 2000 + i);
            t.iss = iss[i];
            talk_give(&t, A, 1, 1, 10);
        }
        talk_flush(&t);
        for (uint32_t i = 0; i < config.conns; i++) { /* served: the next ones have room */
            struct tcp_conn *conn = &t.s.net->tcp->conns[i];

            if (conns != 0 && conn->state == TCP_ESTABLISHED && conn->rcv_nxt == conn->irs + 11)
                tcp_listener_find(t.s.net, &conn->local, TALK_PORT)->conns_max++;
        }
    }
    assert_int_equal(told.accepted, 100);
    assert_int_equal(told.received_bytes, 1000);
    assert_int_equal(told.closed, 0);
    assert_int_equal(counters(&t)->tcp_out_rsts, 0);
    talk_stop(&t);
}

static void run_burst(void **state)
{
    burst(0, 100);
    burst(4, 4);
}

/* While nothing can be served SYNs have no answer; nor has an ACK of what was given up. */
static void run_paused(void **state)
{
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4, .conns_max = 1});
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    tcp_pause(t.listener, true);
    talk_give(&t, A, 1, 1, 0);
    talk_silent(&t);
    assert_int_equal(told.accepted, 0);
    talk_wait_ms(&t, 1100);
    talk_expect(&t, S | A, 0, 1, 0); /* it stays half open, and is asked again */
    talk_wait_ms(&t, 120000);
    talk_drop_all(&t);
    talk_give(&t, A | P, 1, 1, 10);
    talk_silent(&t);
    talk_new(&t, 1001);
    talk_give(&t, S, 0, 0, 0);
    talk_silent(&t);
    tcp_pause(t.listener, false);
    talk_accept(&t, 1002);
    talk_new(&t, 1003);
    talk_give(&t, S, 0, 0, 0); /* one is served, and there may be one */
    talk_silent(&t);
    assert_int_equal(counters(&t)->tcp_syn_dropped, 2);
    assert_int_equal(counters(&t)->tcp_out_rsts, 0);
    tcp_abort(told.conn);
    talk_wait_ms(&t, 1);
    talk_drop_all(&t);
    talk_accept(&t, 1004);
    talk_stop(&t);
}

/* The table is full: as well. */
static void run_table_full(void **state)
{
    static const struct tcp_config two = {.conns = 2};
    struct talk t;

    talk_start(&t, &two, (struct tcp_listen){.backlog = 1});
    talk_accept(&t, 1001);
    talk_accept(&t, 1002);
    talk_new(&t, 1003);
    talk_give(&t, S, 0, 0, 0);
    talk_silent(&t);
    assert_int_equal(counters(&t)->tcp_syn_dropped, 1);
    tcp_abort(told.conn);
    talk_wait_ms(&t, 1);
    talk_drop_all(&t);
    talk_accept(&t, 1004);
    talk_stop(&t);
}

/* The smallest link that IPv4 has (RFC 791 3.2): what a segment can carry is little, but no reason
 * to fall. */
static void run_smallest_link(void **state)
{
    struct talk t;
    struct net_setup setup;
    struct heard heard;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 1});
    net_setup_get(t.s.net, 0, &setup);
    setup.mtu_bytes = 68;
    assert_int_equal(net_setup_apply(t.s.net, 0, &setup), RT_OK);
    talk_new(&t, 1000);
    t.options.time_on = true;
    for (uint16_t i = 0; i < 2; i++) { /* the second is answered by a cookie */
        t.port = (uint16_t)(1000 + i);
        t.iss = 0;
        talk_give(&t, S, 0, 0, 0);
        heard = talk_hear(&t);
        assert_int_equal(heard.flags, S | A);
        assert_int_equal(heard.options.mss, 28);
    }
    talk_give(&t, A, 1, 1, 0);
    assert_int_equal(told.accepted, 1);
    talk_send(&t, told.conn, 20, 20);
    talk_expect(&t, A, 1, 1, 16);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_answer_of_another),
        cmocka_unit_test(run_refused),
        cmocka_unit_test(run_both_at_once),
        cmocka_unit_test(run_syn_again),
        cmocka_unit_test(run_syn_with_data),
        cmocka_unit_test(run_burst),
        cmocka_unit_test(run_paused),
        cmocka_unit_test(run_table_full),
        cmocka_unit_test(run_smallest_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
