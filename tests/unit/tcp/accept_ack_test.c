/* SPDX-License-Identifier: BSD-2-Clause */
/* Which segments may acknowledge: those that are acceptable, and a closed window's exception (RFC
 * 9293 3.10.7.4); and from where our own ACKs must come so that a peer believes them. */
#include "dialog.h"

#define WINDOW 8000

static void sent_100(struct dialog *t, bool time)
{
    dialog_start(t, &(struct dialog_how){.window = WINDOW, .time = time,
                                     .config = {.rx_window = 4096}});
    dialog_send(t, 100, 100, 0);
    dialog_expect(t, 1, 100);
}

/* Before and behind our window: answered, but nothing of it is believed. */
static void run_outside(void **state)
{
    static const uint32_t seqs[] = {0x80000000u, 0u - 5000, 0u - 99, 4098, 5000, 0x7fffffff};
    struct dialog t;

    sent_100(&t, false);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(seqs); i++) {
        dialog_give(&t, &(struct said){.seq = seqs[i], .bytes = 100, .ack = 101, .window = 1});
        dialog_expect_ack(&t, 101, 1);
        dialog_give(&t, &(struct said){.seq = seqs[i], .ack = 101, .window = 1});
        assert_int_equal(dialog_una(&t), 1);
        assert_int_equal(t.conn->snd_wnd, WINDOW);
        dialog_wait_us(&t, 0);
        while (dialog_next(&t, &(struct said){.seq = 0}))
            ;
    }
    dialog_stop(&t);
}

/* Old by its timestamp: neither (RFC 7323 5.3). */
static void run_old(void **state)
{
    struct dialog t;

    sent_100(&t, true);
    t.peer_time_ms -= 1;
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 10, .ack = 101, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 1);
    dialog_expect_ack(&t, 101, 1);
    t.peer_time_ms += 1;
    dialog_ack(&t, 101, WINDOW, NULL);
    assert_int_equal(dialog_una(&t), 101);
    dialog_stop(&t);
}

/* An ACK of what was never sent makes nothing old: its timestamp is not kept. */
static void run_wrong_ack_time(void **state)
{
    struct dialog t;

    sent_100(&t, true);
    t.peer_time_ms += 100000;
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 10, .ack = 9999, .window = WINDOW});
    t.peer_time_ms -= 100000;
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 10, .ack = 101, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 101);
    assert_int_equal(t.received, 10);
    dialog_stop(&t);
}

/* Our window is closed: what would come next is not taken, what it acknowledges is; what would not
 * come next is nothing. */
static void run_closed(void **state)
{
    struct dialog t;
    struct said said;

    sent_100(&t, false);
    t.holds = true;
    for (uint32_t i = 0; i < 4; i++)
        dialog_give(&t, &(struct said){.seq = 1 + i * 1024, .bytes = 1024, .ack = 1,
                                     .window = WINDOW});
    assert_int_equal(t.received, 4096);
    while (dialog_next(&t, &said))
        assert_int_equal(said.window, 4097 - said.ack);
    assert_int_equal(said.window, 0);
    dialog_give(&t, &(struct said){.seq = 4098, .bytes = 1, .ack = 51, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 1);
    dialog_give(&t, &(struct said){.seq = 4097, .bytes = 1, .ack = 51, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 51);
    dialog_give(&t, &(struct said){.seq = 4097, .ack = 101, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 101);
    assert_int_equal(t.received, 4096);
    dialog_stop(&t);
}

/* The peer has filled our window, and all of it was lost: its ACKs come from the right edge. */
static void run_right_edge(void **state)
{
    struct dialog t;

    sent_100(&t, false);
    dialog_give(&t, &(struct said){.seq = 4097, .ack = 101, .window = WINDOW});
    assert_int_equal(dialog_una(&t), 101);
    dialog_silent(&t);
    dialog_stop(&t);
}

/* The peer takes back some of its window: our ACKs come from inside what is left. */
static void run_taken_back(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    dialog_send(&t, 4000, 1000, 0);
    while (dialog_next(&t, &(struct said){.seq = 0}))
        ;
    dialog_ack(&t, 1, 1500, NULL);
    for (uint32_t i = 0; i < 2; i++)
        dialog_give(&t, &(struct said){.seq = 1 + i, .bytes = 1, .ack = 1, .window = 1500});
    dialog_expect_ack(&t, 1501, 3);
    dialog_stop(&t);
}

/* A probe of the peer's window comes from where the peer does not look at its ACK: what we owe is
 * said once more, from a place where it does. */
static void run_probe_acknowledges_nothing(void **state)
{
    struct dialog t;

    sent_100(&t, false);
    dialog_ack(&t, 101, 0, NULL);
    dialog_send(&t, 100, 100, 0);
    dialog_wait_us(&t, 190000);
    dialog_silent(&t);
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 10, .ack = 101, .window = 0});
    dialog_wait_us(&t, 20000);
    dialog_expect_ack(&t, 100, 11);
    dialog_expect_ack(&t, 101, 11);
    dialog_stop(&t);
}

/* What acknowledges more tells the window, too, though its data is sent again. */
static void run_window_comes_along(void **state)
{
    struct dialog t;

    sent_100(&t, false);
    dialog_give(&t, &(struct said){.seq = 101, .bytes = 100, .ack = 1, .window = WINDOW});
    dialog_give(&t, &(struct said){.seq = 1, .bytes = 100, .ack = 101, .window = 200});
    assert_int_equal(t.conn->snd_wnd, 200);
    assert_int_equal(t.received, 200);
    dialog_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_outside),     cmocka_unit_test(run_old),
        cmocka_unit_test(run_wrong_ack_time),
        cmocka_unit_test(run_closed),      cmocka_unit_test(run_right_edge),
        cmocka_unit_test(run_taken_back),  cmocka_unit_test(run_window_comes_along),
        cmocka_unit_test(run_probe_acknowledges_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
