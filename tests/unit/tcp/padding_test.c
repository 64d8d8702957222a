/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of 60 bytes, the least that Ethernet carries: what lies behind a short segment is nobody's
 * data, and in nobody's checksum. Lengths come from the IP header (RFC 791 3.1). */
#include "talk.h"

static const struct tcp_config config = {.conns = 8};
static const uint32_t sizes[] = {1, 2, 5};
enum { ALL = 1 + 2 + 5 };

static void start(struct talk *t)
{
    talk_start(t, &config, (struct tcp_listen){.backlog = 4});
    t->wire = true;
    t->checks = true;
    talk_accept(t, 1000);
}

/* One after the other, each exactly. */
static void run_data(void **state)
{
    struct talk t;
    uint32_t seq = 1;

    start(&t);
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(sizes); seq += sizes[i++]) {
        talk_give(&t, A | P, seq, 1, sizes[i]);
        assert_int_equal(told.received_bytes, seq - 1 + sizes[i]);
    }
    talk_wait_ms(&t, 50);
    assert_int_equal(net_counters(t.s.net)->tcp_in_errs, 0);
    talk_stop(&t);
}

/* Three in one batch, which are told as one chain. */
static void run_batch(void **state)
{
    struct talk t;
    uint32_t seq = 1, segments = 0;

    start(&t);
    t.keeps = true;
    t.batch = true;
    for (uint32_t i = 0; i < RT_ARRAY_SIZE(sizes); seq += sizes[i++])
        talk_give(&t, A | P, seq, 1, sizes[i]);
    talk_flush(&t);
    assert_int_equal(told.received_bytes, ALL);
    assert_int_equal(talk_kept->user, 0); /* one chain */
    assert_int_equal(talk_kept->pkt_len, ALL);
    for (const struct buf *b = talk_kept; b != NULL; b = b->next)
        segments += b->data_len != 0;
    assert_in_range(segments, 1, RT_ARRAY_SIZE(sizes));
    t.batch = false;
    talk_stop(&t);
}

/* A bare ACK is no data: it is not answered, and acknowledges. */
static void run_ack(void **state)
{
    struct talk t;

    start(&t);
    talk_send(&t, told.conn, 100, 100);
    talk_expect(&t, A, 1, 1, 100);
    talk_give(&t, A, 1, 101, 0);
    talk_wait_ms(&t, 100);
    talk_silent(&t);
    assert_int_equal(told.conn->snd_una - t.iss, 101);
    assert_int_equal(told.conn->rcv_nxt - t.irs, 1);
    assert_int_equal(told.received_bytes, 0);
    talk_stop(&t);
}

/* FIN counts one, and a reset is one. */
static void run_end(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, F | A, 1, 1, 0);
    talk_expect(&t, A, 1, 2, 0);
    assert_int_equal(told.ended, 1);
    talk_accept(&t, 1001);
    talk_give(&t, R, 1, 0, 0);
    assert_int_equal(told.closed, 1);
    assert_int_equal(told.reason, TCP_RESET);
    assert_int_equal(told.received_bytes, 0);
    talk_stop(&t);
}

/* The checksum is of the segment alone: right with anything behind it, wrong by a bit inside. */
static void run_checksum(void **state)
{
    struct talk t;

    start(&t);
    t.batch = true;
    talk_give(&t, A, 1, 1, 5);
    buf_data(t.waiting.buf[0])[59] ^= 0xff; /* the last of the padding */
    talk_flush(&t);
    assert_int_equal(told.received_bytes, 5);
    talk_give(&t, A, 6, 1, 5);
    buf_data(t.waiting.buf[0])[58] ^= 0x01; /* the last byte that it carries */
    talk_flush(&t);
    assert_int_equal(told.received_bytes, 5);
    assert_int_equal(net_counters(t.s.net)->tcp_in_errs, 1);
    t.batch = false;
    talk_stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_data), cmocka_unit_test(run_batch), cmocka_unit_test(run_ack),
        cmocka_unit_test(run_end),  cmocka_unit_test(run_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
