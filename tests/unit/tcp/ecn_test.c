/* SPDX-License-Identifier: BSD-2-Clause */
/* Congestion that routers mark (RFC 3168): agreed on, answered, and never on what is repeated. */
#include "dialog.h"

#include "wire/ip.h"

#define WINDOW 60000
#define ECN_BITS (TCP_ECE | TCP_CWR)

static void start(struct dialog *t, enum tcp_ecn_use use, bool peer)
{
    dialog_start(t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .ecn = peer, .sack = true,
                                     .config = {.ecn = use}});
}

/* We ask where we are told to; a peer that agrees, and only then, gets marked packets. */
static void run_asked(void **state)
{
    static const struct {
        enum tcp_ecn_use use;
        bool peer, on;
    } rows[] = {
        {TCP_ECN_ASK, true, true},
        {TCP_ECN_ASK, false, false},
        {TCP_ECN_ACCEPT, true, false}, /* nobody asked: the bit means nothing */
        {TCP_ECN_OFF, true, false},
    };

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        struct dialog t;
        struct said said;

        start(&t, rows[i].use, rows[i].peer);
        assert_int_equal(t.syn_flags & ECN_BITS, rows[i].use == TCP_ECN_ASK ? ECN_BITS : 0);
        assert_int_equal(t.conn->ecn.on, rows[i].on);
        dialog_send(&t, 100, 100, 0);
        assert_true(dialog_next(&t, &said));
        assert_int_equal(said.tos, rows[i].on ? IP_ECN_ECT0 : 0);
        assert_int_equal(said.flags & ECN_BITS, 0);
        dialog_stop(&t);
    }
}

/* The peer tells of a mark: cwnd shrinks once a round trip, new data says so once; a repetition is
 * not marked. */
static void run_told(void **state)
{
    struct dialog t;
    struct said said;

    start(&t, TCP_ECN_ASK, true);
    dialog_send(&t, 10000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 10);
    for (uint32_t i = 1; i <= 3; i++)
        dialog_give(&t, &(struct said){.seq = 1, .ack = 1 + i * 1000, .window = WINDOW,
                                     .flags = TCP_ACK | TCP_ECE});
    assert_int_equal(dialog_counters(&t)->tcp_ecn_echoed, 1);
    assert_in_range(t.conn->cc.cwnd, 4500, 6000);
    assert_int_equal(dialog_counters(&t)->tcp_retrans_segs, 0);
    dialog_ack(&t, 10001, WINDOW, NULL);
    dialog_send(&t, 2000, 1000, 0);
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & ECN_BITS, TCP_CWR);
    assert_int_equal(said.tos, IP_ECN_ECT0);
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & ECN_BITS, 0);
    dialog_wait_us(&t, 1000000);
    assert_true(dialog_next(&t, &said)); /* the tail once more */
    assert_int_equal(said.tos, 0);
    dialog_stop(&t);
}

/* Long after a mark its number is half a circle behind, and looks as if it were ahead: the next
 * mark is answered all the same. */
static void run_told_long_after(void **state)
{
    struct dialog t;

    start(&t, TCP_ECN_ASK, true);
    dialog_send(&t, 4000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 4);
    t.conn->ecn.end = t.conn->snd_una - INT32_MAX; /* as 2 GiB without a mark leave it */
    dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_ack(&t, 2001, WINDOW, NULL);
    dialog_give(&t, &(struct said){.seq = 1, .ack = 3001, .window = WINDOW,
                                   .flags = TCP_ACK | TCP_ECE});
    assert_int_equal(dialog_counters(&t)->tcp_ecn_echoed, 1);
    dialog_stop(&t);
}

/* A marked packet comes in: every ACK tells, until the peer has answered. */
static void run_marked(void **state)
{
    struct dialog t;
    struct said said;

    start(&t, TCP_ECN_ASK, true);
    t.tos = IP_ECN_CE;
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 100, .ack = 1, .window = WINDOW});
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & ECN_BITS, TCP_ECE);
    t.tos = IP_ECN_ECT0;
    for (uint32_t i = 1; i < 5; i++)
        dialog_give(&t, &(struct said){.seq = 1 + i * 100, .bytes = 100, .ack = 1,
                                     .window = WINDOW});
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & ECN_BITS, TCP_ECE);
    while (dialog_next(&t, &said))
        assert_int_equal(said.flags & ECN_BITS, TCP_ECE);
    for (uint32_t i = 5; i < 7; i++)
        dialog_give(&t, &(struct said){.seq = 1 + i * 100, .bytes = 100, .ack = 1,
                                     .window = WINDOW,
                                     .flags = TCP_ACK | (i == 5 ? TCP_CWR : 0)});
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.flags & ECN_BITS, 0);
    assert_int_equal(dialog_counters(&t)->tcp_ecn_marked, 1);
    dialog_stop(&t);
}

/* Without agreement marks and echoes mean nothing. */
static void run_not_agreed(void **state)
{
    struct dialog t;
    struct said said;
    uint32_t cwnd;

    start(&t, TCP_ECN_ACCEPT, false);
    dialog_send(&t, 5000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 5);
    cwnd = t.conn->cc.cwnd;
    t.tos = IP_ECN_CE;
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 100, .ack = 1001, .window = WINDOW,
                                 .flags = TCP_ACK | TCP_ECE});
    dialog_wait_us(&t, 100000);
    while (dialog_next(&t, &said))
        assert_int_equal(said.flags & ECN_BITS, 0);
    assert_true(t.conn->cc.cwnd >= cwnd);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_asked),
        cmocka_unit_test(run_told),
        cmocka_unit_test(run_told_long_after),
        cmocka_unit_test(run_marked),
        cmocka_unit_test(run_not_agreed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
