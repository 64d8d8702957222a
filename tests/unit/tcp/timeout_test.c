/* SPDX-License-Identifier: BSD-2-Clause */
/* What a sender does when nothing comes: time-outs (RFC 6298), probes of tails (RFC 8985) and of
 * windows (RFC 9293 3.8.6); and when it was wrong (RFC 3522, RFC 3708). */
#include "dialog.h"

#define WINDOW 60000
#define SACKS(...) ((const uint32_t[]){__VA_ARGS__, 0})

/* Time until something leaves, in steps of 1 ms. */
static uint32_t wait_ms(struct dialog *t, uint32_t most_ms)
{
    for (uint32_t ms = 1; ms <= most_ms; ms++) {
        const uint32_t sent = t->s.sent;

        dialog_wait_us(t, 1000);
        if (t->s.sent != sent)
            return ms;
    }
    fail_msg("nothing was sent in %u ms", most_ms);
    return 0;
}

/* Duplicates never start the timer anew, and each wait is twice as long; an ACK of more than was
 * sent again is taken. */
static void run_back_off(void **state)
{
    struct dialog t;
    struct said said;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .config = {.rto_min_us = 990000}});
    dialog_send(&t, 4380, 1460, 0);
    dialog_expect_run(&t, 1, 1460, 3);
    for (uint32_t wait = 1000; wait <= 32000; wait *= 2) {
        uint32_t ms = 0;

        for (; !dialog_next(&t, &said) && ms < 2 * wait; ms += 10) {
            if (ms % 900 == 0)
                dialog_ack(&t, 1, WINDOW, NULL);
            dialog_wait_us(&t, 10000);
        }
        assert_in_range(ms, wait - 20, wait + 20);
        assert_int_equal(said.seq, 1);
        assert_in_range(said.bytes, 536, 1460); /* ever smaller: a black hole? */
    }
    dialog_ack(&t, 4381, WINDOW, NULL);
    assert_int_equal(dialog_una(&t), 4381);
    dialog_send(&t, 100, 100, 0);
    dialog_expect(&t, 4381, 100);
    dialog_stop(&t);
}

/* The least time-out is a setting; the connection is given up in the end, and told so once. */
static void run_least_and_last(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .config = {.rto_min_us = 1000}});
    for (uint32_t i = 0; i < 50; i++) { /* the variation fades */
        dialog_send(&t, 100, 100, 0);
        dialog_expect(&t, 1 + i * 100, 100);
        dialog_wait_us(&t, 10000);
        dialog_ack(&t, 101 + i * 100, WINDOW, NULL);
    }
    dialog_send(&t, 100, 100, 0);
    dialog_expect(&t, 5001, 100);
    assert_in_range(wait_ms(&t, 100), 10, 12);
    dialog_expect(&t, 5001, 100);
    dialog_wait_us(&t, 2000000000);
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.why, TCP_TIMED_OUT);
    dialog_stop(&t);
}

/* The last of three is lost: after two round trips it goes again, before any time-out; then cwnd
 * knows of the loss. New bytes go first where there are some. */
static void run_tail(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 3);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 2001, WINDOW, NULL);
    dialog_wait_us(&t, 100000); /* one segment: the peer may keep its ACK */
    dialog_silent(&t);
    dialog_ack(&t, 3001, WINDOW, NULL);
    dialog_send(&t, 4000, 1000, 0);
    dialog_expect_run(&t, 3001, 1000, 4);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 4001, WINDOW, NULL);
    assert_in_range(wait_ms(&t, 100), 18, 100);
    dialog_expect(&t, 6001, 1000);
    assert_int_equal(dialog_counters(&t)->tcp_tail_probes, 1);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_ack(&t, 7001, WINDOW, NULL);
    dialog_send(&t, 1000, 1000, 0);
    dialog_expect(&t, 7001, 1000);
    dialog_ack(&t, 8001, WINDOW, NULL); /* and nobody has said that it came twice */
    assert_int_equal(t.conn->cc.cwnd, t.conn->cc.ssthresh);
    dialog_stop(&t);
}

/* The probe was needless: the peer says so, and cwnd stays. */
static void run_needless_tail(void **state)
{
    struct dialog t;
    uint32_t cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 3);
    cwnd = t.conn->cc.cwnd;
    wait_ms(&t, 100);
    dialog_expect(&t, 2001, 1000);
    dialog_ack(&t, 3001, WINDOW, SACKS(2001, 3001));
    assert_true(t.conn->cc.cwnd >= cwnd);
    assert_int_equal(t.conn->snd_nxt, t.conn->snd_una);
    dialog_stop(&t);
}

/* The ACKs of a whole window were late: the first one answers the originals, by its timestamp. All
 * is as before, and nothing more is repeated. */
static void run_late_acks(void **state)
{
    struct dialog t;
    struct said said;
    uint32_t first_time, cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1012, .window = WINDOW, .time = true});
    dialog_send(&t, 5000, 1000, 0);
    assert_true(dialog_next(&t, &said));
    first_time = said.options.time;
    dialog_expect_run(&t, 1001, 1000, 4);
    cwnd = t.conn->cc.cwnd;
    wait_ms(&t, 300);
    dialog_expect(&t, 1, 1000);
    assert_int_equal(t.conn->cc.cwnd, 1000);
    t.peer_echo = first_time;
    dialog_ack(&t, 1001, WINDOW, NULL);
    assert_true(t.conn->cc.cwnd >= cwnd);
    assert_int_equal(t.conn->recovery.state, RECOVERY_NONE);
    assert_int_equal(dialog_counters(&t)->tcp_undone, 1);
    dialog_silent(&t);
    dialog_ack(&t, 5001, WINDOW, NULL);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* The ACK that comes echoes the repetition: it was a loss, and the others go again. */
static void run_true_time_out(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1012, .window = WINDOW, .time = true});
    dialog_send(&t, 5000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 5);
    wait_ms(&t, 300);
    dialog_expect(&t, 1, 1000);
    dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_expect_run(&t, 1001, 1000, 2); /* slow start */
    dialog_silent(&t);
    dialog_ack(&t, 3001, WINDOW, NULL);
    dialog_expect_run(&t, 3001, 1000, 2);
    dialog_ack(&t, 5001, WINDOW, NULL);
    assert_int_equal(dialog_counters(&t)->tcp_undone, 0);
    assert_int_equal(t.conn->recovery.state, RECOVERY_NONE);
    dialog_stop(&t);
}

/* Late segments taken for lost: the peer reports the repetition as needless, twice told windows are
 * as before, and the next time there is more patience. */
static void run_undo_by_dsack(void **state)
{
    struct dialog t;
    uint32_t cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true});
    dialog_send(&t, 8000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 8);
    dialog_wait_us(&t, 10000);
    cwnd = t.conn->cc.cwnd;
    dialog_ack(&t, 1, WINDOW, SACKS(1001, 5001));
    dialog_expect(&t, 1, 1000);
    assert_true(t.conn->cc.ssthresh < cwnd);
    dialog_ack(&t, 5001, WINDOW, NULL);
    dialog_ack(&t, 8001, WINDOW, NULL);
    dialog_ack(&t, 8001, WINDOW, SACKS(1, 1001));
    assert_true(t.conn->cc.cwnd >= cwnd);
    assert_int_equal(dialog_counters(&t)->tcp_undone, 1);
    assert_int_equal(t.conn->recovery.reorder_steps, 1);
    dialog_stop(&t);
}

/* ---- a coarse clock ---- */

/* Times are given in steps of 10 ms: what is only late is not repeated, what is lost soon is. */
static void run_coarse_clock(void **state)
{
    for (uint32_t step_us = 1000; step_us <= 10000; step_us *= 10) {
        struct dialog t;

        dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true,
                                          .config = {.clock_us = step_us}});
        dialog_send(&t, 5000, 1000, 0);
        dialog_expect_run(&t, 1, 1000, 5);
        dialog_ack(&t, 1, WINDOW, SACKS(1001, 2001)); /* at once, says the clock */
        dialog_silent(&t);
        dialog_wait_us(&t, step_us);
        dialog_silent(&t);
        dialog_ack(&t, 2001, WINDOW, NULL); /* it was only late */
        assert_int_equal(dialog_counters(&t)->tcp_retrans_segs, 0);
        dialog_ack(&t, 2001, WINDOW, SACKS(3001, 4001));
        for (uint32_t i = 0; i < 5 && dialog_counters(&t)->tcp_retrans_segs == 0; i++)
            dialog_wait_us(&t, step_us + 10000);
        dialog_expect(&t, 2001, 1000);
        assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
        dialog_stop(&t);
    }
}

/* What was sent again is answered within the millisecond that its timestamp says: a round trip of
 * less than that, not of nothing, which would leave no time for what is overtaken. */
static void run_same_millisecond(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .time = true,
                                          .sack = true});
    rtt_init(&t.conn->rtt, 0, 0);
    rtt_sample(&t.conn->rtt, 900);
    dialog_send(&t, 900, 900, 0);
    dialog_expect(&t, 1, 900);
    for (uint32_t i = 0; i < 10000 && !t.conn->recovery.tail_out; i++)
        dialog_wait_us(&t, 100);
    dialog_expect(&t, 1, 900);
    dialog_ack(&t, 901, WINDOW, NULL);
    assert_int_equal(t.conn->rtt.min_us, 900);
    assert_in_range(t.conn->rtt.srtt_us, 900, 1000);
    dialog_stop(&t);
}

/* ---- windows ---- */

/* The peer takes back some of its window, then all: probes, twice as far apart each time and at
 * most a minute, for as long as they are answered; no loss is seen in it. */
static void run_window_taken_back(void **state)
{
    struct dialog t;
    uint32_t probes = 0, last_ms = 0, cwnd;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = 10000});
    dialog_send(&t, 12000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 10);
    dialog_ack(&t, 1, 4000, NULL);
    dialog_ack(&t, 4001, 0, NULL);
    cwnd = t.conn->cc.cwnd;
    for (uint32_t ms = 0; ms < 600000;) {
        const uint32_t waited = wait_ms(&t, 61000);

        dialog_expect_ack(&t, 4000, 1);
        ms += waited;
        if (probes != 0)
            assert_in_range(waited, RT_MIN(2 * last_ms, 60000u) - 2, 2 * last_ms + 2);
        last_ms = waited;
        probes++;
        dialog_ack(&t, 4001, 0, NULL);
    }
    assert_in_range(last_ms, 60000, 60001); /* milliseconds begin where they like */
    assert_in_range(probes, 15, 25);
    assert_int_equal(t.closed, 0);
    dialog_ack(&t, 4001, 20000, NULL);
    dialog_expect_run(&t, 4001, 1000, 8); /* in the same turn */
    assert_true(t.conn->cc.cwnd >= cwnd);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_stop(&t);
}

/* A window has been closed for half a circle of the peer's numbers, which the fast path does not
 * note while it stays the same; then it opens. */
static void run_window_of_long_ago(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = 1000});
    dialog_send(&t, 3000, 1000, 0);
    dialog_expect(&t, 1, 1000);
    dialog_ack(&t, 1001, 0, NULL);
    t.conn->snd_wl1 = t.conn->rcv_nxt - INT32_MAX - 2;
    dialog_ack(&t, 1001, 2000, NULL);
    dialog_expect_run(&t, 1001, 1000, 2);
    dialog_stop(&t);
}

/* A peer that answers no probe is given up. */
static void run_dead_window(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = 1000});
    dialog_send(&t, 1000, 1000, 0);
    dialog_expect(&t, 1, 1000);
    dialog_ack(&t, 1001, 0, NULL);
    dialog_send(&t, 1000, 1000, 0);
    for (uint32_t i = 0; i < 2000 && t.closed == 0; i++) {
        dialog_wait_us(&t, 1000000);
        while (dialog_next(&t, &(struct said){.seq = 0}))
            ;
    }
    assert_int_equal(t.closed, 1);
    assert_int_equal(t.why, TCP_TIMED_OUT);
    dialog_stop(&t);
}

/* A window of a few bytes: none of them is used at once, all when the timer says so. */
static void run_silly_window(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = 8000});
    dialog_send(&t, 8000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 8);
    dialog_send(&t, 2000, 1000, 0);
    dialog_ack(&t, 8001, 10, NULL);
    dialog_silent(&t);
    assert_in_range(wait_ms(&t, 1000), 199, 1000);
    dialog_expect(&t, 8001, 10);
    dialog_ack(&t, 8011, 8000, NULL);
    dialog_expect(&t, 8011, 990);
    dialog_expect(&t, 9001, 1000);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* Nagle and cork: what is not full waits for the ACK, or for more, but not for ever. */
static void run_small_writes(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = 8000});
    dialog_send(&t, 10, 10, 0);
    dialog_expect(&t, 1, 10);
    dialog_send(&t, 20, 10, 0);
    dialog_silent(&t);
    dialog_ack(&t, 11, 8000, NULL);
    dialog_expect(&t, 11, 20);
    dialog_ack(&t, 31, 8000, NULL);
    dialog_send(&t, 600, 600, TCP_MORE);
    dialog_silent(&t);
    dialog_send(&t, 400, 400, 0);
    dialog_expect(&t, 31, 1000);
    tcp_set_nodelay(t.conn, true);
    dialog_send(&t, 5, 5, 0);
    dialog_expect(&t, 1031, 5);
    dialog_stop(&t);
}

/* The device took a frame and is never done with it, or takes none any more: nothing can be sent
 * again, yet nobody waits for ever. */
static void run_stuck_device(void **state)
{
    for (uint32_t takes = 0; takes < 2; takes++) {
        struct dialog t;

        dialog_start(&t, &(struct dialog_how){.window = WINDOW});
        t.device_holds = takes != 0;
        t.s.accepts = takes != 0 ? UINT32_MAX : 0;
        tcp_set_user_timeout(t.conn, 60000);
        dialog_send(&t, 1000, 1000, 0);
        dialog_wait_us(&t, 120000000);
        assert_int_equal(t.closed, 1);
        assert_int_equal(t.why, TCP_TIMED_OUT);
        t.s.accepts = UINT32_MAX;
        dialog_stop(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_back_off),        cmocka_unit_test(run_least_and_last),
        cmocka_unit_test(run_same_millisecond),
        cmocka_unit_test(run_tail),            cmocka_unit_test(run_needless_tail),
        cmocka_unit_test(run_late_acks),       cmocka_unit_test(run_true_time_out),
        cmocka_unit_test(run_undo_by_dsack),   cmocka_unit_test(run_coarse_clock),
        cmocka_unit_test(run_window_taken_back), cmocka_unit_test(run_dead_window),
        cmocka_unit_test(run_silly_window),    cmocka_unit_test(run_small_writes),
        cmocka_unit_test(run_stuck_device),    cmocka_unit_test(run_window_of_long_ago),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
