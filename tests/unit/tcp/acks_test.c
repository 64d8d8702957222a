/* SPDX-License-Identifier: BSD-2-Clause */
/* When what came in is acknowledged (acks.h): how often, what at once, what with an answer. */
#include "talk.h"

enum { DELAY_MS = 40, TICK_MS = 2 /* of the alarms, and one more */, STEP = 100 };

static void start(struct talk *t, enum tcp_acks_use acks)
{
    const struct tcp_config config = {.conns = 4, .acks = acks};

    talk_start(t, &config, (struct tcp_listen){.backlog = 4});
    talk_accept(t, 1000);
}

/* `count` segments from `seq` on, in one batch. */
static uint32_t give(struct talk *t, uint32_t seq, uint32_t count)
{
    t->batch = true;
    for (uint32_t i = 0; i < count; i++, seq += STEP)
        talk_give(t, A, seq, 1, STEP);
    t->batch = false;
    talk_flush(t);
    return seq;
}

/* Every second one, of a batch, too; the last one of an odd number 40 ms later. */
static void run_second(void **state)
{
    struct talk t;

    start(&t, TCP_ACKS_SECOND);
    talk_give(&t, A, 1, 1, STEP);
    talk_silent(&t);
    talk_give(&t, A, 101, 1, STEP);
    talk_expect(&t, A, 1, 201, 0);
    assert_int_equal(give(&t, 201, 7), 901);
    talk_expect(&t, A, 1, 401, 0);
    talk_expect(&t, A, 1, 601, 0);
    talk_expect(&t, A, 1, 901, 0); /* with the odd one, which came as early */
    talk_silent(&t);
    give(&t, 901, 1);
    talk_wait_ms(&t, DELAY_MS - 1);
    talk_silent(&t);
    talk_wait_ms(&t, 1 + TICK_MS);
    talk_expect(&t, A, 1, 1001, 0);
    talk_stop(&t);
}

/* Segments of different lengths: where they ended nobody knows any more, one ACK is for all. */
static void run_uneven(void **state)
{
    struct talk t;

    start(&t, TCP_ACKS_SECOND);
    t.batch = true;
    talk_give(&t, A, 1, 1, 100);
    talk_give(&t, A, 101, 1, 101);
    talk_give(&t, A, 202, 1, 100);
    talk_give(&t, A, 302, 1, 100);
    talk_flush(&t);
    talk_expect(&t, A, 1, 402, 0);
    talk_silent(&t);
    talk_stop(&t);
}

/* Batch mode: two by two at first, then at most one for eight; a hole begins anew. */
static void run_eighth(void **state)
{
    uint32_t seq = 1;
    struct talk t;

    start(&t, TCP_ACKS_EIGHTH);
    for (uint32_t i = 0; i < 32; i++) {
        seq = give(&t, seq, 2);
        talk_expect(&t, A, 1, seq, 0);
    }
    seq = give(&t, seq, 7);
    talk_silent(&t);
    seq = give(&t, seq, 1);
    talk_expect(&t, A, 1, seq, 0);
    seq = give(&t, seq, 33);
    for (uint32_t i = 4; i > 1; i--)
        talk_expect(&t, A, 1, seq - (8 * (i - 1) + 1) * STEP, 0);
    talk_expect(&t, A, 1, seq, 0);
    talk_silent(&t);
    give(&t, seq + STEP, 1); /* a hole */
    talk_expect(&t, A, 1, seq, 0);
    seq = give(&t, seq, 1) + STEP;
    talk_expect(&t, A, 1, seq, 0);
    seq = give(&t, seq, 2);
    talk_expect(&t, A, 1, seq, 0);
    talk_stop(&t);
}

/* A push: at once, in either mode; of a batch, too. */
static void run_push(void **state)
{
    for (enum tcp_acks_use acks = TCP_ACKS_SECOND; acks <= TCP_ACKS_EIGHTH; acks++) {
        struct talk t;

        start(&t, acks);
        for (uint32_t i = 0; i < 5; i++) {
            talk_give(&t, A | P, 1 + i * STEP, 1, STEP);
            talk_expect(&t, A, 1, 1 + (i + 1) * STEP, 0);
        }
        t.batch = true;
        talk_give(&t, A, 501, 1, STEP);
        talk_give(&t, A, 601, 1, STEP);
        talk_give(&t, A | P, 701, 1, STEP);
        talk_flush(&t);
        talk_expect(&t, A, 1, 801, 0);
        talk_silent(&t);
        talk_stop(&t);
    }
}

/* An application that answers: no bare ACK in front of the answer. When it does not for once, the
 * ACK is late, and the next push is acknowledged at once again. */
static void run_answers(void **state)
{
    struct tcp_conn *conn;
    struct talk t;

    start(&t, TCP_ACKS_SECOND);
    conn = told.conn;
    tcp_set_nodelay(conn, true);
    talk_give(&t, A | P, 1, 1, STEP);
    talk_expect(&t, A, 1, 101, 0);
    talk_send(&t, conn, 10, 10);
    talk_expect(&t, A, 1, 101, 10);
    for (uint32_t i = 1; i < 4; i++) {
        talk_give(&t, A | P, 1 + i * STEP, 1 + i * 10, STEP);
        talk_silent(&t);
        talk_wait_ms(&t, 5);
        talk_send(&t, conn, 10, 10);
        talk_expect(&t, A, 1 + i * 10, 1 + (i + 1) * STEP, 10);
    }
    talk_give(&t, A | P, 401, 41, STEP);
    talk_silent(&t);
    talk_wait_ms(&t, DELAY_MS + TICK_MS);
    talk_expect(&t, A, 41, 501, 0);
    talk_give(&t, A | P, 501, 41, STEP);
    talk_expect(&t, A, 41, 601, 0);
    talk_stop(&t);
}

/* What lies behind a hole is answered one by one, also of a batch: a sender without SACK counts
 * (RFC 5681 3.2), one with SACK hears of each block. What came twice is answered, too. */
static void run_holes(void **state)
{
    struct heard heard;
    struct talk t;

    talk_start(&t, &(const struct tcp_config){.conns = 4}, (struct tcp_listen){.backlog = 4});
    t.options.sack = true;
    t.batch = false;
    talk_new(&t, 1000);
    t.options.sack = true;
    talk_give(&t, S, 0, 0, 0);
    talk_expect(&t, S | A, 0, 1, 0);
    talk_give(&t, A, 1, 1, 0);
    t.batch = true;
    for (uint32_t i = 0; i < 6; i++)
        talk_give(&t, A, 1 + (2 * i + 1) * STEP, 1, STEP);
    talk_flush(&t);
    for (uint32_t i = 0; i < 6; i++) {
        heard = talk_hear(&t);
        assert_int_equal(heard.ack, 1);
        assert_int_equal(heard.options.sack_count, RT_MIN(i + 1, 4u));
        assert_int_equal(heard.options.sacks[0].first - t.irs, 1 + (2 * i + 1) * STEP);
    }
    talk_silent(&t);
    talk_give(&t, A, 1, 1, STEP);
    talk_flush(&t);
    talk_expect(&t, A, 1, 201, 0); /* it fills one: at once */
    talk_give(&t, A, 1, 1, STEP);
    talk_flush(&t);
    heard = talk_hear(&t);
    assert_int_equal(heard.ack, 201);
    assert_int_equal(heard.options.sacks[0].first - t.irs, 1); /* DSACK */
    talk_silent(&t);
    talk_stop(&t);
}

/* `count` segments come while `left` buffers are free, of which an ACK goes for `first` (0: none
 * does): the rest is acknowledged later, not never. */
static void run_short_of_buffers(uint32_t count, uint32_t left, uint32_t first)
{
    struct buf *taken = NULL, *b;
    struct talk t;

    start(&t, TCP_ACKS_SECOND);
    t.batch = true;
    for (uint32_t i = 0; i < count; i++)
        talk_give(&t, A, 1 + i * STEP, 1, STEP);
    t.keeps = true;
    while (t.s.pool->free > left) {
        b = pool_take(t.s.pool);
        assert_non_null(b);
        b->user = (uintptr_t)taken;
        taken = b;
    }
    talk_flush(&t);
    if (first != 0)
        talk_expect(&t, A, 1, first, 0);
    talk_silent(&t);
    while (taken != NULL) {
        b = taken;
        taken = (struct buf *)(uintptr_t)b->user;
        buf_free(b);
    }
    talk_wait_ms(&t, DELAY_MS + TICK_MS);
    talk_expect(&t, A, 1, 1 + count * STEP, 0);
    talk_stop(&t);
}

static void run_no_buffer(void **state)
{
    run_short_of_buffers(2, 0, 0);
    run_short_of_buffers(1, 0, 0); /* one that would be told at once, since buffers are few */
    run_short_of_buffers(6, 1, 201); /* the first of three ACKs takes the last one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_second), cmocka_unit_test(run_uneven),
        cmocka_unit_test(run_eighth), cmocka_unit_test(run_push),
        cmocka_unit_test(run_answers), cmocka_unit_test(run_holes),
        cmocka_unit_test(run_no_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
