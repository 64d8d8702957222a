/* SPDX-License-Identifier: BSD-2-Clause */
/* What somebody who sees nothing can say to a connection (RFC 5961, RFC 5927, RFC 1337), and what
 * old segments of another one say (RFC 6191). */
#include "talk.h"

#include "wire/checksum.h"
#include "wire/ip.h"

static const struct tcp_config config = {.conns = 64};
static const struct tcp_listen listen = {.backlog = 8};

static const struct net_counters *counters(const struct talk *t)
{
    return net_counters(t->s.net);
}

static void start(struct talk *t)
{
    talk_start(t, &config, listen);
    talk_accept(t, 1000);
}

/* ---- RFC 5961 ---- */

static void run_reset(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, R, 2, 0, 0); /* in the window: asked about */
    talk_expect(&t, A, 1, 1, 0);
    talk_give(&t, R | A, 60000, 1, 0);
    talk_expect(&t, A, 1, 1, 0);
    talk_give(&t, R, 0, 0, 0); /* before, and behind: nothing */
    talk_give(&t, R, 0x40000000, 0, 0);
    talk_give(&t, R, 0x80000000, 0, 0);
    talk_silent(&t);
    assert_int_equal(told.closed, 0);
    assert_int_equal(counters(&t)->tcp_unacceptable, 3);
    talk_give(&t, R, 1, 0, 0);
    talk_silent(&t);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_RESET);
    talk_stop(&t);
}

static void run_syn(void **state)
{
    static const uint32_t seqs[] = {0, 1, 2, 30000, 0x40000000, 0x80000000, 0xffffff00};
    struct talk t;

    start(&t);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(seqs); i++) {
        talk_give(&t, i % 2 == 0 ? S : S | A, seqs[i], 1, 0);
        talk_expect(&t, A, 1, 1, 0);
        talk_silent(&t);
        talk_wait_ms(&t, 2000); /* no limit is met */
    }
    assert_int_equal(told.closed, 0);
    assert_int_equal(told.conn->state, TCP_ESTABLISHED);
    talk_give(&t, A, 1, 1, 10);
    assert_int_equal(told.received_bytes, 10);
    talk_stop(&t);
}

/* Data whose ACK is of what was never sent, or of very long ago, is not taken (5.2). */
static void run_ack(void **state)
{
    struct talk t;

    start(&t);
    talk_send(&t, told.conn, 100, 100);
    talk_expect(&t, A, 1, 1, 100);
    talk_give(&t, A, 1, 102, 10);
    talk_expect(&t, A, 101, 1, 0);
    talk_give(&t, A, 1, 1u - 65535 - 1, 10);
    talk_expect(&t, A, 101, 1, 0);
    assert_int_equal(told.received_bytes, 0);
    talk_give(&t, A, 1, 1u - 65535, 10); /* the oldest that may be */
    assert_int_equal(told.received_bytes, 10);
    talk_stop(&t);
}

/* How many challenge ACKs one connection gets for as many resets as a stranger likes. */
static uint32_t answered(struct talk *t, uint32_t resets)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < resets; i++) {
        const uint32_t before = t->s.sent;

        talk_give(t, R, 100, 0, 0);
        count += t->s.sent - before;
        t->s.seen = t->s.sent;
    }
    return count;
}

static void select_conn(struct talk *t, const struct tcp_conn *conn)
{
    talk_new(t, conn->remote_port);
    t->irs = conn->irs;
    t->iss = conn->iss;
}

/* The side channel of CVE-2016-5696: whether a stranger's guess was right must not show in how
 * often another connection, his own, is answered. Neither limit nor period can be foreseen. */
static void run_challenge_limits(void **state)
{
    struct talk t;
    struct tcp_conn *conns[2];
    uint32_t seen = 0;

    start(&t);
    conns[0] = told.conn;
    conns[1] = talk_accept(&t, 1001);
    for (uint32_t round = 0; round < 20; round++) {
        uint32_t own;

        select_conn(&t, conns[0]);
        assert_in_range(answered(&t, 200), 5, 15); /* the victim's is used up */
        select_conn(&t, conns[1]);
        own = answered(&t, 200);
        assert_in_range(own, 5, 15); /* and his own is as it was */
        seen |= 1u << own;
        talk_wait_ms(&t, 1600);
    }
    assert_true((seen & (seen - 1)) != 0); /* not always the same */
    assert_true(counters(&t)->tcp_challenges_limited > 5000);
    talk_stop(&t);
}

/* The period differs, too: after a second some answer again, and some do not. */
static void run_challenge_periods(void **state)
{
    struct talk t;
    uint32_t again = 0;

    talk_start(&t, &config, listen);
    for (uint16_t i = 0; i < 40; i++) {
        talk_accept(&t, 1000 + i);
        answered(&t, 100);
        talk_wait_ms(&t, 1000);
        again += answered(&t, 1);
        tcp_abort(told.conn);
        talk_wait_ms(&t, 1);
        talk_drop_all(&t);
    }
    assert_in_range(again, 5, 35);
    talk_stop(&t);
}

/* What is only a repetition is answered each time, but once a turn. */
static void run_repeated_data(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, A, 1, 1, 100);
    talk_drop_all(&t);
    for (uint32_t i = 0; i < 50; i++) {
        talk_give(&t, A, 1, 1, 100);
        talk_expect(&t, A, 1, 101, 0);
    }
    t.batch = true;
    for (uint32_t i = 0; i < 50; i++)
        talk_give(&t, A, 1, 1, 100);
    talk_flush(&t);
    talk_expect(&t, A, 1, 101, 0);
    talk_silent(&t);
    assert_int_equal(counters(&t)->tcp_challenges, 0);
    assert_int_equal(told.received_bytes, 100);
    t.batch = false;
    talk_stop(&t);
}

/* ---- TIME-WAIT ---- */

static void to_time_wait(struct talk *t, bool time_on)
{
    talk_start(t, &config, listen);
    t->options.time_on = time_on;
    t->options.time = 1000;
    talk_give(t, S, 0, 0, 0);
    talk_expect(t, S | A, 0, 1, 0);
    talk_give(t, A, 1, 1, 0);
    talk_send(t, told.conn, 500, 500);
    talk_expect(t, A, 1, 1, 500);
    tcp_close(told.conn);
    talk_wait_ms(t, 1);
    talk_expect(t, F | A, 501, 1, 0);
    talk_give(t, F | A, 1, 502, 0);
    talk_expect(t, A, 502, 2, 0);
    assert_int_equal(told.conn->state, TCP_TIME_WAIT);
}

/* RFC 1337: not by a reset, nor by old data, nor by an old ACK. */
static void run_assassination(void **state)
{
    struct talk t;

    to_time_wait(&t, false);
    talk_give(&t, R, 2, 0, 0);
    talk_give(&t, R | A, 2, 502, 0);
    talk_silent(&t);
    talk_give(&t, A, 1, 502, 1);
    talk_expect(&t, A, 502, 2, 0);
    talk_give(&t, A, 100, 400, 50);
    talk_drop_all(&t);
    assert_int_equal(told.conn->state, TCP_TIME_WAIT);
    talk_wait_ms(&t, 59000);
    assert_int_equal(told.conn->state, TCP_TIME_WAIT);
    assert_int_equal(told.closed, 1);
    talk_stop(&t);
}

/* RFC 6191: a newer SYN takes its place, by timestamp where both sides have them, else by number;
 * an older one is answered for the old connection. Our new numbers are behind the old ones. */
static void run_reuse(void **state)
{
    static const struct {
        bool time_on;
        uint32_t time, seq;
        bool taken;
    } cases[] = {{false, 0, 2, false},      {false, 0, 3, true},    {false, 0, 0, false},
                 {false, 0, 0x80000001, true}, {true, 1001, 0, true}, {true, 1000, 3, true},
                 {true, 1000, 2, false},    {true, 999, 100, false}};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(cases); i++) {
        struct talk t;
        struct heard answer;

        to_time_wait(&t, cases[i].time_on);
        t.options.time = cases[i].time;
        talk_give(&t, S, cases[i].seq, 0, 0);
        answer = talk_hear(&t);
        assert_int_equal(answer.flags, cases[i].taken ? S | A : A);
        if (cases[i].taken) {
            assert_int_equal(answer.ack, cases[i].seq + 1);
            assert_true((int32_t)(answer.seq - 502) > 0);
            t.iss += answer.seq;
            talk_give(&t, A, cases[i].seq + 1, 1, 10);
            assert_int_equal(told.accepted, 2);
            assert_int_equal(told.received_bytes, 10);
        } else {
            assert_int_equal(answer.seq, 502);
        }
        talk_stop(&t);
    }
}

/* ---- ICMP (RFC 5927) ---- */

static void give_unreachable(struct talk *t, uint8_t code, uint32_t seq)
{
    struct icmp_header icmp = {.type = ICMP_UNREACHABLE, .code = code};
    struct frame f, quote;
    const be16_t ports[] = {be16_put(t->our_port), be16_put(t->port)};
    const be32_t number = be32_put(t->iss + seq);

    frame_ip(&quote, ours(), t->from, IP_TCP, 20);
    frame_add(&quote, ports, sizeof(ports));
    frame_add(&quote, &number, sizeof(number));
    icmp.checksum = csum_fold(csum_add(csum_add(0, &icmp, sizeof(icmp)), quote.data + 14, 28));
    frame_ip(&f, ip_addr_v4_of(GATEWAY_IP), ours(), IP_ICMP, 36);
    frame_add(&f, &icmp, sizeof(icmp));
    frame_add(&f, quote.data + 14, 28);
    station_give(&t->s, &f, 0);
}

static void run_icmp(void **state)
{
    struct talk t;
    struct tcp_conn *conn;

    start(&t);
    talk_send(&t, told.conn, 100, 100);
    for (uint8_t code = 0; code < 16; code++) { /* hard errors are soft once it stands (5.2) */
        give_unreachable(&t, code, 1);
        give_unreachable(&t, code, 101); /* not on its way */
        give_unreachable(&t, code, 0);
    }
    assert_int_equal(told.closed, 0);
    assert_int_equal(told.conn->state, TCP_ESTABLISHED);
    talk_drop_all(&t);
    conn = talk_connect(&t);
    t.iss = conn->iss;
    give_unreachable(&t, ICMP_PORT, 1);
    give_unreachable(&t, ICMP_PORT, (uint32_t)-1);
    t.our_port++;
    give_unreachable(&t, ICMP_PORT, 0);
    t.our_port--;
    assert_int_equal(told.closed, 0);
    give_unreachable(&t, ICMP_PORT, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_REFUSED);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_reset),
        cmocka_unit_test(run_syn),
        cmocka_unit_test(run_ack),
        cmocka_unit_test(run_challenge_limits),
        cmocka_unit_test(run_challenge_periods),
        cmocka_unit_test(run_repeated_data),
        cmocka_unit_test(run_assassination),
        cmocka_unit_test(run_reuse),
        cmocka_unit_test(run_icmp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
