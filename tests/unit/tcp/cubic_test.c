/* SPDX-License-Identifier: BSD-2-Clause */
/* CUBIC (RFC 9438) against its own formulas, in numbers worked out apart: the concave and the
 * convex part, the region where NewReno would be faster, fast convergence, what is undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tcp/cc.h"

#include <tcp/tcp.h>

enum { MSS = 1000, HUGE_SEGMENTS = 1000 };

static const double C = 0.4, BETA = 0.7;

static void start(struct tcp_cc *cc, uint32_t segments)
{
    cc_init(cc, MSS, TCP_CUBIC);
    cc->cwnd = segments * MSS;
}

static double cube(double x)
{
    return x * x * x;
}

static double cube_root(double x)
{
    double low = 0, high = x + 1;

    for (uint32_t i = 0; i < 100; i++) {
        const double mid = (low + high) / 2;

        if (cube(mid) < x)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* A loss with all of cwnd on its way; cwnd follows as after a recovery. */
static void lose(struct tcp_cc *cc)
{
    cc_lost(cc, MSS, cc->cwnd);
    cc->cwnd = cc->ssthresh;
}

/* So many round trips: every segment of a window is acknowledged, `each` at a time. */
static void rounds(struct tcp_cc *cc, uint64_t *now_us, uint32_t rtt_us, uint32_t count,
                   uint32_t each)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t window = cc->cwnd;

        for (uint32_t acked = 0; acked < window; acked += each * MSS) {
            const struct cc_ack ack = {.mss = MSS, .bytes = each * MSS, .srtt_us = rtt_us,
                                       .most = 2 * MSS,
                                       .limited = true,
                                       .now_us = *now_us + (uint64_t)rtt_us * acked / window};

            cc_acked(cc, &ack);
        }
        *now_us += rtt_us;
    }
}

static void assert_near(double is, double should, double percent)
{
    if (is < should * (1 - percent / 100) || is > should * (1 + percent / 100))
        fail_msg("%.1f, not %.1f", is, should);
}

/* 4.6: ssthresh is 0.7 of what was in use; 4.7: W_max, less than before. */
static void run_reduced(void **state)
{
    struct tcp_cc cc;

    start(&cc, 100);
    lose(&cc);
    assert_int_equal(cc.ssthresh, 70 * MSS);
    assert_int_equal(cc.cubic.max, 100 * MSS);
    lose(&cc); /* sooner than where it was: others need room (4.7) */
    assert_int_equal(cc.ssthresh, 49 * MSS);
    assert_near(cc.cubic.max, 70.0 * MSS * (1 + BETA) / 2, 0.1);
    cc_lost(&cc, MSS, 10 * MSS); /* most of the window was not in use */
    assert_int_equal(cc.ssthresh, 7 * MSS);
    cc_lost(&cc, MSS, MSS);
    assert_int_equal(cc.ssthresh, 2 * MSS); /* never below two */
}

/* W_cubic(t) = C (t - K)^3 + W_max (4.2), K = cbrt(W_max (1 - beta) / C): concave up to K, flat
 * there, then convex; whatever the number of segments an ACK is for. */
static void run_curve(void **state)
{
    static const uint32_t each[] = {1, 2, 8, 32};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(each); i++) {
        const double max = HUGE_SEGMENTS, k = cube_root(max * (1 - BETA) / C);
        const uint32_t rtt_us = 100000;
        uint64_t now_us = 1000000, begin_us;
        struct tcp_cc cc;

        start(&cc, HUGE_SEGMENTS);
        lose(&cc);
        begin_us = now_us;
        for (uint32_t step = 0; step < 15; step++) {
            double t, should;

            rounds(&cc, &now_us, rtt_us, 10, each[i]);
            t = (double)(now_us - begin_us) / 1e6;
            should = C * cube(t - k) + max;
            assert_near(cc.cwnd / (double)MSS, should, 2.5);
        }
        assert_true(cc.cwnd > HUGE_SEGMENTS * MSS); /* it is beyond K */
    }
}

/* On a short path with a small window NewReno would be faster (4.3): alpha = 3 (1 - beta) / (1 +
 * beta) segments a round trip, up to where the loss was, then one. */
static void run_friendly(void **state)
{
    const double alpha = 3 * (1 - BETA) / (1 + BETA);
    const uint32_t rtt_us = 5000;
    uint64_t now_us = 1000000;
    struct tcp_cc cc;

    start(&cc, 40);
    lose(&cc);
    rounds(&cc, &now_us, rtt_us, 10, 2);
    assert_near(cc.cwnd / (double)MSS, 28 + 10 * alpha, 4);
    rounds(&cc, &now_us, rtt_us, 13, 2); /* about where it was: 28 + 23 x 0.53 = 40 */
    assert_near(cc.cwnd / (double)MSS, 40, 4);
    rounds(&cc, &now_us, rtt_us, 20, 2);
    assert_near(cc.cwnd / (double)MSS, 60, 5);
}

/* Never faster than half as much again in a round trip (4.4, 4.5). */
static void run_bound(void **state)
{
    uint64_t now_us = 1000000;
    struct tcp_cc cc;
    uint32_t before;

    start(&cc, 100);
    lose(&cc);
    rounds(&cc, &now_us, 10000, 1, 2);
    now_us += 60000000; /* acknowledgements that stay away for a minute */
    before = cc.cwnd;
    rounds(&cc, &now_us, 10000, 1, 2);
    assert_in_range(cc.cwnd, before, before + before / 2 + before / 8);
}

/* Below ssthresh it is slow start, as everybody's. */
static void run_slow_start(void **state)
{
    uint64_t now_us = 1000000;
    struct tcp_cc cc;

    start(&cc, 10);
    rounds(&cc, &now_us, 10000, 1, 2);
    assert_int_equal(cc.cwnd, 20 * MSS);
    cc_timed_out(&cc, MSS, cc.cwnd);
    assert_int_equal(cc.cwnd, MSS);
    assert_int_equal(cc.ssthresh, 14 * MSS);
}

/* It was no loss: where it was, and towards where it was going (4.9). */
static void run_undone(void **state)
{
    uint64_t now_us = 1000000;
    uint32_t cwnd, ssthresh, max;
    struct tcp_cc cc;

    start(&cc, 200);
    lose(&cc);
    rounds(&cc, &now_us, 50000, 20, 2);
    cwnd = cc.cwnd;
    ssthresh = cc.ssthresh;
    max = cc.cubic.max;
    assert_int_equal(max, 200 * MSS);
    assert_true(cwnd < max);
    cc_keep(&cc);
    lose(&cc);
    assert_true(cc.cubic.max < max);
    cc_undo(&cc, cwnd, ssthresh);
    assert_int_equal(cc.cwnd, cwnd);
    assert_int_equal(cc.ssthresh, ssthresh);
    assert_int_equal(cc.cubic.max, max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_reduced),    cmocka_unit_test(run_curve),
        cmocka_unit_test(run_friendly),   cmocka_unit_test(run_bound),
        cmocka_unit_test(run_slow_start), cmocka_unit_test(run_undone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
