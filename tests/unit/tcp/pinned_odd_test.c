/* SPDX-License-Identifier: BSD-2-Clause */
/* What gets in the way of bytes that are sent where they lie: a card that refuses, holds or is
 * reset, a path that carries less, a pool of headers that is empty. */
#include "pinned_value.h"

#include "state.h"

#include <mempool/pool.h>

/* The card takes nothing, though headers are written: the frame waits, is not sent again by the
 * timer, and leaves as it is. */
static void run_refused(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 1000);
    t.s.accepts = 0;
    value_send(&t, 0, 1000);
    assert_int_equal(t.s.net->ifs[0].out.count, 1);
    dialog_wait_us(&t, 3000000);
    assert_int_equal(t.s.net->ifs[0].out.count, 1);
    assert_int_equal(value.released, 0);
    t.s.accepts = UINT32_MAX;
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 1, 1000);
    value_take_all(&t, 1001, VALUE_SEGMENT);
    value_end(&t);
}

/* ... and meanwhile the connection ends: the frame must not leave any more. */
static void run_refused_and_ended(void **state)
{
    struct dialog t;
    struct said said;

    value_begin(&t, (struct dialog_how){.time = true}, 1000);
    t.s.accepts = 0;
    value_send(&t, 0, 1000);
    tcp_abort(t.conn);
    assert_int_equal(value.released, 1);
    t.s.accepts = UINT32_MAX;
    dialog_wait_us(&t, 0);
    while (dialog_next(&t, &said))
        assert_int_equal(said.bytes, 0);
    value_end(&t);
}

/* A time-out while the card has it: what it has is not given to it a second time. */
static void run_repeated_while_the_card_has_it(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 1000);
    t.device_holds = true;
    value_send(&t, 0, 1000);
    dialog_expect(&t, 1, 1000);
    dialog_wait_us(&t, 2000000);
    dialog_silent(&t);
    assert_int_not_equal(dialog_counters(&t)->tcp_time_outs, 0);
    dialog_device_done(&t);
    dialog_wait_us(&t, 100000);
    dialog_expect(&t, 1, 1000);
    assert_int_equal(*t.kept[1]->owner, BUF_EXT_NIC);
    dialog_ack(&t, 1001, VALUE_WINDOW, NULL);
    assert_int_equal(value.released, 0);
    value_end(&t);
}

/* The card's queue is reset: nothing of what it had has left, all comes back. Some was acknowledged
 * before, by what the peer had of the first try. */
static void run_reset(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 6000);
    t.device_holds = true;
    value_send(&t, 0, 6000);
    dialog_ack(&t, 1449, VALUE_WINDOW, NULL);
    t.s.seen = t.s.sent; /* the others were in the ring */
    assert_int_equal(pool_count_owner(value_headers, BUF_ACKED_NIC), 1);
    dialog_device_done(&t);
    assert_int_equal(pool_count_owner(value_headers, BUF_EXT), 4);
    t.device_holds = false;
    value_take_all(&t, 6001, 1448);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    value_end(&t);
}

/* The peer acknowledges half of a segment: what is sent again begins there. */
static void run_half(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 2000);
    value_send(&t, 0, 2000);
    dialog_ack(&t, 701, VALUE_WINDOW, NULL);
    t.s.seen = t.s.sent;
    dialog_wait_us(&t, 2000000);
    dialog_expect(&t, 701, 1300);
    value_take_all(&t, 2001, VALUE_SEGMENT);
    value_end(&t);
}

/* A router wants smaller packets: what is queued is cut by names, also what was sent; what the card
 * still has waits for it. */
static void run_path_mtu(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 10 * VALUE_SEGMENT);
    t.device_holds = true;
    value_send(&t, 0, 10 * VALUE_SEGMENT);
    dialog_expect_run(&t, 1, VALUE_SEGMENT, 10);
    pmtu_too_big(t.conn, 700);
    dialog_wait_us(&t, 0);
    dialog_silent(&t);
    t.device_holds = false;
    dialog_device_done(&t);
    dialog_wait_us(&t, 10000);
    value_take_all(&t, 10 * VALUE_SEGMENT + 1, 660);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    value_end(&t);
}

/* The segment size is half of what it was, before anything of it has left. */
static void run_queued_is_cut(void **state)
{
    struct dialog t;
    struct net_setup setup;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 10000);
    net_setup_get(t.s.net, 0, &setup);
    setup.mtu_bytes = 740;
    assert_int_equal(net_setup_apply(t.s.net, 0, &setup), RT_OK);
    value_send(&t, 0, 10000);
    value_take_all(&t, 10001, 700);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    value_end(&t);
}

/* No header is free: bytes are copied, in order, and nothing waits for ever. */
static void run_no_header_is_free(void **state)
{
    struct dialog t;
    struct buf *others[VALUE_HEADERS];
    uint32_t count = 0;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 20000);
    value_send(&t, 0, 10000);
    while (value_headers->free != 0)
        others[count++] = value_name(0, 1);
    t.s.seen = t.s.sent; /* lost: sent again from a value that is cut differently */
    pmtu_too_big(t.conn, 700);
    value_take_all(&t, 10001, 660);
    assert_int_not_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    assert_true(dialog_counters(&t)->tcp_copied_bytes <= 10000);
    assert_int_equal(value.released, 0); /* others name it */
    for (; count != 0; count--)
        buf_let_go((struct buf_ref){others[count - 1], others[count - 1]->owner});
    value_end(&t);
}

/* ... not even one, from the start. */
static void run_only_one_header(void **state)
{
    struct dialog t;
    struct buf *others[VALUE_HEADERS], *b;
    uint32_t count = 0;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 20000);
    while (value_headers->free > 1)
        others[count++] = value_name(0, 1);
    b = value_name(0, 20000);
    assert_true(tcp_try_send(t.conn, &b, 0));
    buf_pin_put(&value.pin);
    dialog_wait_us(&t, 0);
    value_take_all(&t, 20001, VALUE_SEGMENT);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 13 * VALUE_SEGMENT);
    for (; count != 0; count--)
        buf_let_go((struct buf_ref){others[count - 1], others[count - 1]->owner});
    value_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_refused),
        cmocka_unit_test(run_refused_and_ended),
        cmocka_unit_test(run_repeated_while_the_card_has_it),
        cmocka_unit_test(run_reset),
        cmocka_unit_test(run_half),
        cmocka_unit_test(run_path_mtu),
        cmocka_unit_test(run_queued_is_cut),
        cmocka_unit_test(run_no_header_is_free),
        cmocka_unit_test(run_only_one_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
