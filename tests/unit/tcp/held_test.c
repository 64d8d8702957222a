/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application holds counts against the window, by the true size of its buffers, until it is
 * given back. */
#include "talk.h"

enum { WINDOW = 65535, STRIDE = BUF_STRIDE_BYTES, MSS = 1460 };

static void start(struct talk *t)
{
    static const struct tcp_config config = {.conns = 4, .rx_window = WINDOW};

    talk_start(t, &config, (struct tcp_listen){.backlog = 2});
    talk_accept(t, 1000);
}

/* One byte costs a buffer: the right edge stays until enough of them came back, and never moves
 * back. */
static void run_true_size(void **state)
{
    struct talk t;
    uint32_t seq = 1;

    start(&t);
    t.keeps = true;
    for (; seq <= 60; seq++) {
        talk_give(&t, A, seq, 1, 1);
        if (t.s.seen != t.s.sent) {
            const struct heard ack = talk_hear(&t);

            assert_int_equal(ack.ack + ack.window, 1 + WINDOW);
        }
    }
    assert_true(told.conn->held_bytes == 60 * STRIDE && 60 * STRIDE > WINDOW);
    talk_give_back(&t);
    net_turn(t.s.net, t.s.now_us);
    talk_drop_all(&t);
    t.keeps = false;
    for (uint32_t i = 0; i < 2; i++, seq += MSS)
        talk_give(&t, A, seq, 1, MSS);
    assert_int_equal(talk_hear(&t).window, WINDOW);
    talk_stop(&t);
}

/* Its window is closed, and stays so as long as it likes: no reset. Then it opens. */
static void run_holder(void **state)
{
    struct talk t;
    uint32_t seq = 1;

    start(&t);
    t.keeps = true;
    for (; seq < 1 + WINDOW; seq += RT_MIN((uint32_t)MSS, 1 + WINDOW - seq))
        talk_give(&t, A, seq, 1, RT_MIN((uint32_t)MSS, 1 + WINDOW - seq));
    talk_drop_all(&t);
    for (uint32_t i = 0; i < 20; i++) {
        struct heard ack;

        talk_wait_ms(&t, 60000);
        talk_drop_all(&t);
        talk_give(&t, A, seq, 1, 1); /* a probe */
        ack = talk_hear(&t);
        assert_int_equal(ack.ack, 1 + WINDOW);
        assert_int_equal(ack.window, 0);
    }
    assert_int_equal(told.closed, 0);
    assert_int_equal(told.received_bytes, WINDOW);
    talk_give_back(&t);
    net_turn(t.s.net, t.s.now_us);
    assert_true(talk_hear(&t).window >= 2 * MSS);
    talk_stop(&t);
}

/* What is out of order is on the same account: two windows in all. */
static void run_one_account(void **state)
{
    struct talk t;
    uint32_t most = 0;

    start(&t);
    t.keeps = true;
    for (uint32_t i = 0; i < 40; i++)
        talk_give(&t, A, 1 + i, 1, 1);
    for (uint32_t i = 0; i < 100; i++) {
        talk_give(&t, A, 1001 + 2 * i, 1, 1);
        talk_drop_all(&t);
        most = RT_MAX(most, told.conn->held_bytes + told.conn->holes.true_bytes);
    }
    assert_in_range(most, 2 * WINDOW - STRIDE, 2 * WINDOW);
    assert_int_equal(told.conn->held_bytes, 40 * STRIDE);
    assert_true(net_counters(t.s.net)->tcp_order_dropped >= 100 - 2 * WINDOW / STRIDE);
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_true_size),
        cmocka_unit_test(run_holder),
        cmocka_unit_test(run_one_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
