/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that are sent where they lie: what the card gets, and when their owner has them back: once,
 * when they are acknowledged and off the card. */
#include "pinned_value.h"

#include "state.h"

#include <mempool/pool.h>
#include <rt/host.h>

/* ---- shapes ---- */

/* Alone: a header of the stack's in front. Two buffers for the card, none of them a copy. */
static void run_alone(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 1000);
    t.device_holds = true;
    value_send(&t, 0, 1000);
    dialog_expect(&t, 1, 1000);
    assert_int_equal(t.kept_count, 2);
    assert_int_equal(*t.kept[0]->owner, BUF_NIC);
    assert_int_equal(*t.kept[1]->owner, BUF_EXT_NIC);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    dialog_ack(&t, 1001, VALUE_WINDOW, NULL);
    value_end(&t);
}

/* Behind a line that announces it: the headers are in front of that line, in its buffer, and the
 * segment is full. */
static void run_behind_a_line(void **state)
{
    struct dialog t;
    struct buf *line, *rest;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 3000);
    line = pool_take(t.s.pool);
    assert_non_null(line);
    for (uint32_t i = 0; i < 100; i++)
        buf_data(line)[i] = value_byte(i);
    line->data_len = 100;
    line->next = rest = value_name(100, 2900);
    t.device_holds = true;
    assert_true(tcp_try_send(t.conn, &line, 0));
    buf_pin_put(&value.pin);
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 1, VALUE_SEGMENT);
    dialog_expect(&t, 1 + VALUE_SEGMENT, VALUE_SEGMENT);
    dialog_expect(&t, 1 + 2 * VALUE_SEGMENT, 3000 - 2 * VALUE_SEGMENT);
    assert_int_equal(t.kept_count, 6);
    assert_int_equal(*t.kept[0]->owner, BUF_KEPT_NIC);
    assert_ptr_equal(t.kept[1], rest);
    assert_int_equal(*t.kept[2]->owner, BUF_NIC);
    assert_int_equal(dialog_counters(&t)->tcp_copied_bytes, 0);
    dialog_ack(&t, 3001, VALUE_WINDOW, NULL);
    value_end(&t);
}

/* Many small ones go into one segment, and a buffer of the application's behind them, too. */
static void run_small_ones(void **state)
{
    struct dialog t;
    struct buf *chain = NULL, **link = &chain;

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 500);
    for (uint32_t i = 0; i < 5; i++) {
        *link = value_name(i * 100, 100);
        link = &(*link)->next;
    }
    *link = pool_take(t.s.pool);
    assert_non_null(*link);
    for (uint32_t i = 0; i < 50; i++)
        buf_data(*link)[i] = value_byte(500 + i);
    (*link)->data_len = 50;
    assert_true(tcp_try_send(t.conn, &chain, 0));
    buf_pin_put(&value.pin);
    dialog_wait_us(&t, 0);
    dialog_expect(&t, 1, 550);
    dialog_silent(&t);
    value_take_all(&t, 551, VALUE_SEGMENT);
    value_end(&t);
}

/* ---- who lets go last ---- */

static void run_acked_while_the_card_has_it(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 5000);
    t.device_holds = true;
    value_send(&t, 0, 5000);
    dialog_ack(&t, 5001, VALUE_WINDOW, NULL);
    assert_int_equal(t.conn->queue.bufs, 0);
    assert_int_equal(value.released, 0);
    assert_int_equal(pool_count_owner(value_headers, BUF_ACKED_NIC), 4);
    dialog_device_done(&t);
    assert_int_equal(value.released, 1);
    value_end(&t);
}

static void run_off_the_card_first(void **state)
{
    struct dialog t;

    value_begin(&t, (struct dialog_how){.time = true}, 5000);
    value_send(&t, 0, 5000);
    dialog_ack(&t, 4000, VALUE_WINDOW, NULL);
    assert_int_equal(value.released, 0);
    dialog_ack(&t, 5001, VALUE_WINDOW, NULL);
    assert_int_equal(value.released, 1);
    value_end(&t);
}

/* Its owner keeps it: others may name it again. */
static void run_owner_last(void **state)
{
    struct dialog t;
    struct buf *b;

    value_begin(&t, (struct dialog_how){.time = true}, 1000);
    b = value_name(0, 1000);
    assert_true(tcp_try_send(t.conn, &b, 0));
    dialog_wait_us(&t, 0);
    value_take_all(&t, 1001, VALUE_SEGMENT);
    assert_int_equal(value_headers->free, value_headers->total);
    assert_int_equal(value.released, 0);
    buf_pin_put(&value.pin);
    value_end(&t);
}

/* ---- refused ---- */

static void give_twice(void *arg)
{
    struct dialog *t = arg;
    struct buf *b = value_name(0, 100), *same = b;

    assert_true(tcp_try_send(t->conn, &b, 0));
    (void)!tcp_try_send(t->conn, &same, 0);
}

/* Too many bytes, no room, the same header twice: what is not taken stays the caller's. */
static void run_mistakes(void **state)
{
    struct dialog t;
    struct buf *b, *more;
    char panic[256];

    value_begin(&t, (struct dialog_how){.window = VALUE_WINDOW}, 400000);
    b = value_name(0, TCP_SEND_BYTES_MAX + 1); /* nobody looks so far */
    assert_false(tcp_try_send(t.conn, &b, 0));
    assert_int_equal(*b->owner, BUF_EXT);
    buf_let_go((struct buf_ref){b, b->owner});
    b = value_name(0, 300000); /* more than there is room, which it does not need */
    assert_true(tcp_try_send(t.conn, &b, 0));
    assert_int_equal(tcp_room(t.conn), 0);
    more = value_name(0, 1);
    assert_false(tcp_try_send(t.conn, &more, 0));
    assert_int_equal(*more->owner, BUF_EXT);
    dialog_wait_us(&t, 0);
    value_take_all(&t, 14601, VALUE_SEGMENT);
    assert_int_equal(t.rooms, 0); /* there is none yet */
    value_take_all(&t, 300001, VALUE_SEGMENT);
    assert_int_equal(t.rooms, 1);
    buf_let_go((struct buf_ref){more, more->owner});
    assert_true(host_catch(give_twice, &t, panic, sizeof(panic)));
    buf_pin_put(&value.pin);
    value_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_alone),
        cmocka_unit_test(run_behind_a_line),
        cmocka_unit_test(run_small_ones),
        cmocka_unit_test(run_acked_while_the_card_has_it),
        cmocka_unit_test(run_off_the_card_first),
        cmocka_unit_test(run_owner_last),
        cmocka_unit_test(run_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
