/* SPDX-License-Identifier: BSD-2-Clause */
/* Lost segments: which are sent again, when, and how many at once. Segments carry 1000 bytes. */
#include "dialog.h"

#include <stdlib.h>

#define WINDOW 60000
#define SACKS(...) ((const uint32_t[]){__VA_ARGS__, 0})

static void start(struct dialog *t, bool sack)
{
    dialog_start(t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = sack});
}

/* Ten segments are on their way, all that the first window allows. */
static void start_ten(struct dialog *t, bool sack)
{
    start(t, sack);
    dialog_send(t, 10000, 1000, 0);
    assert_int_equal(dialog_expect_run(t, 1, 1000, 10), 10001);
    dialog_silent(t);
    dialog_wait_us(t, 10000);
}

/* The second of ten is lost: it alone goes again, once, when three have overtaken it. */
static void run_one_lost(void **state)
{
    struct dialog t;

    start_ten(&t, true);
    dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_ack(&t, 1001, WINDOW, SACKS(2001, 3001));
    dialog_ack(&t, 1001, WINDOW, SACKS(2001, 4001));
    dialog_silent(&t);
    dialog_ack(&t, 1001, WINDOW, SACKS(2001, 5001));
    dialog_expect(&t, 1001, 1000);
    for (uint32_t end = 6001; end <= 10001; end += 1000)
        dialog_ack(&t, 1001, WINDOW, SACKS(2001, end));
    dialog_silent(&t);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 10001, WINDOW, NULL);
    assert_int_equal(t.conn->recovery.state, RECOVERY_NONE);
    assert_int_equal(t.conn->cc.cwnd, 4500); /* half of what was on its way */
    assert_int_equal(dialog_counters(&t)->tcp_fast_retransmits, 1);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_stop(&t);
}

/* Two of eight are lost, where numbers wrap. */
static void two_lost(uint32_t our_iss)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.mss = 512, .window = WINDOW, .sack = true,
                                      .our_iss = our_iss, .peer_iss = 0xfffffa00});
    dialog_send(&t, 8 * 512, 512, 0);
    dialog_expect_run(&t, 1, 512, 8);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 513, WINDOW, NULL);
    dialog_ack(&t, 513, WINDOW, SACKS(1025, 2049));
    dialog_ack(&t, 513, WINDOW, SACKS(2561, 3073, 1025, 2049));
    dialog_expect(&t, 513, 512);
    dialog_silent(&t);
    dialog_ack(&t, 513, WINDOW, SACKS(2561, 3585, 1025, 2049));
    dialog_ack(&t, 513, WINDOW, SACKS(2561, 4097, 1025, 2049));
    dialog_expect(&t, 2049, 512);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 2049, WINDOW, SACKS(2561, 4097));
    dialog_ack(&t, 4097, WINDOW, NULL);
    assert_int_equal(t.conn->recovery.sacked_bytes, 0);
    assert_int_equal(t.conn->recovery.lost_bytes, 0);
    dialog_silent(&t);
    assert_int_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_stop(&t);
}

static void run_two_lost_at_the_wrap(void **state)
{
    two_lost(0xfffffc18);
    two_lost(0x7ffffa00);
    two_lost(1000);
}

/* Without SACK: three duplicates, then a part, then the rest (RFC 6582). */
static void run_newreno(void **state)
{
    struct dialog t;

    start_ten(&t, false);
    dialog_ack(&t, 1001, WINDOW, NULL);
    for (uint32_t i = 0; i < 2; i++)
        dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_silent(&t);
    dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_expect(&t, 1001, 1000);
    for (uint32_t i = 0; i < 5; i++)
        dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_silent(&t);
    dialog_wait_us(&t, 10000);
    dialog_ack(&t, 5001, WINDOW, NULL); /* the fifth is lost, too */
    dialog_expect(&t, 5001, 1000);
    dialog_silent(&t);
    dialog_ack(&t, 10001, WINDOW, NULL);
    assert_int_equal(t.conn->recovery.state, RECOVERY_NONE);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* New data leaves for the first two duplicates (RFC 3042), cwnd as it was. */
static void run_limited_transmit(void **state)
{
    for (uint32_t sack = 0; sack < 2; sack++) {
        struct dialog t;

        start_ten(&t, sack != 0);
        dialog_send(&t, 5000, 1000, 0);
        dialog_silent(&t);
        dialog_ack(&t, 1, WINDOW, sack != 0 ? SACKS(1001, 2001) : NULL);
        dialog_expect(&t, 10001, 1000);
        dialog_ack(&t, 1, WINDOW, sack != 0 ? SACKS(1001, 3001) : NULL);
        dialog_expect(&t, 11001, 1000);
        assert_int_equal(t.conn->cc.cwnd, 10000);
        dialog_silent(&t);
        dialog_stop(&t);
    }
}

/* While it recovers, it sends about one segment for two that arrive (RFC 6937). */
static void run_proportional(void **state)
{
    struct dialog t;
    uint32_t sent = 0;

    start_ten(&t, true);
    dialog_send(&t, 20000, 1000, 0);
    for (uint32_t end = 2001; end <= 10001; end += 1000) {
        struct said said;
        uint32_t now = 0;

        dialog_ack(&t, 1, WINDOW, SACKS(1001, end));
        while (dialog_next(&t, &said))
            now++;
        assert_in_range(now, 0, 1);
        sent += now;
    }
    assert_in_range(sent, 5, 7); /* two of them before the third overtook */
    assert_in_range(recovery_pipe(t.conn), 4000, 6000);
    dialog_stop(&t);
}

/* What was overtaken has had its time: one segment at once, the others as ACKs call them. */
static void run_timer_then_acks(void **state)
{
    struct dialog t;

    start_ten(&t, true);
    dialog_ack(&t, 1, WINDOW, SACKS(7001, 8001));
    dialog_silent(&t);
    dialog_wait_us(&t, 10000);
    dialog_expect(&t, 1, 1000);
    dialog_silent(&t);
    dialog_ack(&t, 1, WINDOW, SACKS(5001, 6001, 7001, 8001));
    dialog_expect(&t, 1001, 1000);
    dialog_silent(&t);
    dialog_ack(&t, 1, WINDOW, SACKS(5001, 8001));
    dialog_expect(&t, 2001, 1000);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* Blocks that are lies change nothing (RFC 2018 has none of these). */
static void run_lies(void **state)
{
    static const uint32_t lies[][3] = {
        {3001, 2001, 0},           /* reversed */
        {2001, 2001, 0},           /* empty */
        {9001, 11001, 0},          /* more than was sent */
        {20001, 30001, 0},         /* never sent */
        {0x80000000u, 2001, 0},    /* half the circle */
        {0u - 70000, 0u - 69000, 0}, /* long ago */
        {1500, 1600, 0},           /* of no whole buffer */
    };
    struct dialog t;

    start_ten(&t, true);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(lies); i++)
        for (uint32_t k = 0; k < 5; k++) {
            dialog_ack(&t, 1, WINDOW, lies[i]);
            dialog_silent(&t);
            assert_int_equal(t.conn->recovery.sacked_bytes, 0);
            assert_int_equal(recovery_pipe(t.conn), 10000);
        }
    dialog_ack(&t, 1, WINDOW, SACKS(1001, 3001, 2001, 4001, 1001, 3001, 3001, 4001));
    assert_int_equal(t.conn->recovery.sacked_bytes, 3000); /* overlapping: counted once */
    dialog_stop(&t);
}

/* The peer drops what it had: the timer sends all of it again, all arrives. */
static void run_reneged(void **state)
{
    struct dialog t;
    struct said said;
    uint32_t next = 1001;

    start_ten(&t, true);
    dialog_ack(&t, 1, WINDOW, SACKS(1001, 10001));
    dialog_expect(&t, 1, 1000);
    dialog_ack(&t, 1001, WINDOW, NULL); /* and nothing of the others */
    for (uint32_t i = 0; i < 40 && next < 10001; i++) {
        dialog_wait_us(&t, 100000);
        while (dialog_next(&t, &said))
            if (said.seq == next)
                next += said.bytes;
        dialog_ack(&t, next, WINDOW, NULL);
    }
    assert_int_equal(next, 10001);
    assert_int_equal(dialog_una(&t), 10001);
    dialog_stop(&t);
}

/* Random blocks of any kind, thousands of them: sums hold, all of the stream arrives. */
static void run_random_blocks(void **state)
{
    struct dialog t;
    uint32_t random = 1;

    dialog_start(&t, &(struct dialog_how){.mss = 1000, .window = WINDOW, .sack = true,
                                      .our_iss = 0xffffe000});
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t blocks[9] = {0};
        const uint32_t una = dialog_una(&t), nxt = t.conn->snd_nxt - t.our_iss;
        struct said said;

        if (tcp_room(t.conn) > 3000 && t.conn->queue.bufs < 60)
            dialog_send(&t, 2500, 700, 0);
        for (uint32_t i = 0; i < 8; i++) {
            random = random * 1664525 + 1013904223;
            blocks[i] = una + (random >> 8) % (nxt - una + 600) - 200;
            blocks[i] += blocks[i] == 0;
        }
        dialog_ack(&t, una + (random >> 24) % 3 * ((nxt - una) / 7), WINDOW, blocks);
        dialog_wait_us(&t, random >> 12 & 0x3ffff);
        while (dialog_next(&t, &said))
            ;
        assert_true(t.conn->recovery.sacked_bytes + t.conn->recovery.lost_bytes <=
                    t.conn->snd_nxt - t.conn->snd_una);
        if (t.closed != 0)
            break;
    }
    assert_int_equal(t.closed, 0);
    dialog_ack(&t, t.conn->snd_nxt - t.our_iss, WINDOW, NULL);
    assert_int_equal(recovery_pipe(t.conn), t.conn->snd_nxt - t.conn->snd_una);
    dialog_stop(&t);
}

/* An ACK that comes with data out of order counts (case of a reassembling receiver). */
static void run_ack_out_of_order(void **state)
{
    struct dialog t;
    struct said said;

    start(&t, true);
    dialog_send(&t, 4000, 1000, 0);
    dialog_expect_run(&t, 1, 1000, 4);
    dialog_give(&t, &(struct said){.seq = 1001, .bytes = 500, .ack = 2001, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 2001);
    assert_int_equal(t.conn->queue.bufs, 2);
    assert_true(dialog_next(&t, &said));
    assert_int_equal(said.ack, 1);
    assert_int_equal(said.options.sack_count, 1);
    assert_int_equal(said.options.sacks[0].first, 1001);
    assert_int_equal(said.options.sacks[0].end, 1501);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* An ACK inside of a segment: only the rest goes again, and both buffers go home once. */
static void run_ack_inside(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    dialog_send(&t, 427, 427, 0);
    tcp_set_nodelay(t.conn, true);
    dialog_send(&t, 1461, 1461, 0);
    dialog_expect(&t, 1, 427);
    dialog_expect(&t, 428, 1460);
    dialog_expect(&t, 1888, 1);
    dialog_ack(&t, 428, WINDOW, NULL);
    dialog_ack(&t, 1461, WINDOW, NULL);
    assert_int_equal(dialog_una(&t), 1461);
    dialog_wait_us(&t, 250000);
    dialog_expect(&t, 1461, 428);
    dialog_ack(&t, 1889, WINDOW, NULL);
    assert_int_equal(t.conn->queue.bufs, 0);
    dialog_stop(&t);
}

/* Duplicates that come all the time do not start the timer anew: the first goes again, each time
 * later; then an ACK of more than was sent again is taken, and sending goes on behind it. */
static void run_duplicates_all_the_time(void **state)
{
    uint32_t repeats = 0, gap_us = 0, longest_us = 0;
    struct dialog t;
    struct said said;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    dialog_send(&t, 3 * 1460, 1460, 0);
    dialog_expect_run(&t, 1, 1460, 3);
    for (uint32_t i = 0; i < 600; i++) {
        dialog_wait_us(&t, 100000);
        gap_us += 100000;
        while (dialog_next(&t, &said)) {
            assert_int_equal(said.seq, 1);
            longest_us = RT_MAX(longest_us, gap_us);
            gap_us = 0;
            repeats++;
        }
        if (i % 9 == 8)
            dialog_ack(&t, 1, WINDOW, NULL);
    }
    assert_in_range(repeats, 6, 12);
    assert_in_range(longest_us, 12000000, 60000000);
    assert_int_equal(t.closed, 0);
    dialog_ack(&t, 4381, WINDOW, NULL);
    assert_int_equal(dialog_una(&t), 4381);
    dialog_send(&t, 100, 100, 0);
    dialog_expect(&t, 4381, 100);
    dialog_stop(&t);
}

/* What a device still has is not sent a second time: the repetition waits for it. */
static void run_kept_by_device(void **state)
{
    struct dialog t;

    start(&t, true);
    t.device_holds = true;
    dialog_send(&t, 1000, 1000, 0);
    dialog_expect(&t, 1, 1000);
    dialog_wait_us(&t, 3000000);
    dialog_silent(&t);
    t.device_holds = false;
    dialog_device_done(&t);
    dialog_wait_us(&t, 50000);
    dialog_expect(&t, 1, 1000);
    dialog_ack(&t, 1001, WINDOW, NULL);
    assert_int_equal(t.conn->queue.bufs, 0);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_one_lost),
        cmocka_unit_test(run_two_lost_at_the_wrap),
        cmocka_unit_test(run_newreno),
        cmocka_unit_test(run_limited_transmit),
        cmocka_unit_test(run_proportional),
        cmocka_unit_test(run_timer_then_acks),
        cmocka_unit_test(run_lies),
        cmocka_unit_test(run_reneged),
        cmocka_unit_test(run_random_blocks),
        cmocka_unit_test(run_ack_out_of_order),
        cmocka_unit_test(run_ack_inside),
        cmocka_unit_test(run_duplicates_all_the_time),
        cmocka_unit_test(run_kept_by_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
