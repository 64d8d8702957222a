/* SPDX-License-Identifier: BSD-2-Clause */
/* Congestion that is marked, on connections that peers begin (RFC 3168 6.1.1): agreed on as they
 * ask, told of, answered; and a peer that has asked and tries again without. */
#include "talk.h"

#include "wire/ip.h"

#define ASKS (TCP_ECE | TCP_CWR)

/* The packet of the next segment that waits has these two bits. */
static void mark(struct talk *t, uint32_t which, uint8_t tos)
{
    struct ipv4_header *ip =
        (struct ipv4_header *)(void *)(buf_data(t->waiting.buf[which]) + 14);

    ip->tos = tos;
    frame_ip_sum(ip);
}

static uint8_t tos_of_next(const struct talk *t)
{
    return t->s.frames[t->s.seen % STATION_FRAMES].data[15];
}

static struct tcp_conn *start(struct talk *t, enum tcp_ecn_use use, uint16_t asked,
                              uint16_t answered)
{
    const struct tcp_config config = {.conns = 4, .ecn = use};

    talk_start(t, &config, (struct tcp_listen){.backlog = 4});
    talk_give(t, S | asked, 0, 0, 0);
    assert_int_equal(tos_of_next(t), 0); /* control packets are never marked (6.1.1) */
    talk_expect(t, S | A | answered, 0, 1, 0);
    talk_give(t, A, 1, 1, 0);
    return told.conn;
}

static void run_agreed(void **state)
{
    static const struct {
        enum tcp_ecn_use use;
        uint16_t asked;
        bool on;
    } rows[] = {
        {TCP_ECN_ACCEPT, ASKS, true},    {TCP_ECN_ASK, ASKS, true},
        {TCP_ECN_OFF, ASKS, false},      {TCP_ECN_ACCEPT, 0, false},
        {TCP_ECN_ACCEPT, TCP_ECE, false}, {TCP_ECN_ACCEPT, TCP_CWR, false},
    };

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct tcp_conn *conn;
        struct talk t;

        conn = start(&t, rows[i].use, rows[i].asked, rows[i].on ? TCP_ECE : 0);
        assert_int_equal(conn->ecn.on, rows[i].on);
        talk_send(&t, conn, 100, 100);
        assert_int_equal(tos_of_next(&t), rows[i].on ? IP_ECN_ECT0 : 0);
        talk_expect(&t, A, 1, 1, 100);
        talk_stop(&t);
    }
}

/* A mark: every ACK tells, until the peer has reduced its window; one mark of a batch is enough. */
static void run_marked(void **state)
{
    struct talk t;

    start(&t, TCP_ECN_ACCEPT, ASKS, TCP_ECE);
    t.batch = true;
    for (uint32_t i = 0; i < 4; i++) {
        talk_give(&t, A, 1 + i * 100, 1, 100);
        mark(&t, i, i == 1 ? IP_ECN_CE : IP_ECN_ECT0);
    }
    talk_flush(&t);
    talk_expect(&t, A | TCP_ECE, 1, 201, 0);
    talk_expect(&t, A | TCP_ECE, 1, 401, 0);
    talk_silent(&t);
    assert_int_equal(net_counters(t.s.net)->tcp_ecn_marked, 1);
    assert_int_equal(told.received_bytes, 400);
    talk_give(&t, A, 401, 1, 100);
    talk_give(&t, A, 501, 1, 100);
    talk_flush(&t);
    talk_expect(&t, A | TCP_ECE, 1, 601, 0);
    talk_give(&t, A | TCP_CWR, 601, 1, 100);
    talk_give(&t, A, 701, 1, 100);
    talk_flush(&t);
    talk_expect(&t, A, 1, 801, 0);
    talk_give(&t, A | TCP_CWR, 801, 1, 100); /* it answers, and was marked again */
    mark(&t, 0, IP_ECN_CE);
    talk_flush(&t);
    talk_expect(&t, A | TCP_ECE, 1, 901, 0);
    talk_stop(&t);
}

/* The peer tells of a mark: cwnd shrinks, new data says so, once. */
static void run_told(void **state)
{
    struct tcp_conn *conn;
    uint32_t cwnd;
    struct talk t;

    conn = start(&t, TCP_ECN_ACCEPT, ASKS, TCP_ECE);
    tcp_set_nodelay(conn, true);
    talk_send(&t, conn, 4000, 1000);
    for (uint32_t i = 0; i < 4; i++)
        talk_expect(&t, A, 1 + i * 1000, 1, 1000);
    cwnd = conn->cc.cwnd;
    talk_give(&t, A | TCP_ECE, 1, 2001, 0);
    talk_give(&t, A | TCP_ECE, 1, 4001, 0);
    assert_true(conn->cc.cwnd < cwnd);
    assert_int_equal(net_counters(t.s.net)->tcp_ecn_echoed, 1);
    talk_send(&t, conn, 2000, 1000);
    talk_expect(&t, A | TCP_CWR, 4001, 1, 1000);
    talk_expect(&t, A, 5001, 1, 1000);
    talk_stop(&t);
}

/* A SYN that was not answered comes again without: nothing is marked (6.1.1.1). */
static void run_tries_again(void **state)
{
    const struct tcp_config config = {.conns = 4};
    struct talk t;

    talk_start(&t, &config, (struct tcp_listen){.backlog = 4});
    talk_give(&t, S | ASKS, 0, 0, 0);
    talk_expect(&t, S | A | TCP_ECE, 0, 1, 0);
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_give(&t, A, 1, 1, 0);
    assert_false(told.conn->ecn.on);
    talk_send(&t, told.conn, 100, 100);
    assert_int_equal(tos_of_next(&t), 0);
    talk_expect(&t, A, 1, 1, 100);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_agreed),
        cmocka_unit_test(run_marked),
        cmocka_unit_test(run_told),
        cmocka_unit_test(run_tries_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
