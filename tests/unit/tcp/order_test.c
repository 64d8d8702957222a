/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments out of order: kept, reported, delivered exactly, and never too many of them.
 * order_test SEEDS [FIRST] plays others. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 65535, STRIDE = BUF_STRIDE_BYTES };

static const struct tcp_config config = {.conns = 4, .rx_window = WINDOW};
static const struct tcp_listen listen = {.backlog = 4};
static uint32_t seeds = 60, first_seed = 1;

static void start(struct talk *t)
{
    talk_start(t, &config, listen);
    t->options.sack = true;
    t->checks = true;
    talk_give(t, S, 0, 0, 0);
    talk_expect(t, S | A, 0, 1, 0);
    talk_give(t, A, 1, 1, 0);
}

/* ---- the tree, as order.h says it is ---- */

static struct buf *before_of(const struct buf *b)
{
    return (struct buf *)(uintptr_t)b->outside;
}
static struct buf *behind_of(const struct buf *b)
{
    return (struct buf *)(uintptr_t)b->user;
}

struct walk {
    const struct buf *last;
    uint32_t blocks, depth, true_bytes;
};

/* In order, with a hole before each block, and every buffer counted. */
static void walk(const struct buf *b, uint32_t depth, struct walk *w)
{
    const struct buf *each;
    uint32_t bytes = 0;

    if (b == NULL)
        return;
    assert_true(depth < 200);
    walk(before_of(b), depth + 1, w);
    if (w->last != NULL)
        assert_true((int32_t)(b->rss_hash - w->last->rss_type) > 0);
    assert_true((int32_t)(b->rss_type - b->rss_hash) > 0);
    each = b;
    do {
        each = each->next;
        bytes += each->data_len;
        w->true_bytes += each->pool->stride_bytes;
    } while (each != b);
    assert_int_equal(bytes, b->rss_type - b->rss_hash);
    w->last = b;
    w->blocks++;
    w->depth = RT_MAX(w->depth, depth);
    walk(behind_of(b), depth + 1, w);
}

static struct walk look(const struct tcp_conn *conn)
{
    struct walk w = {NULL, 0, 0, 0};

    walk(conn->order, 1, &w);
    assert_int_equal(w.true_bytes, conn->holes.true_bytes);
    return w;
}

/* ---- reports ---- */

/* The holes of a stream, and what comes last is said first (RFC 2018 4). */
static void run_sacks(void **state)
{
    struct talk t;
    struct heard ack;

    start(&t);
    talk_give(&t, A, 1001, 1, 500);
    ack = talk_hear(&t);
    assert_int_equal(ack.ack, 1);
    assert_int_equal(ack.options.sack_count, 1);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 1001);
    assert_int_equal(ack.options.sacks[0].end - t.irs, 1501);
    talk_give(&t, A, 3001, 1, 500);
    talk_give(&t, A, 5001, 1, 500);
    talk_give(&t, A, 7001, 1, 500);
    talk_give(&t, A, 9001, 1, 500);
    talk_drop_all(&t);
    talk_give(&t, A, 3501, 1, 500); /* a block grows */
    ack = talk_hear(&t);
    assert_int_equal(ack.options.sack_count, 4);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 3001);
    assert_int_equal(ack.options.sacks[0].end - t.irs, 4001);
    assert_int_equal(ack.options.sacks[1].first - t.irs, 9001);
    assert_int_equal(ack.options.sacks[2].first - t.irs, 7001);
    talk_give(&t, A, 4001, 1, 1000); /* two blocks become one */
    ack = talk_hear(&t);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 3001);
    assert_int_equal(ack.options.sacks[0].end - t.irs, 5501);
    talk_give(&t, A, 1, 1, 1000);
    talk_expect(&t, A, 1, 1501, 0);
    assert_int_equal(told.received_bytes, 1500);
    talk_stop(&t);
}

/* What came twice is said once (RFC 2883 4.1): below what is acknowledged, and inside a block. */
static void run_twice(void **state)
{
    struct talk t;
    struct heard ack;

    start(&t);
    talk_give(&t, A, 1, 1, 1000);
    talk_drop_all(&t);
    talk_give(&t, A, 1, 1, 1000);
    ack = talk_hear(&t);
    assert_int_equal(ack.ack, 1001);
    assert_int_equal(ack.options.sack_count, 1);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 1);
    assert_int_equal(ack.options.sacks[0].end - t.irs, 1001);
    talk_give(&t, A, 2001, 1, 1000);
    ack = talk_hear(&t);
    assert_int_equal(ack.options.sack_count, 1);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 2001);
    talk_give(&t, A, 2501, 1, 500);
    ack = talk_hear(&t);
    assert_int_equal(ack.options.sack_count, 2);
    assert_int_equal(ack.options.sacks[0].first - t.irs, 2501);
    assert_int_equal(ack.options.sacks[0].end - t.irs, 3001);
    assert_int_equal(ack.options.sacks[1].first - t.irs, 2001);
    assert_int_equal(ack.options.sacks[1].end - t.irs, 3001);
    talk_stop(&t);
}

/* Out of order across the wrap of sequence numbers, of all 32 bits and of the sign. */
static void run_wrap(void **state)
{
    static const uint32_t firsts[] = {0xfffffa00, 0x7ffffa00};
    static const uint32_t order[] = {3, 1, 5, 2, 4};
    struct heard ack;
    struct talk t;

    for (uint32_t i = 0; i < RT_ARRAY_SIZE(firsts); i++) {
        talk_start(&t, &config, listen);
        t.irs = firsts[i];
        t.options.sack = true;
        t.checks = true;
        talk_give(&t, S, 0, 0, 0);
        talk_expect(&t, S | A, 0, 1, 0);
        talk_give(&t, A, 1, 1, 0);
        for (uint32_t k = 0; k < RT_ARRAY_SIZE(order); k++) {
            talk_give(&t, A, 1 + 512 * (order[k] - 1), 1, 512);
            ack = talk_hear(&t);
            if (order[k] == 3 || order[k] == 5)
                assert_int_equal(ack.options.sacks[0].first - t.irs, 1 + 512 * (order[k] - 1));
        }
        assert_int_equal(ack.ack, 1 + 512 * 5);
        assert_int_equal(told.received_bytes, 512 * 5);
        talk_stop(&t);
    }
}

/* ---- limits ---- */

/* One-byte segments with holes between them, far more than there may be: memory is bounded, the
 * tree is flat, what lies last goes first, and what is next is always taken. */
static void run_smack(void **state)
{
    struct talk t;
    struct walk w;
    const uint32_t most = RT_MIN(2 * WINDOW / STRIDE, POOL_HOSTILE ? 100u : UINT32_MAX);
    uint32_t buffers, rcv_nxt;

    start(&t);
    buffers = t.s.pool->free;
    for (uint32_t i = 0; i < 2000; i++) {
        talk_give(&t, A, 4001 - 2 * (i % 2000), 1, 1); /* from the end to the front */
        talk_drop_all(&t);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        talk_give(&t, A, 3 + 2 * (i * 7919 % 2000), 1, 1);
        talk_drop_all(&t);
    }
    w = look(told.conn);
    assert_true(w.blocks <= most);
    assert_true(w.blocks >= most / 2);
    assert_true(w.depth <= 40);
    assert_true(buffers - t.s.pool->free <= w.blocks);
    assert_int_equal(told.conn->order == NULL, false);
    rcv_nxt = told.conn->rcv_nxt;
    talk_give(&t, A | P, 1, 1, 2); /* 1 and 2; 3 is there */
    assert_true(told.conn->rcv_nxt - rcv_nxt >= 3);
    for (uint32_t at = told.received_bytes; at < 4001; at = told.received_bytes)
        talk_give(&t, A, 1 + at, 1, 1); /* the holes, each of them */
    assert_int_equal(told.received_bytes, 4001);
    assert_null(told.conn->order);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

/* Another connection of the same stack does not notice. */
static void run_smack_beside(void **state)
{
    struct talk t;
    struct tcp_conn *victim;

    start(&t);
    victim = told.conn;
    t.checks = false;
    for (uint32_t i = 0; i < 1000; i++)
        talk_give(&t, A, 3 + 2 * i, 1, 1);
    assert_true(victim->holes.true_bytes <= 2 * WINDOW);
    talk_drop_all(&t);
    talk_accept(&t, 1001);
    for (uint32_t i = 0; i < 100; i++)
        talk_give(&t, A, 1 + 1000 * i, 1, 1000);
    assert_int_equal(told.received_bytes, 100000);
    talk_stop(&t);
}

/* A FIN that comes early counts when all before it is there. */
static void run_early_fin(void **state)
{
    struct talk t;

    start(&t);
    talk_give(&t, F | A, 1001, 1, 0);
    talk_give(&t, F | A, 501, 1, 500);
    assert_int_equal(told.ended, 0);
    talk_drop_all(&t);
    talk_give(&t, A, 1, 1, 500);
    talk_expect(&t, A, 1, 1002, 0);
    assert_int_equal(told.received_bytes, 1000);
    assert_int_equal(told.ended, 1);
    assert_int_equal(told.conn->state, TCP_CLOSE_WAIT);
    talk_stop(&t);
}

/* ---- at random, beside a plain model ---- */

enum { STREAM = 4000 };

static uint32_t random_below(uint64_t *random, uint32_t below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 16) % below;
}

/* Every block of a report is one that the peer sent, and, while nothing was dropped, as long as it
 * can be. */
static void check_sacks(const struct talk *t, const uint8_t *sent, const struct heard *ack)
{
    for (uint32_t i = 0; i < ack->options.sack_count; i++) {
        const uint32_t first = ack->options.sacks[i].first - t->irs;
        const uint32_t end = ack->options.sacks[i].end - t->irs;

        assert_true(first < end);
        assert_true(end <= 1 + STREAM);
        for (uint32_t at = first; at < end; at++)
            assert_true(sent[at]);
        if (i > 0 && net_counters(t->s.net)->tcp_order_dropped == 0)
            assert_false(end < 1 + STREAM && sent[end]);
    }
}

static void play(uint64_t seed)
{
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint8_t sent[STREAM + 2] = {0};
    struct talk t;
    struct heard ack = {.ack = 0};
    uint32_t steps = 0;

    start(&t);
    for (; told.received_bytes < STREAM; steps++) {
        const uint32_t at = random_below(&random, STREAM);
        const uint32_t bytes = 1 + random_below(&random, RT_MIN(300u, STREAM - at));
        const bool end = at + bytes == STREAM;
        const uint32_t seq = steps < 200 ? 1 + at : 1 + told.received_bytes;
        const uint32_t count = steps < 200 ? bytes : RT_MIN(1000u, STREAM + 1 - seq);

        memset(sent + seq, 1, count);
        talk_give(&t, end && steps < 200 ? F | A : A, seq, 1, count);
        look(told.conn);
        while (t.s.seen != t.s.sent) {
            ack = talk_hear(&t);
            check_sacks(&t, sent, &ack);
        }
    }
    assert_int_equal(told.received_bytes, STREAM);
    if (told.ended == 0)
        talk_give(&t, F | A, 1 + STREAM, 1, 0);
    assert_int_equal(told.ended, 1);
    assert_null(told.conn->order);
    assert_int_equal(t.s.pool->free, t.s.pool->total);
    talk_stop(&t);
}

static void run_random(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
        play(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_sacks),
        cmocka_unit_test(run_twice),
        cmocka_unit_test(run_wrap),
        cmocka_unit_test(run_smack),
        cmocka_unit_test(run_smack_beside),
        cmocka_unit_test(run_early_fin),
        cmocka_unit_test(run_random),
    };

    if (argc > 1)
        seeds = (uint32_t)atoi(argv[1]);
    if (argc > 2)
        first_seed = (uint32_t)atoi(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
