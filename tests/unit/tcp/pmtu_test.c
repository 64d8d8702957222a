/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths that carry smaller packets than the ends: told by a router, or found by what vanishes. */
#include "dialog.h"

#define WINDOW 60000

/* The largest packet of those that waits; 0: none. `next`: the peer got all of these up to `most`
 * bytes that are next. */
static uint32_t look(struct dialog *t, uint32_t carries, uint32_t *next)
{
    struct said said;
    uint32_t largest = 0;

    while (dialog_next(t, &said)) {
        const uint32_t bytes = said.bytes + (t->how.time ? 52 : 40);

        largest = RT_MAX(largest, bytes);
        if (bytes <= carries && said.seq <= *next && said.seq + said.bytes > *next)
            *next = said.seq + said.bytes;
    }
    return largest;
}

/* Segments on their way are cut again, at once; the window is as it was; nothing larger leaves
 * until it is tried again. */
static void run_told(void **state)
{
    struct dialog t;
    uint32_t next = 1, cwnd;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .time = true, .sack = true});
    tcp_set_nodelay(t.conn, true);
    dialog_send(&t, 10000, 2000, 0);
    assert_int_equal(look(&t, 1400, &next), 1500);
    assert_int_equal(next, 1);
    cwnd = t.conn->cc.cwnd;
    pmtu_too_big(t.conn, 1400);
    dialog_wait_us(&t, 0);
    assert_int_equal(look(&t, 1400, &next), 1400);
    assert_int_equal(next, 10001);
    assert_int_equal(t.conn->cc.cwnd, cwnd);
    assert_int_equal(dialog_counters(&t)->tcp_mtu_lowered, 1);
    dialog_ack(&t, next, WINDOW, NULL);
    dialog_send(&t, 6000, 2000, 0);
    assert_int_equal(look(&t, 1400, &next), 1400);
    dialog_ack(&t, next, WINDOW, NULL);
    dialog_wait_us(&t, 61000000);
    dialog_send(&t, 6000, 2000, 0);
    assert_int_equal(look(&t, 1500, &next), 1500);
    dialog_stop(&t);
}

/* Not believed: nothing smaller, too small to be true, nothing on its way. */
static void run_not_believed(void **state)
{
    static const uint32_t sizes[] = {1500, 9000, 575, 68, 1, 65535};
    struct dialog t;
    uint32_t next = 1;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    pmtu_too_big(t.conn, 1000);
    assert_int_equal(t.conn->mss, 1460);
    dialog_send(&t, 3000, 2000, 0);
    look(&t, 1500, &next);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(sizes); i++)
        pmtu_too_big(t.conn, sizes[i]);
    dialog_wait_us(&t, 0);
    dialog_silent(&t);
    assert_int_equal(t.conn->mss, 1460);
    pmtu_too_big(t.conn, 0); /* an old router: the next size there is */
    assert_int_equal(t.conn->mss, 1452);
    dialog_wait_us(&t, 0);
    assert_int_equal(look(&t, 1500, &next), 1492);
    dialog_stop(&t);
}

/* All above `carries` vanishes: found after two or three time-outs, and all arrives. */
static void black_hole(uint32_t carries, uint32_t time_outs)
{
    struct dialog t;
    uint32_t next = 1;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .time = true});
    dialog_send(&t, 20000, 2000, 0);
    for (uint32_t i = 0; i < 2000 && next < 20001; i++) {
        const uint32_t before = next;

        look(&t, carries, &next);
        if (next != before) {
            dialog_wait_us(&t, 5000);
            dialog_ack(&t, next, WINDOW, NULL);
        } else {
            dialog_wait_us(&t, 5000);
        }
    }
    assert_int_equal(next, 20001);
    assert_in_range(dialog_counters(&t)->tcp_time_outs, time_outs, time_outs + 2);
    assert_true(t.conn->mss + 52u <= carries);
    dialog_stop(&t);
}

static void run_black_hole(void **state)
{
    black_hole(1492, 2);
    black_hole(1280, 2);
    black_hole(600, 5);
}

/* Small segments without an answer are no sign of it. */
static void run_outage(void **state)
{
    struct dialog t;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW});
    dialog_send(&t, 500, 500, 0);
    dialog_wait_us(&t, 10000000);
    assert_int_equal(t.conn->mss, 1460);
    assert_true(dialog_counters(&t)->tcp_time_outs > 3);
    dialog_stop(&t);
}

/* Until something leaves, so many milliseconds at most. */
static void wait_for(struct dialog *t, uint32_t most_ms)
{
    const uint32_t sent = t->s.sent;

    for (uint32_t ms = 0; ms < most_ms && t->s.sent == sent; ms++)
        dialog_wait_us(t, 1000);
}

/* What was too big waits for the peer's window, which has become small: no probe of the tail goes
 * beyond it, what is lost goes first, and none waits for ever. */
static void run_tail_waits(void **state)
{
    struct dialog t;
    uint32_t next = 1;

    dialog_start(&t, &(struct dialog_how){.window = WINDOW, .sack = true});
    tcp_set_nodelay(t.conn, true);
    dialog_send(&t, 1000, 1000, 0);
    dialog_wait_us(&t, 20000);
    dialog_ack(&t, 1001, WINDOW, NULL);
    dialog_send(&t, 3020, 1460, 0);
    look(&t, 1500, &next);
    assert_int_equal(next, 4021);
    dialog_ack(&t, 1001, 500, NULL);
    pmtu_too_big(t.conn, 1000);
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 1001, 500);
    dialog_silent(&t);
    wait_for(&t, 1000);
    dialog_expect(&t, 1001, 500);
    dialog_ack(&t, 4021, WINDOW, NULL);
    assert_int_equal(t.conn->recovery.lost_bytes, 0);
    tcp_shutdown(t.conn);
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 4021, 0);
    dialog_stop(&t);
}

/* Every size of the peer is kept to, options taken off (RFC 6691); too small is not served. */
static void run_peers_sizes(void **state)
{
    static const uint16_t sizes[] = {1460, 536, 517, 100, 64, DIALOG_NO_MSS, 9000};

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(sizes); i++) {
        const uint32_t most = sizes[i] == DIALOG_NO_MSS ? 536 : RT_MIN(sizes[i], 1460);
        struct dialog t;
        uint32_t next = 1, total = 0;

        dialog_start(&t, &(struct dialog_how){.mss = sizes[i], .window = WINDOW, .time = true});
        dialog_send(&t, 10240, 2000, 0);
        for (uint32_t k = 0; k < 100 && next < 10241; k++) {
            const uint32_t largest = look(&t, 2000, &next);

            assert_true(largest <= most + 40);
            total = RT_MAX(total, largest);
            dialog_ack(&t, next, WINDOW, NULL);
        }
        assert_int_equal(next, 10241);
        assert_int_equal(total, most + 40);
        dialog_stop(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_told),       cmocka_unit_test(run_not_believed),
        cmocka_unit_test(run_black_hole), cmocka_unit_test(run_outage),
        cmocka_unit_test(run_peers_sizes), cmocka_unit_test(run_tail_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
